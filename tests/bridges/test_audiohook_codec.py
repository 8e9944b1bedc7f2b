"""Messages of Genesys AudioHook."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bridges.test_twilio_codec import JSON
from tests.support.line_samples import samples

from voicelive.bridges import audiohook_codec as codec
from voicelive.bridges import audiohook_messages as messages
from voicelive.bridges.events import BrokenMessage, Dtmf, UnknownMessage

ID = "7b0a5e1c-52d4-4c7e-8c1b-0f6d2a9e4b31"


def bodies(**wanted: str) -> list[messages.Body]:
    found = [codec.decode(json.dumps(m)) for m in samples("audiohook", "in", **wanted) if not isinstance(m, bytes)]
    assert all(isinstance(message, messages.Message) for message in found)
    return [message.body for message in found if isinstance(message, messages.Message)]


def test_every_sample_of_the_provider_is_understood() -> None:
    assert not [body for body in bodies() if isinstance(body, UnknownMessage | BrokenMessage)]


def test_open_tells_what_the_stream_is() -> None:
    start = bodies(session="bot")[0]

    assert isinstance(start, messages.Open)
    assert start.conversation_id == "d41f8a06-9b3c-4e57-a2c8-6e0b75f1d932"
    assert (start.ani, start.ani_name, start.dnis) == ("tel:+15550100001", "Jordan Example", "tel:+15550100002")
    assert (start.language, start.input_variables) == ("en-US", {"tenant": "demo", "greeting": "short"})
    assert [(media.format, media.rate_hz, media.channels) for media in start.media] == [("PCMU", 8000, ("external",))]
    assert not start.is_probe


def test_a_probe_has_the_null_id_as_its_conversation() -> None:
    probe = bodies(session="probe")[0]

    assert isinstance(probe, messages.Open)
    assert probe.is_probe


def test_the_course_of_a_conversation() -> None:
    assert bodies(session="bot")[1:] == [
        messages.PlaybackStarted(),
        messages.Ping(),
        messages.Ping(),
        messages.PlaybackCompleted(),
        Dtmf("1"),
        messages.PlaybackStarted(),
        messages.PlaybackCompleted(),
        messages.LanguageChanged("es-ES"),
        messages.Paused(),
        messages.Resumed(1400.0),
        messages.Discarded(200.0),
        messages.LineError(429, "Rate limit exceeded", 3.0),
        messages.Close("disconnect"),
    ]


def test_the_envelope_has_numbers_and_a_place() -> None:
    message = codec.decode(json.dumps(samples("audiohook", "in", session="bot")[2]))

    assert isinstance(message, messages.Message)
    assert (message.id, message.seq, message.serverseq, message.position_ms) == (ID, 2, 2, 100.0)


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (messages.Pong(), "pong"),
        (messages.Updated(), "updated"),
        (messages.BargeIn(), "event"),
        (messages.Closed(), "closed"),
        (
            messages.Disconnect("completed", "caller is done", {"outcome": "resolved", "transfer": "false"}),
            "disconnect",
        ),
    ],
)
def test_what_is_written_is_what_the_samples_have(command: messages.Command, kind: str) -> None:
    written = [m for m in samples("audiohook", "out", session="bot") if not isinstance(m, bytes) and m["type"] == kind]
    sample: dict[str, Any] = written[-1]

    frame = codec.encode(command, stream_id=ID, seq=sample["seq"], clientseq=sample["clientseq"])

    assert json.loads(frame) == sample


@pytest.mark.parametrize("session", ["bot", "monitor", "probe"])
def test_opened_sends_an_offer_back_unchanged(session: str) -> None:
    start, sample = bodies(session=session)[0], samples("audiohook", "out", session=session)[0]
    assert isinstance(start, messages.Open)
    media = None if start.is_probe else start.media[0]

    written = json.loads(codec.encode(messages.Opened(media), stream_id=sample["id"], seq=1, clientseq=1))

    assert written["parameters"]["media"] == sample["parameters"]["media"]


def test_an_unknown_kind_is_kept_with_its_number() -> None:
    data = json.dumps({"version": "2", "type": "weather", "id": ID, "seq": 7, "parameters": {"sky": "sunny"}})

    message = codec.decode(data)

    assert isinstance(message, messages.Message)
    assert (message.seq, message.body) == (7, UnknownMessage("weather", {"sky": "sunny"}))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"version": "1"}, "version is not '2'"),
        ({"id": None}, "id is no text"),
        ({"seq": "x"}, "seq is no number"),
        ({"position": "12 s"}, "position is no duration in seconds"),
    ],
)
def test_a_broken_envelope_is_named(fields: dict[str, Any], problem: str) -> None:
    data = json.dumps({"version": "2", "type": "ping", "id": ID, "seq": 1, "parameters": {}, **fields})

    assert codec.decode(data) == BrokenMessage(problem, len(data))


@pytest.mark.parametrize(
    ("kind", "parameters", "problem"),
    [
        ("ping", [], "ping: parameters is no object"),
        ("open", {}, "open: organizationId is no text"),
        ("open", {"organizationId": "o", "conversationId": "c"}, "open: media is no list"),
        ("resumed", {"discarded": "PT1M"}, "resumed: discarded is no duration in seconds"),
        ("error", {"code": "much"}, "error: code is no number"),
    ],
)
def test_a_broken_body_is_named_and_its_number_kept(kind: str, parameters: Any, problem: str) -> None:
    data = json.dumps({"version": "2", "type": kind, "id": ID, "seq": 3, "parameters": parameters})

    message = codec.decode(data)

    assert isinstance(message, messages.Message)
    assert (message.seq, message.body) == (3, BrokenMessage(problem, len(data)))


@given(st.sampled_from(sorted(codec._READERS)), JSON, JSON)
def test_no_message_raises(kind: str, parameters: object, inner: object) -> None:
    names = ("organizationId", "conversationId", "participant", "media", "discarded", "language", "digit", "code")
    for body in (
        parameters,
        dict.fromkeys(names, inner),
        {"organizationId": "", "conversationId": "", "media": [inner]},
    ):
        codec.decode(json.dumps({"type": kind, "id": "x", "seq": 1, "position": inner, "parameters": body}))
        codec.decode(json.dumps({"type": kind, "id": "x", "seq": 1, "parameters": body}))

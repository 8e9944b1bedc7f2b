"""What messages of Genesys AudioHook mean."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.line_samples import samples

from voicelive.audio.playback import PlaybackFrame
from voicelive.bridges import audiohook
from voicelive.bridges import audiohook_messages as messages
from voicelive.bridges.events import BrokenMessage, Dtmf
from voicelive.bridges.line import Action, Ended, Gap, Hear, Played, Refuse, Say, Tell

OPEN = samples("audiohook", "in", session="bot")[0]


class Provider:
    """Numbers messages as Genesys does."""

    def __init__(self, start: dict[str, Any] = OPEN) -> None:
        self.line = audiohook.AudioHookLine({})
        self.seq = 1
        self.opened = list(self.line.receive(json.dumps(start), 0.0))
        self.id = start["id"]

    def says(self, kind: str, now: float = 0.0, **parameters: Any) -> list[Action]:
        self.seq += 1
        message = {"version": "2", "type": kind, "seq": self.seq, "id": self.id, "parameters": parameters}
        return list(self.line.receive(json.dumps(message), now))


def said(action: Action) -> dict[str, Any]:
    assert isinstance(action, Say)
    found: dict[str, Any] = json.loads(action.frame)
    return found


def problem(actions: list[Action]) -> str:
    (told, *_) = actions
    assert isinstance(told, Tell)
    assert isinstance(told.event, BrokenMessage)
    return told.event.problem


def piece(start_ms: float, ms: float = 400) -> PlaybackFrame:
    return PlaybackFrame.of(b"\xff" * round(ms * 8), "a1", start_ms, ms)


def test_open_is_answered_with_the_offer_unchanged() -> None:
    provider = Provider()
    (opened,) = provider.opened

    assert said(opened) == {
        "version": "2",
        "type": "opened",
        "seq": 1,
        "clientseq": 1,
        "id": OPEN["id"],
        "parameters": {"startPaused": False, "media": OPEN["parameters"]["media"]},
    }
    assert provider.line.start is not None
    assert provider.line.start.input_variables == {"tenant": "demo", "greeting": "short"}


def test_a_ping_is_answered_with_its_own_number() -> None:
    provider = Provider()
    pongs = [said(provider.says("ping")[0]), said(provider.says("ping", rtt="PT0.04S")[0])]

    assert [(pong["type"], pong["seq"], pong["clientseq"]) for pong in pongs] == [("pong", 2, 2), ("pong", 3, 3)]


def test_of_two_channels_only_the_caller_is_heard() -> None:
    (start,) = (m for m in samples("audiohook", "in", session="monitor")[:1])
    stereo = {**start, "parameters": {**start["parameters"], "media": start["parameters"]["media"][:1]}}

    assert said(Provider(start).opened[0])["parameters"]["media"][0]["channels"] == ["external"]
    assert list(Provider(stereo).line.receive(b"\1\2\3\4", 0.0)) == [Hear(b"\1\3")]
    assert problem(list(Provider(stereo).line.receive(b"\1\2\3", 0.0))) == "audio that ends inside a sample"
    assert list(Provider().line.receive(b"\1\2\3", 0.0)) == [Hear(b"\1\2\3")]


def test_a_stream_without_usable_audio_is_refused() -> None:
    media = [{"type": "audio", "format": "L16", "channels": ["external"], "rate": 8000}]
    start = {**OPEN, "parameters": {**OPEN["parameters"], "media": media}}

    goodbye, refusal = Provider(start).opened

    assert said(goodbye)["parameters"]["reason"] == "error"
    assert isinstance(refusal, Refuse)


def test_a_probe_is_opened_without_audio() -> None:
    provider = Provider(samples("audiohook", "in", session="probe")[0])

    assert said(provider.opened[0])["parameters"]["media"] == []
    assert provider.line.start is not None
    assert provider.line.start.is_probe
    assert said(provider.says("ping")[0])["type"] == "pong"


def test_close_is_answered_and_ends_the_call() -> None:
    provider = Provider()
    assert provider.line.answers_farewell
    closed, ended = provider.says("close", reason="end")

    assert said(closed)["type"] == "closed"
    assert ended == Ended("caller", "end")
    assert list(provider.line.farewell("caller", "")) == []
    assert not provider.line.answers_farewell


@pytest.mark.parametrize(("trouble", "reason"), [("", "completed"), ("ConnectionLostError", "error")])
def test_a_farewell_asks_the_provider_to_end_the_stream(trouble: str, reason: str) -> None:
    variables: dict[str, str] = {}
    line = audiohook.AudioHookLine(variables)
    assert list(line.farewell("hung_up", "")) == []
    line.receive(json.dumps(OPEN), 0.0)
    variables["outcome"] = "resolved"

    (farewell,) = line.farewell("session", trouble)

    parameters = json.loads(farewell)["parameters"]
    assert parameters["reason"] == reason
    assert parameters["outputVariables"] == {"outcome": "resolved"}


def test_a_pause_holds_both_directions_and_its_gap_is_told() -> None:
    provider = Provider()
    line = provider.line
    line.voice(piece(0), 0.0)
    assert provider.says("paused", now=0.1) == [Tell(messages.Paused())]

    assert problem(list(line.receive(b"\1", 0.2))) == "audio while the stream is paused"
    assert line.room_in_s(0.2) == math.inf
    assert [round(played.ms) for played in line.heard(0.5)] == [100]
    assert provider.says("resumed", now=1.1, discarded="PT1S") == [Gap(1000.0), Tell(messages.Resumed(1000.0))]
    assert [round(played.ms) for played in line.heard(1.2)] == [200]
    assert list(line.receive(b"\1", 1.2)) == [Hear(b"\1")]
    assert provider.says("discarded", discarded="PT0.2S") == [Gap(200.0), Tell(messages.Discarded(200.0))]


def test_hearing_begins_when_the_provider_says_so() -> None:
    provider = Provider()
    provider.line.voice(piece(0), 0.0)

    assert provider.says("playback_started", now=0.25) == [Tell(messages.PlaybackStarted())]
    assert [round(played.ms) for played in provider.line.heard(0.45)] == [200]
    assert provider.says("playback_completed", now=0.5) == [Tell(messages.PlaybackCompleted())]


def test_a_barge_in_calls_back_what_was_not_heard() -> None:
    provider = Provider()
    assert provider.line.voice(piece(0), 0.0) == (bytes(piece(0)),)
    assert provider.line.sounding

    (barge_in,) = provider.line.flush(0.1)

    assert json.loads(barge_in)["parameters"]["entities"][0]["type"] == "barge_in"
    assert list(provider.line.flush(0.1)) == []


def test_audio_waits_where_the_provider_has_too_much() -> None:
    provider = Provider()

    (told,) = provider.says("error", now=1.0, code=429, message="too much", retryAfter="PT3S")

    assert told == Tell(messages.LineError(429, "too much", 3.0))
    assert provider.line.room_in_s(1.0) == 3.0
    provider.says("error", now=1.0, code=400, message="no")
    assert provider.line.room_in_s(4.0) == 0.0


def test_keys_and_languages_are_told() -> None:
    provider = Provider()
    updated, told = provider.says("update", language="es-ES")

    assert said(updated)["type"] == "updated"
    assert told == Tell(messages.LanguageChanged("es-ES"))
    assert provider.says("dtmf", digit="1") == [Tell(Dtmf("1"))]


def test_what_comes_in_a_wrong_order_is_named() -> None:
    provider = Provider()
    provider.seq += 1
    jumped = provider.says("ping")

    assert problem(jumped) == "seq is 3, not 2"
    assert said(jumped[1])["clientseq"] == 3
    assert problem(provider.says("open", **OPEN["parameters"])) == "a second open"
    assert problem(list(audiohook.AudioHookLine({}).receive(b"\1", 0.0))) == "audio before open"
    provider.id = "another"
    assert problem(provider.says("ping")) == "the id of another stream"
    assert provider.line.gone() == "line_lost"
    assert problem(list(provider.line.receive("{", 0.0))) == "not JSON: JSONDecodeError"


@given(st.lists(st.sampled_from([m if isinstance(m, bytes) else json.dumps(m) for m in samples("audiohook", "in")])))
def test_no_order_of_messages_raises(messages: list[str | bytes]) -> None:
    line = audiohook.AudioHookLine({})
    for message in messages:
        list(line.receive(message, 0.0))


def test_the_settings_have_the_formats_of_the_line() -> None:
    config = audiohook.session_config(instructions="Be brief.")

    assert (config.input_audio_format, config.output_audio_format) == ("g711_ulaw", "g711_ulaw")
    assert list(audiohook.AudioHookLine({}).heard(0.0)) == list[Played]()

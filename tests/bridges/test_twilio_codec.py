"""Messages of Twilio Media Streams."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.line_samples import samples

from voicelive.bridges import twilio_codec as codec
from voicelive.bridges.events import BrokenMessage, Dtmf, UnknownMessage

STREAM = "MZ6f1c0a9be2d34785a1c7e0d4b92f6a13"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def test_every_sample_of_twilio_is_understood() -> None:
    kinds = [type(codec.decode(json.dumps(message))) for message in samples("twilio", "in")]

    assert set(kinds) == {codec.Connected, codec.Start, codec.Media, codec.Mark, Dtmf, codec.Stop}


def test_the_start_message_tells_what_the_stream_is() -> None:
    start = codec.decode(json.dumps(samples("twilio", "in")[1]))

    assert start == codec.Start(
        stream_sid=STREAM,
        call_sid="CA9e3a5d7c1b0f48629d4e8a7c6b5f0312",
        account_sid="AC2b7d90c4e15f4a3d8c6b1e0f7a9d5c28",
        parameters={"token": "1767225600.5d0c41f2a9", "tenant": "demo", "language": "en-US"},
        tracks=("inbound",),
    )


def test_media_carry_audio_and_its_place() -> None:
    media = [codec.decode(json.dumps(message)) for message in samples("twilio", "in") if message["event"] == "media"]

    assert [message.timestamp_ms for message in media if isinstance(message, codec.Media)] == [97, 117, 137, 217, 237]
    assert media[0] == codec.Media(b"\xff" * 160, timestamp_ms=97)


def test_numbers_are_read_as_texts_and_as_numbers() -> None:
    message = {"event": "media", "media": {"payload": "/w==", "timestamp": 40}}

    assert codec.decode(json.dumps(message)) == codec.Media(b"\xff", timestamp_ms=40)


@pytest.mark.parametrize("message", samples("twilio", "out"), ids=lambda message: message["event"])
def test_what_is_written_has_the_keys_of_the_samples_and_no_other(message: dict[str, object]) -> None:
    decoded = codec.decode(json.dumps(message))
    command = codec.Clear() if isinstance(decoded, UnknownMessage) else decoded
    assert isinstance(command, codec.Media | codec.Mark | codec.Clear)

    assert json.loads(codec.encode(command, STREAM)) == message


@given(st.binary(max_size=400))
def test_media_round_trip(audio: bytes) -> None:
    assert codec.decode(codec.encode(codec.Media(audio), STREAM)) == codec.Media(audio)


@given(st.text())
def test_marks_round_trip(name: str) -> None:
    assert codec.decode(codec.encode(codec.Mark(name), STREAM)) == codec.Mark(name)


@given(st.text())
def test_the_stream_is_named_whatever_its_name(stream_sid: str) -> None:
    commands = (codec.Media(b"\xff"), codec.Mark("a1:1"), codec.Clear())

    assert {json.loads(codec.encode(command, stream_sid))["streamSid"] for command in commands} == {stream_sid}


def test_an_unknown_kind_is_kept_whole() -> None:
    message = {"event": "weather", "sky": "sunny"}

    assert codec.decode(json.dumps(message)) == UnknownMessage("weather", message)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "longer"),
        ("[" * 60_000, "not JSON"),
        ("[]", "no JSON object"),
        (b"\x00", "binary"),
        ('{"event":"media","media":5}', "media is no object"),
        ('{"event":"media"}', "payload is no text"),
        ('{"event":"media","media":{"payload":"a"}}', "payload is no base64"),
        ('{"event":"media","media":{"payload":"","timestamp":"soon"}}', "timestamp is no number"),
        ('{"event":"media","media":{"payload":"","timestamp":1e999}}', "timestamp is no number"),
        ('{"event":"media","media":{"payload":"","timestamp":true}}', "timestamp is no number"),
        ('{"event":"start"}', "streamSid is missing"),
        ('{"event":"mark","mark":{}}', "name is no text"),
    ],
)
def test_a_broken_message_is_named(data: str | bytes, problem: str) -> None:
    decoded = codec.decode(data)

    assert isinstance(decoded, BrokenMessage)
    assert problem in decoded.problem
    assert decoded.size == len(data)


@given(st.sampled_from(["connected", "start", "media", "dtmf", "mark", "stop"]), JSON, JSON)
def test_no_message_raises(kind: str, content: object, inner: object) -> None:
    names = ("streamSid", "payload", "timestamp", "track", "digit", "name", "mediaFormat", "customParameters", "tracks")
    for body in (content, dict.fromkeys(names, inner)):
        codec.decode(json.dumps({"event": kind, "streamSid": inner, kind: body}))


@given(st.text() | st.binary())
def test_no_frame_raises(data: str | bytes) -> None:
    codec.decode(data)

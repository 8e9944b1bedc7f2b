"""Messages of Azure Communication Services."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bridges.test_twilio_codec import JSON
from tests.support.line_samples import samples

from voicelive.bridges import acs_codec as codec
from voicelive.bridges.events import BrokenMessage, Dtmf, UnknownMessage


def test_every_sample_of_the_service_is_understood() -> None:
    kinds = {type(codec.decode(json.dumps(message))) for message in samples("acs", "in")}

    assert kinds == {codec.AudioMetadata, codec.AudioData, Dtmf}


@pytest.mark.parametrize(("session", "rate_hz", "frame_bytes"), [("24k", 24_000, 960), ("16k", 16_000, 640)])
def test_metadata_and_frames_of_both_rates(session: str, rate_hz: int, frame_bytes: int) -> None:
    metadata, *rest = (codec.decode(json.dumps(message)) for message in samples("acs", "in", session=session))

    assert isinstance(metadata, codec.AudioMetadata)
    assert (metadata.rate_hz, metadata.encoding, metadata.channels) == (rate_hz, "PCM", 1)
    assert metadata.frame_bytes == frame_bytes
    spoken = [message for message in rest if isinstance(message, codec.AudioData) and not message.silent]
    assert {len(message.audio) for message in spoken} == {frame_bytes}
    assert spoken[0].participant == "4:+15550100001"


def test_a_silent_frame_may_be_empty_and_name_nobody() -> None:
    found = [codec.decode(json.dumps(message)) for message in samples("acs", "in", session="24k")]

    silent = [message for message in found if isinstance(message, codec.AudioData) and message.silent]
    assert {len(message.audio) for message in silent} == {0, 960}
    assert silent[-1].participant is None
    missing = {"kind": "AudioData", "audioData": {"silent": True, "data": None}}
    assert codec.decode(json.dumps(missing)) == codec.AudioData(b"", silent=True)


def test_a_frame_that_does_not_say_whether_it_is_silent_is_not() -> None:
    message = {"kind": "AudioData", "audioData": {"data": "AAA="}}

    assert codec.decode(json.dumps(message)) == codec.AudioData(b"\0\0")


def test_keys_are_tones() -> None:
    found = [codec.decode(json.dumps(message)) for message in samples("acs", "in")]

    assert [key for key in found if isinstance(key, Dtmf)] == [Dtmf("3"), Dtmf("7", "4:+15550100001")]


def test_what_is_written_is_spelt_as_documented() -> None:
    for message in samples("acs", "out"):
        command = codec.decode(json.dumps(message))  # in either spelling
        assert isinstance(command, codec.AudioData | codec.StopAudio)
        written = json.loads(codec.encode(command))
        assert codec.decode(codec.encode(command)) == codec.decode(json.dumps(written))
        if "Kind" in message:
            assert written == message


@given(st.binary(max_size=400))
def test_audio_round_trips(audio: bytes) -> None:
    assert codec.decode(codec.encode(codec.AudioData(audio))) == codec.AudioData(audio)


def test_an_unknown_kind_is_kept_whole() -> None:
    message: dict[str, Any] = {"kind": "TranscriptionData", "transcriptionData": {}}

    assert codec.decode(json.dumps(message)) == UnknownMessage("TranscriptionData", message)
    assert codec.decode("{}") == UnknownMessage("", {})


def test_a_broken_message_is_named() -> None:
    data = '{"kind":"AudioMetadata","audioMetadata":{"encoding":"PCM"}}'

    assert codec.decode(data) == BrokenMessage("AudioMetadata: samplerate is no number", len(data))
    assert codec.decode("{") == BrokenMessage("not JSON: JSONDecodeError", 1)


@given(st.sampled_from(["AudioMetadata", "AudioData", "DtmfData", "StopAudio"]), JSON, JSON)
def test_no_message_raises(kind: str, content: object, inner: object) -> None:
    names = ("sampleRate", "encoding", "channels", "length", "subscriptionId", "data", "participantRawID", "timestamp")
    for body in (content, dict.fromkeys(names, inner)):
        codec.decode(json.dumps({"kind": kind, kind[0].lower() + kind[1:]: body}))

"""What messages of Azure Communication Services mean."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.line_samples import samples

from voicelive.audio.formats import AudioFormat
from voicelive.audio.playback import PlaybackFrame
from voicelive.bridges import acs
from voicelive.bridges.events import BrokenMessage, Dtmf, UnknownMessage
from voicelive.bridges.line import Action, Hear, Played, Refuse, Tell
from voicelive.errors import ConfigurationError


def receive(line: acs.AcsLine, message: dict[str, Any]) -> list[Action]:
    return list(line.receive(json.dumps(message), 0.0))


def started(session: str = "24k") -> acs.AcsLine:
    line = acs.AcsLine()
    assert not receive(line, samples("acs", "in", session=session)[0])
    return line


def audio(data: bytes | None, **fields: Any) -> dict[str, Any]:
    return {"kind": "AudioData", "audioData": {"data": None if data is None else b64encode(data).decode(), **fields}}


def problem(actions: list[Action]) -> str:
    (told, *_) = actions
    assert isinstance(told, Tell)
    assert isinstance(told.event, BrokenMessage)
    return told.event.problem


@pytest.mark.parametrize(("session", "rate_hz", "output"), [("24k", 24_000, "pcm16"), ("16k", 16_000, "pcm16_16000hz")])
def test_metadata_choose_the_format(session: str, rate_hz: int, output: str) -> None:
    line, config = started(session), acs.session_config(rate_hz=rate_hz)

    assert line.format == AudioFormat("pcm16", rate_hz) == AudioFormat.of_output(config.output_audio_format)
    assert line.format == AudioFormat.of_input(config.input_audio_format, config.input_audio_sampling_rate)
    assert (config.output_audio_format, str(rate_hz) in line.advice) == (output, True)


def test_silent_frames_are_kept_as_silence() -> None:
    line = started()

    assert receive(line, audio(b"", silent=True)) == [Hear(bytes(960))]
    assert receive(line, audio(None, silent=True)) == [Hear(bytes(960))]
    assert receive(line, audio(bytes(480), silent=True)) == [Hear(bytes(480))]
    assert receive(line, audio(b"\1\2", silent=False)) == [Hear(b"\1\2")]


def test_audio_that_ends_inside_a_sample_loses_the_part_and_is_told() -> None:
    actions = receive(started(), audio(b"\1\2\3"))

    assert problem(actions) == "audio that ends inside a sample"
    assert actions[1] == Hear(b"\1\2")


def test_keys_and_unknown_messages_are_told() -> None:
    line = started()

    assert receive(line, {"kind": "DtmfData", "dtmfData": {"data": "7"}}) == [Tell(Dtmf("7"))]
    assert receive(line, {"kind": "MarkData"}) == [Tell(UnknownMessage("MarkData", {"kind": "MarkData"}))]


def test_what_comes_in_a_wrong_order_is_named() -> None:
    metadata = samples("acs", "in")[0]

    assert problem(receive(acs.AcsLine(), audio(b"\0\0"))) == "audio before AudioMetadata"
    assert problem(receive(started(), metadata)) == "a second AudioMetadata"
    assert problem(receive(started(), {"Kind": "StopAudio"})) == "StopAudio is for the other side"


@pytest.mark.parametrize("fields", [{"sampleRate": 8000}, {"channels": 2}, {"encoding": "OPUS"}])
def test_a_stream_that_cannot_be_served_is_refused(fields: dict[str, Any]) -> None:
    metadata = {"kind": "AudioMetadata", "audioMetadata": {"sampleRate": 16_000, **fields}}

    (action,) = receive(acs.AcsLine(), metadata)

    assert isinstance(action, Refuse)
    assert str(next(iter(fields.values()))) in action.problem


def test_the_agents_voice_is_counted_by_the_clock_and_called_back_while_it_sounds() -> None:
    line = started()
    (written,) = line.voice(PlaybackFrame.of(bytes(960), "a1", 0, 20), 1.0)

    assert json.loads(written)["Kind"] == "AudioData"
    sounding = [line.sounding]
    assert list(line.heard(1.02)) == [Played("a1", 20)]
    sounding.append(line.sounding)
    assert sounding == [True, False]
    assert list(line.flush(1.02)) == []
    line.voice(PlaybackFrame.of(bytes(960), "a1", 20, 20), 1.02)
    assert [json.loads(message)["Kind"] for message in line.flush(1.03)] == ["StopAudio"]


def test_a_socket_that_ends_is_a_caller_who_hung_up() -> None:
    assert acs.AcsLine().gone() == "caller"
    assert list(acs.AcsLine().farewell("hung_up", "")) == []


def test_a_rate_that_the_line_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="rate_hz is 8000; allowed: 16000, 24000"):
        acs.session_config(rate_hz=8000)


@given(st.lists(st.sampled_from([json.dumps(message) for message in samples("acs", "in")]) | st.text(), max_size=20))
def test_no_order_of_messages_raises(messages: list[str]) -> None:
    line = acs.AcsLine()
    for message in messages:
        list(line.receive(message, 0.0))

"""The caller's turns, found in samples: where they start and end, and which audio belongs to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from voicelive.audio.formats import AudioFormat
from voicelive.testing.checks import Refusal
from voicelive.testing.settings import TurnDetection
from voicelive.testing.turns import Ear, TurnEnded, TurnEvent, TurnStarted

PCM = AudioFormat("pcm16", 24_000)
DETECTION = TurnDetection(
    threshold=0.5,
    prefix_padding_ms=300,
    silence_duration_ms=500,
    speech_duration_ms=100,
    create_response=True,
    interrupt_response=True,
    auto_truncate=False,
)
Speech = Callable[[int], bytes]


def listen(ear: Ear, audio: bytes, chunk_bytes: int = 960) -> list[TurnEvent]:
    return [
        event for start in range(0, len(audio), chunk_bytes) for event in ear.hear(audio[start : start + chunk_bytes])
    ]


def test_a_sentence_between_silences_is_one_turn(speech: Speech) -> None:
    audio = speech(24_000)
    started, ended = listen(Ear(PCM, DETECTION), audio)
    assert isinstance(started, TurnStarted)
    assert isinstance(ended, TurnEnded)
    assert ended.audio == audio[started.audio_start_ms * 48 : ended.audio_end_ms * 48]


@pytest.mark.parametrize("chunk_bytes", [200, 4_800, 1_000_000])
def test_chunks_make_no_difference(speech: Speech, chunk_bytes: int) -> None:
    audio = speech(24_000)
    assert listen(Ear(PCM, DETECTION), audio, chunk_bytes) == listen(Ear(PCM, DETECTION), audio)


def test_positions_go_on_from_turn_to_turn(speech: Speech) -> None:
    audio = speech(24_000)
    ear = Ear(PCM, DETECTION)
    first = listen(ear, audio)
    second = listen(ear, audio)
    assert ear.position_ms == pytest.approx(2 * len(audio) / 48)
    assert isinstance(first[0], TurnStarted)
    assert isinstance(second[0], TurnStarted)
    assert second[0].audio_start_ms == pytest.approx(first[0].audio_start_ms + len(audio) / 48, abs=60)
    assert isinstance(second[1], TurnEnded)
    start = second[0].audio_start_ms * 48 - len(audio)
    assert second[1].audio == audio[start : start + len(second[1].audio)]


def test_long_silence_is_not_kept() -> None:
    ear = Ear(PCM, DETECTION)
    listen(ear, bytes(48_000 * 10), 48_000)
    assert ear.position_ms == 10_000
    assert len(ear.commit()) <= 48_000 * 4


def test_without_detection_everything_is_kept_until_committed() -> None:
    ear = Ear(PCM, None)
    audio = bytes(48_000 * 5)
    assert listen(ear, audio) == []
    assert ear.commit() == audio
    with pytest.raises(Refusal) as caught:
        ear.commit()
    assert caught.value.code == "input_audio_buffer_commit_empty"


def test_clearing_forgets_a_turn_that_is_going_on(speech: Speech) -> None:
    audio = speech(24_000)
    ear = Ear(PCM, DETECTION)
    half = len(audio) // 2 // 960 * 960
    assert len(listen(ear, audio[:half])) == 1
    ear.clear()
    assert listen(ear, bytes(96_000)) == []


def test_the_same_settings_again_do_not_disturb_a_turn(speech: Speech) -> None:
    audio = speech(24_000)
    ear = Ear(PCM, DETECTION)
    half = len(audio) // 2 // 960 * 960
    events = listen(ear, audio[:half])
    ear.configure(PCM, DETECTION)
    events += listen(ear, audio[half:])
    assert [type(event) for event in events] == [TurnStarted, TurnEnded]


def test_another_format_starts_afresh_and_time_goes_on(speech: Speech) -> None:
    ear = Ear(PCM, None)
    ear.hear(bytes(48_000))
    ear.configure(AudioFormat("g711_ulaw", 8_000), DETECTION)
    assert ear.position_ms == 1000
    ear.hear(b"\xff" * 800)
    assert ear.commit() == b"\xff" * 800


def test_detection_switched_on_later_counts_from_the_start_of_the_session(speech: Speech) -> None:
    ear = Ear(PCM, None)
    ear.hear(bytes(48_000 * 5))
    ear.configure(PCM, DETECTION)
    started, _ = listen(ear, speech(24_000))
    at_once, _ = listen(Ear(PCM, DETECTION), speech(24_000))
    assert isinstance(started, TurnStarted)
    assert isinstance(at_once, TurnStarted)
    assert started.audio_start_ms == 5_000 + at_once.audio_start_ms


def test_half_a_frame_is_refused() -> None:
    with pytest.raises(Refusal):
        Ear(AudioFormat("pcm16", 24_000, 2), None).hear(b"\x00\x00")

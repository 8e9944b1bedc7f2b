"""Formats: what exists, what settings mean, and durations against bytes."""

from __future__ import annotations

import math
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.audio import AudioEncoding, AudioFormat
from voicelive.errors import ConfigurationError

PCM_24K = AudioFormat("pcm16", 24_000)
MULAW = AudioFormat("g711_ulaw", 8_000)
EVERY_FORMAT = [
    *(AudioFormat("pcm16", rate_hz, channels) for rate_hz in (8_000, 16_000, 24_000) for channels in (1, 2)),
    MULAW,
    AudioFormat("g711_alaw", 8_000),
]


def test_a_tenth_of_a_second_at_24_khz_is_4800_bytes() -> None:
    assert PCM_24K.byte_count(100) == 4_800
    assert PCM_24K.duration_ms(4_800) == 100


def test_g711_has_one_byte_a_sample_and_pcm_two_a_channel() -> None:
    assert (MULAW.bytes_per_frame, MULAW.bytes_per_second) == (1, 8_000)
    assert (PCM_24K.bytes_per_frame, PCM_24K.bytes_per_second) == (2, 48_000)
    assert AudioFormat("pcm16", 24_000, channels=2).bytes_per_frame == 4


def test_a_duration_between_two_frames_is_rounded_down_to_whole_frames() -> None:
    stereo = AudioFormat("pcm16", 8_000, channels=2)

    assert stereo.byte_count(0.99) == 7 * 4
    assert stereo.byte_count(0.1) == 0
    assert stereo.whole_frames(11) == 2


def test_float_noise_costs_no_frame() -> None:
    assert 1.001 * 1000 < 1_001
    assert PCM_24K.byte_count(1.001 * 1000) == PCM_24K.byte_count(1_001)


@given(st.sampled_from(EVERY_FORMAT), st.integers(0, 24 * 3600 * 24_000))
def test_bytes_to_milliseconds_and_back_is_lossless(audio_format: AudioFormat, frame_count: int) -> None:
    byte_count = frame_count * audio_format.bytes_per_frame

    assert audio_format.byte_count(audio_format.duration_ms(byte_count)) == byte_count


@given(st.sampled_from(EVERY_FORMAT), st.floats(0, 1e8))
def test_a_byte_count_is_whole_frames_and_no_longer_than_asked(audio_format: AudioFormat, duration_ms: float) -> None:
    byte_count = audio_format.byte_count(duration_ms)
    frame_ms = 1000 / audio_format.rate_hz

    assert byte_count % audio_format.bytes_per_frame == 0
    assert duration_ms - 1.001 * frame_ms <= audio_format.duration_ms(byte_count) <= duration_ms + 0.001 * frame_ms


@pytest.mark.parametrize("duration_ms", [-1, math.inf, math.nan])
def test_a_duration_that_is_none_is_refused(duration_ms: float) -> None:
    with pytest.raises(ConfigurationError, match="duration_ms is"):
        PCM_24K.byte_count(duration_ms)


@pytest.mark.parametrize(("encoding", "byte"), [("pcm16", 0x00), ("g711_ulaw", 0xFF), ("g711_alaw", 0xD5)])
def test_silence_is_the_encodings_own_zero(encoding: AudioEncoding, byte: int) -> None:
    silence = AudioFormat(encoding, 8_000).silence(20)

    assert set(silence) == {byte}
    assert len(silence) == AudioFormat(encoding, 8_000).byte_count(20)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("mp3", 24_000), "encoding is 'mp3'; allowed: pcm16, g711_ulaw, g711_alaw"),
        (("pcm16", 44_100), "rate_hz is 44100; allowed with pcm16: 8000, 16000, 24000"),
        (("g711_ulaw", 24_000), "rate_hz is 24000; allowed with g711_ulaw: 8000"),
        (("g711_alaw", 16_000), "rate_hz is 16000; allowed with g711_alaw: 8000"),
        (("pcm16", 24_000, 3), "channels is 3 with pcm16"),
        (("pcm16", 24_000, 0), "channels is 0 with pcm16"),
        (("g711_ulaw", 8_000, 2), "channels is 2 with g711_ulaw"),
    ],
)
def test_a_combination_that_the_service_has_not_is_refused_by_name(arguments: Any, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        AudioFormat(*arguments)


def test_every_encoding_has_a_format() -> None:
    assert {audio_format.encoding for audio_format in EVERY_FORMAT} == set(get_args(AudioEncoding))


@pytest.mark.parametrize(
    ("name", "rate_hz", "expected"),
    [
        (None, None, PCM_24K),
        ("pcm16", None, PCM_24K),
        (None, 16_000, AudioFormat("pcm16", 16_000)),
        ("pcm16", 8_000, AudioFormat("pcm16", 8_000)),
        ("g711_ulaw", None, MULAW),
        ("g711_ulaw", 24_000, MULAW),
        ("g711_alaw", 8_000, AudioFormat("g711_alaw", 8_000)),
    ],
)
def test_input_settings_give_the_format_to_send(name: str | None, rate_hz: int | None, expected: AudioFormat) -> None:
    assert AudioFormat.of_input(name, rate_hz) == expected


def test_input_with_an_echo_reference_has_two_channels() -> None:
    assert AudioFormat.of_input(None, None, channels=2) == AudioFormat("pcm16", 24_000, 2)
    with pytest.raises(ConfigurationError, match="channels is 2 with g711_alaw"):
        AudioFormat.of_input("g711_alaw", None, channels=2)


def test_unknown_input_settings_are_refused_with_the_allowed_ones() -> None:
    with pytest.raises(ConfigurationError, match="input_audio_format is 'opus'; allowed: pcm16, g711_ulaw, g711_alaw"):
        AudioFormat.of_input("opus", None)
    with pytest.raises(ConfigurationError, match="rate_hz is 44100"):
        AudioFormat.of_input("pcm16", 44_100)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (None, PCM_24K),
        ("pcm16", PCM_24K),
        ("pcm16_16000hz", AudioFormat("pcm16", 16_000)),
        ("pcm16_8000hz", AudioFormat("pcm16", 8_000)),
        ("pcm16-16000hz", AudioFormat("pcm16", 16_000)),
        ("pcm16-8000hz", AudioFormat("pcm16", 8_000)),
        ("g711_ulaw", MULAW),
        ("g711_alaw", AudioFormat("g711_alaw", 8_000)),
    ],
)
def test_output_settings_give_the_format_of_deltas(name: str | None, expected: AudioFormat) -> None:
    assert AudioFormat.of_output(name) == expected


def test_an_unknown_output_setting_is_refused_with_the_allowed_ones() -> None:
    allowed = "pcm16, pcm16_16000hz, pcm16_8000hz, g711_ulaw, g711_alaw"
    with pytest.raises(ConfigurationError, match=f"output_audio_format is 'pcm24'; allowed: {allowed}"):
        AudioFormat.of_output("pcm24")

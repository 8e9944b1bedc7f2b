"""Levels and gain."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.audio import Level, apply_gain, from_float32, level_of, to_float32
from voicelive.errors import ConfigurationError


def pcm(*samples: int) -> bytes:
    return struct.pack(f"<{len(samples)}h", *samples)


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def test_a_square_wave_of_full_scale_has_0_dbfs() -> None:
    assert level_of(pcm(-32_768, -32_768)) == Level(0, 0)


def test_a_sine_of_half_scale_is_9_db_below() -> None:
    sine = pcm(*(round(16_384 * math.sin(math.tau * at / 48)) for at in range(480)))

    level = level_of(sine)

    assert level.rms_dbfs == pytest.approx(-9.03, abs=0.01)
    assert level.peak_dbfs == pytest.approx(-6.02, abs=0.01)


def test_silence_and_nothing_have_no_level() -> None:
    assert level_of(bytes(320)) == level_of(b"") == Level(-math.inf, -math.inf)


def test_twenty_db_are_ten_times_as_much_and_too_much_is_clipped() -> None:
    assert apply_gain(pcm(100, -5, 4_000, -4_000), 20) == pcm(1_000, -50, 32_767, -32_768)
    assert apply_gain(pcm(1_000, 14, -16), -20) == pcm(100, 1, -2)
    assert apply_gain(pcm(1_000), -math.inf) == pcm(0)


@given(st.lists(st.integers(-32_768, 32_767)), st.integers(-60, 0))
def test_no_gain_changes_nothing_and_less_is_never_louder(samples: list[int], gain_db: int) -> None:
    assert apply_gain(pcm(*samples), 0) == pcm(*samples)
    assert level_of(apply_gain(pcm(*samples), gain_db)).peak_dbfs <= level_of(pcm(*samples)).peak_dbfs


@given(st.lists(st.integers(-32_768, 32_767)))
def test_samples_come_back_from_floats_as_they_were(samples: list[int]) -> None:
    assert from_float32(to_float32(pcm(*samples))) == pcm(*samples)


def test_floats_are_between_minus_1_and_1_and_clipped_beyond() -> None:
    assert to_float32(pcm(-32_768, 16_384)) == floats(-1, 0.5)
    assert from_float32(floats(1, -1, 7, -math.inf, math.nan)) == pcm(32_767, -32_768, 32_767, -32_768, 0)


def test_what_is_no_audio_and_no_gain_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="pcm has 3 bytes"):
        level_of(b"abc")
    with pytest.raises(ConfigurationError, match="data has 3 bytes"):
        from_float32(b"abc")
    for gain_db in (101, math.inf, math.nan):
        with pytest.raises(ConfigurationError, match=f"gain_db is {gain_db}"):
            apply_gain(b"", gain_db)

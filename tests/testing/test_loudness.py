"""Loudness in slots of time, and the pauses between sounds."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.testing.loudness import loudness, pauses


def tone(level: float, ms: int, rate_hz: int = 8_000) -> bytes:
    """A square wave: its RMS is its level."""
    value = round(level * 32_768).to_bytes(2, "little", signed=True)
    return value * (ms * rate_hz // 1000)


@given(st.integers(0, 3_000), st.sampled_from([8_000, 16_000, 24_000]))
def test_slots_cover_the_audio_and_no_more(samples: int, rate_hz: int) -> None:
    levels = loudness(tone(0.5, 1)[:2] * samples, rate_hz, 60)

    assert len(levels) == math.ceil(samples * 60 / rate_hz)
    assert levels == pytest.approx([0.5] * len(levels))


def test_each_slot_has_the_level_of_its_own_time() -> None:
    levels = loudness(tone(0, 100) + tone(0.25, 100) + tone(0, 100), 8_000, 60)

    assert levels == pytest.approx([0.0] * 6 + [0.25] * 6 + [0.0] * 6)


def test_a_pause_is_silence_of_at_least_fifty_milliseconds() -> None:
    audio = tone(0, 100) + tone(0.1, 200) + tone(0, 33) + tone(0.1, 67) + tone(0.001, 100) + tone(0.1, 50) + tone(0, 50)

    assert pauses(loudness(audio, 8_000, 60), 60) == [(0, 100), (400, 500), (550, 600)]


@given(st.lists(st.sampled_from([0.0, 0.002, 0.004, 0.5]), max_size=60))
def test_pauses_are_apart_and_hold_nothing_that_sounds(levels: list[float]) -> None:
    found = pauses(levels, 1_000 // 50)

    assert all(end_ms < start_ms for (_, end_ms), (start_ms, _) in pairwise(found))
    silent = [any(start_ms <= slot * 50 < end_ms for start_ms, end_ms in found) for slot in range(len(levels))]
    assert silent == [level < 0.003 for level in levels]

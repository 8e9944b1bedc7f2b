"""Conversion of whole signals by soxr."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicelive.audio.soxr_rates import resample_by_soxr


@settings(max_examples=25)
@given(st.integers(0, 2_000), st.sampled_from([8_000, 11_025, 44_100]), st.sampled_from([16_000, 24_000, 48_000]))
def test_the_duration_is_kept_and_silence_stays_silent(count: int, source_hz: int, target_hz: int) -> None:
    heard = resample_by_soxr(bytes(2 * count), source_hz, target_hz)

    assert heard == bytes(2 * math.ceil(count * target_hz / source_hz))


@pytest.mark.parametrize(("source_hz", "target_hz"), [(44_100, 8_000), (8_000, 24_000)])
def test_a_steady_level_stays_that_level(source_hz: int, target_hz: int) -> None:
    heard = array("h", resample_by_soxr(array("h", [12_345] * source_hz).tobytes(), source_hz, target_hz))

    assert set(heard[target_hz // 4 : target_hz // 4 * 3]) == {12_345}

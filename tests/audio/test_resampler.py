"""The streaming resampler: what is held back, what is heard, and that chunks do not matter."""

from __future__ import annotations

import itertools
import math
from array import array
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicelive.audio import Resampler
from voicelive.errors import ConfigurationError

RATES_HZ = (48_000, 44_100, 24_000, 16_000, 8_000)
PAIRS_HZ = [*itertools.permutations(RATES_HZ, 2), (11_025, 16_000), (48_000, 22_050)]
PASS_BAND = 0.425  # of the lower rate
LOUD = 0.7 * 32_768

Samples = npt.NDArray[Any]


def converted(pcm: bytes, source_hz: int, target_hz: int, channels: int = 1) -> bytes:
    resampler = Resampler(source_hz, target_hz, channels)
    return resampler.push(pcm) + resampler.flush()


def tone(frequency_hz: float, rate_hz: int, amplitude: float = LOUD) -> bytes:
    values = amplitude * np.sin(math.tau * frequency_hz / rate_hz * np.arange(rate_hz // 2) + 0.3)
    pcm: bytes = np.rint(values).astype("<i2").tobytes()
    return pcm


def heard(pcm: bytes, rate_hz: int) -> Samples:
    """300 ms from the middle, where no end is near."""
    return np.frombuffer(pcm, "<i2")[rate_hz // 10 : rate_hz // 10 * 4].astype(np.float64)


def amplitude_and_rest(samples: Samples, frequency_hz: float, rate_hz: int) -> tuple[float, float]:
    """The amplitude of one tone, by least squares, and the effective value of everything else below the pass band."""
    angle = math.tau * frequency_hz / rate_hz * np.arange(len(samples))
    waves = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    weights = np.linalg.lstsq(waves, samples, rcond=None)[0]
    rest = samples - waves @ weights
    return float(np.hypot(*weights)), float(np.sqrt(np.mean(rest**2)))


def db(ratio: float) -> float:
    return 20 * math.log10(ratio)


@pytest.mark.parametrize(("source_hz", "target_hz"), PAIRS_HZ)
@pytest.mark.parametrize("place", [0.01, 0.2, 0.35, PASS_BAND])
def test_the_pass_band_is_flat_within_a_tenth_of_a_db_and_its_noise_80_db_down(
    source_hz: int, target_hz: int, place: float
) -> None:
    frequency_hz = place * min(source_hz, target_hz)
    output = heard(converted(tone(frequency_hz, source_hz), source_hz, target_hz), target_hz)

    amplitude, rest = amplitude_and_rest(output, frequency_hz, target_hz)

    assert abs(db(amplitude / LOUD)) < 0.1
    assert db(amplitude / math.sqrt(2) / rest) > 80


@pytest.mark.parametrize(
    ("source_hz", "target_hz", "place"),
    [
        (*pair_hz, place)
        for pair_hz in PAIRS_HZ
        for place in (1 - PASS_BAND, 0.65, 0.9, 1.3)
        if place * pair_hz[1] < 0.49 * pair_hz[0]  # what the higher rate can hold
    ],
)
def test_aliases_that_would_fall_into_the_pass_band_are_80_db_down(
    source_hz: int, target_hz: int, place: float
) -> None:
    frequency_hz = place * target_hz
    output = heard(converted(tone(frequency_hz, source_hz), source_hz, target_hz), target_hz)

    assert db(max(float(np.sqrt(np.mean(output**2))), 0.01) / (LOUD / math.sqrt(2))) < -80


@pytest.mark.parametrize(("source_hz", "target_hz"), PAIRS_HZ)
def test_no_more_than_3_ms_are_ever_held_back(source_hz: int, target_hz: int) -> None:
    resampler = Resampler(source_hz, target_hz)
    pushed = given_back = 0

    for count in (1, 7, source_hz // 50, 3, source_hz // 100, 1_000):
        pushed += count
        given_back += len(resampler.push(bytes(2 * count))) // 2
        held_ms = pushed * 1000 / source_hz - given_back * 1000 / target_hz
        assert held_ms <= resampler.delay_ms + 1e-9
    assert 0 < resampler.delay_ms <= 3


@settings(max_examples=60)
@given(
    st.sampled_from(PAIRS_HZ),
    st.integers(1, 2),
    st.lists(st.integers(0, 700), min_size=1, max_size=12),
    st.integers(0, 2**32 - 1),
)
def test_any_split_yields_the_same_bytes(pair_hz: tuple[int, int], channels: int, sizes: list[int], seed: int) -> None:
    noise = np.random.default_rng(seed).integers(-32_768, 32_768, sum(sizes) * channels)
    pcm = noise.astype("<i2").tobytes()
    resampler = Resampler(*pair_hz, channels)
    pieces, at = [], 0

    for size in sizes:
        pieces.append(resampler.push(pcm[at : at + 2 * channels * size]))
        at += 2 * channels * size
    pieces.append(resampler.flush())

    assert b"".join(pieces) == converted(pcm, *pair_hz, channels)
    assert len(b"".join(pieces)) == 2 * channels * math.ceil(sum(sizes) * pair_hz[1] / pair_hz[0])


@pytest.mark.parametrize(("source_hz", "target_hz"), [(8_000, 24_000), (44_100, 16_000)])
def test_sample_by_sample_yields_what_the_whole_does(source_hz: int, target_hz: int) -> None:
    pcm = tone(440, source_hz)[:1_000]
    resampler = Resampler(source_hz, target_hz)

    pieces = [resampler.push(pcm[at : at + 2]) for at in range(0, len(pcm), 2)]

    assert b"".join(pieces) + resampler.flush() == converted(pcm, source_hz, target_hz)


@pytest.mark.parametrize(("low_hz", "high_hz"), [(8_000, 24_000), (16_000, 44_100), (24_000, 48_000)])
def test_there_and_back_again_is_what_it_was(low_hz: int, high_hz: int) -> None:
    said = heard(tone(0.4 * low_hz, low_hz), low_hz)

    back = heard(converted(converted(tone(0.4 * low_hz, low_hz), low_hz, high_hz), high_hz, low_hz), low_hz)

    assert np.abs(said - back).max() <= 6  # of 65,536 steps: two roundings and twice the ripple


def test_channels_do_not_hear_each_other() -> None:
    left, right = tone(440, 16_000), tone(1_234, 16_000, 9_000)
    frames = np.stack([np.frombuffer(left, "<i2"), np.frombuffer(right, "<i2")], axis=1).tobytes()

    both = np.frombuffer(converted(frames, 16_000, 24_000, channels=2), "<i2").reshape(-1, 2)

    assert both[:, 0].tobytes() == converted(left, 16_000, 24_000)
    assert both[:, 1].tobytes() == converted(right, 16_000, 24_000)


@pytest.mark.parametrize(("source_hz", "target_hz"), [(44_100, 8_000), (8_000, 44_100)])
def test_a_steady_level_stays_that_level_to_the_last_bit(source_hz: int, target_hz: int) -> None:
    steady = array("h", [12_345] * source_hz).tobytes()

    assert set(heard(converted(steady, source_hz, target_hz), target_hz)) == {12_345}


def test_the_signal_stays_where_it_was() -> None:
    click = array("h", [0] * 441 + [30_000] + [0] * 440).tobytes()

    output = array("h", converted(click, 44_100, 24_000)).tolist()

    assert output.index(max(output)) == 240  # 10 ms at both rates


def test_what_is_too_loud_is_clipped_and_does_not_wrap() -> None:
    square = array("h", ([32_767] * 20 + [-32_768] * 20) * 40).tobytes()

    output = array("h", converted(square, 16_000, 24_000)).tolist()

    assert (max(output), min(output)) == (32_767, -32_768)
    assert all(sample > 0 for sample in output[605:625])


def test_after_a_flush_another_stream_begins() -> None:
    resampler = Resampler(24_000, 8_000)
    first = resampler.push(tone(440, 24_000)) + resampler.flush()

    assert resampler.push(tone(440, 24_000)) + resampler.flush() == first
    assert resampler.flush() == b""


def test_equal_rates_pass_at_once() -> None:
    resampler = Resampler(24_000, 24_000)

    assert (resampler.push(b"abcd"), resampler.flush(), resampler.delay_ms) == (b"abcd", b"", 0)


def test_any_bytes_like_object_is_taken() -> None:
    samples = array("h", [5] * 480)

    assert Resampler(24_000, 8_000).push(samples) == Resampler(24_000, 8_000).push(samples.tobytes())


def test_other_numbers_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="floating point"):
        Resampler(24_000, 8_000).push(np.zeros(480, np.float32).data)
    with pytest.raises(ConfigurationError, match="big-endian"):
        Resampler(24_000, 8_000).push(np.zeros(480, ">i2").data)


@pytest.mark.parametrize("rate_hz", [24_000, 16_000])
def test_half_a_frame_is_refused_and_nothing_is_lost(rate_hz: int) -> None:
    mono, stereo = Resampler(24_000, rate_hz), Resampler(24_000, rate_hz, channels=2)

    with pytest.raises(ConfigurationError, match="pcm has 3 bytes"):
        mono.push(b"abc")
    with pytest.raises(ConfigurationError, match=r"pcm has 6 bytes.* multiple of 4"):
        stereo.push(bytes(6))

    assert mono.push(bytes(960)) == bytes(len(Resampler(24_000, rate_hz).push(bytes(960))))


@pytest.mark.parametrize(
    ("rates_hz", "channels", "problem"),
    [
        ((7_999, 8_000), 1, "in_rate_hz is 7999; allowed: 8000 to 192000"),
        ((8_000, 192_001), 1, "out_rate_hz is 192001"),
        ((44_101, 8_000), 1, "44101 Hz to 8000 Hz is a ratio of 44101 to 8000; neither may be above 640"),
        ((8_000, 8_000), 0, "channels is 0; allowed: 1 to 8"),
        ((8_000, 8_000), 9, "channels is 9"),
    ],
)
def test_what_it_cannot_do_is_refused(rates_hz: tuple[int, int], channels: int, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        Resampler(*rates_hz, channels)

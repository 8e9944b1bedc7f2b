"""Rate conversion of whole signals, measured on tones: by soxr, by numpy, and in plain Python."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicelive.audio.resampling import resample
from voicelive.audio.soxr_rates import resample_by_soxr
from voicelive.errors import ConfigurationError

PAIRS_HZ = [(44_100, 24_000), (48_000, 16_000), (22_050, 8_000), (8_000, 24_000), (16_000, 24_000), (24_000, 8_000)]
COPRIME_HZ = (11_127, 24_000)  # 8000 phases wanted, 2048 made
AMPLITUDE = 20_000
MEASURED_MS = 100

MISSING = {
    "soxr": (),
    "numpy": ("voicelive.audio.soxr_rates",),
    "plain Python": ("voicelive.audio.soxr_rates", "voicelive.audio.weighing"),
}
"""Who converts, and which modules are as if their packages were not installed."""


@pytest.fixture(params=MISSING, autouse=True, scope="module")
def converter(request: pytest.FixtureRequest) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        for module in MISSING[request.param]:
            patch.setitem(sys.modules, module, None)
        yield request.param


def tone(frequency_hz: float, rate_hz: int, duration_ms: int = 200) -> bytes:
    turn = 2 * math.pi * frequency_hz / rate_hz
    return array(
        "h", [round(AMPLITUDE * math.sin(turn * index)) for index in range(rate_hz * duration_ms // 1000)]
    ).tobytes()


def middle(pcm: bytes, rate_hz: int) -> list[int]:
    """100 ms away from both ends, where the filter still sees silence."""
    samples = array("h", pcm)
    length = rate_hz * MEASURED_MS // 1000
    start = (len(samples) - length) // 2
    return samples[start : start + length].tolist()


def level_db(samples: list[int], frequency_hz: float, rate_hz: int) -> float:
    """One bin of a plain DFT under a Hann window, relative to the tone that went in."""
    count, turn = len(samples), 2 * math.pi * frequency_hz / rate_hz
    windowed = [
        sample * (1 - math.cos(2 * math.pi * index / count)) for index, sample in enumerate(samples)
    ]  # a Hann window of mean 1
    real = sum(value * math.cos(turn * index) for index, value in enumerate(windowed))
    imaginary = sum(value * math.sin(turn * index) for index, value in enumerate(windowed))
    return decibels(math.hypot(real, imaginary) * 2 / count / AMPLITUDE)


def power_db(samples: list[int]) -> float:
    return decibels(math.sqrt(2 * sum(sample * sample for sample in samples) / len(samples)) / AMPLITUDE)


def decibels(ratio: float) -> float:
    return 20 * math.log10(max(ratio, 1e-9))


@pytest.mark.parametrize(("source_hz", "target_hz"), [*PAIRS_HZ, COPRIME_HZ])
@pytest.mark.parametrize("of_nyquist", [0.05, 0.5, 0.84])
def test_a_tone_in_the_pass_band_keeps_its_level(source_hz: int, target_hz: int, of_nyquist: float) -> None:
    frequency_hz = round(of_nyquist * min(source_hz, target_hz) / 20) * 10

    heard = middle(resample(tone(frequency_hz, source_hz), source_hz, target_hz), target_hz)

    assert level_db(heard, frequency_hz, target_hz) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize(("source_hz", "target_hz"), [pair for pair in PAIRS_HZ if pair[0] > pair[1]])
@pytest.mark.parametrize("of_nyquist", [1.01, 1.05, 1.4, 1.9])
def test_what_the_lower_rate_cannot_hold_is_60_db_down_instead_of_aliased(
    source_hz: int, target_hz: int, of_nyquist: float
) -> None:
    frequency_hz = min(of_nyquist * target_hz, 0.99 * source_hz) / 2

    heard = middle(resample(tone(frequency_hz, source_hz), source_hz, target_hz), target_hz)

    assert power_db(heard) < -60


@pytest.mark.parametrize(("source_hz", "target_hz"), [(8_000, 24_000), (16_000, 24_000), COPRIME_HZ])
@pytest.mark.parametrize("of_nyquist", [0.55, 0.84])
def test_raising_the_rate_leaves_no_image_louder_than_60_db_down(
    source_hz: int, target_hz: int, of_nyquist: float
) -> None:
    frequency_hz = round(of_nyquist * source_hz / 20) * 10
    heard = middle(resample(tone(frequency_hz, source_hz), source_hz, target_hz), target_hz)

    images_hz = [image for image in (source_hz - frequency_hz, source_hz + frequency_hz) if image < target_hz / 2]

    assert images_hz
    assert max(level_db(heard, image, target_hz) for image in images_hz) < -60


def test_a_steady_level_stays_that_level_to_the_last_bit() -> None:
    steady = array("h", [12_345] * 8_820).tobytes()

    assert set(middle(resample(steady, 44_100, 8_000), 8_000)) == {12_345}


def test_the_signal_stays_where_it_was() -> None:
    click = array("h", [0] * 441 + [30_000] + [0] * 440).tobytes()

    heard = array("h", resample(click, 44_100, 24_000)).tolist()

    assert heard.index(max(heard)) == 240  # 10 ms at both rates


def test_a_full_scale_square_wave_is_clipped_and_does_not_wrap() -> None:
    square = array("h", ([32_767] * 20 + [-32_768] * 20) * 40).tobytes()

    heard = array("h", resample(square, 16_000, 24_000)).tolist()

    assert (max(heard), min(heard)) == (32_767, -32_768)
    assert all(sample > 0 for sample in heard[605:625])


@settings(max_examples=25, deadline=None)  # the filters of some pairs take their time
@given(st.integers(1, 200), st.sampled_from([8_000, 11_025, 44_100]), st.sampled_from([8_000, 16_000, 24_000]))
def test_the_duration_is_kept_to_less_than_a_sample(sample_count: int, source_hz: int, target_hz: int) -> None:
    heard = resample(bytes(2 * sample_count), source_hz, target_hz)

    assert len(heard) // 2 == math.ceil(sample_count * target_hz / source_hz)
    assert not any(heard)


def test_equal_rates_and_empty_signals_pass_as_they_are() -> None:
    signal = tone(440, 8_000)

    assert resample(signal, 8_000, 8_000) is signal
    assert resample(b"", 44_100, 8_000) == b""


@pytest.mark.parametrize(("source_hz", "target_hz"), [(0, 8_000), (8_000, 0), (-1, 8_000)])
def test_a_rate_that_is_none_is_refused(source_hz: int, target_hz: int) -> None:
    with pytest.raises(ConfigurationError, match="rate_hz is"):
        resample(b"", source_hz, target_hz)


@pytest.mark.parametrize("source_hz", [8_000, 24_000])
def test_half_a_sample_is_refused(source_hz: int) -> None:
    with pytest.raises(ConfigurationError, match="pcm has 3 bytes"):
        resample(b"abc", source_hz, 24_000)


def test_numpy_and_plain_python_differ_by_no_more_than_a_rounding() -> None:
    signal = tone(1_000, 44_100, 50)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "voicelive.audio.soxr_rates", None)
        own = array("h", resample(signal, 44_100, 24_000))
        patch.setitem(sys.modules, "voicelive.audio.weighing", None)
        plain = array("h", resample(signal, 44_100, 24_000))

    assert max(abs(one - other) for one, other in zip(own, plain, strict=True)) <= 1


def test_soxr_converts_where_it_is_installed(converter: str) -> None:
    noise = tone(3_900, 8_000)

    assert (resample(noise, 8_000, 24_000) == resample_by_soxr(noise, 8_000, 24_000)) == (converter == "soxr")

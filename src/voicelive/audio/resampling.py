"""Sample rate conversion of a whole signal, for files and fixtures: by soxr, by numpy, or in plain Python.

Decides which of them is used, and the filter of the last two, a windowed sinc. In plain Python it takes about a fifth
of the signal's duration in CPU time. Live audio needs ``resampler`` instead, which holds back less.

Each output sample is the input, seen through a low-pass filter centred where that output falls
between input samples. Those centres repeat ("phases"), so the filter is worked out once for each phase.
The Blackman window stops 74 dB; its transition band is spent below the lower rate's Nyquist frequency.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from operator import mul
from typing import Final

from voicelive.audio.samples import pcm_of, refuse_half_samples, samples_of
from voicelive.errors import ConfigurationError

__all__ = ["resample"]

_PASS_BAND: Final = 0.85  # of the lower Nyquist frequency: 3.4 kHz at 8 kHz, where telephone speech ends
_BLACKMAN_TRANSITION: Final = 5.5  # width in cycles over the window's length (11 pi / N), textbook value
# Rates without a common divisor would need as many phases as hertz. The nearest of 2048 is at most 1/4096 of a
# sample away, an error 60 dB down at the very edge of the band and less everywhere else.
_MOST_PHASES: Final = 2048


def resample(pcm: bytes, source_rate_hz: int, target_rate_hz: int) -> bytes:
    """Convert 16-bit little-endian mono samples to another rate, aliases and images at least 60 dB down.

    By soxr where it is installed (extra ``files``), else by the module's own filter: with numpy (extra ``audio``),
    or in plain Python, to the same numbers but for a rounding. soxr keeps more of what lies above 85 % of the lower
    Nyquist frequency.

    The result starts where the signal starts and lasts as long, rounded up to a whole sample; beyond both
    ends silence is assumed. Loudness is kept up to 85 % of the lower Nyquist frequency.

    Raises:
        ConfigurationError: An odd number of bytes, or a rate that is not positive.
    """
    for name, rate_hz in (("source_rate_hz", source_rate_hz), ("target_rate_hz", target_rate_hz)):
        if rate_hz < 1:
            raise ConfigurationError(f"{name} is {rate_hz!r}; it must be at least 1")
    refuse_half_samples(pcm)
    if source_rate_hz == target_rate_hz:
        return pcm
    try:
        from voicelive.audio.soxr_rates import resample_by_soxr
    except ImportError:
        return pcm_of(_resampled(samples_of(pcm), source_rate_hz, target_rate_hz))
    return resample_by_soxr(pcm, source_rate_hz, target_rate_hz)


def _resampled(samples: array[int], source_rate_hz: int, target_rate_hz: int) -> array[int]:
    common = math.gcd(source_rate_hz, target_rate_hz)
    up, down = target_rate_hz // common, source_rate_hz // common
    phases = min(up, _MOST_PHASES)
    relative_nyquist = min(1.0, target_rate_hz / source_rate_hz)
    half_taps = math.ceil(_BLACKMAN_TRANSITION / (1 - _PASS_BAND) / relative_nyquist)
    cutoff = (1 + _PASS_BAND) / 2 * relative_nyquist  # the middle of the transition band
    filters = [_filter(phase / phases, half_taps, cutoff) for phase in range(phases)]

    margin = [0.0] * half_taps
    padded = margin + [float(sample) for sample in samples] + margin
    # Each output's place in units of one phase, to the nearest; exact where there are as many phases as needed.
    places = [(index * down * phases + up // 2) // up for index in range(-(-len(samples) * up // down))]
    starts, its_phases = [place // phases + 1 for place in places], [place % phases for place in places]
    return _arithmetic()(filters, padded, starts, its_phases)


def _arithmetic() -> Callable[..., array[int]]:
    try:
        from voicelive.audio.weighing import weighted_sums  # loads numpy
    except ImportError:
        return _weighted_sums
    return weighted_sums


def _weighted_sums(
    filters: Sequence[Sequence[float]], samples: Sequence[float], starts: Sequence[int], phases: Sequence[int]
) -> array[int]:
    taps = len(filters[0])
    resampled = array("h")
    for start, phase in zip(starts, phases, strict=True):
        value = round(sum(map(mul, filters[phase], samples[start : start + taps])))
        resampled.append(max(-32_768, min(32_767, value)))
    return resampled


def _filter(fraction: float, half_taps: int, cutoff: float) -> list[float]:
    """Weights of the ``2 * half_taps`` samples around a place ``fraction`` of a sample after the middle one.

    ``cutoff`` is relative to the source's Nyquist frequency. The weights add up to 1, so that no phase is louder.
    """
    weights = []
    for offset in range(1 - half_taps, half_taps + 1):
        distance = offset - fraction
        turn = math.pi * distance / half_taps
        window = 0.42 + 0.5 * math.cos(turn) + 0.08 * math.cos(2 * turn)  # Blackman
        angle = math.pi * cutoff * distance
        weights.append(window * (math.sin(angle) / angle if angle else 1.0))
    total = math.fsum(weights)
    return [weight / total for weight in weights]

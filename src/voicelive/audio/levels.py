"""How loud samples are, and making them louder or quieter; by numpy (extra ``audio``).

Levels are in dBFS: 0 is a square wave between the largest values, a sine of full scale has an RMS level of -3.01,
and digital silence is minus infinity. All functions take interleaved channels as well as mono.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from voicelive.audio.samples import refuse_half_samples
from voicelive.errors import ConfigurationError

__all__ = ["Level", "apply_gain", "from_float32", "level_of", "pcm_of_floats", "to_float32"]

_FULL_SCALE: Final = 32_768


@dataclass(frozen=True, slots=True)
class Level:
    """How loud a piece of audio is.

    Attributes:
        rms_dbfs: Of its power on average.
        peak_dbfs: Of its largest sample. 0 or a hair below means that it may have been clipped.
    """

    rms_dbfs: float
    peak_dbfs: float


def level_of(pcm: bytes) -> Level:
    """The level of 16-bit samples; of none at all, that of silence.

    Raises:
        ConfigurationError: An odd number of bytes.
    """
    samples = _samples(pcm).astype(np.float64)
    if not samples.size:
        return Level(-math.inf, -math.inf)
    power = float(samples @ samples) / samples.size  # of whole numbers: exact for a day of audio
    return Level(_dbfs(math.sqrt(power)), _dbfs(float(np.abs(samples).max())))


def apply_gain(pcm: bytes, gain_db: float) -> bytes:
    """Samples ``gain_db`` louder (negative: quieter), rounded; what is too large is clipped, it does not wrap.

    Raises:
        ConfigurationError: An odd number of bytes, or a gain that is not a number of at most 100 dB.
    """
    if not gain_db <= 100:
        raise ConfigurationError(f"gain_db is {gain_db!r}; it must be a number, at most 100")
    return _pcm(_samples(pcm).astype(np.float64) * 10 ** (gain_db / 20))


def to_float32(pcm: bytes) -> bytes:
    """16-bit samples as 32-bit floats between -1 and 1, little-endian, as browsers and many models have them.

    Raises:
        ConfigurationError: An odd number of bytes.
    """
    return (_samples(pcm).astype("<f4") / np.float32(_FULL_SCALE)).astype("<f4").tobytes()


def from_float32(data: bytes) -> bytes:
    """32-bit floats between -1 and 1 as 16-bit samples, rounded; what is larger is clipped, what is no number is 0.

    Raises:
        ConfigurationError: A length that is not a multiple of 4 bytes.
    """
    if len(data) % 4:
        raise ConfigurationError(f"data has {len(data)} bytes; 32-bit floats need a multiple of 4")
    return pcm_of_floats(np.frombuffer(data, "<f4").astype(np.float64))


def pcm_of_floats(values: npt.NDArray[np.float64]) -> bytes:
    """Numbers between -1 and 1 as 16-bit samples, as ``from_float32``."""
    return _pcm(np.nan_to_num(values, posinf=1, neginf=-1) * _FULL_SCALE)


def _samples(pcm: bytes) -> npt.NDArray[np.int16]:
    refuse_half_samples(pcm)
    return np.frombuffer(pcm, "<i2")


def _pcm(values: npt.NDArray[np.float64]) -> bytes:
    return np.rint(values).clip(-_FULL_SCALE, _FULL_SCALE - 1).astype("<i2").tobytes()


def _dbfs(amplitude: float) -> float:
    return 20 * math.log10(amplitude / _FULL_SCALE) if amplitude else -math.inf

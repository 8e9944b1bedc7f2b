"""The border between 16-bit little-endian bytes and numbers.

Decides byte order and the refusal of half a sample. Knows neither rates nor encodings.
"""

from __future__ import annotations

import sys
from array import array
from typing import Final

from voicelive.errors import ConfigurationError

__all__ = ["pcm_of", "refuse_half_samples", "refuse_other_numbers", "samples_of"]

_FLOATS: Final = frozenset("efd")  # struct codes of half, single and double
_BIG_ENDIAN: Final = frozenset(">!")  # struct prefixes


def samples_of(pcm: bytes) -> array[int]:
    """16-bit little-endian bytes as signed numbers.

    Raises:
        ConfigurationError: An odd number of bytes.
    """
    refuse_half_samples(pcm)
    samples = array("h", pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def pcm_of(samples: array[int]) -> bytes:
    """Signed 16-bit numbers as little-endian bytes; ``samples`` stay as they are."""
    if sys.byteorder == "big":
        samples = samples[:]
        samples.byteswap()
    return samples.tobytes()


def refuse_half_samples(pcm: bytes) -> None:
    """Raise ``ConfigurationError`` for an odd number of bytes."""
    if len(pcm) % 2:
        raise ConfigurationError(f"pcm has {len(pcm)} bytes; 16-bit samples need an even number")


def refuse_other_numbers(view: memoryview) -> None:
    """Raise ``ConfigurationError`` for an array of floats or of big-endian numbers."""
    item = view.format.lstrip("@=<")
    if item in _FLOATS:
        raise ConfigurationError("audio holds floating point samples; convert them to 16-bit integers first")
    if item[0] in _BIG_ENDIAN:
        raise ConfigurationError("audio holds big-endian samples; swap their bytes first")

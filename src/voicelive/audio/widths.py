"""Whole-number samples of 8, 16, 24 and 32 bits, as files and devices have them, to and from 16 bits.

Little-endian; 8 bits are unsigned, as in WAV files. Needs no dependency.
"""

from __future__ import annotations

from typing import Final

from voicelive.audio.samples import refuse_half_samples
from voicelive.errors import ConfigurationError

__all__ = ["from_width", "to_width"]

_WIDTHS_BYTES: Final = (1, 2, 3, 4)
_FLIP_SIGN: Final = bytes(value ^ 0x80 for value in range(256))  # between unsigned and signed 8 bits


def from_width(data: bytes, width_bytes: int) -> bytes:
    """Samples of ``width_bytes`` as 16-bit samples: their upper 16 bits, 8-bit samples 256 times larger.

    Raises:
        ConfigurationError: A width that is not 1, 2, 3 or 4, or audio that ends inside a sample.
    """
    _refuse_width(width_bytes)
    if len(data) % width_bytes:
        raise ConfigurationError(f"data has {len(data)} bytes; it must be a multiple of {width_bytes}")
    if width_bytes == 2:
        return data
    pcm = bytearray(len(data) // width_bytes * 2)
    if width_bytes == 1:
        pcm[1::2] = data.translate(_FLIP_SIGN)
    else:
        pcm[0::2] = data[width_bytes - 2 :: width_bytes]
        pcm[1::2] = data[width_bytes - 1 :: width_bytes]
    return bytes(pcm)


def to_width(pcm: bytes, width_bytes: int) -> bytes:
    """16-bit samples as samples of ``width_bytes``: lower bits are zero, 8 bits keep the upper half, rounded down.

    Raises:
        ConfigurationError: A width that is not 1, 2, 3 or 4, or an odd number of bytes.
    """
    _refuse_width(width_bytes)
    refuse_half_samples(pcm)
    if width_bytes == 2:
        return pcm
    if width_bytes == 1:
        return pcm[1::2].translate(_FLIP_SIGN)
    data = bytearray(len(pcm) // 2 * width_bytes)
    data[width_bytes - 2 :: width_bytes] = pcm[0::2]
    data[width_bytes - 1 :: width_bytes] = pcm[1::2]
    return bytes(data)


def _refuse_width(width_bytes: int) -> None:
    if width_bytes not in _WIDTHS_BYTES:
        raise ConfigurationError(f"width_bytes is {width_bytes!r}; allowed: 1, 2, 3, 4")

"""How loud each moment of a reply is, and where it is silent: what a mouth has to agree with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

__all__ = ["loudness", "pauses"]

_SILENCE: Final = 0.003  # of full scale, -50 dBFS: far below any voice, above the noise of recordings and G.711
_LEAST_PAUSE_S: Final = 0.05  # shorter ones belong to sounds such as p and t


def loudness(pcm: bytes, rate_hz: int, slots_per_s: int) -> list[float]:
    """The RMS of 16-bit samples in each slot of time, between 0 and 1; the last slot may be shorter."""
    samples = np.frombuffer(pcm, "<i2") / 32_768
    count = -(-len(samples) * slots_per_s // rate_hz)
    starts = np.arange(count) * rate_hz // slots_per_s
    lengths = np.diff(np.append(starts, len(samples)))
    powers = np.add.reduceat(samples**2, starts) if count else np.empty(0)
    found: list[float] = np.sqrt(powers / lengths).tolist()
    return found


def pauses(levels: Sequence[float], slots_per_s: int) -> list[tuple[int, int]]:
    """Where nothing is heard for 50 ms or more: start and end in milliseconds."""
    found: list[tuple[int, int]] = []
    start = 0
    for slot, level in enumerate((*levels, 1.0)):
        if level >= _SILENCE:
            if slot - start >= _LEAST_PAUSE_S * slots_per_s:
                found.append((start * 1000 // slots_per_s, slot * 1000 // slots_per_s))
            start = slot + 1
    return found

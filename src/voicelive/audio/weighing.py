"""The arithmetic of ``resampling`` by numpy: many weighted sums at a time."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

__all__ = ["weighted_sums"]

_BLOCK: Final = 4_096  # sums at a time, so that memory stays below some 20 MB


def weighted_sums(
    filters: Sequence[Sequence[float]], samples: Sequence[float], starts: Sequence[int], phases: Sequence[int]
) -> array[int]:
    """For each output the rounded, clipped sum of ``samples`` from its start, weighed by its phase's filter."""
    weights = np.array(filters)
    windows = sliding_window_view(np.array(samples), weights.shape[1])
    sums = np.empty(len(starts))
    for at in range(0, len(starts), _BLOCK):
        block = slice(at, at + _BLOCK)
        sums[block] = np.einsum("ij,ij->i", windows[starts[block]], weights[phases[block]])
    return array("h", np.rint(sums).clip(-32_768, 32_767).astype(np.int16).tobytes())

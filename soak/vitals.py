"""What a process holds: tasks, file descriptors, threads, memory."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf, sqrt
from pathlib import Path
from statistics import fmean, linear_regression
from typing import Final

__all__ = ["Holding", "Memory", "leaks"]

_FDS: Final = Path("/proc/self/fd")
_STATM: Final = Path("/proc/self/statm")
_BLOCKS: Final = 10
_LEAST_S: Final = 180.0  # the pools of a shorter run still fill up
_NEGLIGIBLE_MIB_PER_MIN: Final = 0.5  # with 200 sessions some 600 bytes a turn


@dataclass(frozen=True)
class Holding:
    """What is held at one moment."""

    tasks: int
    fds: int
    threads: int

    @classmethod
    def now(cls) -> Holding:
        """Inside the running loop."""
        return cls(len(asyncio.all_tasks()), len(list(_FDS.iterdir())), threading.active_count())


def leaks(before: Holding, after: Holding) -> Iterator[str]:
    """What is held that was not held before."""
    for name in ("tasks", "fds", "threads"):
        was, is_now = getattr(before, name), getattr(after, name)
        if is_now > was:
            yield f"{is_now - was} {name} were left behind ({was} before, {is_now} after)"


@dataclass
class Memory:
    """Resident memory over time."""

    samples: list[tuple[float, float]] = field(default_factory=list)

    def sample(self, at_s: float) -> float:
        """Note how much there is now, in MiB, without what is free and only kept by the C library for later.

        Which pages it can give back depends on chance, and with 200 sessions that is more than any leak would be.
        """
        gc.collect()
        _give_back()
        pages = int(_STATM.read_text().split()[1])
        self.samples.append((at_s, pages * os.sysconf("SC_PAGE_SIZE") / 2**20))
        return self.samples[-1][1]

    @property
    def settled(self) -> list[tuple[float, float]]:
        """The last two thirds: before them, everything is loaded and every pool fills up."""
        return self.samples[len(self.samples) // 3 :]

    @property
    def slope_mib_per_min(self) -> float:
        """The line through the last two thirds; 0 for fewer than two samples."""
        found = self.settled
        return _slope(found) * 60 if len(found) > 1 else 0.0

    @property
    def bound_mib_per_min(self) -> float:
        """What such a slope may be by chance alone, and so little more that it would take days to matter.

        Neighbouring samples depend on each other, so the chance is judged by the means of ten blocks: three standard
        errors of the slope of a line through them.
        """
        size = max(1, len(self.settled) // _BLOCKS)
        blocks = [self.settled[at : at + size] for at in range(0, size * _BLOCKS, size)]
        points = [(fmean(at for at, _ in block), fmean(mib for _, mib in block)) for block in blocks if block]
        return 3 * _standard_error(points) * 60 + _NEGLIGIBLE_MIB_PER_MIN if len(points) > 2 else inf

    @property
    def grows(self) -> bool:
        """Whether it was watched for long enough to tell, and grows by more than chance."""
        watched_s = self.samples[-1][0] - self.samples[0][0] if self.samples else 0.0
        return watched_s >= _LEAST_S and self.slope_mib_per_min > self.bound_mib_per_min


def _give_back() -> None:
    """Let the C library return free memory to the system; only glibc can be asked to."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _slope(points: Sequence[tuple[float, float]]) -> float:
    return linear_regression([at for at, _ in points], [mib for _, mib in points]).slope


def _standard_error(points: Sequence[tuple[float, float]]) -> float:
    """Of the slope of the line through them."""
    slope, intercept = linear_regression([at for at, _ in points], [mib for _, mib in points])
    middle = fmean(at for at, _ in points)
    rest = sum((mib - intercept - slope * at) ** 2 for at, mib in points)
    return sqrt(rest / (len(points) - 2) / sum((at - middle) ** 2 for at, _ in points))

"""How times are spread, and what a process used of its core: what both sides of a trial report."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

__all__ = ["Spread", "Use", "Window"]

_SCHEDULING = Path("/proc/self/schedstat")


@dataclass(frozen=True)
class Window:
    """What is measured: from one moment of CLOCK_MONOTONIC to another, which all processes of a machine share."""

    begin_s: float
    end_s: float

    def spread(self, times: Iterable[tuple[float, float]]) -> "Spread":
        """Of the durations that belong to moments inside it."""
        return Spread.of(duration_s for at, duration_s in times if self.begin_s <= at < self.end_s)


@dataclass(frozen=True)
class Spread:
    """Durations in milliseconds."""

    count: int
    p50: float
    p95: float
    p99: float
    most: float

    @classmethod
    def of(cls, durations_s: Iterable[float]) -> Self:
        """All zero where there are none."""
        ranked = sorted(durations_s)
        count = len(ranked)
        if not count:
            return cls(0, 0.0, 0.0, 0.0, 0.0)
        p50, p95, p99 = (1000 * ranked[min(count - 1, int(count * share))] for share in (0.5, 0.95, 0.99))
        return cls(count, p50, p95, p99, 1000 * ranked[-1])


@dataclass(frozen=True)
class Use:
    """Of a core, by this process.

    Attributes:
        cpu_s: User and system time.
        waited_s: Ready to run, and the core was busy with something else; 0 where the system does not tell.
        wall_s: On the clock.
    """

    cpu_s: float
    waited_s: float
    wall_s: float

    @classmethod
    def so_far(cls) -> Self:
        """Since the process began."""
        waited_s = int(_SCHEDULING.read_text().split()[1]) / 1e9 if _SCHEDULING.exists() else 0.0
        return cls(time.process_time(), waited_s, time.perf_counter())

    def since(self, before: "Use") -> "Use":
        return Use(self.cpu_s - before.cpu_s, self.waited_s - before.waited_s, self.wall_s - before.wall_s)

    @property
    def share(self) -> float:
        """Of one core."""
        return self.cpu_s / self.wall_s

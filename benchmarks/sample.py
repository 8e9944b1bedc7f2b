"""What one measurement of one SDK yields, and the stopwatch that takes it."""

import gc
import time
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Sample:
    """Cost of one run.

    Attributes:
        cpu_s: User and system time of the measured process alone.
        wall_s: Time on the clock.
        count: Things done: events, chunks, round trips, imports.
        audio_bytes: Audio that went through the application's hands, which shows that both SDKs did the same work.
        median_s: Median time on the clock of one thing done; 0 where single ones are not timed.
    """

    cpu_s: float
    wall_s: float
    count: int
    audio_bytes: int = 0
    median_s: float = 0.0


class Stopwatch:
    """Times what is inside ``with``; garbage of earlier runs is collected before."""

    cpu_s = wall_s = 0.0

    def __enter__(self) -> Self:
        gc.collect()
        self.cpu_s, self.wall_s = -time.process_time(), -time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu_s += time.process_time()
        self.wall_s += time.perf_counter()

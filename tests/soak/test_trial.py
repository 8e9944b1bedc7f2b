"""A short soak runs with all its faults, and agrees with itself."""

from __future__ import annotations

import asyncio

from soak.report import progress_line, tables
from soak.trial import Result, soak
from soak.vitals import Holding, Memory, leaks


def test_a_few_sessions_survive_a_few_seconds_of_faults() -> None:
    lines: list[str] = []

    def watch(result: Result) -> None:
        lines.append(progress_line(result))

    result = asyncio.run(soak(minutes=0.05, callers=6, seed=1, watch=watch))

    assert result.breaches == []
    assert result.tally.conversations >= 6
    assert sum(result.tally.turns.values()) > 0
    assert lines
    assert len(tables(result)) == 3


async def test_what_is_left_behind_is_named() -> None:
    before = Holding.now()
    task = asyncio.create_task(asyncio.sleep(0))

    assert [*leaks(before, Holding.now())] == [
        f"1 tasks were left behind ({before.tasks} before, {before.tasks + 1} after)"
    ]
    await task
    assert not [*leaks(before, Holding.now())]


def memory(mib_per_min: float, seconds: int = 300) -> Memory:
    """A line with noise of 2 MiB on it, which depends on the moment alone."""
    return Memory([(float(at), 100 + mib_per_min * at / 60 + at * 7919 % 5 - 2) for at in range(seconds)])


def test_memory_that_grows_is_told_from_memory_that_fluctuates() -> None:
    assert not memory(0.0).grows
    assert memory(3.0).grows
    assert round(memory(3.0).slope_mib_per_min) == 3
    assert not memory(0.2).grows, "negligible"


def test_a_short_run_says_nothing_about_memory() -> None:
    assert not memory(100.0, seconds=60).grows
    assert not Memory().grows

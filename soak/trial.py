"""The whole soak: one emulator, one proxy, many callers, and what is left when they have gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from soak.agent import agent
from soak.caller import TAG, Caller, Tally
from soak.mischief import Mischief
from soak.vitals import Holding, Memory, leaks

from voicelive.testing import EmulatedSession, Emulator, FaultProxy, Pace, ToneVoice

__all__ = ["Result", "Watch", "soak"]

_STEP_S: Final = 1.0
_MEMORY_STEPS: Final = 5
_QUIET_S: Final = 3.0  # for sockets that are on their way out

Watch = Callable[["Result"], None]
"""Told every second how it goes."""


@dataclass
class Result:
    """How it went.

    Attributes:
        breaches: Everything that must not be, also what the tally holds.
        before: Held before the first session.
        after: Held after the last one.
        open_sessions: The service's sessions that go on now.
        late_s: How late the event loop was, each second: what the machine has to do besides shows here.
    """

    minutes: float
    tally: Tally = field(default_factory=Tally)
    faults: dict[str, int] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    breaches: list[str] = field(default_factory=list)
    before: Holding | None = None
    after: Holding | None = None
    open_sessions: int = 0
    late_s: list[float] = field(default_factory=list)
    most: Holding = field(default_factory=lambda: Holding(0, 0, 0))


async def soak(minutes: float, callers: int, seed: int, watch: Watch) -> Result:
    """Run it all; in a loop of its own."""
    result, loop = Result(minutes), asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: result.breaches.append(f"the event loop complains: {context}"))
    complaints = _Complaints(result.breaches)
    logging.getLogger("voicelive").addHandler(complaints)
    result.before = Holding.now()
    try:
        await _run(result, callers, Random(seed), watch)
    except Exception as error:
        result.breaches.append(f"emulator, proxy or caller failed: {error!r}")
    finally:
        logging.getLogger("voicelive").removeHandler(complaints)
    await loop.shutdown_default_executor()
    result.after = await _settled(result.before)
    result.breaches += [*result.tally.breaches, *leaks(result.before, result.after)]
    if result.memory.grows:
        slope, bound = result.memory.slope_mib_per_min, result.memory.bound_mib_per_min
        result.breaches.append(f"memory grows by {slope:.2f} MiB/min, and chance explains {bound:.2f}")
    return result


async def _run(result: Result, callers: int, random: Random, watch: Watch) -> None:
    emulator = Emulator(
        agent(), pace=Pace.measured(), voice=ToneVoice(), ping_interval_s=8, ping_timeout_s=8, session_s=600
    )
    async with emulator, FaultProxy(emulator.endpoint, seed=random.randint(0, 2**32)) as proxy:
        archive, stop = _Archive(emulator), asyncio.Event()
        mischief = Mischief(emulator, proxy, Random(random.random()))
        talk = [
            Caller(number, proxy.endpoint, Random(random.random()), result.tally, archive.harvest).talk
            for number in range(callers)
        ]
        async with asyncio.TaskGroup() as group:
            talking = [group.create_task(one(stop)) for one in talk]
            troubling = group.create_task(mischief.run(stop))
            await _observe(result, archive, proxy, mischief, watch)
            stop.set()
            await troubling
            proxy.heal()
            await asyncio.wait(talking)


async def _observe(result: Result, archive: _Archive, proxy: FaultProxy, mischief: Mischief, watch: Watch) -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    while clock() < began + result.minutes * 60:
        due = clock() + _STEP_S
        await asyncio.sleep(_STEP_S)
        result.late_s.append(clock() - due)
        archive.sweep()
        proxy.connections[:] = [connection for connection in proxy.connections if connection.open]
        if len(result.late_s) % _MEMORY_STEPS == 1:  # it takes a while
            result.memory.sample(clock() - began)
        result.faults, result.open_sessions = dict(mischief.counts), archive.open_sessions
        now = Holding.now()
        result.most = Holding(*map(max, zip(_figures(result.most), _figures(now), strict=True)))
        watch(result)


def _figures(holding: Holding) -> tuple[int, int, int]:
    return holding.tasks, holding.fds, holding.threads


async def _settled(before: Holding) -> Holding:
    """What is held when nothing changes any more."""
    ends_at = asyncio.get_running_loop().time() + _QUIET_S
    while any(leaks(before, Holding.now())) and asyncio.get_running_loop().time() < ends_at:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.05)
    return Holding.now()


class _Archive:
    """The service's log; what was compared is forgotten, so that memory shows what the package holds."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._over: set[str] = set()

    @property
    def open_sessions(self) -> int:
        return sum(session.close_code is None for session in self._emulator.sessions)

    def harvest(self, name: str) -> list[EmulatedSession]:
        """All sessions of a conversation that has ended."""
        self._over.add(name)
        return [session for session in self._emulator.sessions if session.headers.get(TAG) == name]

    def sweep(self) -> None:
        """Drop sessions that ended and were harvested."""
        kept = [session for session in self._emulator.sessions if not self._done(session)]
        self._emulator.sessions[:] = kept
        self._over &= {session.headers.get(TAG, "") for session in kept}

    def _done(self, session: EmulatedSession) -> bool:
        return session.close_code is not None and session.headers.get(TAG) in self._over


class _Complaints(logging.Handler):
    """An error in the package's log is a breach."""

    def __init__(self, breaches: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._breaches = breaches

    def emit(self, record: logging.LogRecord) -> None:
        self._breaches.append(f"logged: {record.getMessage()}")

"""Cancelling work at its n-th suspension, and what the event loop and the process say about it afterwards."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import Any

__all__ = ["Cut", "Ending", "at_every_step", "cut", "open_sockets", "tool_threads", "until_none_is_left"]

_MOST_STEPS = 400  # no piece of work in these tests has so many suspensions


@dataclass(frozen=True)
class Cut:
    """Where a task is cancelled.

    Attributes:
        at: The suspension, counted from 1.
        late: Cancel in the moment in which what was waited for is there and the task has not run on yet, instead of at
            once: the race in which turns, answers and frames get lost.
    """

    at: int
    late: bool


@dataclass(frozen=True)
class Ending:
    """How cut work ended; ``reached``: it was suspended often enough to be cancelled at all."""

    reached: bool
    error: BaseException | None


class _Counted:
    """Awaits some work for the task that awaits this, and cancels that task at the chosen suspension."""

    def __init__(self, work: Coroutine[Any, Any, object], where: Cut) -> None:
        self._work, self._where = work, where
        self.suspensions = 0

    def __await__(self) -> Generator[Any, Any, object]:
        thrown: BaseException | None = None
        while True:
            try:
                waited_for = self._work.send(None) if thrown is None else self._work.throw(thrown)
            except StopIteration as end:
                return end.value
            self.suspensions += 1
            if self.suspensions == self._where.at:
                self._cancel_at(waited_for)
            try:
                thrown = None
                yield waited_for  # a task sends nothing back
            except BaseException as error:  # everything is for the work to handle, cancellation above all
                thrown = error

    def _cancel_at(self, waited_for: asyncio.Future[Any] | None) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self._where.late and waited_for is not None:
            waited_for.add_done_callback(lambda _: task.cancel())  # the task's own wake-up is added after this one
        else:
            task.cancel()  # takes hold as the task suspends, before anything else can happen


async def cut(work: Coroutine[Any, Any, object], where: Cut, *, within_s: float = 300.0) -> Ending:
    """Run work in a task that is cancelled there; it must end, and must not keep the cancellation to itself."""
    counted = _Counted(work, where)

    async def run() -> object:
        return await counted

    task = asyncio.create_task(run())
    done, _ = await asyncio.wait([task], timeout=within_s)
    assert done, f"the work did not end after {where}"
    if counted.suspensions < where.at:
        return Ending(False, task.exception())
    if task.cancelled():
        return Ending(True, None)
    error = task.exception()
    assert error is not None or task.cancelling() == 0, f"the work swallowed its cancellation at {where}"
    return Ending(True, error)


async def at_every_step(attempt: Callable[[Cut], Awaitable[Ending]], *, late: bool) -> int:
    """Make attempts, each cancelled one suspension later than the one before, until one is through before its turn.

    Gives the number of suspensions.
    """
    for at in range(1, _MOST_STEPS):
        if not (await attempt(Cut(at, late))).reached:
            return at - 1
    raise AssertionError(f"more than {_MOST_STEPS} suspensions")


async def until_none_is_left(find: Callable[[], object], *, passes: int = 200) -> None:
    """Give what is ending the time to end, but no more than it may need."""
    for _ in range(passes):
        if not find():
            return
        await asyncio.sleep(0)
    gc.collect()
    assert not find()


def open_sockets() -> int:
    """The sockets of this process, those of event loops included."""
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
        except FileNotFoundError:  # it was the listing's own
            continue
    return found


def tool_threads() -> list[str]:
    """The threads of tools that have not ended."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("voicelive")]

"""Connections that wait ready for the next calls: how many of each target, and which is still fit to be taken.

Owns the tasks that keep them, one for each target, and everything those hold. It knows neither endpoint nor
credential: what opens one connection is passed in, and nothing it opens is read from.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from voicelive.errors import ConnectFailedError, VoiceLiveError
from voicelive.transport.address import Target
from voicelive.transport.base import Transport

__all__ = ["Prewarmed"]

_LOOK_S = 1.0  # how often those that wait are looked at
_FIRST_BACKOFF_S, _MAX_BACKOFF_S = 1.0, 30.0  # between tries that failed; a try has retries of its own

_log = logging.getLogger("voicelive")

Dial = Callable[[Target], Awaitable[Transport]]
"""Opens one connection; raises ``VoiceLiveError``."""


class Prewarmed:
    """The ready connections of one client. For the tasks of one event loop."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._stocks: dict[Target, _Stock] = {}

    async def keep(self, target: Target, count: int, max_age_s: float) -> None:
        """Keep ``count`` connections ready, 0: none; returns when they are, or when opening one failed.

        Raises:
            VoiceLiveError: Not one connection to this target could be made so far; none is kept then.

        Cancelling ends the waiting only.
        """
        if count == 0:
            await self._drop(target, self._stocks.get(target))
            return
        stock = self._stocks.get(target)
        if stock is None or stock.over:
            stock = self._stocks[target] = _Stock(target, self._dial)
        failure = await stock.want(count, max_age_s)
        if failure is not None and not stock.opened:
            await self._drop(target, stock)
            raise failure

    def take(self, target: Target) -> Transport | None:
        """A ready connection, now the caller's to close; ``None``: there is none."""
        stock = self._stocks.get(target)
        return None if stock is None else stock.take()

    async def close(self) -> None:
        """End all tasks and close all connections that nobody took."""
        stocks, self._stocks = self._stocks, {}
        for stock in stocks.values():
            stock.stop()  # at once, so that it holds when the waiting is cancelled
        for stock in stocks.values():
            await stock.close()

    async def _drop(self, target: Target, stock: _Stock | None) -> None:
        if stock is not None:
            if self._stocks.get(target) is stock:  # another call may have dropped it, and a third begun anew
                del self._stocks[target]
            await stock.close()


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    transport: Transport
    since: float

    def fit(self, now: float, max_age_s: float) -> bool:
        return not self.transport.closed and now - self.since < max_age_s


class _Stock:
    """Ready connections to one target, oldest first, and the task that keeps their number and closes them."""

    def __init__(self, target: Target, dial: Dial) -> None:
        self.opened = 0  # connections that were made so far
        self._target, self._dial = target, dial
        self._wanted, self._max_age_s = 0, 0.0
        self._ready: deque[_Ready] = deque()
        self._leaving: list[_Ready] = []  # not to be taken any more, and not closed yet
        self._stopped = False
        self._failure: Exception | None = None  # of the last round
        self._news = asyncio.Event()  # something is to be done before the next look
        self._settled = asyncio.Event()  # a round is over, and nothing has changed since it began
        self._clock = asyncio.get_running_loop().time
        self._task = asyncio.create_task(self._keep())

    @property
    def over(self) -> bool:
        """Whether the task has ended; the stock is of no use then."""
        return self._task.done()

    async def want(self, count: int, max_age_s: float) -> Exception | None:
        """Set the number; returns when it is there, or with what failed."""
        self._wanted, self._max_age_s = count, max_age_s
        self._settled.clear()
        self._news.set()
        await self._settled.wait()
        return self._failure

    def take(self) -> Transport | None:
        now = self._clock()
        for one in self._ready:
            if one.fit(now, self._max_age_s):
                self._ready.remove(one)
                self._news.set()
                return one.transport
        return None

    def stop(self) -> None:
        """Begin to end; the task closes what there is."""
        if not self._stopped:  # a second cancellation would interrupt that
            self._stopped = True
            self._task.cancel()

    async def close(self) -> None:
        self.stop()
        await asyncio.wait([self._task])
        self._settled.set()  # a task that never ran could not

    async def _keep(self) -> None:
        backoff_s = _FIRST_BACKOFF_S
        try:
            while True:
                self._news.clear()
                await self._weed()
                self._failure = await self._fill()
                if not self.opened:
                    return  # whoever wanted it is told
                if not self._news.is_set():
                    self._settled.set()
                if self._failure is None:
                    backoff_s = _FIRST_BACKOFF_S
                    await self._rest(_LOOK_S)
                else:
                    await self._rest(self._announced(self._failure, backoff_s))
                    backoff_s = min(2 * backoff_s, _MAX_BACKOFF_S)
        finally:
            self._settled.set()
            self._leaving += self._ready
            self._ready = deque()
            await self._close_leaving()

    async def _weed(self) -> None:
        """Close what is unfit, and the oldest of what is too many."""
        now = self._clock()
        fit = [one for one in self._ready if one.fit(now, self._max_age_s)]
        kept = fit[max(0, len(fit) - self._wanted) :]
        self._leaving += [one for one in self._ready if one not in kept]
        self._ready = deque(kept)
        await self._close_leaving()

    async def _close_leaving(self) -> None:
        await asyncio.gather(*(one.transport.close() for one in self._leaving), return_exceptions=True)
        self._leaving.clear()  # not reached when cancelled: then they are closed at the end

    async def _fill(self) -> Exception | None:
        """Open what is missing, side by side; what failed, if anything did."""
        failures: list[Exception] = []

        async def open_one() -> None:
            try:
                transport = await self._dial(self._target)
            except Exception as failure:  # whatever it is, connects go on without a ready connection
                failures.append(failure)
            else:
                self.opened += 1
                self._ready.append(_Ready(transport, self._clock()))

        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._wanted - len(self._ready)):
                tasks.create_task(open_one())
        return failures[0] if failures else None

    def _announced(self, failure: Exception, backoff_s: float) -> float:
        """How long to wait after a failure, said in the log."""
        asked_s = failure.retry_after_s if isinstance(failure, ConnectFailedError) else None
        wait_s = max(backoff_s, asked_s or 0.0)
        told = failure if isinstance(failure, VoiceLiveError) else type(failure).__name__  # others may hold secrets
        name = self._target.model or "an agent"
        _log.warning("= no ready connection to %s, trying again in %.1f s: %s", name, wait_s, told)
        return wait_s

    async def _rest(self, limit_s: float) -> None:
        try:
            async with asyncio.timeout(limit_s):
                await self._news.wait()
        except TimeoutError:
            pass

"""When a session is renewed ahead of its end: one timer, one task, begun anew with every connection.

How it is done is ``continuity``'s; the session runs the task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from voicelive.continuity import Continuity

__all__ = ["Renewal"]


class Renewal:
    """The next renewal of one session. ``start`` runs a coroutine as a task of the session."""

    def __init__(
        self, continuity: Continuity, start: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
    ) -> None:
        self._continuity, self._start = continuity, start
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def plan(self) -> None:
        """A session of the service begins: set the timer."""
        due_s = self._continuity.renew_in_s()
        if due_s is not None:
            self._timer = asyncio.get_running_loop().call_later(due_s, self._begin)

    def stop(self) -> asyncio.Task[None] | None:
        """Renew no more; the task that is ending, where there is one."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        return task

    def _begin(self) -> None:
        self._timer = None
        self._task = self._start(self._renew())

    async def _renew(self) -> None:
        old = await self._continuity.renew()
        self._task = None  # from here on it is not to be stopped: the old connection has to be closed
        if old is not None:
            self.plan()
            await old.close()

"""What the parts of one emulated session share: its parameters, its way out, its clock and its tasks.

Decides nothing. The clock is the event loop's, so that a virtual one works; whoever starts a task here can rely
on it being ended with the session, and on its failure being reported.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from voicelive import wire
from voicelive.testing.avatar.shared import Avatars
from voicelive.testing.checks import Refusal
from voicelive.testing.history import History
from voicelive.testing.ids import Ids
from voicelive.testing.pace import Pace
from voicelive.testing.replies import Studio
from voicelive.testing.script import Script
from voicelive.testing.settings import Settings

__all__ = ["Outlet", "Stage"]


class Outlet(Protocol):
    """Where server events go; keeps their order."""

    def send(self, event: wire.ServerEvent) -> None:
        """Queue one event; never waits."""

    async def room(self) -> None:
        """Wait while the client is far behind with reading."""


@dataclass(slots=True)
class Stage:
    """The common ground of one session.

    Attributes:
        failed: Told of an exception in a task of the session; ours or one of a script's rules.
    """

    ids: Ids
    settings: Settings
    script: Script
    pace: Pace
    studio: Studio
    outlet: Outlet
    failed: Callable[[BaseException], None]
    history: History = field(default_factory=History)
    conversation_id: str = ""
    avatars: Avatars = field(default_factory=Avatars)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def emit(self, *events: wire.ServerEvent) -> None:
        """Send events, in this order."""
        for event in events:
            self.outlet.send(event)

    def refuse(self, refusal: Refusal, client_event_id: str | None) -> None:
        """Tell the client what is turned down; all keys of the error are always there."""
        details = wire.ServerEventErrorDetails(
            type=refusal.kind,
            code=refusal.code,
            message=refusal.message,
            param=refusal.param,
            event_id=client_event_id if refusal.names_request else None,
        )
        self.emit(wire.ErrorEvent(event_id=self.ids.event(), error=details))

    def now(self) -> float:
        """Seconds on the event loop's clock."""
        return asyncio.get_running_loop().time()

    async def until(self, when_s: float) -> None:
        """Wait for a moment of that clock; gives way to other tasks even when it has passed."""
        await asyncio.sleep(max(0.0, when_s - self.now()))

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task that ends with the session at the latest."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def end(self) -> None:
        """Cancel all tasks and wait for them."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed(error)

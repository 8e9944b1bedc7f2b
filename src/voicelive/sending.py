"""Everything said passes here: events become frames with an id, the ledger notes them, and requests find their answers.

Owns no task. The session tells what the service answered and when a connection, or the session, has ended.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from voicelive.errors import ConfirmationTimeoutError, ServiceError, VoiceLiveError
from voicelive.protocol.ledger import Ledger, Outcome, Refused
from voicelive.refusals import call_refusal, refusal
from voicelive.transport.base import TransportClosed
from voicelive.transport.outbox import Outbox
from voicelive.wire.client_events import (
    ClientEvent,
    KnownClientEvent,
    RtcCallSdpCreate,
    SessionAvatarConnect,
    UnknownClientEvent,
)
from voicelive.wire.codec import encode
from voicelive.wire.server.base import ServerEventBase

__all__ = ["Sender"]

_A = TypeVar("_A", bound=ServerEventBase)


@dataclass(slots=True, eq=False)
class _Push:
    """A frame that goes out in turn; ``written`` is for the one who waits for that."""

    frame: str | bytes
    event_id: str
    connection: int
    lasting: bool
    written: asyncio.Future[None] | None = None


class Sender:
    """Writes events, and waits for their confirmation where asked to."""

    def __init__(self, outbox: Outbox, ledger: Ledger, clock: Callable[[], float]) -> None:
        self._outbox, self._ledger, self._clock = outbox, ledger, clock
        self._waiting: dict[str, asyncio.Future[ServerEventBase]] = {}
        self._made = 0
        self._connection = 0
        self._pushed: deque[_Push] = deque()
        self._draining = False

    # -- out

    async def put(self, event: ClientEvent) -> None:
        """Write one event; it goes behind what was pushed before.

        Raises:
            TransportClosed: The session has ended.
        """
        named, event_id = self._named(event)
        self._ledger.enter(event_id, named, _type_of(named))
        await self._control(encode(named), event_id)

    async def put_raw(self, frame: str | bytes, event_id: str, kind: str) -> None:
        """Write the frame of an event that no class describes; raises as ``put`` does."""
        self._ledger.enter(event_id, None, kind)
        await self._control(frame, event_id)

    async def put_audio(self, frame: str | bytes, begin: Callable[[], bool] | None = None) -> None:
        """Write one frame of audio; raises as ``put`` does. ``begin`` as for ``Outbox.send``."""
        await self._outbox.send(frame, audio=True, begin=begin)

    def push(
        self, event: ClientEvent, start: Callable[[Coroutine[Any, Any, None]], object], *, lasting: bool = False
    ) -> None:
        """Write an event in turn without waiting; ``start`` runs the work as a task of the session.

        Args:
            event: The event.
            start: Runs a coroutine as a task.
            lasting: Whether it still makes sense over another connection than the one it was meant for.
        """
        named, event_id = self._named(event)
        self._ledger.enter(event_id, named, _type_of(named))
        self._pushed.append(_Push(encode(named), event_id, self._connection, lasting))
        if not self._draining:
            self._draining = True
            start(self._drain())

    async def request(self, event: KnownClientEvent, answer: type[_A], limit_s: float) -> _A:
        """Write an event and wait for the one that confirms it.

        Raises:
            TransportClosed: The session has ended before it was written.
            ServiceError: The service refused.
            ConfirmationTimeoutError: Neither came within ``limit_s``.
        """
        named, event_id = self._named(event)
        future: asyncio.Future[ServerEventBase] = asyncio.get_running_loop().create_future()
        self._waiting[event_id] = future
        self._ledger.enter(event_id, named, _type_of(named))
        try:
            async with asyncio.timeout(limit_s):
                await self._control(encode(named), event_id)
                found = await future
        except TimeoutError:
            self._ledger.expire(event_id)
            raise ConfirmationTimeoutError(event.type, limit_s) from None
        finally:
            del self._waiting[event_id]
            if future.done() and not future.cancelled():
                future.exception()  # where the event was not written yet, nobody else asks for it
        assert isinstance(found, answer), "the table of answers pairs them"
        return found

    def name(self) -> str:
        """An id for an event that has none."""
        self._made += 1
        return f"voicelive_{self._made}"

    # -- what the session tells

    def settle(self, outcome: Outcome) -> None:
        """Hand the service's answer to the one who waits for it; a cancelled waiter is gone."""
        future = self._waiting.get(outcome.request_id)
        if future is None or future.done():
            return
        if isinstance(outcome, Refused):
            future.set_exception(_refused(outcome))
        else:
            future.set_result(outcome.event)

    def lose(self, event_ids: Iterable[str], error: Callable[[str], VoiceLiveError]) -> None:
        """These will not be answered: the connection they went over is gone. ``error`` makes the error for one."""
        for event_id in event_ids:
            future = self._waiting.get(event_id)
            if future is not None and not future.done():
                future.set_exception(error(event_id))

    def new_connection(self) -> None:
        """What was pushed for the connection before, and would make no sense over the next one, is not written."""
        self._connection += 1

    def fail(self, error: VoiceLiveError) -> None:
        """The session has ended: nobody will be answered any more."""
        self.lose(tuple(self._waiting), lambda _: copy(error))  # each raise adds its own traceback

    # -- inside

    def _named(self, event: ClientEvent) -> tuple[ClientEvent, str]:
        if event.event_id is not None:
            return event, event.event_id
        event_id = self.name()
        if isinstance(event, UnknownClientEvent):
            extra = {**(event.extra or {}), "event_id": event_id}
            return UnknownClientEvent(type=event.kind, extra=extra), event_id
        return event.with_id(event_id), event_id

    async def _control(self, frame: str | bytes, event_id: str) -> None:
        try:
            if self._draining:
                push = _Push(frame, event_id, self._connection, lasting=True)
                push.written = asyncio.get_running_loop().create_future()
                self._pushed.append(push)  # once cancelled, it is not written
                await push.written
            else:
                await self._outbox.send(frame, begin=partial(self._begin, event_id))
        finally:
            self._ledger.withdraw_unwritten(event_id)

    def _begin(self, event_id: str) -> bool:
        self._ledger.written(event_id, self._clock())
        return True

    def _begin_push(self, push: _Push) -> bool:
        wanted = push.written is None or not push.written.done()
        if wanted and (push.lasting or push.connection == self._connection):
            return self._begin(push.event_id)
        if all(later.event_id != push.event_id for later in self._pushed):  # else the entry is that of the later one
            self._ledger.withdraw_unwritten(push.event_id)
        return False

    async def _drain(self) -> None:
        push: _Push | None = None
        try:
            while self._pushed:
                push = self._pushed.popleft()
                await self._outbox.send(push.frame, patient=True, begin=partial(self._begin_push, push))
                if push.written is not None and not push.written.done():
                    push.written.set_result(None)
        except TransportClosed as end:  # told through every stream; who waits here hears of it as well
            if push is not None and push.written is not None and not push.written.done():
                push.written.set_exception(end.copy())
        finally:
            self._draining = False
            self._abandon()

    def _abandon(self) -> None:
        """What was not written will not be: the session has ended, or ends its tasks."""
        while self._pushed:
            push = self._pushed.popleft()
            self._ledger.withdraw_unwritten(push.event_id)
            if push.written is not None and not push.written.done():
                push.written.set_exception(TransportClosed(None, "the connection ended first", by_peer=True))


def _refused(outcome: Refused) -> ServiceError:
    if isinstance(outcome.asked, RtcCallSdpCreate):
        return call_refusal(outcome.error, outcome.call_error)
    return refusal(outcome.error, of_avatar=isinstance(outcome.asked, SessionAvatarConnect))


def _type_of(event: ClientEvent) -> str:
    return (event.kind or "") if isinstance(event, UnknownClientEvent) else event.type

"""Everything said passes here: events become frames, and requests find their answers.

Owns no task. The session tells what the service answered and when the connection ended.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from copy import copy
from typing import Any, TypeVar

from voicelive.errors import ConfirmationTimeoutError, ServiceError, VoiceLiveError
from voicelive.protocol.requests import Outcome, Refused, Requests
from voicelive.transport.base import TransportClosed
from voicelive.transport.outbox import Outbox
from voicelive.wire.client_events import ClientEvent, KnownClientEvent
from voicelive.wire.codec import encode
from voicelive.wire.server.base import ServerEventBase

__all__ = ["Sender"]

_A = TypeVar("_A", bound=ServerEventBase)


class Sender:
    """Writes events, and waits for their confirmation where asked to."""

    def __init__(self, outbox: Outbox, requests: Requests) -> None:
        self._outbox, self._requests = outbox, requests
        self._waiting: dict[str, asyncio.Future[ServerEventBase]] = {}
        self._made = 0
        self._pushed: deque[tuple[str | bytes, asyncio.Future[None] | None]] = deque()
        self._draining = False

    async def put(self, frame: str | bytes, *, audio: bool = False) -> None:
        """Write one frame; control goes behind what was pushed before.

        Raises:
            TransportClosed: The connection has ended.
        """
        if not audio and self._draining:
            written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._pushed.append((frame, written))  # once cancelled, it is not written
            await written
        else:
            await self._outbox.send(frame, audio=audio)

    def push(self, event: ClientEvent, start: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        """Write an event in turn without waiting; ``start`` runs the work as a task of the session."""
        self._pushed.append((encode(event), None))
        if not self._draining:
            self._draining = True
            start(self._drain())

    async def _drain(self) -> None:
        written: asyncio.Future[None] | None = None
        try:
            while self._pushed:
                frame, written = self._pushed.popleft()
                if written is None or not written.done():
                    await self._outbox.send(frame, patient=True)
                if written is not None and not written.done():
                    written.set_result(None)
        except TransportClosed as end:  # told through every stream; who waits here hears of it as well
            if written is not None and not written.done():
                written.set_exception(end.copy())
        finally:
            self._draining = False
            self._abandon()

    def _abandon(self) -> None:
        """What was not written will not be: the connection has ended, or the session ends its tasks."""
        while self._pushed:
            _, written = self._pushed.popleft()
            if written is not None and not written.done():
                written.set_exception(TransportClosed(None, "the connection ended first", by_peer=True))

    async def request(self, event: KnownClientEvent, answer: type[_A], limit_s: float) -> _A:
        """Write an event under an id of its own and wait for the event that confirms it.

        Raises:
            TransportClosed: The connection has ended before it was written.
            ServiceError: The service refused.
            ConfirmationTimeoutError: Neither came within ``limit_s``.
        """
        self._made += 1
        request_id = f"voicelive_{self._made}"
        named = event.model_copy(update={"event_id": request_id})
        future: asyncio.Future[ServerEventBase] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = future
        self._requests.expect(request_id, named)
        written = False
        try:
            async with asyncio.timeout(limit_s):
                await self.put(encode(named))
                written = True
                found = await future
        except TimeoutError:
            self._requests.forget(request_id)
            raise ConfirmationTimeoutError(named.type, limit_s) from None
        finally:
            del self._waiting[request_id]
            if not written:  # no answer is to come, and this request must not take the one of the next
                self._requests.forget(request_id)
            if future.done() and not future.cancelled():
                future.exception()  # where the event was not written yet, nobody else asks for it
        assert isinstance(found, answer), "the table of answers pairs them"
        return found

    def settle(self, outcome: Outcome) -> None:
        """Hand the service's answer to the one who waits for it; a cancelled waiter is gone."""
        future = self._waiting.get(outcome.request_id)
        if future is None or future.done():
            return
        if isinstance(outcome, Refused):
            error = outcome.error
            future.set_exception(ServiceError(error.type, error.code, error.message, error.param, error.event_id))
        else:
            future.set_result(outcome.event)

    def fail(self, error: VoiceLiveError) -> None:
        """The connection has ended: nobody will be answered any more."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(copy(error))  # each raise adds its own traceback

"""ResponseHandle: one response as it happens, by its id.

Collects what the session delivers about this response, while the application holds on to the handle. It knows no
socket: cancelling is handed to the session.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from copy import copy
from typing import Any

from voicelive.errors import LocalProtocolError, VoiceLiveError
from voicelive.wire.base import Unlisted
from voicelive.wire.items import ResponseMessageItem
from voicelive.wire.responses import (
    Response,
    ResponseCancelledDetails,
    ResponseFailedDetails,
    ResponseIncompleteDetails,
    ResponseStatus,
    TokenUsage,
    UnknownStatusDetails,
)
from voicelive.wire.server.response import (
    ResponseAudioDelta,
    ResponseAudioTranscriptDelta,
    ResponseTextDelta,
)
from voicelive.wire.server_events import ServerEvent

__all__ = ["ResponseHandle"]


class ResponseHandle:
    """A response that was asked for.

    ``await handle`` waits for its end and gives the finished ``Response``; ``async for event in handle`` gives its
    events from the first on. Any number of tasks may do either. What it collects lives as long as the handle.
    """

    def __init__(
        self,
        cancel: Callable[[str | None], Awaitable[None]],
        withdraw: Callable[[], bool],
        wish_id: str = "",
        *,
        interruptible: bool = True,
    ) -> None:
        """Made by ``Session.create_response``; ``withdraw`` takes a wish back that was not asked for yet."""
        loop = asyncio.get_running_loop()
        self.wish_id, self.interruptible = wish_id, interruptible
        self._cancel, self._withdraw = cancel, withdraw
        self._place = 0  # where the events of the response begin that fulfils it
        self._began: asyncio.Future[Response] = loop.create_future()
        self._ended: asyncio.Future[Response] = loop.create_future()
        self._events: list[ServerEvent] = []
        self._news = asyncio.Event()
        for future in (self._began, self._ended):
            future.add_done_callback(_look_at)

    def again(self) -> None:
        """Its connection was lost, and it is asked for once more; what came of it stays in the stream of its events."""
        self._began = asyncio.get_running_loop().create_future()
        self._began.add_done_callback(_look_at)
        self._place = len(self._events)

    # -- what the session tells

    def begin(self, response: Response) -> None:
        """The service began it."""
        if not self._began.done():
            self._began.set_result(response)

    def add(self, event: ServerEvent) -> None:
        """One of its events came."""
        self._events.append(event)
        self._news.set()

    def end(self, response: Response) -> None:
        """It ended, whatever its status."""
        self.begin(response)
        if not self._ended.done():
            self._ended.set_result(response)
        self._news.set()

    def fail(self, error: VoiceLiveError) -> None:
        """It will never begin or end: refused, or the session is over."""
        for future in (self._began, self._ended):
            if not future.done():
                future.set_exception(copy(error))  # each raise adds its own traceback
        self._news.set()

    # -- what the application reads

    def __await__(self) -> Generator[Any, None, Response]:
        """The finished response.

        Raises:
            ServiceError: The service refused it.
            SessionClosedError: The session ended before it did.
        """
        return self._end_of_it().__await__()

    async def _end_of_it(self) -> Response:
        return await asyncio.shield(self._ended)  # in a frame that holds the handle: the engine's hold is weak

    async def began(self) -> Response:
        """The response as it began; raises as ``await handle`` does."""
        return await asyncio.shield(self._began)

    async def __aiter__(self) -> AsyncIterator[ServerEvent]:
        place = 0
        while True:
            while place < len(self._events):
                yield self._events[place]
                place += 1
            if self._ended.done():
                self._ended.result()  # raises what ended it
                return
            self._news.clear()
            await self._news.wait()

    async def cancel(self) -> None:
        """Stop it; its ``response.done`` still comes. Does nothing when it has ended. Returns when written.

        One that still waits its turn is not asked for any more: ``await handle`` raises ``LocalProtocolError``. One
        that was asked for is stopped as it begins.
        """
        if not self._began.done() and self._withdraw():
            self.fail(LocalProtocolError("the response was cancelled before its turn came; nothing was asked for"))
        with contextlib.suppress(VoiceLiveError):  # what never begins needs no stop
            await self.began()
        if not self._ended.done():
            await self._cancel(self.id)

    @property
    def id(self) -> str | None:
        """The service's id, once it began."""
        response = self._known
        return response.id if response is not None else None

    @property
    def status(self) -> ResponseStatus | Unlisted | None:
        """``None`` until it began."""
        response = self._known
        return response.status if response is not None else None

    @property
    def reason(self) -> str | None:
        """Why it was cancelled or stopped short, or the code of its failure."""
        details = self._known.status_details if self._known is not None else None
        match details:
            case ResponseFailedDetails(error=dict() as error):
                return str(error.get("code"))
            case ResponseCancelledDetails() | ResponseIncompleteDetails():
                return details.reason
            case UnknownStatusDetails():
                return details.kind
            case _:
                return None

    @property
    def usage(self) -> TokenUsage | None:
        """Its tokens, once it ended."""
        return self._known.usage if self._known is not None else None

    @property
    def text(self) -> str:
        """What the agent says or writes in it, so far; generated, whether heard or not."""
        response = self._known
        if self._ended.done() and response is not None and response.output:
            parts = [part for item in response.output if isinstance(item, ResponseMessageItem) for part in item.content]
            words = [getattr(part, "transcript", None) or getattr(part, "text", None) or "" for part in parts]
            if any(words):
                return "".join(words)
        spoken = (ResponseTextDelta, ResponseAudioTranscriptDelta)
        return "".join(event.delta for event in self._events[self._place :] if isinstance(event, spoken))

    @property
    def audio(self) -> bytes:
        """Its audio so far, in the session's output format."""
        return b"".join(event.delta for event in self._events[self._place :] if isinstance(event, ResponseAudioDelta))

    def __repr__(self) -> str:
        return f"ResponseHandle(id={self.id!r}, status={self.status!r}, {len(self._events)} events)"

    @property
    def _known(self) -> Response | None:
        for future in (self._ended, self._began):
            if future.done() and not future.cancelled() and future.exception() is None:
                return future.result()
        return None


def _look_at(future: asyncio.Future[Response]) -> None:
    """A handle that nobody awaits must not complain about its failure."""
    if not future.cancelled():
        future.exception()

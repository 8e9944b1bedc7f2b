"""Independent streams of one session's events.

Every consumer has a tap of its own, bounded in bytes as received. A tap that overflows fails by itself; the reader
never waits for one. All taps are offered the same events in the same order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from copy import copy
from types import TracebackType
from typing import Any, Final, Generic, Literal, Self, TypeAlias, TypeVar

from voicelive.errors import ConfigurationError, LocalProtocolError, SlowConsumerError, VoiceLiveError
from voicelive.events import AudioDropped, SessionEvent
from voicelive.wire.server.animation import ResponseVideoDelta
from voicelive.wire.server.response import ResponseAudioDelta
from voicelive.wire.server_events import ServerEvent

__all__ = ["AnyEvent", "Overflow", "Subscription", "checked_classes"]

AnyEvent: TypeAlias = ServerEvent | SessionEvent
"""What a session's streams carry."""

Overflow: TypeAlias = Literal["raise", "drop_audio"]

_E = TypeVar("_E")

MEDIA: Final = (ResponseAudioDelta, ResponseVideoDelta)
SESSION_EVENT_BYTES: Final = 256  # what an event of our own counts for in a bound


def checked_classes(classes: tuple[Any, ...]) -> tuple[type[Any], ...]:
    """The classes to hear.

    Raises:
        ConfigurationError: One of them is no class, such as a type string, or a function that meant ``on()``.
    """
    for cls in classes:
        if not isinstance(cls, type):
            kind = type(cls).__name__
            raise ConfigurationError(f"a {kind} stands where event classes are expected; pass classes, or none for all")
    return classes


class Subscription(Generic[_E]):
    """A stream of events, iterated once by one task; ``close`` it, or use it as a context manager.

    Iteration ends when the session has ended normally and all events are read; otherwise it raises what ended it.

    Raises (from iteration):
        SlowConsumerError: More than the bound was left unread. The stream ends with it.
        SessionClosedError: The session did not end normally; its subclasses say how.
        LocalProtocolError: Another task is waiting for the next event.
    """

    def __init__(
        self,
        name: str,
        classes: tuple[type[Any], ...],
        limit_bytes: int,
        *,
        overflow: Overflow = "raise",
        keeps_media: bool = True,
    ) -> None:
        if overflow not in ("raise", "drop_audio"):
            raise ConfigurationError(f"overflow is {overflow!r}; allowed: 'raise', 'drop_audio'")
        if limit_bytes < 1:
            raise ConfigurationError(f"limit_bytes is {limit_bytes!r}; it must be at least 1")
        self._name, self._classes, self._limit_bytes = name, checked_classes(classes), limit_bytes
        self._overflow, self.keeps_media = overflow, keeps_media
        self._events: deque[tuple[Any, int]] = deque()
        self._unread_bytes = 0
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False
        self._failure: VoiceLiveError | None = None
        self._dropped_events = self._dropped_bytes = 0

    def offer(self, event: AnyEvent, size_bytes: int) -> bool:
        """Take an event in if it is wanted; never waits. ``False``: the stream has ended and takes none any more."""
        if self._ended:
            return False
        if self._classes and not isinstance(event, self._classes):
            return True
        if not self.keeps_media and isinstance(event, MEDIA):
            return True
        self._events.append((event, size_bytes))
        self._unread_bytes += size_bytes
        if self._unread_bytes > self._limit_bytes:
            self._overflowed()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        return not self._ended

    def end(self, failure: VoiceLiveError | None) -> None:
        """No more events; what is unread stays readable. The first call counts."""
        if not self._ended:
            self._ended, self._failure = True, failure
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)

    def close(self) -> None:
        """Stop listening and drop what is unread. May be called more than once."""
        self._events.clear()
        self._unread_bytes = 0
        self.end(None)

    @property
    def closed(self) -> bool:
        """Whether no further events will be taken in."""
        return self._ended

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> _E:
        """The next event. Cancelling loses none."""
        while not self._events:
            if self._dropped_events:
                return self._announce_drop()
            if self._failure is not None:
                raise copy(self._failure)  # streams share it, and a raise adds its traceback
            if self._ended:
                raise StopAsyncIteration
            await self._arrival()
        if self._dropped_events:
            return self._announce_drop()
        event, size_bytes = self._events.popleft()
        self._unread_bytes -= size_bytes
        found: _E = event
        return found

    async def _arrival(self) -> None:
        if self._waiter is not None:
            raise LocalProtocolError(f"{self._name} is read by two tasks; give each a subscription of its own")
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _overflowed(self) -> None:
        if self._overflow == "drop_audio":
            self._drop_media()
        if self._unread_bytes > self._limit_bytes:
            failure = SlowConsumerError(self._name, self._limit_bytes, len(self._events))
            self.close()
            self._failure = failure

    def _drop_media(self) -> None:
        """Media goes first, oldest first, until the rest fits; everything else stays in order."""
        kept: list[tuple[Any, int]] = []
        while self._events and self._unread_bytes > self._limit_bytes:
            event, size_bytes = self._events.popleft()
            if isinstance(event, MEDIA):
                self._unread_bytes -= size_bytes
                self._dropped_events += 1
                self._dropped_bytes += size_bytes
            else:
                kept.append((event, size_bytes))
        self._events.extendleft(reversed(kept))

    def _announce_drop(self) -> _E:
        told: Any = AudioDropped(self._dropped_events, self._dropped_bytes)
        self._dropped_events = self._dropped_bytes = 0
        announced: _E = told
        return announced

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

"""What an application can hear of a session: its own loop, subscriptions, handlers, single events."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar, overload

from voicelive.errors import SessionClosedError
from voicelive.handlers import Handler, Handlers
from voicelive.streams import Streams
from voicelive.taps import AnyEvent, Overflow, Subscription, checked_classes

__all__ = ["Listening"]

_E = TypeVar("_E", bound=AnyEvent)
_E2 = TypeVar("_E2", bound=AnyEvent)
_H = TypeVar("_H", bound=Handler)


class Listening(ABC):
    """The hearing half of ``Session``."""

    _streams: Streams
    _handlers: Handlers | None

    @abstractmethod
    def _refuse_when_closed(self) -> None:
        """Raise when the session has ended."""

    @abstractmethod
    def _closed_error(self) -> SessionClosedError:
        """How it has ended."""

    @abstractmethod
    def _running_handlers(self) -> Handlers:
        """The handlers, which are called from now on."""

    def __aiter__(self) -> AsyncIterator[AnyEvent]:
        """All events, from ``session.created`` on; media from the first use on.

        Ends when the session ended normally; otherwise it raises ``SessionClosedError`` or a subclass.
        A loop that was left may be followed by another one, which goes on where it stopped.

        Raises:
            LocalProtocolError: Another loop over the session is under way.
        """
        return self._streams.main()

    @overload
    def subscribe(self, *, overflow: Overflow = ..., limit_bytes: int | None = ...) -> Subscription[AnyEvent]: ...
    @overload
    def subscribe(
        self, cls: type[_E], /, *, overflow: Overflow = ..., limit_bytes: int | None = ...
    ) -> Subscription[_E]: ...
    @overload
    def subscribe(
        self, cls: type[_E], cls2: type[_E2], /, *, overflow: Overflow = ..., limit_bytes: int | None = ...
    ) -> Subscription[_E | _E2]: ...
    @overload
    def subscribe(
        self, *classes: type[AnyEvent], overflow: Overflow = ..., limit_bytes: int | None = ...
    ) -> Subscription[Any]: ...
    def subscribe(
        self, *classes: type[Any], overflow: Overflow = "raise", limit_bytes: int | None = None
    ) -> Subscription[Any]:
        """A further stream of events from now on: of these classes, or of all.

        Args:
            classes: Event classes to hear.
            overflow: ``"raise"``: falling behind the bound ends this stream with ``SlowConsumerError``.
                ``"drop_audio"``: its oldest media is dropped first, counted, and told by ``AudioDropped``.
            limit_bytes: The bound; default ``ClientOptions.inbox_bytes``.

        Raises:
            SessionClosedError: The session has ended.
        """
        self._refuse_when_closed()
        return self._streams.add("a subscription", classes, overflow=overflow, limit_bytes=limit_bytes)

    def on(self, *classes: type[AnyEvent]) -> Callable[[_H], _H]:
        """Decorator: call a sync or async function with every event of these classes, or of all.

        Handlers run one after the other, in the order of events and of registration, on a task of the session:
        a slow one delays other handlers, never the socket. They may await any verb. An exception becomes a
        ``HandlerFailed`` event and an ERROR log, and ends the session where ``ClientOptions.handler_errors`` says so.

        Raises:
            SessionClosedError: The session has ended.
        """
        self._refuse_when_closed()
        wanted = checked_classes(classes)

        def register(handler: _H) -> _H:
            self._running_handlers().add(handler, wanted)
            return handler

        return register

    def off(self, handler: Handler) -> None:
        """Stop calling a handler; unknown ones are ignored."""
        if self._handlers is not None:
            self._handlers.remove(handler)

    async def wait_for(
        self, cls: type[_E], predicate: Callable[[_E], bool] | None = None, *, timeout_s: float | None = None
    ) -> _E:
        """The next event of a class for which ``predicate`` holds, from now on.

        Raises:
            TimeoutError: It did not come within ``timeout_s``.
            SessionClosedError: The session ended before.
        """
        async with asyncio.timeout(timeout_s):
            with self.subscribe(cls) as stream:
                async for event in stream:
                    if predicate is None or predicate(event):
                        return event
        raise self._closed_error()

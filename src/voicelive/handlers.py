"""Functions of the application that are called with events, in order, off the reader.

Decides which handler gets which event and what becomes of an exception. Owns no task: the session runs ``run``.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeAlias

from voicelive.errors import ConfigurationError
from voicelive.events import HandlerFailed
from voicelive.taps import AnyEvent, Subscription

__all__ = ["Handler", "Handlers"]

log = logging.getLogger("voicelive")

Handler: TypeAlias = Callable[[Any], Awaitable[object] | object]
"""Takes one event; a coroutine function is awaited before the next event."""


class _Registered(NamedTuple):
    handler: Handler
    classes: tuple[type[Any], ...]


class Handlers:
    """The registered handlers of one session."""

    def __init__(self, queue: Subscription[AnyEvent], report: Callable[[HandlerFailed], None]) -> None:
        self.queue = queue
        self._report = report
        self._registered: list[_Registered] = []

    def add(self, handler: Handler, classes: tuple[type[Any], ...]) -> None:
        if not callable(handler):
            raise ConfigurationError(f"handler is a {type(handler).__name__}; it must be callable")
        self._registered.append(_Registered(handler, classes))

    def remove(self, handler: Handler) -> None:
        """Take out all registrations of a handler; unknown ones are ignored."""
        self._registered = [entry for entry in self._registered if entry.handler != handler]

    async def run(self) -> None:
        """Call the handlers, one event after the other, until the stream of events ends.

        Raises:
            SlowConsumerError, SessionClosedError: As the stream does.
        """
        async for event in self.queue:
            for entry in tuple(self._registered):
                if not entry.classes or isinstance(event, entry.classes):
                    await self._call(entry.handler, event)

    async def _call(self, handler: Handler, event: AnyEvent) -> None:
        try:
            answer = handler(event)
            if inspect.isawaitable(answer):
                await answer
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            self._failed(handler, event, error)  # something that the handler awaited was cancelled, not the handler
        except Exception as error:
            self._failed(handler, event, error)

    def _failed(self, handler: Handler, event: AnyEvent, error: BaseException) -> None:
        name = getattr(handler, "__qualname__", type(handler).__qualname__)
        event_type = str(getattr(event, "kind", None) or event.type)
        # the exception's text may quote what was said, so only its class and place are logged
        place = error.__traceback__.tb_next if error.__traceback__ else None
        line = f" at line {place.tb_lineno}" if place else ""
        log.error("= handler %s failed on %s: %s%s", name, event_type, type(error).__name__, line)
        if not isinstance(event, HandlerFailed):  # a handler of failures that fails would go on for ever
            self._report(HandlerFailed(name, event_type, error))

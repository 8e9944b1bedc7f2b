"""All listeners of one session: its own stream, subscriptions, and the queue of handlers.

Offers every event to every tap in one order, and forgets taps that are closed.
"""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Awaitable
from typing import Any, Self

from voicelive.errors import LocalProtocolError, VoiceLiveError
from voicelive.taps import AnyEvent, Overflow, Subscription

__all__ = ["Streams"]


class Streams:
    """Where events go. Nothing here waits."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._main = Subscription[AnyEvent]("the session's own stream", (), limit_bytes, keeps_media=False)
        self._iterator: weakref.ref[_MainIterator] | None = None
        self._taps: list[Subscription[Any]] = [self._main]

    def main(self) -> AsyncIterator[AnyEvent]:
        """A loop over the session's own stream; it goes on where the loop before it stopped.

        Raises:
            LocalProtocolError: The loop before it is still under way.
        """
        if self._iterator is not None and self._iterator() is not None:
            raise LocalProtocolError(
                "the session is being iterated already; use session.subscribe() for another independent stream"
            )
        self._main.keeps_media = True
        iterator = _MainIterator(self._main)
        self._iterator = weakref.ref(iterator)
        return iterator

    def add(
        self,
        name: str,
        classes: tuple[type[Any], ...] = (),
        *,
        overflow: Overflow = "raise",
        limit_bytes: int | None = None,
    ) -> Subscription[Any]:
        """A new stream, from now on."""
        limit = self._limit_bytes if limit_bytes is None else limit_bytes
        tap = Subscription[Any](name, classes, limit, overflow=overflow)
        self._taps.append(tap)
        return tap

    def deliver(self, event: AnyEvent, size_bytes: int) -> None:
        """Offer an event to everyone; ``size_bytes`` is what it counts for in their bounds."""
        gone = [tap for tap in self._taps if not tap.offer(event, size_bytes)]
        if gone:
            self._taps = [tap for tap in self._taps if tap not in gone]

    def end(self, failure: VoiceLiveError | None) -> None:
        """No more events; what is unread stays readable."""
        for tap in self._taps:
            tap.end(failure)


class _MainIterator:
    """One loop; when the loop is left, this object goes, which is how the next loop knows that it may begin."""

    def __init__(self, tap: Subscription[AnyEvent]) -> None:
        self._tap = tap

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Awaitable[AnyEvent]:
        return self._tap.__anext__()

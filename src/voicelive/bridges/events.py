"""What a telephone line has to say to the application, beside audio; and how a call ended.

Events that only one provider has are the classes of its codec.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self, TypeAlias

__all__ = [
    "BrokenMessage",
    "CallCounts",
    "CallEnd",
    "CallEvents",
    "CallerAudioDropped",
    "Dtmf",
    "How",
    "UnknownMessage",
]

_MOST_UNREAD: Final = 1000

How: TypeAlias = Literal["caller", "line_lost", "session", "hung_up", "max_duration", "drained"]


@dataclass(frozen=True, slots=True)
class Dtmf:
    """The caller pressed a key.

    Attributes:
        digit: ``0`` to ``9``, ``*``, ``#``; as the provider spells it.
        participant: Who pressed it, where the provider tells.
    """

    digit: str
    participant: str | None = None


@dataclass(frozen=True, slots=True)
class UnknownMessage:
    """The provider sent a kind of message that this version does not know; it is kept whole, and the call goes on.

    Attributes:
        kind: The provider's word for it, empty where there is none.
        content: The whole message.
    """

    kind: str
    content: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class BrokenMessage:
    """The provider sent something that cannot be used, or at a moment at which it makes no sense; the call goes on.

    Attributes:
        problem: What is wrong with it, without any of its content.
        size: Its length, in characters or bytes.
    """

    problem: str
    size: int


@dataclass(frozen=True, slots=True)
class CallerAudioDropped:
    """The session took the caller's audio more slowly than the caller spoke, and the oldest was dropped.

    Attributes:
        dropped_ms: How much was dropped at once.
    """

    dropped_ms: float


@dataclass(frozen=True, slots=True)
class CallEnd:
    """How a call ended.

    Attributes:
        how: ``caller`` (hung up), ``line_lost`` (the socket went away without a goodbye, where the provider has one),
            ``session`` (it ended), ``hung_up`` (by the application), ``max_duration`` or ``drained`` (by a
            ``CallLimit``).
        detail: The provider's words, where it gave some.
        duration_s: Seconds since the start message; 0 where none came.
    """

    how: How
    detail: str = ""
    duration_s: float = 0.0


@dataclass(slots=True)
class CallCounts:
    """What was odd about a line so far.

    Attributes:
        unknown_messages: Messages of a kind that this version does not know.
        broken_messages: Messages that cannot be used, or that came at a wrong moment.
        gap_ms: Audio of the caller that never came, as told by the line's time stamps.
        dropped_ms: Audio of the caller that was dropped because the session did not take it.
        unread_events: Events that were dropped because the application does not read them, and wishes of a page that no
            session took.
    """

    unknown_messages: int = 0
    broken_messages: int = 0
    gap_ms: float = 0.0
    dropped_ms: float = 0.0
    unread_events: int = 0


class CallEvents:
    """The events of one call, for one reader. Of those that nobody reads the newest ``most`` are kept."""

    def __init__(self, counts: CallCounts, *, most: int = _MOST_UNREAD) -> None:
        self._counts, self._most = counts, most
        self._events: deque[Any] = deque()
        self._news = asyncio.Event()
        self._ended = False

    def add(self, event: Any) -> None:
        """Deliver an event."""
        if len(self._events) == self._most:
            self._events.popleft()
            self._counts.unread_events += 1
        self._events.append(event)
        self._news.set()

    def end(self) -> None:
        """No more will come."""
        self._ended = True
        self._news.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        """The next event; iteration ends with the call."""
        while not self._events:
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._events.popleft()

"""How frames reach consumers that are independent of each other, and of the receiver, which never waits.

Each stream has a bound of its own, in items. One that is full drops its oldest and counts: of pictures and sound only
the newest are worth having. Streams that nobody holds any more vanish.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar
from weakref import WeakSet

__all__ = ["Broadcast", "Stream"]

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Stream(Generic[_T_co]):
    """One consumer's view: ``async for item in stream``, one loop at a time.

    Begins when it is made. Ends after the block that receives, once what was kept is read; raises what ended the media
    where nobody here did. A loop that is cancelled or left may be followed by another one.
    """

    def __init__(self, limit: int) -> None:
        """Made by the source of the items."""
        self._kept: deque[Any] = deque()
        self._limit, self._dropped = limit, 0
        self._ended, self._failure = False, None
        self._news = asyncio.Event()
        self.hears: Callable[[], None] = self._news.set
        """Called when something came, or the end."""

    _failure: Exception | None

    @property
    def dropped(self) -> int:
        """How many items were not taken in time and given up."""
        return self._dropped

    @property
    def ended(self) -> bool:
        """Whether nothing more will come than what was kept."""
        return self._ended

    def peek(self) -> _T_co | None:
        """The oldest item that was kept, which stays."""
        return self._kept[0] if self._kept else None

    def close(self) -> None:
        """Take no more; what was kept can still be read."""
        self._ended = True
        self.hears()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> _T_co:
        while not self._kept:
            if self._ended:
                if self._failure is not None:
                    raise self._failure
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        item: _T_co = self._kept.popleft()
        return item

    def put(self, item: Any) -> None:
        """For the source of the items."""
        if self._ended:
            return
        if len(self._kept) >= self._limit:
            self._kept.popleft()
            self._dropped += 1
        self._kept.append(item)
        self.hears()

    def fail(self, failure: Exception | None) -> None:
        """For the source of the items: nothing more comes, because of this."""
        if not self._ended:
            self._failure = failure
            self.close()


class Broadcast(Generic[_T]):
    """Gives each item to all streams. For one thread, the event loop's."""

    def __init__(self, limit: int) -> None:
        """``limit`` is the bound of each stream, in items, where ``stream`` is not given another."""
        self._limit = limit
        self._streams: WeakSet[Stream[_T]] = WeakSet()
        self._ended, self._failure = False, None

    _failure: Exception | None

    def stream(self, limit: int | None = None) -> Stream[_T]:
        """A further stream, from now on. After the end it ends as the others did."""
        found: Stream[_T] = Stream(self._limit if limit is None else limit)
        if self._ended:
            found.fail(self._failure)
        else:
            self._streams.add(found)
        return found

    def put(self, item: _T) -> None:
        """To all; never waits."""
        for stream in tuple(self._streams):
            stream.put(item)

    def end(self, failure: Exception | None = None) -> None:
        """Nothing more will come. Of several ends the first counts."""
        if not self._ended:
            self._ended, self._failure = True, failure
            for stream in tuple(self._streams):
                stream.fail(failure)

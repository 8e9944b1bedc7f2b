"""How many calls one process takes, how long a call may last, and how calls end before the process does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from voicelive.bridges.events import How
from voicelive.errors import CallRefusedError, ConfigurationError

__all__ = ["CallLimit"]


class Place:
    """What a limit knows of one call."""

    def __init__(self) -> None:
        self._end: Callable[[How], object] | None = None

    def ends_by(self, end: Callable[[How], object]) -> None:
        """How to end the call, once it is there."""
        self._end = end

    def end(self, how: How) -> None:
        """Let the call end."""
        if self._end is not None:
            self._end(how)


class CallLimit:
    """A limit that calls share; give the same one to every ``accept``.

    A call counts from ``accept`` on. One that is too much is refused: ``accept`` raises ``CallRefusedError``, and the
    socket is closed with 1013 (try again later).

    Args:
        max_calls: How many calls may be under way; ``None``: no limit.
        max_duration_s: How long a call may last; then ``run`` ends it. ``None``: no limit.

    Raises:
        ConfigurationError: A limit is not positive.
    """

    def __init__(self, max_calls: int | None = None, max_duration_s: float | None = None) -> None:
        if max_calls is not None and max_calls < 1:
            raise ConfigurationError(f"max_calls is {max_calls!r}; it must be at least 1, or None")
        if max_duration_s is not None and not max_duration_s > 0:
            raise ConfigurationError(f"max_duration_s is {max_duration_s!r}; it must be greater than 0, or None")
        self._max_calls, self._max_duration_s = max_calls, max_duration_s
        self._places: set[Place] = set()
        self._none_left = asyncio.Event()
        self._draining = False

    @property
    def active(self) -> int:
        """Calls under way."""
        return len(self._places)

    @property
    def draining(self) -> bool:
        """Whether ``drain`` was called, so that no call is taken any more."""
        return self._draining

    async def drain(self, timeout_s: float) -> int:
        """Take no more calls, wait for those under way, and end what is left after ``timeout_s``.

        Returns how many calls had to be ended; their ``run`` returns with ``drained``. May be cancelled and called
        again; calls are refused from the first time on.
        """
        self._draining = True
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._until_none_is_left()
        left = tuple(self._places)
        for place in left:
            place.end("drained")
        await self._until_none_is_left()
        return len(left)

    @contextmanager
    def place(self) -> Iterator[Place]:
        """A place for one call; ``accept`` takes it.

        Raises:
            CallRefusedError: There is none.
        """
        self._refuse_if_full()
        place, timer = Place(), None
        self._places.add(place)
        if self._max_duration_s is not None:
            timer = asyncio.get_running_loop().call_later(self._max_duration_s, place.end, "max_duration")
        try:
            yield place
        finally:
            if timer is not None:
                timer.cancel()
            self._places.discard(place)
            if not self._places:
                self._none_left.set()

    def _refuse_if_full(self) -> None:
        if self._draining:
            raise CallRefusedError("no more calls are taken", "draining")
        if self._max_calls is not None and self.active >= self._max_calls:
            raise CallRefusedError(f"{self.active} calls are under way, as many as are allowed", "too_many_calls")

    async def _until_none_is_left(self) -> None:
        while self._places:
            self._none_left.clear()
            await self._none_left.wait()

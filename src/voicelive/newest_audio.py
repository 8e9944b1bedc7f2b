"""The caller's audio where nobody may wait for the line: the newest is kept, the oldest dropped, counted and told.

For sources that cannot be held up, such as a telephone line. Owns no task: the session runs ``_drain``.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

__all__ = ["NewestAudio"]


class NewestAudio:
    """Takes chunks without waiting, and writes them in order as fast as the line takes them.

    Args:
        write: Writes one chunk, waiting while the line is congested.
        start: Runs a coroutine as a task of the session.
        limit_bytes: How much may wait; beyond it the oldest goes. One chunk always may.
        dropped: Told of every chunk that was dropped.
        relieved: Called when everything that was left is written after some was dropped.
    """

    def __init__(
        self,
        write: Callable[[bytes], Awaitable[None]],
        start: Callable[[Coroutine[Any, Any, None]], object],
        limit_bytes: int,
        dropped: Callable[[int], None],
        relieved: Callable[[], None],
    ) -> None:
        self._write, self._start, self._limit_bytes = write, start, limit_bytes
        self._dropped, self._relieved = dropped, relieved
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._was_full = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def offer(self, chunk: bytes) -> None:
        """Take a chunk; returns at once."""
        self._waiting.append(chunk)
        self._waiting_bytes += len(chunk)
        while self._waiting_bytes > self._limit_bytes and len(self._waiting) > 1:
            self._was_full = True
            self._dropped(len(self._take()))
        if self._idle.is_set():
            self._idle.clear()
            self._start(self._drain())

    async def written(self) -> None:
        """Wait until nothing waits any more."""
        await self._idle.wait()

    def clear(self) -> None:
        """Forget what waits: the application does not want it any more."""
        self._waiting.clear()
        self._waiting_bytes = 0

    def _take(self) -> bytes:
        chunk = self._waiting.popleft()
        self._waiting_bytes -= len(chunk)
        return chunk

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._write(self._take())
            if self._was_full:
                self._was_full = False
                self._relieved()
        finally:
            self._idle.set()

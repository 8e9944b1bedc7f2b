"""Frames on their way to the line: what has to be said overtakes the agent's voice.

Frames leave in the order that is decided here, and one at a time. Audio is written by whoever brings it where nothing
else is under way: to wake a writer for each frame would cost more than the frame. Whatever must not wait for its
sender, and what was begun by a sender who was cancelled, is written by one task.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from voicelive.bridges.line import Frame
from voicelive.bridges.socket import CallSocket

__all__ = ["Outgoing"]


class Outgoing:
    """The way out of one call; ``run`` is its writer. One sender of audio at a time."""

    def __init__(self, socket: CallSocket) -> None:
        self._socket = socket
        self._control: deque[Frame] = deque()
        self._begun: deque[Frame] = deque()
        """The rest of a piece of audio that was begun: before anything else, or the other side counts wrongly."""
        self._audio: tuple[Callable[[], Iterable[Frame]], asyncio.Future[None]] | None = None
        self._failure: Exception | None = None
        self._busy = False
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._over = False

    def push(self, frame: Frame) -> None:
        """Say something in turn, before audio that waits."""
        if not self._over:
            self._control.append(frame)
            self._wake()

    async def write(self, make: Callable[[], Iterable[Frame]]) -> None:
        """Write a piece of audio; return when it is written, or was dropped. ``make`` is called as its turn comes.

        Cancelling drops a piece that waits; one that was begun goes out whole.
        """
        if self._over:
            return
        if self._is_free:
            await self._write_here(make)
            return
        written = asyncio.get_running_loop().create_future()
        self._audio = (make, written)
        self._wake()
        try:
            await written
        finally:
            if self._audio is not None and self._audio[1] is written:
                self._audio = None

    def drop(self) -> None:
        """The audio that waits shall not be written."""
        if self._audio is not None:
            self._done(self._audio[1])
            self._audio = None

    async def drained(self) -> None:
        """Wait until everything is written, or nothing can be any more."""
        await self._idle.wait()

    async def run(self) -> None:
        """Write until the line is gone.

        Raises:
            Exception: What the socket raised, other than that it is gone.
        """
        try:
            while True:
                await self._write_next()
        except ConnectionError:
            pass  # whoever reads the socket learns it, too
        finally:
            self._over = True
            self.drop()
            self._idle.set()

    @property
    def _is_free(self) -> bool:
        return not (self._busy or self._control or self._begun or self._audio or self._failure)

    async def _write_here(self, make: Callable[[], Iterable[Frame]]) -> None:
        self._idle.clear()
        self._begun.extend(make())
        try:
            while self._begun and not self._over:
                await self._send(self._begun.popleft())
        except Exception as failure:
            self._failure = failure  # is the writer's to raise
        finally:
            if self._control or self._begun or self._failure:
                self._wake()
            else:
                self._idle.set()

    async def _write_next(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._busy:  # whoever writes now wakes this task if there is more to do
            await self._wait()
        elif self._begun:
            await self._send(self._begun.popleft())
        elif self._control:
            await self._send(self._control.popleft())
        elif self._audio is not None:
            (make, written), self._audio = self._audio, None
            try:
                for frame in make():
                    await self._send(frame)
            finally:
                self._done(written)
        else:
            self._idle.set()
            await self._wait()

    async def _wait(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def _send(self, frame: Frame) -> None:
        self._busy = True
        try:
            if isinstance(frame, str):
                await self._socket.send_text(frame)
            else:
                await self._socket.send_bytes(frame)
        finally:
            self._busy = False

    def _wake(self) -> None:
        self._idle.clear()
        self._news.set()

    @staticmethod
    def _done(written: asyncio.Future[None]) -> None:
        if not written.done():
            written.set_result(None)

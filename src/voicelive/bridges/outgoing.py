"""Frames on their way to the line: what has to be said overtakes the agent's voice.

One task writes, so frames leave in the order that is decided here. At most one piece of audio waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from voicelive.bridges.line import Frame
from voicelive.bridges.socket import CallSocket

__all__ = ["Outgoing"]


class Outgoing:
    """The way out of one call; ``run`` is its writer."""

    def __init__(self, socket: CallSocket) -> None:
        self._socket = socket
        self._control: deque[Frame] = deque()
        self._audio: tuple[Callable[[], Iterable[Frame]], asyncio.Future[None]] | None = None
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._over = False

    def push(self, frame: Frame) -> None:
        """Say something in turn, before audio that waits."""
        if not self._over:
            self._control.append(frame)
            self._wake()

    async def write(self, make: Callable[[], Iterable[Frame]]) -> None:
        """Write a piece of audio; return when it is written, or was dropped. ``make`` is called as its turn comes."""
        if self._over:
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
        """Write until the line is gone."""
        try:
            while True:
                await self._write_next()
        except ConnectionError:
            pass  # whoever reads the socket learns it, too
        finally:
            self._over = True
            self.drop()
            self._idle.set()

    async def _write_next(self) -> None:
        if self._control:
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
            self._news.clear()
            await self._news.wait()

    async def _send(self, frame: Frame) -> None:
        if isinstance(frame, str):
            await self._socket.send_text(frame)
        else:
            await self._socket.send_bytes(frame)

    def _wake(self) -> None:
        self._idle.clear()
        self._news.set()

    @staticmethod
    def _done(written: asyncio.Future[None]) -> None:
        if not written.done():
            written.set_result(None)

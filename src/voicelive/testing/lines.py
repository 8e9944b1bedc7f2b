"""One accepted TCP connection, which may fall silent: then nothing leaves it any more.

Everything that the ``websockets`` package would write by itself (pongs, pings, close frames) passes here. What is
sent and why is not known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.protocol import State
from websockets.typing import DataLike

from voicelive.testing.handshake import Admission

__all__ = ["Line"]


class Line(ServerConnection):
    """A server's end of a connection, from the first byte of the upgrade request.

    Args:
        lines: Holds all lines that are connected.
        arguments: Those of ``ServerConnection``, as are ``options``.

    Attributes:
        admission: The upgrade request, once it was accepted.
        silent: Nothing is written at present.
        opens_silently: The session is to begin silent.
    """

    def __init__(self, lines: set[Line], *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._lines = lines
        self._audible = asyncio.Event()
        self._audible.set()
        self.silent = False
        self.admission: Admission | None = None
        self.opens_silently = False

    @property
    def writable(self) -> bool:
        """What is written now may still reach the client."""
        return self.state is State.OPEN and not self.transport.is_closing()

    def silence(self, *, on: bool) -> None:
        """Keep everything back, or send what was kept back."""
        self.silent = on
        if on:
            self._audible.clear()
        else:
            self._audible.set()
            if not self.transport.is_closing():
                self.send_data()

    async def audible(self) -> None:
        """Wait for the end of the silence."""
        await self._audible.wait()

    async def lost_within(self, seconds: float | None) -> bool:
        """Wait, ``None``: for ever, unless the connection ends before; tells whether it did."""
        try:
            async with asyncio.timeout(seconds):
                await self.wait_closed()
        except TimeoutError:
            return False
        return True

    def release(self) -> None:
        """Drop a connection that would never end by itself: silent, or without an answer to its request."""
        if self.state is State.CONNECTING or self.silent:
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._lines.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lines.discard(self)
        super().connection_lost(exc)

    def send_data(self) -> None:
        if not self.silent:
            super().send_data()

    async def ping(self, data: DataLike | None = None) -> Awaitable[float]:
        await self._audible.wait()  # a ping that cannot leave would have its sender find the client dead
        return await super().ping(data)

"""One accepted socket: frames in, frames out, in order.

Moves bytes between a socket and a ``Service`` and records what passes; what a frame means is not known here.
"""

from __future__ import annotations

import asyncio
from collections import deque

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from voicelive import wire
from voicelive.testing.records import EmulatedSession

__all__ = ["Connection"]

_FULL_EVENTS = 64  # unsent events; beyond, responses wait for the client to read


class Connection:
    """The outlet of a session, and the pump that empties it.

    Args:
        socket: The accepted WebSocket.
        record: Where events are noted; ``None``: nowhere.
    """

    def __init__(self, socket: ServerConnection, record: EmulatedSession | None) -> None:
        self._socket = socket
        self._record = record
        self._closing: tuple[int, str] | None = None
        self._unsent: deque[wire.ServerEvent] = deque()
        self._news = asyncio.Event()
        self._space = asyncio.Event()
        self._space.set()

    def heed(self, event: wire.ClientEvent) -> None:
        """Note an event of the client."""
        if self._record is not None:
            self._record.received.append(event)

    def send(self, event: wire.ServerEvent) -> None:
        """Queue an event."""
        if self._record is not None:
            self._record.sent.append(event)
        self._unsent.append(event)
        self._news.set()
        if len(self._unsent) >= _FULL_EVENTS:
            self._space.clear()

    async def room(self) -> None:
        """Wait until fewer than 64 events are unsent."""
        await self._space.wait()

    def end(self, code: int, reason: str) -> None:
        """Close the socket once everything queued is written."""
        self._closing = code, reason
        self._news.set()

    async def ended(self) -> None:
        """Wait for the socket to close."""
        await self._socket.wait_closed()

    async def pump(self) -> None:
        """Write what is queued until the socket closes."""
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                while self._unsent:
                    await self._socket.send(wire.encode(self._unsent.popleft()), text=True)
                    if len(self._unsent) < _FULL_EVENTS:
                        self._space.set()
                if self._closing is not None:
                    await self._socket.close(*self._closing)
        except ConnectionClosed:
            self._space.set()  # nobody reads any more; let what runs come to its end

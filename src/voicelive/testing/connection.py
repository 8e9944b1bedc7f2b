"""One accepted socket: frames in, frames out, in order.

Moves events between a socket and a ``Service`` and records what passes; what an event means is not known here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from websockets.exceptions import ConnectionClosed

from voicelive import wire
from voicelive.errors import DecodeError
from voicelive.testing.lines import Line
from voicelive.testing.tampering import Tamper
from voicelive.wire.base import Wire

__all__ = ["Connection"]

_FULL_EVENTS = 64  # unsent events; beyond, responses wait for the client to read


@dataclass(frozen=True, slots=True)
class _Frame:
    """One frame made by hand, and how it reads."""

    data: bytes = field(repr=False)
    is_text: bool
    event: wire.ServerEvent | None


class Connection:
    """The outlet of a session, and the pump that empties it.

    Args:
        line: The accepted WebSocket.
        keep_events: Note what passes; else ``received`` and ``sent`` stay empty.

    Attributes:
        received: What the client sent.
        sent: What was written to the socket, in this order.
        tamper: What becomes of events on their way out; ``None``: nothing.
    """

    def __init__(self, line: Line, *, keep_events: bool) -> None:
        self.received: list[wire.ClientEvent] = []
        self.sent: list[wire.ServerEvent] = []
        self.tamper: Tamper | None = None
        self._line = line
        self._keep_events = keep_events
        self._closing: tuple[int, str] | None = None
        self._unsent: deque[wire.ServerEvent | _Frame] = deque()
        self._news = asyncio.Event()
        self._space = asyncio.Event()
        self._space.set()

    def heed(self, event: wire.ClientEvent) -> None:
        """Note an event of the client."""
        if self._keep_events:
            self.received.append(event)

    def send(self, event: wire.ServerEvent) -> None:
        """Queue an event, or what ``tamper`` makes of it; after ``end`` there is nothing more to say."""
        if self.tamper is None:
            self._queue(event)
            return
        for changed in self.tamper(event):
            if not isinstance(changed, Wire):
                raise TypeError(f"tamper gave a {type(changed).__name__}; it must give an iterable of server events")
            self._queue(changed)

    def send_frame(self, data: bytes, *, is_text: bool) -> None:
        """Queue a frame as it is."""
        try:
            event = wire.decode(data) if self._keep_events else None
        except DecodeError:
            event = None
        self._queue(_Frame(data, is_text, event))

    async def room(self) -> None:
        """Wait until fewer than 64 events are unsent."""
        await self._space.wait()

    def end(self, code: int, reason: str) -> None:
        """Close the socket once everything queued is written; the first call counts."""
        if self._closing is None:
            self._closing = code, reason
            self._news.set()

    def abort(self) -> None:
        """Drop the socket as it is, without a close frame."""
        self._line.transport.abort()

    def silence(self, *, on: bool) -> None:
        """Write nothing any more, or again."""
        self._line.silence(on=on)

    async def ended(self) -> None:
        """Wait for the socket to close."""
        await self._line.wait_closed()

    async def pump(self) -> None:
        """Write what is queued until the socket closes."""
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                while self._unsent:
                    await self._write(self._unsent.popleft())
                    if len(self._unsent) < _FULL_EVENTS:
                        self._space.set()
                if self._closing is not None:
                    await self._line.audible()
                    await self._line.close(*self._closing)
        except ConnectionClosed:
            self._space.set()  # nobody reads any more; let what runs come to its end

    def _queue(self, outgoing: wire.ServerEvent | _Frame) -> None:
        if self._closing is not None:
            return
        self._unsent.append(outgoing)
        self._news.set()
        if len(self._unsent) >= _FULL_EVENTS:
            self._space.clear()

    async def _write(self, outgoing: wire.ServerEvent | _Frame) -> None:
        if self._line.silent:
            await self._line.audible()
        event = outgoing.event if isinstance(outgoing, _Frame) else outgoing
        if self._keep_events and event is not None and self._line.writable:
            self.sent.append(event)  # before it is written: who reads the frame may look here at once
        if isinstance(outgoing, _Frame):
            await self._line.send(outgoing.data, text=outgoing.is_text)
        else:
            await self._line.send(wire.encode(outgoing), text=True)

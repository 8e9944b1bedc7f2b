"""One WebSocket of the ``websockets`` package, with the everyday frames taken out of its hands.

Decides which bytes go to the package and which are cut by hand, when a silent peer is lost, and that a socket which
its peer leaves open is closed. The package keeps the handshake, control frames, fragments, closing, and every breach
of the protocol.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import Event, State

from voicelive.errors import LocalProtocolError
from voicelive.transport.frames import Foreign, FrameCutter, client_header

try:
    from websockets.speedups import apply_mask
except ImportError:  # no compiled part for this platform
    from websockets.utils import apply_mask

__all__ = ["Connection"]

_HEAD_END: Final = b"\r\n\r\n"
_DATA: Final = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})


class Connection(ClientConnection):
    """Made by ``websockets.connect(create_connection=Connection)``, whose settings keep their meaning, except one.

    The connection is lost when nothing at all comes within ``ping_timeout`` after a ping, rather than no pong.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.mute = False
        """Whether the connection was given up because nothing came any more."""
        self.inbox: deque[bytes] = deque()
        """Whole messages, in their order."""
        self._reader: asyncio.Future[None] | None = None
        self._lost = False
        self._fragments: list[bytes] = []
        self._head_tail: bytes | None = b""
        self._cutter = FrameCutter(self.protocol.max_message_size or sys.maxsize)
        self._by_hand = True
        self._heard = False
        self._pinged_at = 0.0
        self._beat: asyncio.TimerHandle | None = None
        self._verdict: asyncio.TimerHandle | None = None
        self._reaper: asyncio.TimerHandle | None = None

    # -- out

    def write_now(self, frame: str | bytes) -> bool:
        """Write a frame if nothing can stand in its way; ``False``: it was not written.

        What the package's ``send`` is for beyond that (closing, a peer that reads slowly) is looked up here, and then
        left to it.
        """
        if self.protocol.state is not State.OPEN or self.paused or self.transport.is_closing():
            return False
        payload = frame.encode() if isinstance(frame, str) else frame
        key = os.urandom(4)  # RFC 6455 section 5.3: from a strong source of entropy
        self.transport.write(b"".join((client_header(len(payload)), key, apply_mask(payload, key))))
        return True

    # -- in

    async def next_message(self) -> bytes | None:
        """The next whole message; ``None`` when the connection is lost and all of them were given out.

        Cancelling loses none.

        Raises:
            LocalProtocolError: Another task waits for it already.
        """
        while not self.inbox:
            if self._lost:
                return None
            if self._reader is not None:
                raise LocalProtocolError("another task is receiving on this transport; receive from one task only")
            self._reader = self.loop.create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return self.inbox.popleft()

    def data_received(self, data: bytes) -> None:
        self._heard = True
        if self._head_tail is not None:
            data = self._handshake(data, self._head_tail)
            if self._head_tail is not None:
                return
        if self._by_hand and self.protocol.state is not State.OPEN:
            self._by_hand = False
            data = self._cutter.rest() + data
        if self._by_hand:
            self._cut(data)
        elif data:
            self._leave(data)
        if self.inbox and self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
        if self._reaper is None and self.protocol.state is State.CLOSING:
            self._reaper = self.loop.call_later(self.close_timeout or 0, self.transport.abort)

    def process_event(self, event: Event) -> None:
        """A frame that the package has read."""
        if isinstance(event, Frame) and event.opcode in _DATA:
            self._fragments.append(bytes(event.data))
            if event.fin:
                self.inbox.append(b"".join(self._fragments))
                self._fragments = []
        elif isinstance(event, Frame) and event.opcode is Opcode.PONG:
            self.latency = self.loop.time() - self._pinged_at
        else:
            super().process_event(event)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._beat, self._verdict, self._reaper):
            if timer is not None:
                timer.cancel()
        self._beat = self._verdict = self._reaper = None
        self._lost = True
        super().connection_lost(exc)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _handshake(self, data: bytes, tail: bytes) -> bytes:
        """Give the package its answer to the request, and no byte of what comes behind; that is returned."""
        end = (tail + data).find(_HEAD_END)
        if end < 0:
            self._head_tail = (tail + data)[-3:]
            self._leave(data)
            return b""
        self._head_tail = None
        head_bytes = end + len(_HEAD_END) - len(tail)
        self._leave(data[:head_bytes])
        return data[head_bytes:]

    def _cut(self, data: bytes) -> None:
        is_open = True
        for piece in self._cutter.feed(data):
            if isinstance(piece, Foreign):
                self._by_hand = self._by_hand and piece.is_frame
                self._leave(piece.data)
                is_open = self.protocol.state is State.OPEN
            elif is_open:
                self.inbox.append(piece)

    def _leave(self, data: bytes) -> None:
        super().data_received(data)

    # -- liveness

    def start_keepalive(self) -> None:
        """Send pings from now on, and watch whether anything comes: any byte tells that the peer is there."""
        if self.ping_interval is not None and not self._lost:
            self._beat = self.loop.call_later(self.ping_interval, self._ping)

    def _ping(self) -> None:
        if self.protocol.state is not State.OPEN:
            return
        self._pinged_at = self.loop.time()
        self.protocol.send_ping(b"")
        self.send_data()
        self.start_keepalive()
        if self._verdict is None and self.ping_timeout is not None:
            self._heard = False
            self._verdict = self.loop.call_later(self.ping_timeout, self._judge)

    def _judge(self) -> None:
        self._verdict = None
        if not self._heard:
            self.mute = True
            self.transport.abort()

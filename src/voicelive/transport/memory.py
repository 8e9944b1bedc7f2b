"""Two connected transports in one process, for tests without a socket.

Keeps the contract of ``Transport`` to the letter, close codes and waiting senders included. It has no
pings and no limit on the size of a frame: those belong to a real connection.
"""

from __future__ import annotations

import asyncio
from collections import deque

from voicelive.errors import ConfigurationError, LocalProtocolError
from voicelive.transport.base import TransportClosed, checked_close

__all__ = ["MemoryTransport", "memory_pair"]


def memory_pair(*, max_pending_bytes: int | None = None) -> tuple[MemoryTransport, MemoryTransport]:
    """Two ends of one connection: what one sends, the other receives.

    Args:
        max_pending_bytes: How much one end may leave unread before ``send`` of the other waits; a larger
            frame passes when nothing else is unread. ``None``: never waits.

    Raises:
        ConfigurationError: ``max_pending_bytes`` is less than 1.
    """
    if max_pending_bytes is not None and max_pending_bytes < 1:
        raise ConfigurationError(f"max_pending_bytes is {max_pending_bytes!r}; it must be at least 1, or None")
    there, back = _Pipe(max_pending_bytes), _Pipe(max_pending_bytes)
    return MemoryTransport(outgoing=there, incoming=back), MemoryTransport(outgoing=back, incoming=there)


class MemoryTransport:
    """One end of ``memory_pair``; satisfies ``Transport``."""

    def __init__(self, *, outgoing: _Pipe, incoming: _Pipe) -> None:
        self._outgoing, self._incoming = outgoing, incoming

    @property
    def closed(self) -> bool:
        """Whether either end has closed or dropped it; see ``Transport.closed``."""
        return self._outgoing.ended

    async def send(self, frame: str | bytes) -> None:
        """Hand one frame to the other end; see ``Transport.send``."""
        await self._outgoing.put(frame.encode() if isinstance(frame, str) else bytes(frame))

    async def receive(self) -> bytes:
        """The next frame, as UTF-8 bytes; see ``Transport.receive``."""
        return await self._incoming.get()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End both directions with a close code; see ``Transport.close``. Never waits."""
        self._end(*checked_close(code, reason))

    def drop(self, reason: str = "dropped") -> None:
        """Vanish without a close frame, as a lost network does: the other end sees code ``None``."""
        self._end(None, reason)

    def _end(self, code: int | None, reason: str) -> None:
        # each pipe has one end that writes and one that reads, and each of them hears who it was
        ours, theirs = TransportClosed(code, reason, by_peer=False), TransportClosed(code, reason, by_peer=True)
        self._outgoing.end(writer=ours, reader=theirs)
        self._incoming.end(writer=theirs, reader=ours)


class _Pipe:
    """One direction: frames in order, senders waiting for room in order, at most one waiting reader."""

    def __init__(self, max_pending_bytes: int | None) -> None:
        self._limit = max_pending_bytes
        self._frames: deque[bytes] = deque()
        self._pending_bytes = 0
        self._senders: deque[tuple[bytes, asyncio.Future[bool]]] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._end_for_writer: TransportClosed | None = None
        self._end_for_reader: TransportClosed | None = None

    @property
    def ended(self) -> bool:
        return self._end_for_writer is not None

    async def put(self, frame: bytes) -> None:
        self._check_writable()
        if not self._senders and self._has_room(frame):
            self._append(frame)
            return
        admitted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._senders.append((frame, admitted))
        if not await admitted:  # a cancelled wait leaves the frame in line, as a socket's buffer does
            self._check_writable()

    async def get(self) -> bytes:
        if self._reader is not None:
            raise LocalProtocolError("another task is receiving on this transport; receive from one task only")
        while not self._frames:
            if self._end_for_reader is not None:
                raise self._end_for_reader.copy()
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        frame = self._frames.popleft()
        self._pending_bytes -= len(frame)
        self._admit()
        return frame

    def end(self, *, writer: TransportClosed, reader: TransportClosed) -> None:
        if self.ended:
            return
        self._end_for_writer, self._end_for_reader = writer, reader
        while self._senders:
            _, waiting = self._senders.popleft()
            if not waiting.done():
                waiting.set_result(False)
        self._wake_reader()

    def _check_writable(self) -> None:
        if self._end_for_writer is not None:
            raise self._end_for_writer.copy()

    def _has_room(self, frame: bytes) -> bool:
        return self._limit is None or not self._frames or self._pending_bytes + len(frame) <= self._limit

    def _append(self, frame: bytes) -> None:
        self._frames.append(frame)
        self._pending_bytes += len(frame)
        self._wake_reader()

    def _admit(self) -> None:
        while self._senders and self._has_room(self._senders[0][0]):
            frame, waiting = self._senders.popleft()
            self._append(frame)
            if not waiting.done():
                waiting.set_result(True)

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

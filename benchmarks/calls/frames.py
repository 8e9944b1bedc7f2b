"""WebSockets of the far ends, as cheap as they can be: no library, no tasks, one callback for what has come.

Knows frames and the handshake (RFC 6455), not what is in a frame. Fragments do not occur between these ends.
"""

import asyncio
import base64
import hashlib
import struct
from typing import Final

try:
    from websockets.speedups import apply_mask
except ImportError:  # no compiled part for this platform
    from websockets.utils import apply_mask

__all__ = ["BINARY", "TEXT", "ClientSocket", "Cutter", "ServerSocket", "frame"]

TEXT: Final = 1
BINARY: Final = 2
_CLOSE, _PING, _PONG = 8, 9, 10

_KEY: Final = base64.b64encode(bytes(16)).decode()
_GUID: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_HEAD_END: Final = b"\r\n\r\n"


def frame(payload: bytes, opcode: int = TEXT, *, masked: bool = False) -> bytes:
    """A whole message. The mask of a client is four zeros, which leave the payload as it is: the peer unmasks it."""
    size, mask = len(payload), 0x80 if masked else 0
    key = bytes(4) if masked else b""
    if size < 126:
        return struct.pack("!BB", 0x80 | opcode, mask | size) + key + payload
    if size < 1 << 16:
        return struct.pack("!BBH", 0x80 | opcode, mask | 126, size) + key + payload
    return struct.pack("!BBQ", 0x80 | opcode, mask | 127, size) + key + payload


class Cutter:
    """Bytes of a stream to frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The frames that are whole by now: opcode and payload."""
        data = self._rest + data if self._rest else data
        found, begin = [], 0
        while len(data) - begin >= 2:
            mask_bytes = 4 if data[begin + 1] & 0x80 else 0
            size = data[begin + 1] & 0x7F
            length_bytes = {126: 2, 127: 8}.get(size, 0)
            payload_at = begin + 2 + length_bytes + mask_bytes
            if length_bytes:
                size = int.from_bytes(data[begin + 2 : begin + 2 + length_bytes], "big")
            if payload_at + size > len(data):
                break
            payload = data[payload_at : payload_at + size]
            if mask_bytes:
                payload = apply_mask(payload, data[payload_at - 4 : payload_at])
            found.append((data[begin] & 0x0F, payload))
            begin = payload_at + size
        self._rest = data[begin:]
        return found


class _Socket(asyncio.Protocol):
    """One end of a WebSocket. Subclasses say what happens when it is open, and when a message comes."""

    masked = False

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.closed = False
        self._cutter = Cutter()
        self._head: bytes | None = b""

    def opened(self) -> None:
        """Messages may be written from now on."""

    def take(self, payload: bytes, now: float) -> None:
        """A message that came at this moment of the loop's clock."""
        raise NotImplementedError

    def write(self, payload: bytes, opcode: int = TEXT) -> None:
        """Say something."""
        if not self.closed:
            self._transport.write(frame(payload, opcode, masked=self.masked))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "a TCP connection"
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        now = self.loop.time()
        if self._head is not None:
            head, end, data = (self._head + data).partition(_HEAD_END)
            self._head = None if end else head
            if not end:
                return
            self._answer(head)
            self.opened()
        for opcode, payload in self._cutter.feed(data):
            if opcode in (TEXT, BINARY):
                self.take(payload, now)
            elif opcode == _PING:
                self.write(payload, _PONG)
            elif opcode == _CLOSE:
                self.leave(payload)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True

    def leave(self, payload: bytes = b"\x03\xe8") -> None:
        """Close it, normally."""
        self.write(payload, _CLOSE)
        self.closed = True
        self._transport.close()

    def _answer(self, head: bytes) -> None:
        """What the handshake asks for."""


class ClientSocket(_Socket):
    """The end that has dialled."""

    masked = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        lines = ("Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {_KEY}", "Sec-WebSocket-Version: 13")
        self._transport.write("\r\n".join(("GET / HTTP/1.1", "Host: 127.0.0.1", *lines, "", "")).encode())


class ServerSocket(_Socket):
    """The end that was dialled."""

    def _answer(self, head: bytes) -> None:
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        key = next(value for name, value in fields.items() if name.lower() == "sec-websocket-key")
        accept = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()
        lines = ("Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}")
        self._transport.write("\r\n".join(("HTTP/1.1 101 Switching Protocols", *lines, "", "")).encode())

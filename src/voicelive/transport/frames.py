"""WebSocket frames by hand, as far as a conversation consists of them: whole unmasked messages in, masked text out.

Almost every frame of a session is one of these two. A library has to be ready for all others, which costs more than
what is read. So everything else is cut out here as it stands and left to the library: control frames, fragments,
breaches of the protocol. Layout: RFC 6455 section 5.2.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["Foreign", "FrameCutter", "client_header"]

_WHOLE_MESSAGE: Final = frozenset({0x81, 0x82})  # FIN, no reserved bits, text or binary
_FIN: Final = 0x80
_LAST_DATA_OPCODE: Final = 0x02  # continuation, text, binary
_LENGTH_16: Final = 126
_LENGTH_64: Final = 127
_MASKED: Final = 0x80


class Foreign(NamedTuple):
    """Bytes for the library: one frame, or from a breach of the protocol on all that follows."""

    data: bytes
    is_frame: bool


class FrameCutter:
    """Cuts the stream of a server into frames. Pure: same bytes, same frames, however they are split.

    Args:
        limit_bytes: A longer message is a breach, told before its bytes have come.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._pieces: list[bytes] = []
        self._held_bytes = 0
        self._wanted_bytes = 0
        self._in_fragments = False
        self._broken = False

    def feed(self, data: bytes) -> list[bytes | Foreign]:
        """The messages and foreign bytes that are complete now, in their order."""
        found: list[bytes | Foreign] = []
        at = 0
        while self._pieces:  # only the frame that was split is put together: the rest of data is not copied
            stop = at + self._wanted_bytes - self._held_bytes
            if stop > len(data):
                self._pieces.append(data[at:])
                self._held_bytes += len(data) - at
                return found
            self._pieces.append(data[at:stop])
            at = stop
            self._cut(self.rest(), 0, found)
        self._cut(data, at, found)
        return found

    def rest(self) -> bytes:
        """Take what is held of an incomplete frame."""
        rest = b"".join(self._pieces)
        self._pieces = []
        return rest

    def _cut(self, data: bytes, at: int, found: list[bytes | Foreign]) -> None:
        end = len(data)
        while at < end and not self._broken:
            start, length = at + 2, data[at + 1] if at + 1 < end else 0
            if length >= _LENGTH_16:
                start, length = self._long(data, at, length)
            if length > self._limit_bytes:
                self._broken = True
                break
            stop = start + length
            if stop > end:
                self._hold(data[at:], stop - at)
                return
            if data[at] in _WHOLE_MESSAGE and not self._in_fragments:
                found.append(data[start:stop])
            else:
                self._follow(data[at])
                found.append(Foreign(data[at:stop], is_frame=True))
            at = stop
        if at < end:
            found.append(Foreign(data[at:], is_frame=False))

    def _long(self, data: bytes, at: int, length: int) -> tuple[int, int]:
        """Where the payload begins and how long it is; a length of 0 while that cannot be told yet."""
        if length >= _MASKED:
            return at + 2, self._limit_bytes + 1
        if length == _LENGTH_16:
            return at + 4, data[at + 2] << 8 | data[at + 3] if at + 4 <= len(data) else 0
        return at + 10, int.from_bytes(data[at + 2 : at + 10], "big") if at + 10 <= len(data) else 0

    def _follow(self, first: int) -> None:
        """While a message comes in fragments, the library judges what may stand between them."""
        if first & 0x0F <= _LAST_DATA_OPCODE:
            self._in_fragments = first < _FIN

    def _hold(self, data: bytes, wanted_bytes: int) -> None:
        self._pieces, self._held_bytes, self._wanted_bytes = [data], len(data), wanted_bytes


def client_header(length: int) -> bytes:
    """The head of a whole text message to a server, without its masking key."""
    if length < _LENGTH_16:
        return bytes((0x81, _MASKED | length))
    if length < 1 << 16:
        return bytes((0x81, _MASKED | _LENGTH_16)) + length.to_bytes(2, "big")
    return bytes((0x81, _MASKED | _LENGTH_64)) + length.to_bytes(8, "big")

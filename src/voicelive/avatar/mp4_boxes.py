"""The fragmented MP4 of ``response.video.delta``, cut where it can be cut. Pure.

Deltas are not aligned to anything, and the header comes once in a session. So a player that comes later needs the
header first, then whole fragments: what ``MediaSource`` of browsers wants, too. Boxes are those of ISO/IEC 14496-12.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final, Literal

from voicelive.errors import AvatarStreamError

__all__ = ["MOST_SEGMENT_BYTES", "Mp4Joiner", "Segment"]

MOST_SEGMENT_BYTES: Final = 32 * 1024 * 1024
"""A second of the highest rate seen, 4 Mbit/s, is 0.5 MB."""

_SIZE_AND_TYPE: Final = struct.Struct(">I4s")
_LARGE_SIZE: Final = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Segment:
    """Whole boxes.

    Attributes:
        kind: ``init``: the header, up to ``moov``; ``media``: one fragment, up to its ``mdat``.
        data: The bytes, unchanged. All segments in their order are the stream.
    """

    kind: Literal["init", "media"]
    data: bytes = field(repr=False)


class Mp4Joiner:
    """Takes the stream in any cutting. Never to be reset by a barge-in: the header would not come again."""

    def __init__(self, most_segment_bytes: int = MOST_SEGMENT_BYTES) -> None:
        self._most = most_segment_bytes
        self._unread = bytearray()
        self._boxes = 0
        """Bytes at the beginning of ``_unread`` that are whole boxes of the segment under way."""
        self._seen: set[bytes] = set()
        self._header: Segment | None = None
        self._broken: AvatarStreamError | None = None

    @property
    def header(self) -> Segment | None:
        """The init segment, once it is whole."""
        return self._header

    @property
    def pending_bytes(self) -> int:
        """What came and is not part of a whole segment yet."""
        return len(self._unread)

    def feed(self, data: bytes) -> list[Segment]:
        """The segments that ``data`` completes.

        Raises:
            AvatarStreamError: This is no such stream, or a segment is over the bound. It stays so: where the next box
                begins is not known any more.
        """
        if self._broken is not None:
            raise self._broken
        self._unread += data
        try:
            return self._take()
        except AvatarStreamError as error:
            self._unread.clear()
            self._broken = error
            raise

    def _take(self) -> list[Segment]:
        found = []
        while (box := self._next_box()) is not None:
            kind, self._boxes = box
            self._seen.add(kind)
            segment = self._completed_by(kind)
            if segment is not None:
                found.append(segment)
                del self._unread[: self._boxes]
                self._boxes = 0
                self._seen.clear()
        return found

    def _next_box(self) -> tuple[bytes, int] | None:
        """Type and end of the next box; ``None`` until it is whole."""
        begin, came = self._boxes, len(self._unread)
        if came - begin < _SIZE_AND_TYPE.size:
            return None
        size, kind = _SIZE_AND_TYPE.unpack_from(self._unread, begin)
        if not (kind.isascii() and kind.decode("ascii").isprintable()):
            raise AvatarStreamError("the avatar's video is no MP4: a box without a name; open another session")
        least = _SIZE_AND_TYPE.size
        if size == 1:  # the size follows, in 64 bits
            least += _LARGE_SIZE.size
            if came - begin < least:
                return None
            [size] = _LARGE_SIZE.unpack_from(self._unread, begin + _SIZE_AND_TYPE.size)
        if size < least:  # 0 would be a box up to the end of a file, and a stream has no end
            raise AvatarStreamError(f"the avatar's video is no MP4: a box of {size} bytes; open another session")
        if begin + size > self._most:
            raise AvatarStreamError(
                f"a segment of the avatar's video has more than {self._most} bytes; open another session"
            )
        return (kind, begin + size) if came - begin >= size else None

    def _completed_by(self, kind: bytes) -> Segment | None:
        """The segment that ends with this box."""
        if self._header is None:
            if kind in {b"moof", b"mdat"}:
                raise AvatarStreamError(
                    "the avatar's video began before it was listened to, or lacks its header; "
                    "make SocketVideo before the avatar's settings are sent"
                )
            if kind == b"moov":
                self._header = Segment("init", bytes(self._unread[: self._boxes]))
                return self._header
        elif kind == b"moov":
            raise AvatarStreamError("the header of the avatar's video came a second time; open another session")
        elif kind == b"mdat":
            if b"moof" not in self._seen:
                raise AvatarStreamError("the avatar's video has data without moof; open another session")
            return Segment("media", bytes(self._unread[: self._boxes]))
        return None

"""An avatar whose picture and voice come over the session's own socket (``output_protocol="websocket"``).

The stream is one fragmented MP4 for the whole session, on its own clock, with the voice in it: play that one, and not
also ``response.audio.delta``. It goes on while the avatar is silent, and through barge-in: drop frames then, if you
like, but never begin a new reader. Raw bytes and segments need no extra; decoding needs ``avatar``.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Final, Protocol, Self
from weakref import WeakSet

from voicelive.avatar.broadcast import Broadcast, Stream
from voicelive.avatar.frames import AudioFrame, VideoFrame
from voicelive.avatar.merging import FrameStream
from voicelive.avatar.mp4_boxes import Mp4Joiner, Segment
from voicelive.avatar.recording import FileRecording, SegmentFile, recorded
from voicelive.errors import AvatarLinkLostError, LocalProtocolError, VoiceLiveError
from voicelive.events import SessionResumed
from voicelive.taps import Subscription
from voicelive.unhurried import to_the_end
from voicelive.wire.server.animation import ResponseVideoDelta

if TYPE_CHECKING:
    from voicelive.avatar.mp4_decoder import Decoding

__all__ = ["SocketVideo", "Subscribing"]

LIMIT_BYTES: Final = 16 * 1024 * 1024
"""Bound of a stream of segments: half a minute at the highest rate seen, 4 Mbit/s."""

PICTURES: Final = 75
SOUNDS: Final = 300
"""Fragments come in bursts, so decoded frames do: 3 s of pictures of 512 x 512 (0.4 MB each), 6 s of sound."""


class Subscribing(Protocol):
    """What is needed of a session."""

    def subscribe(self, *classes: type[Any], limit_bytes: int | None = None) -> Subscription[Any]:
        """Events of these classes from now on; at most so much of them waits."""
        ...


class SocketVideo:
    """``async with session.avatar.video() as video``: reads for as long as the block lasts.

    Listens from the moment it is made, which is before the avatar is asked for: the stream's header comes once.
    Consumers may come and go at any time.
    """

    def __init__(self, session: Subscribing, *, resuming: bool = False) -> None:
        """Made by ``session.avatar``; ``resuming``: just before the session goes on over another connection.

        Raises:
            SessionClosedError: The session has ended.
        """
        self._events = session.subscribe(ResponseVideoDelta, SessionResumed, limit_bytes=LIMIT_BYTES)
        self._resuming = resuming
        self._joiner = Mp4Joiner()
        self._consumers: WeakSet[Subscription[Any]] = WeakSet()
        self._pictures: Broadcast[VideoFrame] = Broadcast(PICTURES)
        self._sounds: Broadcast[AudioFrame] = Broadcast(SOUNDS)
        self._decoding: Decoding | None = None
        self._reading: asyncio.Task[None] | None = None
        self._ended = False
        self._failure: VoiceLiveError | None = None

    async def __aenter__(self) -> Self:
        if self._reading is not None:
            raise LocalProtocolError("a SocketVideo is used once; make another one for another session")
        self._reading = asyncio.ensure_future(self._read())
        return self

    async def __aexit__(self, *exception: object) -> None:
        await to_the_end(self._close())

    @property
    def header(self) -> bytes | None:
        """``ftyp`` and ``moov``, once they came."""
        return self._joiner.header.data if self._joiner.header is not None else None

    def segments(self, *, limit_bytes: int = LIMIT_BYTES) -> AsyncIterator[Segment]:
        """The header, then whole fragments from now on: what ``MediaSource`` of a browser takes, one at a time.

        Ends when the session does, and with this block.

        Raises (from iteration):
            SlowConsumerError: More than ``limit_bytes`` waited. A fragment left out would break the picture.
            AvatarStreamError: What came is no such stream.
            AvatarLinkLostError: The session went on over another connection, with another stream.
            SessionClosedError: The session did not end normally.
        """
        return self._listen(limit_bytes)

    def raw(self, *, limit_bytes: int = LIMIT_BYTES) -> AsyncIterator[bytes]:
        """The same as bytes. From the beginning on that is the stream as it came, less a fragment that broke off."""
        return _data(self._listen(limit_bytes))

    def video(self) -> Stream[VideoFrame]:
        """Decoded pictures from now on; at most 75 wait, then the oldest is dropped and counted."""
        self._decode()
        return self._pictures.stream()

    def audio(self) -> Stream[AudioFrame]:
        """Decoded sound from now on; at most 300 pieces wait, then the oldest is dropped and counted."""
        self._decode()
        return self._sounds.stream()

    def frames(self) -> FrameStream:
        """Both, by their timestamps; the same classes as over WebRTC. Needs ``pip install 'voicelive[avatar]'``."""
        return FrameStream(self.video(), self.audio())

    def record(self, path: str | os.PathLike[str]) -> AbstractAsyncContextManager[FileRecording[Segment]]:
        """Write the stream into an MP4 file as it comes, for as long as the block lasts; nothing is encoded anew.

        The file is whole after the block, also when that was cancelled. Raises as ``recording.recorded`` does.
        """

        def begin() -> FileRecording[Segment]:
            segments = self._listen(LIMIT_BYTES)
            return FileRecording(segments, SegmentFile(path), lambda: segments.end(None))

        return recorded(begin)

    def _listen(self, limit_bytes: int) -> Subscription[Any]:
        found: Subscription[Any] = Subscription("a stream of an avatar's video", (), limit_bytes)
        if self._joiner.header is not None:
            found.offer(_any(self._joiner.header), len(self._joiner.header.data))
        if self._ended:
            found.end(self._failure)
        self._consumers.add(found)
        return found

    def _decode(self) -> None:
        if self._decoding is not None:
            return
        try:
            from voicelive.avatar.mp4_decoder import Decoding
        except ModuleNotFoundError as error:
            if error.name not in {"av", "numpy"}:
                raise
            hint = f"decoding an avatar's video needs {error.name}: pip install 'voicelive[avatar]'"
            raise ModuleNotFoundError(hint, name=error.name) from error
        self._decoding = Decoding(self._listen(LIMIT_BYTES), self._pictures, self._sounds)

    async def _read(self) -> None:
        failure: VoiceLiveError | None = None
        try:
            async for event in self._events:
                if isinstance(event, SessionResumed):
                    self._resumed()
                    continue
                for segment in self._joiner.feed(event.delta):
                    for consumer in tuple(self._consumers):
                        consumer.offer(_any(segment), len(segment.data))
        except VoiceLiveError as error:
            failure = error
        self._end(failure)

    def _resumed(self) -> None:
        if not self._resuming:
            raise AvatarLinkLostError(
                "the session went on over another connection, and its video is another stream; "
                "take session.avatar.video() again"
            )
        self._resuming = False

    def _end(self, failure: VoiceLiveError | None) -> None:
        if not self._ended:
            self._ended, self._failure = True, failure
            self._events.close()
            for consumer in tuple(self._consumers):
                consumer.end(failure)

    async def _close(self) -> None:
        self._end(None)
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._decoding is not None:
            await self._decoding.done()


async def _data(segments: AsyncIterator[Segment]) -> AsyncIterator[bytes]:
    async for segment in segments:
        yield segment.data


def _any(segment: Segment) -> Any:
    """A stream that is bounded in bytes takes whatever it is given; its annotation knows events only."""
    return segment

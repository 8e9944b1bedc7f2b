"""Decodes a stream of MP4 as it comes, in a thread of its own. Needs the extra ``avatar``.

It takes whole segments: so frames do not depend on how the stream was cut, and none waits for a full buffer.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Final

import av
from av.error import FFmpegError

from voicelive.avatar.broadcast import Broadcast
from voicelive.avatar.frames import AudioFrame, Frame, VideoFrame
from voicelive.avatar.mp4_boxes import Segment
from voicelive.errors import AvatarStreamError, VoiceLiveError

__all__ = ["Decoding", "decode"]

_OPTIONS: Final = {"analyzeduration": "0", "probesize": "32"}
"""The header says all about both tracks: without these FFmpeg reads seconds ahead to find it out for itself."""


class _Reader:
    """What FFmpeg reads from."""

    def __init__(self, take: Callable[[], bytes]) -> None:
        self._take, self._rest = take, b""
        self.began = False

    def read(self, size: int) -> bytes:
        if not self._rest:
            self._rest = self._take()
        self.began = self.began or bool(self._rest)
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


def decode(take: Callable[[], bytes], put: Callable[[Frame], None]) -> None:
    """Decode until ``take``, which waits for the next segment, gives nothing. Timestamps are the stream's own.

    Raises:
        AvatarStreamError: What came cannot be decoded.
    """
    reader = _Reader(take)
    try:
        with av.open(reader, "r", format="mp4", options=_OPTIONS) as container:
            streams = [*container.streams.video[:1], *container.streams.audio[:1]]
            if not streams:
                raise AvatarStreamError("the avatar's video holds neither picture nor sound; open another session")
            for packet in container.demux(streams):
                for frame in packet.decode():
                    if isinstance(frame, av.VideoFrame):
                        put(VideoFrame(frame.time or 0.0, frame))
                    elif isinstance(frame, av.AudioFrame):
                        put(AudioFrame(frame.time or 0.0, frame))
    except FFmpegError as error:
        if reader.began:
            kind = type(error).__name__
            message = f"the avatar's video cannot be decoded ({kind}); open another session"
            raise AvatarStreamError(message) from None


class Decoding:
    """A thread that decodes ``segments`` for as long as they come."""

    def __init__(
        self, segments: AsyncIterator[Segment], pictures: Broadcast[VideoFrame], sounds: Broadcast[AudioFrame]
    ) -> None:
        self._segments, self._pictures, self._sounds = segments, pictures, sounds
        self._loop = asyncio.get_running_loop()
        self._failure: Exception | None = None
        self._done = asyncio.Event()
        threading.Thread(target=self._run, name="avatar-decoder", daemon=True).start()

    async def done(self) -> None:
        """Once ``segments`` has ended: wait for the thread."""
        await self._done.wait()

    def _run(self) -> None:
        try:
            decode(self._take, lambda frame: self._tell(self._put, frame))
        except Exception as error:
            self._tell(self._finish, error)
        else:
            self._tell(self._finish, None)

    def _tell(self, what: Callable[..., None], *arguments: object) -> None:
        self._loop.call_soon_threadsafe(what, *arguments)

    def _take(self) -> bytes:
        return asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()

    async def _next(self) -> bytes:
        try:
            return (await anext(self._segments)).data
        except StopAsyncIteration:
            return b""
        except VoiceLiveError as error:
            self._failure = error
            return b""

    def _put(self, frame: Frame) -> None:
        if isinstance(frame, VideoFrame):
            self._pictures.put(frame)
        else:
            self._sounds.put(frame)

    def _finish(self, failure: Exception | None) -> None:
        for frames in (self._pictures, self._sounds):
            frames.end(self._failure or failure)
        self._done.set()

"""An avatar in a file, while it is shown. What blocks happens in a thread, never on the event loop."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, BinaryIO, Final, Generic, Protocol, TypeVar

from voicelive.avatar.frames import Frame
from voicelive.avatar.merging import FrameStream
from voicelive.avatar.mp4_boxes import Segment
from voicelive.errors import SlowConsumerError, VoiceLiveError
from voicelive.unhurried import completed

if TYPE_CHECKING:
    from voicelive.avatar.mp4_writer import Mp4Writer

__all__ = ["RECORDED_SOUNDS", "FileRecording", "Recording", "SegmentFile", "recorded"]

log = logging.getLogger("voicelive")

RECORDED_SOUNDS: Final = 3000
"""Pieces of sound that wait for the encoder: a minute. Pictures wait a third of a second."""

_T = TypeVar("_T")
_T_contra = TypeVar("_T_contra", contravariant=True)


class Writer(Protocol[_T_contra]):
    """A file that is open. Both calls may block."""

    def put(self, item: _T_contra, /) -> None:
        """The next one."""
        ...

    def close(self) -> None:
        """Complete the file; also after a failure."""
        ...


class SegmentFile:
    """A stream of MP4 as it came. Opened at once."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file: BinaryIO = open(path, "wb")  # noqa: SIM115 - closed by close()

    def put(self, segment: Segment) -> None:
        """Raises ``OSError`` where the disk is full or gone."""
        self._file.write(segment.data)

    def close(self) -> None:
        """Write what the buffer holds."""
        self._file.close()


class FileRecording(Generic[_T]):
    """A recording under way."""

    def __init__(self, items: AsyncIterator[_T], writer: Writer[_T], stop: Callable[[], None]) -> None:
        """Made by ``record``. ``stop`` ends the items."""
        self._items, self._file, self.stop = items, writer, stop
        self._failure: Exception | None = None

    @property
    def failure(self) -> Exception | None:
        """Why nothing is written any more; ``None`` while all is well."""
        return self._failure

    async def write(self) -> None:
        """Until the items end. Never raises: a failure waits until somebody can take it."""
        try:
            async for item in self._items:
                if self._failure is None:
                    await self._in_thread(self._file.put, item)
        except SlowConsumerError as error:
            self._fail(error)
        except VoiceLiveError:
            pass  # link or session are lost, which their own streams tell; what came until then is recorded
        await self._in_thread(self._file.close)

    async def _in_thread(self, work: Callable[..., None], *items: _T) -> None:
        try:
            await asyncio.to_thread(work, *items)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if self._failure is None:
            self._failure = error
            log.error("= an avatar is not recorded any more: %s", type(error).__name__)


class Recording(FileRecording[Frame]):
    """A recording that encodes."""

    def __init__(self, frames: FrameStream, writer: Mp4Writer) -> None:
        """Made by ``record``."""
        super().__init__(frames, writer, frames.close)
        self._frames, self._writer = frames, writer

    @property
    def duration_s(self) -> float:
        """How long the recording is so far."""
        return self._writer.duration_s

    @property
    def dropped_pictures(self) -> int:
        """How many pictures are missing because encoding is slower than the avatar."""
        return self._frames.dropped_pictures


_Any = TypeVar("_Any", bound=FileRecording[Frame] | FileRecording[Segment])


@asynccontextmanager
async def recorded(begin: Callable[[], _Any]) -> AsyncIterator[_Any]:
    """Record for as long as the block lasts. ``begin`` opens the file, which happens at once and not in a thread: a
    cancellation could not take it back from there.

    The file is whole after the block, also when that was cancelled or raised, or when the link was lost meanwhile;
    cancelling waits for it. A file that exists is replaced.

    Raises:
        OSError: The file cannot be opened; or, after the block, the disk was full or gone. The call itself goes on.
        av.FFmpegError: After the block: a frame could not be encoded.
        SlowConsumerError: After the block: the disk was slower than the stream.
    """
    recording = begin()
    writing = asyncio.ensure_future(recording.write())
    try:
        yield recording
    finally:
        recording.stop()
        await completed(writing)
    if recording.failure is not None:
        raise recording.failure

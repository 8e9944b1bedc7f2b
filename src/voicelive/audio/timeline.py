"""Pieces of two tracks, each with its time, as one stereo WAV file.

Decides where a piece lands. Does not know whose voice it is, nor clocks: times are arguments. The file is the buffer:
each piece is put into its place on disk at once, so it does not matter how far one track is behind the other.
"""

from __future__ import annotations

import math
import os
import struct
from array import array
from types import TracebackType
from typing import BinaryIO, Final, Literal, Self, TypeAlias

from voicelive.audio.samples import refuse_half_samples
from voicelive.errors import ConfigurationError, LocalProtocolError

__all__ = ["TimelineWriter", "Track"]

Track: TypeAlias = Literal["left", "right"]

_CHANNELS: Final[dict[str, int]] = {"left": 0, "right": 1}
_FRAME_BYTES: Final = 4
_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")
_MOST_DATA_BYTES: Final = 2**32 - 1 - _HEADER.size - _FRAME_BYTES  # sizes in the header have 32 bits
_BLOCK_FRAMES: Final = 16_384  # what is in memory at a time: 64 kB


class TimelineWriter:
    """Writes two mono tracks with times into one stereo WAV file of 16-bit samples.

    A piece lands at its time, to the nearest sample, and gaps become silence. Where the track is already beyond
    that time, the piece follows what is there: nothing is overwritten, mixed or put into another order.
    Memory does not grow with the recording. A file that was not closed, after a crash, holds all that was written;
    most programs read it.

    A context manager. Blocks, so not on the event loop where the disk may be slow. Not for concurrent use.

    Args:
        file: A path, overwritten where it exists, or an empty seekable file open for reading and writing bytes,
            which is not closed.
        rate_hz: Of both tracks, at least 1.

    Raises:
        ConfigurationError: A rate below 1.
        OSError: From the constructor, ``write`` and ``close``: the file could not be written.
    """

    def __init__(self, file: str | os.PathLike[str] | BinaryIO, rate_hz: int) -> None:
        if rate_hz < 1:
            raise ConfigurationError(f"rate_hz is {rate_hz!r}; it must be at least 1")
        self.rate_hz = rate_hz
        self._ends = [0, 0]  # of each track, in frames
        self._closed = False
        self._owns_file = isinstance(file, (str, os.PathLike))
        # The file lives until close(), beyond this block.
        self._file: BinaryIO = open(file, "w+b") if isinstance(file, (str, os.PathLike)) else file  # noqa: SIM115
        self._write_header(_MOST_DATA_BYTES)  # until close() knows better; readers then take what is there

    @property
    def duration_ms(self) -> float:
        """How long the recording is: up to the end of the longer track."""
        return max(self._ends) * 1000 / self.rate_hz

    def end_ms(self, track: Track) -> float:
        """Where a track's last piece ends; 0 before its first."""
        return self._ends[_channel(track)] * 1000 / self.rate_hz

    def write(self, track: Track, start_ms: float, pcm: bytes) -> None:
        """Put mono 16-bit little-endian samples of one track where they belong.

        Pieces of a track are given in the order in which they sound; the two tracks need not keep step.

        Raises:
            ConfigurationError: An unknown track, a negative or infinite start, an odd number of bytes, or a piece
                that ends beyond the 4 GiB of a WAV file (12 hours at 24 kHz). Nothing of it was written.
            LocalProtocolError: The writer is closed.
        """
        if self._closed:
            raise LocalProtocolError("this TimelineWriter is closed; make a new one for another file")
        channel = _channel(track)
        refuse_half_samples(pcm)
        if not 0 <= start_ms < math.inf:
            raise ConfigurationError(f"start_ms is {start_ms!r}; it must be a finite number, at least 0")
        if not pcm:
            return
        start = max(round(start_ms * self.rate_hz / 1000), self._ends[channel])
        end = start + len(pcm) // 2
        if end * _FRAME_BYTES > _MOST_DATA_BYTES:
            raise ConfigurationError(f"{track} at {start_ms} ms is beyond the 4 GiB of a WAV file")
        for offset in range(0, end - start, _BLOCK_FRAMES):
            self._put(channel, start + offset, array("H", pcm[2 * offset : 2 * (offset + _BLOCK_FRAMES)]))
        self._ends[channel] = end

    def close(self) -> None:
        """Complete the header and close the file; once is enough, more do no harm."""
        if self._closed:
            return
        self._closed = True
        try:
            self._write_header(max(self._ends) * _FRAME_BYTES)
            self._file.flush()
        finally:
            if self._owns_file:
                self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _put(self, channel: int, start: int, samples: array[int]) -> None:
        """Write samples of one channel between those of the other, which are there already or are silence."""
        place = _HEADER.size + start * _FRAME_BYTES
        self._file.seek(place)
        there = self._file.read(len(samples) * _FRAME_BYTES)
        frames = array("H", there.ljust(len(samples) * _FRAME_BYTES, b"\x00"))
        frames[channel::2] = samples
        self._file.seek(place)  # beyond the end of the file: what lies between reads as zeros
        self._file.write(frames.tobytes())

    def _write_header(self, data_bytes: int) -> None:
        rate_hz = self.rate_hz
        sizes = (b"RIFF", _HEADER.size - 8 + data_bytes, b"WAVE")
        form = (b"fmt ", 16, 1, 2, rate_hz, rate_hz * _FRAME_BYTES, _FRAME_BYTES, 16)  # 1: whole numbers, not packed
        self._file.seek(0)
        self._file.write(_HEADER.pack(*sizes, *form, b"data", data_bytes))


def _channel(track: str) -> int:
    if track not in _CHANNELS:
        raise ConfigurationError(f"track is {track!r}; allowed: left, right")
    return _CHANNELS[track]

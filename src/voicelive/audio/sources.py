"""Where audio to send comes from, and how fast it goes.

Decides frames and their schedule. Does not send: a source is an async iterator of frames, so that

    async for frame in paced(WavSource("question.wav", silence_after_ms=800).frames(fmt), fmt):
        await session.send_audio(frame)

is all an application writes.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from typing import BinaryIO, Protocol, runtime_checkable

from voicelive.audio.formats import AudioFormat
from voicelive.audio.recording import Recording
from voicelive.audio.wav import WavFile
from voicelive.errors import ConfigurationError

__all__ = ["AudioSource", "PcmSource", "WavSource", "paced"]


@runtime_checkable
class AudioSource(Protocol):
    """Anything that gives raw audio, frame by frame, in the format asked for."""

    def frames(self, audio_format: AudioFormat, /, *, frame_ms: int = 20) -> AsyncIterator[bytes]:
        """Frames of ``frame_ms`` each, the last one possibly shorter, as fast as they can be had."""
        ...


class WavSource:
    """The audio of a WAV file, or of another recording, converted to the session's format.

    With turn detection on, the service closes a turn on silence, so silence has to follow the speech: ask for more
    than the turn detection's ``silence_duration_ms``, or go on with a microphone. Without turn detection none is
    needed, ``commit_audio`` closes the turn.

    Args:
        wav: The path of a WAV file, read anew by each ``frames`` call; or a ``WavFile``, an ``AudioFile`` (any kind of
            file), or a WAV file open for reading bytes.
        silence_after_ms: Digital silence to add after the file's last sample.

    Raises:
        ConfigurationError: A negative duration; from the iterator, a file that ``WavFile`` refuses.
        OSError: From the iterator, where the file cannot be read.
    """

    def __init__(self, wav: str | os.PathLike[str] | BinaryIO | Recording, *, silence_after_ms: float = 0) -> None:
        self._wav = wav
        self._silence_after_ms = _not_negative("silence_after_ms", silence_after_ms)

    def frames(self, audio_format: AudioFormat, /, *, frame_ms: int = 20) -> AsyncIterator[bytes]:
        """Frames in ``audio_format``. The file is read and converted in a thread when the first one is asked for."""
        return _reframed(self._pieces(audio_format), audio_format, frame_ms, self._silence_after_ms)

    async def _pieces(self, audio_format: AudioFormat) -> AsyncIterator[bytes]:
        yield await asyncio.to_thread(self._read, audio_format)

    def _read(self, audio_format: AudioFormat) -> bytes:
        recording = self._wav if isinstance(self._wav, Recording) else WavFile(self._wav)
        return recording.read(audio_format)


class PcmSource:
    """Raw audio that is in the session's format already, in pieces of any length, cut into frames.

    Pieces may end inside a sample; what is left of one goes with the next. A plain iterable is walked on the event
    loop, so it should not block.

    Args:
        pieces: ``bytes``, or an iterable or async iterable of them; walked once unless it can be walked again.
        silence_after_ms: Digital silence to add at the end; see ``WavSource`` for when it is needed.

    Raises:
        ConfigurationError: A negative duration; from the iterator, after the last whole frame,
            audio that ends inside a sample.
    """

    def __init__(
        self, pieces: bytes | bytearray | Iterable[bytes] | AsyncIterable[bytes], *, silence_after_ms: float = 0
    ) -> None:
        self._pieces = [bytes(pieces)] if isinstance(pieces, (bytes, bytearray)) else pieces
        self._silence_after_ms = _not_negative("silence_after_ms", silence_after_ms)

    def frames(self, audio_format: AudioFormat, /, *, frame_ms: int = 20) -> AsyncIterator[bytes]:
        """Frames in ``audio_format``, as soon as each is complete."""
        return _reframed(_each(self._pieces), audio_format, frame_ms, self._silence_after_ms)


def paced(
    frames: AsyncIterable[bytes],
    audio_format: AudioFormat,
    *,
    speed: float | None = 1.0,
    clock: Callable[[], float] | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[bytes]:
    """Hand frames on at the pace at which they sound.

    The first frame goes at once, each later one when all before it have sounded: deadlines count from the first
    frame, so errors never add up. A late frame goes at once and the next ones catch up; none goes early.
    Control returns to the event loop before every frame. It ends with its last frame, not after that has sounded.

    Args:
        frames: Audio in ``audio_format``, pieces of any length.
        audio_format: Says how long a piece sounds.
        speed: 1 is real time, 4 four times as fast; ``None`` is as fast as possible.
        clock: Monotonic seconds; the running event loop's own where not given.
        sleep: Waits so many seconds of that clock.

    Raises:
        ConfigurationError: A ``speed`` that is not a positive, finite number.
    """
    if speed is not None and not 0 < speed < math.inf:
        raise ConfigurationError(f"speed is {speed!r}; it must be a positive number, or None for no pacing")
    return _paced(frames, audio_format, speed, clock, sleep)


async def _paced(
    frames: AsyncIterable[bytes],
    audio_format: AudioFormat,
    speed: float | None,
    clock: Callable[[], float] | None,
    sleep: Callable[[float], Awaitable[None]],
) -> AsyncIterator[bytes]:
    now = asyncio.get_running_loop().time if clock is None else clock
    bytes_per_second = math.inf if speed is None else audio_format.bytes_per_second * speed
    started_s: float | None = None
    sent_bytes = 0
    async for frame in frames:
        if started_s is None:
            started_s = now()
        await sleep(max(0.0, started_s + sent_bytes / bytes_per_second - now()))
        yield frame
        sent_bytes += len(frame)


def _reframed(
    pieces: AsyncIterable[bytes], audio_format: AudioFormat, frame_ms: int, silence_after_ms: float
) -> AsyncIterator[bytes]:
    frame_bytes = audio_format.byte_count(frame_ms)
    if not frame_bytes:
        raise ConfigurationError(f"frame_ms is {frame_ms!r}; it must be at least 1")
    return _cut(pieces, audio_format, frame_bytes, audio_format.silence(silence_after_ms))


async def _cut(
    pieces: AsyncIterable[bytes], audio_format: AudioFormat, frame_bytes: int, silence: bytes
) -> AsyncIterator[bytes]:
    pending = b""
    async for piece in pieces:
        pending += piece
        whole_bytes = len(pending) - len(pending) % frame_bytes
        for start in range(0, whole_bytes, frame_bytes):
            yield pending[start : start + frame_bytes]
        pending = pending[whole_bytes:]
    if len(pending) % audio_format.bytes_per_frame:
        raise ConfigurationError(
            f"the source's last {len(pending)} bytes end inside a sample frame of {audio_format.bytes_per_frame} bytes"
        )
    pending += silence
    for start in range(0, len(pending), frame_bytes):
        yield pending[start : start + frame_bytes]


async def _each(pieces: Iterable[bytes] | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(pieces, AsyncIterable):
        async for piece in pieces:
            yield piece
    else:
        for piece in pieces:
            yield piece


def _not_negative(name: str, value_ms: float) -> float:
    if not 0 <= value_ms < math.inf:
        raise ConfigurationError(f"{name} is {value_ms!r}; it must be a finite number, at least 0")
    return value_ms

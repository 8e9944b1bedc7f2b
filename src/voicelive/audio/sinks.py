"""Where the agent's voice can go: nowhere, into memory, or on at the pace of speech.

All of them are sinks for ``session.playback.play_to`` and ``session.converse``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from voicelive.audio.formats import AudioFormat
from voicelive.audio.playback import PlaybackFrame
from voicelive.errors import ConfigurationError

__all__ = ["MemorySink", "NullSink", "PacedSink"]


class NullSink:
    """Takes everything and plays nothing. Nobody waits: what came counts as heard at once."""

    async def write(self, frame: PlaybackFrame) -> None:
        """Let it go."""

    def flush(self) -> None:
        """Nothing is on its way."""


class MemorySink:
    """Keeps what was played.

    Attributes:
        audio: All of it so far, in the session's output format.
        flushes: How often the caller cut in.
    """

    def __init__(self) -> None:
        self.audio = bytearray()
        self.flushes = 0

    async def write(self, frame: PlaybackFrame) -> None:
        """Keep a frame."""
        self.audio += frame

    def flush(self) -> None:
        """Count it."""
        self.flushes += 1


class PacedSink:
    """Hands frames on at the speed of speech, for lines that play whatever arrives and say nothing of it.

    A frame counts as heard when it has sounded. At most ``lead_ms`` of audio is ahead of its time, to bridge a late
    event loop. A flush forgets that time, so that the next reply begins at once.

    Args:
        write: Sends one frame down the line.
        audio_format: Says how long a frame sounds.
        lead_ms: How far the line may be ahead.
        flush: Called when the caller cuts in.
        clock: Monotonic seconds; the running event loop's own where not given.
        sleep: Waits so many seconds of that clock.

    Raises:
        ConfigurationError: ``lead_ms`` is negative.
    """

    def __init__(
        self,
        write: Callable[[PlaybackFrame], Awaitable[None]],
        audio_format: AudioFormat,
        *,
        lead_ms: float = 60,
        flush: Callable[[], None] | None = None,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if not lead_ms >= 0:
            raise ConfigurationError(f"lead_ms is {lead_ms!r}; it must be at least 0")
        self._write, self._format, self._lead_s, self._flush = write, audio_format, lead_ms / 1000, flush
        self._clock, self._sleep = clock, sleep
        self._sounds_until = 0.0

    async def write(self, frame: PlaybackFrame) -> None:
        """Send a frame, and wait until the line may have the next one."""
        now = self._now()
        self._sounds_until = max(self._sounds_until, now) + self._format.duration_ms(len(frame)) / 1000
        await self._write(frame)
        await self._sleep(max(0.0, self._sounds_until - self._lead_s - self._now()))

    def flush(self) -> None:
        """Forget what the line was still to play."""
        self._sounds_until = 0.0
        if self._flush is not None:
            self._flush()

    def _now(self) -> float:
        return asyncio.get_running_loop().time() if self._clock is None else self._clock()

"""``session.playback``: the agent's voice on its way to the caller's ear.

The counting is in ``voicelive.audio.playback``; here is the waiting. Owns no task: a sink is fed by one of the
session's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Protocol

from voicelive.audio.playback import Heard, PlaybackFrame, PlaybackQueue
from voicelive.errors import ConfigurationError, LocalProtocolError

__all__ = ["Playback", "PlaybackSink"]


class PlaybackSink(Protocol):
    """Where the agent's voice is played, such as a loudspeaker or a telephone line."""

    async def write(self, frame: PlaybackFrame) -> None:
        """Play a frame; return when it is played, which counts it as heard unless ``acknowledge`` is off."""

    def flush(self) -> None:
        """Fall silent now: the caller speaks. Frames of the old reply do not come any more."""


class Playback:
    """What of the agent's voice is still to be heard, and who plays it.

    Give the audio away with ``frames`` or ``play_to``, or play the audio deltas yourself and tell ``played``. Where
    nobody does, hearing is estimated: real time since the first delta, never beyond what came.
    """

    def __init__(
        self,
        queue: PlaybackQueue,
        now: Callable[[], float],
        changed: Callable[[], None],
        every_place_counts: Callable[[], bool],
    ) -> None:
        """Made by the session, which asks for ``changed`` at each place only while ``every_place_counts``."""
        self._queue, self._now, self._changed, self._every_place_counts = queue, now, changed, every_place_counts
        self._news = asyncio.Event()
        self._sink: PlaybackSink | None = None
        self._taken = False
        self._ended = False

    async def frames(self, ms: int = 20, *, acknowledge: bool = True) -> AsyncGenerator[PlaybackFrame, None]:
        """The agent's voice in frames of ``ms`` milliseconds, in the session's output format; shorter at an item's end.

        Frames come as fast as they are taken: pace them by your line. Asking for the next frame says that the one
        before was played; with ``acknowledge=False`` only ``played`` counts. Barge-in drops what was not taken.
        Ends with the session.

        Raises:
            ConfigurationError: ``ms`` is not positive.
            LocalProtocolError: Somebody else takes the frames already.
        """
        if ms <= 0:
            raise ConfigurationError(f"ms is {ms!r}; it must be greater than 0")
        if self._taken:
            raise LocalProtocolError("the agent's voice is being taken already; one sink or frames() at a time")
        self._taken = True
        self._queue.attend()
        try:
            while True:
                frame = self._queue.take(ms)
                if frame is not None:
                    yield frame
                    if acknowledge:
                        self.played(frame.item_id, frame.start_ms + frame.duration_ms)
                elif self._ended:
                    return
                else:
                    self._news.clear()
                    await self._news.wait()
        finally:
            self._taken = False
            if not self._ended:
                self._queue.leave(self._now())
                self._changed()

    async def play_to(self, sink: PlaybackSink, *, ms: int = 20, acknowledge: bool = True) -> None:
        """Feed a sink until the session ends; run it as a task of yours, and cancel it to take the sink away.

        With ``acknowledge=False`` a frame that was written is not counted as heard; tell ``played``.
        """
        self._sink = sink
        try:
            async with aclosing(self.frames(ms, acknowledge=acknowledge)) as frames:
                async for frame in frames:
                    await sink.write(frame)
        finally:
            self._sink = None

    def played(self, item_id: str, ms: float) -> None:
        """A line has really played this much of an item, from its start. Never goes back; unknown items are ignored."""
        news = self._queue.acknowledge(item_id, ms)
        self._queue.listen(self._now())
        if news or self._every_place_counts():
            self._changed()

    def heard(self, item_id: str) -> Heard | None:
        """How much of an item was heard so far; ``None`` when it is over or has no audio."""
        return self._queue.heard(item_id, self._now())

    @property
    def playing(self) -> bool:
        """Whether audio has come that was not heard yet."""
        return self._queue.playing(self._now())

    @property
    def waiting_ms(self) -> float:
        """Audio that no sink has taken yet; 0 without a sink."""
        return self._queue.waiting_ms

    @property
    def stale_deltas(self) -> int:
        """Audio deltas of replies that were cut off; kept out."""
        return self._queue.stale_deltas

    # -- what the session tells

    def wake(self) -> None:
        """Something has changed."""
        self._news.set()

    def flushed(self) -> None:
        """Everything unheard was dropped."""
        if self._sink is not None:
            self._sink.flush()
        self._news.set()

    def end(self) -> None:
        """No more audio will come; what is there may still be taken."""
        self._ended = True
        self._news.set()

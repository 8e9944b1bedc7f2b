"""The media clock of one avatar: what is played, frame by frame, at the speed of life.

Runs on the event loop's clock, so a virtual one works. Knows neither WebRTC nor MP4: a ``Screen`` shows what comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from voicelive.testing.avatar.moments import Moment
from voicelive.testing.avatar.playout import RATE_HZ, Change, Playout

__all__ = ["Film", "Screen"]

_LATE_S = 0.5  # a loop that was held up for longer does not catch up: nothing may come faster than real time


class Screen(Protocol):
    """Where the film is shown."""

    async def show(self, moment: Moment) -> None:
        """Take the next picture and its sound; may wait, which stops the clock of the media meanwhile."""


class Film:
    """Plays a playout, silence and an idle face where there is nothing to say.

    Args:
        playout: What there is to say.
        frames_per_s: Pictures a second; 48000 must be a multiple.
        screen: Where it is shown.
        told: Hears of the beginning and end of turns.
        idle_s: The film ends once nothing was said for so long; ``None``: never.
    """

    def __init__(
        self,
        playout: Playout,
        frames_per_s: int,
        screen: Screen,
        told: Callable[[Change], None],
        idle_s: float | None,
    ) -> None:
        self._playout, self._screen, self._told, self._idle_s = playout, screen, told, idle_s
        self._frame_samples = RATE_HZ // frames_per_s
        self.position = 0
        """Samples shown so far."""

    async def run(self) -> None:
        """Play until the avatar has been idle for too long, or the task is cancelled."""
        loop = asyncio.get_running_loop()
        begun_s, last_word = loop.time(), 0
        while self._idle_s is None or self.position - last_word < self._idle_s * RATE_HZ:
            due_s = begun_s + self.position / RATE_HZ
            late_s = loop.time() - due_s
            if late_s > _LATE_S:
                begun_s += late_s
            await asyncio.sleep(max(0.0, -late_s))
            pcm, changes = self._playout.take(self._frame_samples)
            for change in changes:
                self._told(change)
            await self._screen.show(Moment.at(self.position, pcm))
            self.position += self._frame_samples
            if changes or self._playout.speaking:
                last_word = self.position

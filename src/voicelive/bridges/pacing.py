"""What of the agent's voice was heard, on a line that does not tell: by the clock, from what was handed to it.

The line plays what it is given in order and without a break, as fast as it sounds. So a piece begins to be heard when
it was written, or when the piece before it has ended. Time is an argument.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

from voicelive.audio.playback import PlaybackFrame
from voicelive.bridges.line import Played

__all__ = ["Pacer"]

_LEAST_WAIT_S: Final = 0.001  # differences of moments carry noise, and nobody can wait for less


@dataclass(slots=True)
class _Piece:
    item_id: str
    start_ms: float
    duration_s: float
    begins_s: float

    @property
    def ends_s(self) -> float:
        return self.begins_s + self.duration_s


class Pacer:
    """How far a line is with playing. Pure: same calls, same answers.

    Args:
        lead_ms: How much may wait at the provider. It covers the jitter of the network, and is what a barge-in has to
            call back.
    """

    def __init__(self, lead_ms: float) -> None:
        self._lead_s = lead_ms / 1000
        self._pieces: deque[_Piece] = deque()
        self._free_s = -math.inf
        self._blocked_until_s = -math.inf
        self._held_since_s: float | None = None

    @property
    def busy(self) -> bool:
        """Whether something that was written has not been heard yet."""
        return bool(self._pieces)

    def room_in_s(self, now: float) -> float:
        """How long until the next piece may be written; infinite while the line is held."""
        if self._held_since_s is not None:
            return math.inf
        wait_s = max(self._free_s - self._lead_s, self._blocked_until_s) - now
        return wait_s if wait_s > _LEAST_WAIT_S else 0.0

    def written(self, frame: PlaybackFrame, now: float) -> None:
        """A piece goes out."""
        begins_s = max(now, self._free_s)
        piece = _Piece(frame.item_id, frame.start_ms, frame.duration_ms / 1000, begins_s)
        self._pieces.append(piece)
        self._free_s = piece.ends_s

    def heard(self, now: float) -> list[Played]:
        """What was heard by now: each piece that has ended, and the part of the one that sounds."""
        now = now if self._held_since_s is None else min(now, self._held_since_s)
        found = []
        while self._pieces and self._pieces[0].ends_s <= now:
            piece = self._pieces.popleft()
            found.append(Played(piece.item_id, piece.start_ms + piece.duration_s * 1000))
        if self._pieces and self._pieces[0].begins_s < now:
            piece = self._pieces[0]
            found.append(Played(piece.item_id, piece.start_ms + (now - piece.begins_s) * 1000))
        return found

    def drop(self, now: float) -> bool:
        """Nothing of what was written will be heard any more; whether there was something."""
        was_busy = self.busy
        self._pieces.clear()
        self._free_s = now
        return was_busy

    def begins_now(self, now: float) -> None:
        """The line says that playing has begun just now: the piece that was thought to sound begins here."""
        if self._pieces and self._pieces[0].begins_s < now:
            self._delay(now - self._pieces[0].begins_s)

    def hold(self, now: float) -> None:
        """Nothing moves from now on."""
        if self._held_since_s is None:
            self._held_since_s = now

    def go_on(self, now: float) -> None:
        """It moves again."""
        if self._held_since_s is not None:
            self._delay(max(0.0, now - max(self._held_since_s, self._begun_s())))
            self._held_since_s = None

    def block(self, until_s: float) -> None:
        """Write nothing before this moment."""
        self._blocked_until_s = max(self._blocked_until_s, until_s)

    def _begun_s(self) -> float:
        return self._pieces[0].begins_s if self._pieces else self._free_s

    def _delay(self, by_s: float) -> None:
        for piece in self._pieces:
            piece.begins_s += by_s
        if self._pieces:
            self._free_s += by_s

"""What the avatar has yet to say, and what sounds when. Pure: the media clock is the number of samples taken.

Replies are generated faster than they sound, so whole turns wait here. A turn begins with the first of its samples
that is taken, and is over with the last one, or when it is dropped.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

__all__ = ["RATE_HZ", "Change", "Playout"]

RATE_HZ = 48_000  # of Opus, and of everything that is played
_SAMPLE_BYTES = 2

ChangeKind: TypeAlias = Literal["speaking", "idle"]


class Change(NamedTuple):
    """A turn begins to sound, or has ended."""

    kind: ChangeKind
    turn_id: str


@dataclass(slots=True)
class _Turn:
    id: str
    pcm: bytearray = field(default_factory=bytearray, repr=False)
    complete: bool = False
    taken: int = 0  # bytes

    @property
    def waiting(self) -> int:
        return len(self.pcm) - self.taken


class Playout:
    """The queue of one avatar: mono 16-bit samples at 48 kHz, turn by turn."""

    def __init__(self) -> None:
        self._turns: deque[_Turn] = deque()
        self._muted: set[str] = set()
        self._speaking: str | None = None

    @property
    def speaking(self) -> bool:
        """A turn has begun to sound and is not over."""
        return self._speaking is not None

    def add(self, turn_id: str, pcm: bytes) -> None:
        """More of a turn; a new one goes behind all others."""
        if turn_id not in self._muted:
            self._turn(turn_id).pcm += pcm

    def complete(self, turn_id: str) -> None:
        """Nothing more comes of a turn."""
        self._muted.discard(turn_id)
        for turn in self._turns:
            if turn.id == turn_id:
                turn.complete = True

    def drop(self) -> None:
        """Forget all that waits. What is generated later still sounds."""
        for turn in self._turns:
            turn.taken = len(turn.pcm)
        self._turns = deque(turn for turn in self._turns if not turn.complete)

    def mute(self) -> None:
        """Forget all that waits, and what is still to come of unfinished turns."""
        self._muted.update(turn.id for turn in self._turns if not turn.complete)
        self._turns.clear()

    def take(self, samples: int) -> tuple[bytes, list[Change]]:
        """The next samples, silence where there are none, and the changes that they bring."""
        pcm, wanted = bytearray(), samples * _SAMPLE_BYTES
        changes: list[Change] = []
        while True:
            self._pass_ended(changes)
            if len(pcm) == wanted or not (self._turns and self._turns[0].waiting):
                break
            turn = self._turns[0]
            if self._speaking is None:
                self._speaking = turn.id
                changes.append(Change("speaking", turn.id))
            piece = turn.pcm[turn.taken : turn.taken + wanted - len(pcm)]
            turn.taken += len(piece)
            pcm += piece
        return bytes(pcm.ljust(wanted, b"\0")), changes

    def _pass_ended(self, changes: list[Change]) -> None:
        while self._turns and self._turns[0].complete and not self._turns[0].waiting:
            self._end(self._turns.popleft().id, changes)
        if self._speaking is not None and not any(turn.id == self._speaking for turn in self._turns):
            self._end(self._speaking, changes)  # it was dropped

    def _end(self, turn_id: str, changes: list[Change]) -> None:
        if self._speaking == turn_id:
            self._speaking = None
            changes.append(Change("idle", turn_id))

    def _turn(self, turn_id: str) -> _Turn:
        for turn in self._turns:
            if turn.id == turn_id:
                return turn
        self._turns.append(_Turn(turn_id))
        return self._turns[-1]

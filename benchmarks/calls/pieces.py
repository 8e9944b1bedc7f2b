"""Pieces of audio that carry their number, and what became of them on one way of one call. A piece is 20 ms.

A piece is looked at whole when it comes out: a byte that differs, a piece of another call, one too many, one too few
and one in the wrong place are all found. Time is an argument.
"""

import struct
from typing import Final

__all__ = ["PIECE_MS", "Passage", "call_of"]

PIECE_MS: Final = 20

_HEADER: Final = struct.Struct(">HI")  # call, number
_FILLER: Final = bytes(range(1, 256)) * 4


class Passage:
    """From the moment at which a piece is written to the moment at which it comes out at the other side.

    Attributes:
        delays: Of what came out: when it was written, and how much later it came out, in seconds. Where several pieces
            come out at once, of the first of them.
        first: The same, of the first piece of each reply.
        dry: Of the moments at which what had come out was played, and what follows had not come: when, and how long.
        lost: Pieces that did not come out, and that no barge-in called back.
        called_back: Pieces that did not come out because of a barge-in.
        wrong: Pieces out of order, damaged, of another call, or of a reply that was called back before.
        belated: Replies that were so late that the next turn called back their end.
        silenced: Of each barge-in: when it was written, and how much later the other side fell silent, in seconds.
    """

    def __init__(self, call: int, piece_bytes: int) -> None:
        self.delays: list[tuple[float, float]] = []
        self.first: list[tuple[float, float]] = []
        self.dry: list[tuple[float, float]] = []
        self.silenced: list[tuple[float, float]] = []
        self.lost = self.called_back = self.wrong = self.cuts = self.belated = 0
        self.plays_until = 0.0
        self._call, self._piece_bytes = call, piece_bytes
        self._sent_at: list[float] = []
        self._firsts: set[int] = set()
        self._cut: list[tuple[int, int]] = []
        self._cut_at: float | None = None
        self._reply_began = self._next = self._stale_before = 0

    @property
    def sent(self) -> int:
        """How many pieces were written."""
        return len(self._sent_at)

    @property
    def arrived(self) -> bool:
        """Whether nothing is under way any more."""
        return self._next == self.sent

    def make(self, now: float) -> bytes:
        """The next piece; it is being written."""
        self._sent_at.append(now)
        return self._piece(self.sent - 1)

    def begin_reply(self) -> None:
        """What is written from now on belongs together."""
        self._reply_began = self.sent
        self._firsts.add(self.sent)

    def cut(self, now: float) -> None:
        """A barge-in: of the reply, what did not come out by now need not."""
        self.cuts += 1
        self._cut.append((self._reply_began, self.sent))
        self._cut_at = now

    def silence(self, now: float) -> None:
        """The other side has called back what was not heard."""
        if self._cut_at is None:
            self.belated += 1
            self._cut.append((self._next, self._end_of_reply()))
        else:
            self.silenced.append((self._cut_at, now - self._cut_at))
        self._cut_at, self._stale_before = None, self._cut[-1][1]
        self.plays_until = now

    def take(self, audio: bytes, now: float) -> None:
        """Audio came out: one piece, or several at once."""
        number = -1
        for begin in range(0, len(audio), self._piece_bytes):
            piece = audio[begin : begin + self._piece_bytes]
            call, number = _HEADER.unpack_from(piece) if len(piece) >= _HEADER.size else (-1, -1)
            in_turn = max(self._next, self._stale_before) <= number < self.sent
            if call != self._call or not in_turn or piece != self._piece(number):
                self.wrong += 1
                continue
            self._skip_to(number)
            self._next = number + 1
            if begin == 0:
                self._note(number, now)
            self.plays_until = max(self.plays_until, now) + PIECE_MS / 1000

    def _note(self, number: int, now: float) -> None:
        sent_at = self._sent_at[number]
        self.delays.append((sent_at, now - sent_at))
        if number in self._firsts:
            self.first.append((sent_at, now - sent_at))
        elif now > self.plays_until:
            self.dry.append((now, now - self.plays_until))

    def finish(self) -> None:
        """Nothing more will come out."""
        self._skip_to(self.sent)
        self._next = self.sent

    def _end_of_reply(self) -> int:
        """Where the reply ends whose next piece is expected; at once, where that piece begins another one."""
        return min((first for first in self._firsts if first >= self._next), default=self.sent)

    def _skip_to(self, number: int) -> None:
        while self._next < number:
            end = next((end for begin, end in reversed(self._cut) if begin <= self._next < end), None)
            if end is None or end > number:  # a reply that was called back does not go on
                self.lost += 1
                self._next += 1
            else:
                self.called_back += end - self._next
                self._next = end

    def _piece(self, number: int) -> bytes:
        return _HEADER.pack(self._call, number) + _FILLER[: self._piece_bytes - _HEADER.size]


def call_of(audio: bytes) -> int:
    """Whose piece it is."""
    return int(_HEADER.unpack_from(audio)[0])

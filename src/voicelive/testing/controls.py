"""What can be done to connections: the faults of one direction, and the verbs that order them.

Decides what is allowed. How a fault is played is ``pipe``'s.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

__all__ = ["Controls", "Cut", "Direction", "Faults", "How", "Way", "ways"]

Way = Literal["up", "down"]
"""``up`` is from the client to the server, ``down`` from the server to the client."""

Direction = Literal["up", "down", "both"]
How = Literal["reset", "fin"]

_ON_ITS_WAY_BYTES = 1024 * 1024  # a second of latency at 8 Mbit/s
_QUEUE_BYTES = 16 * 1024  # what waits before a link of limited rate
_STEP_S = 0.02  # a limited rate is played in steps of this much


class Cut(NamedTuple):
    """Where one direction ends."""

    n_bytes: int
    how: How


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What one direction of a connection suffers; nothing unless given.

    Attributes:
        held: Nothing is read and nothing is delivered.
        garbled: Bytes arrive inverted.
        cut: Counted from the moment when the faults begin to act.
    """

    latency_s: float = 0.0
    jitter_s: float = 0.0
    rate_bytes_per_s: float | None = None
    slice_bytes: int | None = None
    held: bool = False
    garbled: bool = False
    cut: Cut | None = None

    def __post_init__(self) -> None:
        for name in ("latency_s", "jitter_s"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 0 or more, and finite")
        if self.rate_bytes_per_s is not None and not 0 < self.rate_bytes_per_s < math.inf:
            raise ValueError(f"rate_bytes_per_s is {self.rate_bytes_per_s}; it must be above 0 and finite, or None")
        if self.slice_bytes is not None and self.slice_bytes < 1:
            raise ValueError(f"slice_bytes is {self.slice_bytes}; it must be at least 1, or None")
        if self.cut is not None and self.cut.n_bytes < 0:
            raise ValueError(f"n_bytes is {self.cut.n_bytes}; it must be 0 or more")
        if self.cut is not None and self.cut.how not in get_args(How):
            raise ValueError(f"how is {self.cut.how!r}; allowed: 'reset', 'fin'")

    @property
    def direct(self) -> bool:
        """Bytes are passed on as they come."""
        return self == _NONE

    @property
    def room_bytes(self) -> float:
        """How much may be on its way before the sender has to wait."""
        if self.rate_bytes_per_s is None:
            return _ON_ITS_WAY_BYTES
        in_flight = self.rate_bytes_per_s * (self.latency_s + self.jitter_s)
        return min(_ON_ITS_WAY_BYTES, _QUEUE_BYTES + in_flight)

    @property
    def piece_bytes(self) -> float:
        """How much is delivered at a time."""
        if self.slice_bytes is not None:
            return self.slice_bytes
        return math.inf if self.rate_bytes_per_s is None else max(1, int(self.rate_bytes_per_s * _STEP_S))


_NONE = Faults()


def ways(direction: Direction) -> tuple[Way, ...]:
    """The directions that one word stands for.

    Raises:
        ValueError: It stands for none.
    """
    if direction == "both":
        return ("up", "down")
    if direction not in get_args(Way):
        raise ValueError(f"direction is {direction!r}; allowed: 'up', 'down', 'both'")
    return (direction,)


class Controls(ABC):
    """The faults that can be ordered for one connection, or for all of a proxy: the open and the later ones.

    A ``direction`` is ``"up"`` (client to server), ``"down"`` (server to client) or ``"both"``.
    All methods raise ``ValueError`` for what is not allowed, and then change nothing.
    """

    def shape(
        self,
        direction: Direction = "both",
        *,
        latency_s: float = 0.0,
        jitter_s: float = 0.0,
        rate_bytes_per_s: float | None = None,
        slice_bytes: int | None = None,
    ) -> None:
        """Slow a direction down, in place of the shape that it had. Bytes are neither lost nor reordered.

        What is on its way already arrives when it would have.

        Args:
            direction: Which.
            latency_s: How long each byte takes, in seconds. No limit of the rate as long as less than 1 MiB
                is on its way; with more, the sender has to wait.
            jitter_s: Up to this much is added at random, in seconds. What comes later waits for what came earlier.
            rate_bytes_per_s: How much arrives in a second; ``None``: no limit. A sender that is faster is slowed
                down once some 16 KiB, and the buffers of the system, are full.
            slice_bytes: Deliver at most so many bytes at a time, each in a packet of its own; ``None``: as they came.
        """
        self._change(
            direction,
            latency_s=latency_s,
            jitter_s=jitter_s,
            rate_bytes_per_s=rate_bytes_per_s,
            slice_bytes=slice_bytes,
        )

    def black_hole(self, direction: Direction = "both") -> None:
        """Read and deliver nothing, neither bytes nor ends, as if the cable were pulled; ``heal`` plugs it in.

        The sender can write until the buffers of the system are full. Nothing is lost: TCP repeats what was not
        acknowledged, so a connection that is healed goes on without a gap.
        """
        self._change(direction, held=True)

    def cut_after(self, n_bytes: int, direction: Direction, how: How = "reset") -> None:
        """End a direction once so many more bytes were delivered in it; what follows them is dropped.

        Counted from now, for each connection and direction by itself; in a later connection from its beginning.

        Args:
            n_bytes: How many; with 0 the next byte is the one that does not arrive.
            direction: Which.
            how: ``"reset"`` ends the whole connection, as ``reset`` does; ``"fin"`` only this direction, as ``fin``.
                A reset may destroy bytes that the receiver's system holds and its program has not read.
        """
        self._change(direction, cut=Cut(n_bytes, how))

    @abstractmethod
    def heal(self) -> None:
        """Be a plain proxy again. What is on its way or held back arrives now; ended directions stay ended."""

    @abstractmethod
    def reset(self) -> None:
        """End what is open now with a TCP reset (RST) to both sides; what is on its way is dropped."""

    @abstractmethod
    def fin(self, direction: Direction = "both") -> None:
        """End what is open now with a TCP FIN after what was delivered, without a close frame of WebSocket.

        What is on its way in that direction, and what its sender still sends, is dropped. The other direction
        goes on, and a side is closed when it has ended its own direction too. A black hole of the direction is
        over with it.
        """

    @abstractmethod
    def _change(self, direction: Direction, **changes: Any) -> None:
        """Replace these fields of the faults in a direction."""

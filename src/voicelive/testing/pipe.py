"""One direction of a proxied connection: when which bytes arrive, and how it ends.

Nothing here waits. Bytes come in by ``feed``, and leave at once or by a timer of the event loop, so that a virtual
clock works. What is on its way is bounded: when there is too much of it, the source is not read.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from random import Random
from typing import Any, Protocol

from voicelive.testing.controls import Faults, How

__all__ = ["Destination", "Pipe", "Source"]

_INVERTED = bytes(255 - byte for byte in range(256))


class Source(Protocol):
    """Where the bytes come from."""

    def listen(self, wanted: bool) -> None:
        """Read, or leave in the system's buffer what comes."""


class Destination(Protocol):
    """Where the bytes go."""

    def write(self, data: bytes | memoryview) -> None:
        """Send; whoever is behind with it says so by ``Pipe.clog``."""

    def finish(self) -> None:
        """Send a FIN: there is no more."""


class Pipe:
    """Carries bytes from a source to a destination, with the faults that were ordered.

    Args:
        faults: What acts from the beginning.
        reset: Ends the whole connection.
        seed: Makes the jitter repeatable.

    Attributes:
        faults: What acts now.
        delivered_bytes: How much was handed to the destination.
    """

    def __init__(self, faults: Faults, reset: Callable[[], None], seed: str | None = None) -> None:
        self.faults = Faults()
        self.delivered_bytes = 0
        self._reset = reset
        self._seed = seed
        self._loop = asyncio.get_running_loop()
        self._source: Source | None = None
        self._destination: Destination | None = None
        self._clogged = False  # the destination has to be written out first
        self._ended = False  # whatever comes is dropped
        self._queue: deque[tuple[float, memoryview | How]] = deque()  # when it is due; at the end, how it ends
        self._queued_bytes = 0
        self._free_s = -math.inf  # when a link of limited rate had sent what it was given
        self._left: float = math.inf  # bytes before the cut
        self._timer: asyncio.TimerHandle | None = None
        self.apply(faults)

    @cached_property
    def _chance(self) -> Random:
        return Random(self._seed)  # noqa: S311 - it has to be repeatable, not secret

    def connect(self, *, source: Source | None = None, destination: Destination | None = None) -> None:
        """Say which socket is at an end of the pipe."""
        self._source = source or self._source
        self._destination = destination or self._destination
        self._proceed()

    def change(self, **changes: Any) -> None:
        """Replace some fields of the faults."""
        self.apply(replace(self.faults, **changes))

    def apply(self, faults: Faults) -> None:
        """Let these faults act from now on."""
        if faults.cut is not self.faults.cut:
            self._left = math.inf if faults.cut is None else faults.cut.n_bytes
        self.faults = faults
        self._proceed()

    def heal(self) -> None:
        """Let no fault act, and deliver what is on its way."""
        self._queue = deque((-math.inf, item) for _, item in self._queue)
        self._free_s = -math.inf
        self.apply(Faults())

    def feed(self, data: bytes) -> None:
        """Take what the source has sent."""
        if self._ended:
            return
        if self.faults.direct and not self._queue and not self._blocked:
            self._write(data)
            return
        self._enqueue(memoryview(data.translate(_INVERTED) if self.faults.garbled else data))

    def end(self, how: How) -> None:
        """Take the end of the source; it arrives after everything before it."""
        if not self._ended or how == "reset":
            self._enqueue(how)
            self._ended = True

    def cut(self, how: How) -> None:
        """End here and now: what is on its way is dropped, and what still comes."""
        if self._queue or not self._ended:  # an end that has not arrived is overtaken
            self._ended = True
            self._queue = deque([(-math.inf, how)])
            self._queued_bytes = 0
            self.change(held=False)

    def clog(self, clogged: bool) -> None:
        """Learn whether the destination is behind with sending."""
        self._clogged = clogged
        self._proceed()

    def stop(self) -> None:
        """Learn that the destination is gone: nothing can arrive any more."""
        self._destination = None
        self._ended = True
        self._queue.clear()
        self._queued_bytes = 0
        self._proceed()

    @property
    def _blocked(self) -> bool:
        return self.faults.held or self._clogged or self._destination is None

    def _enqueue(self, item: memoryview | How) -> None:
        jitter_s = self._chance.uniform(0, self.faults.jitter_s) if self.faults.jitter_s else 0.0
        self._queue.append((self._loop.time() + self.faults.latency_s + jitter_s, item))
        self._queued_bytes += 0 if isinstance(item, str) else len(item)
        self._proceed()

    def _proceed(self) -> None:
        """Set the timer for the next piece, and read from the source or not, after anything has changed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        # Time in which nothing could be sent is not made up for: a link is free again when that is over.
        self._free_s = math.inf if self._blocked else min(self._free_s, self._loop.time())
        if self._queue and not self._blocked:
            self._timer = self._loop.call_at(max(self._due_s(), self._loop.time()), self._deliver)
        if self._source is not None:
            full = self._blocked or self._queued_bytes >= self.faults.room_bytes
            self._source.listen(self._ended or not full)

    def _due_s(self) -> float:
        """When the next piece has to arrive."""
        due_s, item = self._queue[0]
        if isinstance(item, str) or self.faults.rate_bytes_per_s is None:
            return due_s
        return max(due_s, self._free_s) + self._piece_bytes(item) / self.faults.rate_bytes_per_s

    def _piece_bytes(self, item: memoryview) -> int:
        return int(min(len(item), self.faults.piece_bytes, self._left))

    def _deliver(self) -> None:
        """Deliver one piece, or the end. The others have to wait for a turn of the loop each."""
        self._timer = None
        self._free_s = self._due_s()
        due_s, item = self._queue.popleft()
        assert self._destination is not None, "it is blocked without one"
        if item == "reset":
            self._reset()
        elif item == "fin":
            self._destination.finish()
        else:
            size = self._piece_bytes(item)
            if size < len(item):
                self._queue.appendleft((due_s, item[size:]))
            self._queued_bytes -= size
            self._write(item[:size])
        self._proceed()

    def _write(self, data: bytes | memoryview) -> None:
        assert self._destination is not None, "it is blocked without one"
        self.delivered_bytes += len(data)
        self._left -= len(data)
        self._destination.write(data)
        if self.faults.cut is not None and self._left <= 0:
            self.cut(self.faults.cut.how)

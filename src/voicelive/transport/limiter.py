"""How many connections may be begun in a minute, and whose turn it is.

``Window`` decides by times alone. ``Limiter`` waits on the event loop's clock: in order of asking, and never for a
turn that would come too late. Knows no sockets.
"""

from __future__ import annotations

import asyncio
from collections import deque

from voicelive.errors import ConnectTimeoutError

__all__ = ["WINDOW_S", "Limiter", "Window"]

WINDOW_S = 60.0  # the quota is one of connections per minute


class Window:
    """At most ``limit`` starts in any ``WINDOW_S`` seconds. Pure: times are arguments, and never go back."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._starts: deque[float] = deque(maxlen=limit)

    def next_start(self, now: float, ahead: int = 0) -> float:
        """The earliest time for a start before which ``ahead`` others begin, each as early as it may."""
        before = len(self._starts) + ahead - self._limit  # the start that must have left the window by then
        if before < 0:
            return now
        if before < len(self._starts):
            return max(now, self._starts[before] + WINDOW_S)
        return self.next_start(now, before - len(self._starts)) + WINDOW_S

    def start(self, at: float) -> None:
        """Count a start."""
        self._starts.append(at)


class Limiter:
    """Lets ``per_minute`` handshakes begin in any minute, those that asked first before the others.

    For the tasks of one event loop.
    """

    def __init__(self, per_minute: int) -> None:
        self._per_minute, self._window = per_minute, Window(per_minute)
        self._turn = asyncio.Lock()  # fair: whoever has it waits for a place, and all others for whoever has it
        self._waiting = 0

    async def turn(self, ends_at: float) -> None:
        """Wait until one more handshake may begin, and count it.

        Args:
            ends_at: When the caller's patience ends, on the event loop's clock.

        Raises:
            ConnectTimeoutError: The turn would not come before; told at once, with the wait as ``retry_after_s``.

        A cancelled call counts nothing, and those behind it move up.
        """
        clock = asyncio.get_running_loop().time
        self._refuse_hopeless(clock(), ends_at)
        self._waiting += 1
        try:
            async with self._turn:
                due = self._window.next_start(clock())
                if due > clock():
                    await asyncio.sleep(due - clock())
                self._window.start(max(due, clock()))  # a timer may be early by the clock's resolution
        finally:
            self._waiting -= 1

    def _refuse_hopeless(self, now: float, ends_at: float) -> None:
        due = self._window.next_start(now, ahead=self._waiting)
        if due > now and due >= ends_at:
            raise ConnectTimeoutError(
                f"connections_per_minute is {self._per_minute}, and so many were begun: the next may begin in "
                f"{due - now:.1f} s, and the connect timeout ends before; come back then, raise connect_timeout_s, or "
                "raise connections_per_minute if the resource's quota is higher",
                retry_after_s=due - now,
            )

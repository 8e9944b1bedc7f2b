"""Two lanes onto one transport: control frames overtake audio.

Decides who writes next, and nothing else: what a frame holds is not looked at. Nobody owns a task here. A sender
writes its own frame, and on leaving hands the turn to the one who waits first, control before audio.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import NamedTuple

from voicelive.errors import LocalProtocolError
from voicelive.transport.base import Transport, TransportClosed

__all__ = ["Outbox"]


class Outbox:
    """The only way out to one transport, for any number of tasks."""

    def __init__(self, transport: Transport, limit_bytes: int) -> None:
        """Takes over all sending on ``transport``; ``limit_bytes`` bounds the control frames that wait."""
        self._transport = transport
        self._limit_bytes = limit_bytes
        self._writing = False
        self._ended: TransportClosed | None = None
        self._control = _Lane()
        self._audio = _Lane()

    async def send(self, frame: str | bytes, *, audio: bool = False, patient: bool = False) -> None:
        """Write one frame: at once when nobody is writing, else in turn.

        Control frames keep their order and go before all waiting audio; audio keeps its own order.
        Returns when the transport has taken the frame.

        Args:
            frame: Text, or the same as UTF-8 bytes.
            patient: Whether it waits however much control waits already, instead of being refused.
            audio: Whether it may be overtaken. An audio sender always waits and is never refused: its frame
                stays with it, so that one sender holds one frame, whatever the congestion.

        Raises:
            TransportClosed: The connection has ended; those who wait hear of it at once.
            LocalProtocolError: So many control frames wait already that this one exceeds ``limit_bytes``. Control
                has no natural pace that waiting would restore: the peer has stopped reading. A single frame
                over the limit passes.

        Cancelled while it waits, nothing was sent. Cancelled while it writes, the transport's contract holds.
        """
        if self._ended is not None:
            raise self._ended.copy()
        if self._writing:
            await self._wait_for_turn(frame, self._audio if audio else self._control, patient=audio or patient)
            if self._ended is not None:
                raise self._ended.copy()
        self._writing = True
        try:
            await self._transport.send(frame)
        except TransportClosed as end:
            self._end(end)
            raise
        finally:
            if self._control.waiting or self._audio.waiting:
                self._hand_on()
            else:  # the usual case, in line: it saves a third of this method's cost
                self._writing = False

    @property
    def waiting_bytes(self) -> int:
        """Bytes of the frames whose senders wait for their turn, both lanes together."""
        return self._control.size_bytes + self._audio.size_bytes

    async def _wait_for_turn(self, frame: str | bytes, lane: _Lane, *, patient: bool) -> None:
        size_bytes = len(frame.encode() if isinstance(frame, str) else frame)
        if not patient and lane.waiting and lane.size_bytes + size_bytes > self._limit_bytes:
            raise LocalProtocolError(
                f"{len(lane.waiting)} control frames of {lane.size_bytes} bytes wait already, and {size_bytes} more "
                f"would exceed the bound of {self._limit_bytes}; the service reads too slowly: await earlier calls "
                "before making more, or raise ClientOptions.outbox_bytes"
            )
        waiter = _Waiter(asyncio.get_running_loop().create_future(), size_bytes)
        lane.add(waiter)
        try:
            await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.cancelled():
                lane.remove(waiter)
            else:  # its turn had come
                self._hand_on()
            raise

    def _hand_on(self) -> None:
        """Give the turn to the next in line; it stays taken meanwhile, so that no newcomer slips in."""
        for lane in (self._control, self._audio):
            while lane.waiting:
                turn = lane.pop().turn
                if not turn.done():
                    turn.set_result(None)
                    return
        self._writing = False

    def _end(self, end: TransportClosed) -> None:
        self._ended = end
        for lane in (self._control, self._audio):
            while lane.waiting:
                turn = lane.pop().turn
                if not turn.done():
                    turn.set_result(None)  # all wake, and find that there is nothing to write to


class _Waiter(NamedTuple):
    turn: asyncio.Future[None]
    size_bytes: int


class _Lane:
    """Who waits, in order, and how many bytes they hold."""

    def __init__(self) -> None:
        self.waiting: deque[_Waiter] = deque()
        self.size_bytes = 0

    def add(self, waiter: _Waiter) -> None:
        self.waiting.append(waiter)
        self.size_bytes += waiter.size_bytes

    def pop(self) -> _Waiter:
        waiter = self.waiting.popleft()
        self.size_bytes -= waiter.size_bytes
        return waiter

    def remove(self, waiter: _Waiter) -> None:
        if waiter in self.waiting:  # a turn given while its sender was being cancelled has taken it out already
            self.waiting.remove(waiter)
            self.size_bytes -= waiter.size_bytes

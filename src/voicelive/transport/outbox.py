"""Two lanes out of a session: control frames overtake audio, and both survive the transport where they may.

Decides who writes next, and nothing else: what a frame holds is not looked at. Nobody owns a task here. A sender
writes its own frame, and on leaving hands the turn to the one who waits first, control before audio.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from voicelive.errors import LocalProtocolError
from voicelive.transport.base import Transport, TransportClosed

__all__ = ["Outbox"]


class Outbox:
    """The only way out of a session, for any number of tasks, over one transport after the other."""

    def __init__(self, transport: Transport, limit_bytes: int, *, holds: bool = False) -> None:
        """Takes over all sending on ``transport``.

        Args:
            transport: Where frames go.
            limit_bytes: Bounds the control frames that wait.
            holds: When the transport ends, keep what waits for another one, until ``end`` says that none will come.
        """
        self.holds = holds
        self._transport = transport
        self._limit_bytes = limit_bytes
        self._writing = False
        self._held = False
        self._ended: TransportClosed | None = None
        self._control = _Lane()
        self._audio = _Lane()

    async def send(
        self,
        frame: str | bytes,
        *,
        audio: bool = False,
        patient: bool = False,
        begin: Callable[[], bool] | None = None,
    ) -> None:
        """Write one frame: at once when nobody is writing, else in turn.

        Control frames keep their order and go before all waiting audio; audio keeps its own order.
        Returns when the transport has taken the frame. A transport that ends meanwhile has not taken it: the frame
        goes first over the next one, where the outbox ``holds``.

        Args:
            frame: Text, or the same as UTF-8 bytes.
            audio: Whether it may be overtaken. An audio sender always waits and is never refused: its frame
                stays with it, so that one sender holds one frame, whatever the congestion.
            patient: Whether it waits however much control waits already, instead of being refused.
            begin: Asked as its turn comes; ``False``: the frame is not wanted any more.

        Raises:
            TransportClosed: The connection has ended for good; those who wait hear of it at once.
            LocalProtocolError: So many control frames wait already that this one exceeds ``limit_bytes``. Control
                has no natural pace that waiting would restore: the peer has stopped reading. A single frame
                over the limit passes.

        Cancelled while it waits, nothing was sent. Cancelled while it writes, the transport's contract holds.
        """
        self._refuse_after_end()
        lane = self._audio if audio else self._control
        if self._writing or self._held:
            await self._wait_for_turn(frame, lane, patient=audio or patient)
        while begin is None or begin():
            self._writing, transport = True, self._transport
            try:
                await transport.send(frame)
                break
            except TransportClosed as end:
                if transport is not self._transport:  # there is another one already
                    continue
                self._transport_ended(end)
            except BaseException:
                self._hand_on()
                raise
            await self._wait_for_turn(frame, lane, patient=True, first=True)
        if self._control.waiting or self._audio.waiting:
            self._hand_on()
        else:  # the usual case, in line: it saves a third of this method's cost
            self._writing = False

    def hold(self) -> None:
        """Write nothing from now on; what is being written is finished."""
        self._held = True

    def resume(self, transport: Transport) -> None:
        """Go on over this transport, with what waits first."""
        self._transport, self._held = transport, False
        if not self._writing:
            self._hand_on()

    def resume_same(self) -> None:
        """Go on over the transport that was held."""
        self.resume(self._transport)

    def end(self, end: TransportClosed) -> None:
        """Nothing will be written any more; all who wait hear of it. The first call counts."""
        if self._ended is not None:
            return
        self._ended = end
        for lane in (self._control, self._audio):
            while lane.waiting:
                turn = lane.pop().turn
                if not turn.done():
                    turn.set_result(None)  # all wake, and find that there is nothing to write to

    @property
    def held(self) -> bool:
        """Whether nothing is written for the time being."""
        return self._held

    @property
    def idle(self) -> bool:
        """Whether nothing is being written; a held outbox that is idle stays so."""
        return not self._writing

    @property
    def waiting_bytes(self) -> int:
        """Bytes of the frames whose senders wait for their turn, both lanes together."""
        return self._control.size_bytes + self._audio.size_bytes

    def _refuse_after_end(self) -> None:
        if self._ended is not None:
            raise self._ended.copy()

    def _transport_ended(self, end: TransportClosed) -> None:
        self._writing, self._held = False, True
        if not self.holds:
            self.end(end)
        self._refuse_after_end()

    async def _wait_for_turn(self, frame: str | bytes, lane: _Lane, *, patient: bool, first: bool = False) -> None:
        size_bytes = len(frame.encode() if isinstance(frame, str) else frame)
        if not patient and lane.waiting and lane.size_bytes + size_bytes > self._limit_bytes:
            raise LocalProtocolError(
                f"{len(lane.waiting)} control frames of {lane.size_bytes} bytes wait already, and {size_bytes} more "
                f"would exceed the bound of {self._limit_bytes}; the service reads too slowly: await earlier calls "
                "before making more, or raise ClientOptions.outbox_bytes"
            )
        waiter = _Waiter(asyncio.get_running_loop().create_future(), size_bytes)
        lane.add(waiter, first=first)
        try:
            await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.cancelled():
                lane.remove(waiter)
            elif self._ended is None:  # its turn had come
                self._hand_on()
            raise
        self._refuse_after_end()

    def _hand_on(self) -> None:
        """Give the turn to the next in line; it stays taken meanwhile, so that no newcomer slips in."""
        for lane in () if self._held else (self._control, self._audio):
            while lane.waiting:
                turn = lane.pop().turn
                if not turn.done():
                    self._writing = True
                    turn.set_result(None)
                    return
        self._writing = False


class _Waiter(NamedTuple):
    turn: asyncio.Future[None]
    size_bytes: int


class _Lane:
    """Who waits, in order, and how many bytes they hold."""

    def __init__(self) -> None:
        self.waiting: deque[_Waiter] = deque()
        self.size_bytes = 0

    def add(self, waiter: _Waiter, *, first: bool) -> None:
        if first:
            self.waiting.appendleft(waiter)
        else:
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

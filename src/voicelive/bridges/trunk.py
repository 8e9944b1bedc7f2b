"""The line's side of a call: it is read and answered from the start of the stream on, whatever the application does.

Owns two tasks, a reader and a writer. What a frame means is the line's to say; here it is done.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Generic, TypeVar, assert_never

from voicelive.bridges.caller_audio import CallerAudio
from voicelive.bridges.events import (
    BrokenMessage,
    CallCounts,
    CallEnd,
    CallerAudioDropped,
    CallEvents,
    How,
    UnknownMessage,
)
from voicelive.bridges.line import Action, Ask, Ended, Frame, Gap, Hear, Line, Played, Refuse, Say, Tell
from voicelive.bridges.outgoing import Outgoing
from voicelive.bridges.socket import CallSocket
from voicelive.errors import CallRefusedError

__all__ = ["Trunk"]

log = logging.getLogger("voicelive")

_S = TypeVar("_S")

MOST_GAP_MS: Final = 1000
"""Silence put in for audio that never came: enough to end a turn; more would only cost."""

_MOST_WISHES: Final = 100  # they wait until a session is there, and while it changes its connection
_GOODBYE_S: Final = 5.0  # for a provider that is asked to end the stream; its client waits 10 s for our last word
_CLOSE_S: Final = 1.0


class Trunk(Generic[_S]):
    """One line over one socket.

    Attributes:
        line: What decides.
        outgoing: The way out.
        counts: What was odd so far.
        events: What the line has to say to the application.
        wishes: What the session shall do, beside hearing.
        caller: The caller's audio; ``None`` before the start message.
        end: How the call ended; ``None`` while it lasts.
        over: Set when it has ended.
        moved: Set when anything but the caller's voice has come, so that the line may have room again.
        played: Is told what the caller has heard.
    """

    def __init__(self, socket: CallSocket, line: Line[_S]) -> None:
        """Inside a running loop."""
        self._socket, self.line = socket, line
        self.now = asyncio.get_running_loop().time
        self.outgoing = Outgoing(socket)
        self.counts = CallCounts()
        self.events = CallEvents(self.counts)
        self.wishes = CallEvents(self.counts, most=_MOST_WISHES)
        self.caller: CallerAudio | None = None
        self.end: CallEnd | None = None
        self.over, self.moved = asyncio.Event(), asyncio.Event()
        self.played: Callable[[str, float], None] | None = None
        self._started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._began_s: float | None = None
        self._wound_up = False
        self._reader = asyncio.create_task(self._read())
        self._writer = asyncio.create_task(self._write())

    async def started(self, timeout_s: float) -> None:
        """Wait for the start message; ``accept`` does this.

        Raises:
            CallRefusedError: It did not come in time, not at all, or tells of something that cannot be served.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._started
        except TimeoutError:
            raise CallRefusedError(f"no start message within {timeout_s:g} s", "no_start") from None

    async def _read(self) -> None:
        try:
            while self.end is None or self.line.answers_farewell:
                data = await self._socket.receive()
                if data is None:
                    self.finish(self.line.gone())
                    return
                if not self._take(data):
                    return
        except Exception as error:
            log.error("= a call could not read its socket: %s", type(error).__name__)
            self.finish("line_lost", type(error).__name__)
        finally:
            self._give_up_waiting()

    def _take(self, data: Frame) -> bool:
        """Do what a frame means; whether there may be more."""
        actions = tuple(self.line.receive(data, self.now()))
        if len(actions) == 1 and isinstance(actions[0], Hear):  # fifty times a second; it makes no room
            self._listen(actions[0].audio)
            return True
        if not self._started.done() and self.line.start is not None:
            self._began_s = self.now()
            self.caller = CallerAudio(self.line.format)
            self._started.set_result(None)
        for action in actions:
            self._do(action)
        self.moved.set()  # a pause may be over
        return not any(isinstance(action, Ended | Refuse) for action in actions)

    async def _write(self) -> None:
        try:
            await self.outgoing.run()
        except Exception as error:
            log.error("= a call could not write to its socket: %s", type(error).__name__)
            self.finish("line_lost", type(error).__name__)

    def _do(self, action: Action) -> None:
        match action:
            case Hear(audio=audio):
                self._listen(audio)
            case Gap(ms=ms):
                self.counts.gap_ms += ms
                self._listen(self.line.format.silence(min(ms, MOST_GAP_MS)))
            case Say(frame=frame):
                self.outgoing.push(frame)
            case Played(item_id=item_id, ms=ms):
                if self.played is not None:
                    self.played(item_id, ms)
            case Tell(event=event):
                self._tell(event)
            case Ask(wish=wish):
                self.wishes.add(wish)
            case Ended(how=how, detail=detail):
                self.finish(how, detail)
            case Refuse(problem=problem):
                if not self._started.done():
                    self._started.set_exception(CallRefusedError(problem, "unsupported"))
                self.finish("hung_up", problem)
            case _:
                assert_never(action)

    def _listen(self, audio: bytes) -> None:
        if self.caller is None or self.end is not None or not audio:
            return
        dropped_bytes = self.caller.put(audio)
        if dropped_bytes:
            dropped_ms = self.line.format.duration_ms(dropped_bytes)
            self.counts.dropped_ms += dropped_ms
            self.events.add(CallerAudioDropped(dropped_ms))

    async def move_on(self, at_most_s: float) -> None:
        """Wait until the line may have room again, or so long."""
        self.moved.clear()
        due = None
        if at_most_s != math.inf:  # not a timeout: it would cost more than all else that is done for a frame
            due = asyncio.get_running_loop().call_later(at_most_s, self.moved.set)
        try:
            await self.moved.wait()
        finally:
            if due is not None:
                due.cancel()

    def _tell(self, event: Any) -> None:
        if isinstance(event, BrokenMessage):
            self.counts.broken_messages += 1
            log.warning("< a broken message of %d from the line: %s", event.size, event.problem)
        elif isinstance(event, UnknownMessage):
            self.counts.unknown_messages += 1
        self.events.add(event)

    # -- the end

    def finish(self, how: How, detail: str = "") -> CallEnd:
        """The call is over; the first reason counts."""
        if self.end is None:
            lasted_s = 0.0 if self._began_s is None else self.now() - self._began_s
            self.end = CallEnd(how, detail, lasted_s)
            log.info("= a call ended: %s", how)
            self.outgoing.drop()
            self.events.end()
            self.wishes.end()
            self.moved.set()
            self.over.set()
        return self.end

    def _give_up_waiting(self) -> None:
        if not self._started.done():
            self._started.set_exception(CallRefusedError("the socket ended before its start message", "no_start"))
        if not self._started.cancelled():
            self._started.exception()  # where nobody waits any more, nobody asks for it

    async def wind_up(self, how: How, problem: str = "", code: int = 1000) -> CallEnd:
        """Say goodbye, end the tasks, close the socket; ``accept`` does this. Bounded; the first call counts."""
        end = self.finish(how, problem)
        if not self._wound_up:
            self._wound_up = True
            with suppress(TimeoutError):
                async with asyncio.timeout(_GOODBYE_S):
                    await self._take_leave(end.how, problem)
            await self._let_go(code, problem)
        return end

    async def _take_leave(self, how: How, problem: str) -> None:
        for frame in self.line.farewell(how, problem):
            self.outgoing.push(frame)
        await self.outgoing.drained()
        if self.line.answers_farewell:
            await asyncio.wait({self._reader})
            await self.outgoing.drained()

    async def _let_go(self, code: int, reason: str) -> None:
        for task in (self._reader, self._writer):
            task.cancel()
        await asyncio.gather(self._reader, self._writer, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._socket.close(code, reason)

"""A telephone call: a session is given the caller's voice, and the caller the session's.

The line's side is ``trunk``'s, with tasks of its own. Those here last as long as ``run``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

from voicelive.audio.formats import AudioFormat
from voicelive.audio.playback import PlaybackFrame
from voicelive.bridges.events import CallCounts, CallEnd, CallEvents
from voicelive.bridges.trunk import Trunk
from voicelive.errors import ConfigurationError, LocalProtocolError, SessionClosedError
from voicelive.events import SessionInterrupted

if TYPE_CHECKING:
    from voicelive.session import Session

__all__ = ["Call", "Companion"]

_S = TypeVar("_S")

Companion: TypeAlias = Callable[["Session", Trunk[Any]], Coroutine[Any, Any, None]]
"""What a line needs beside its voice; runs while ``run`` does, and ends by itself only with the session or the call."""

_COUNT_S: Final = 0.02  # how often a line that goes by the clock is asked what was heard


class Call(Generic[_S]):
    """A call whose start message has come, made by ``accept``. Iterate it for keys and what else the line says."""

    def __init__(self, trunk: Trunk[_S], companions: Sequence[Companion] = ()) -> None:
        """Applications call ``accept`` instead."""
        self._trunk, self._line = trunk, trunk.line
        self._companions = companions
        self._session: Session | None = None
        self._flushes = 0
        self._sounding = asyncio.Event()

    @property
    def start(self) -> _S:
        """The start message."""
        start = self._line.start
        assert start is not None, "a call is given away when it has come"
        return start

    @property
    def format(self) -> AudioFormat:
        """Of the line's audio, both ways."""
        return self._line.format

    @property
    def counts(self) -> CallCounts:
        """What was odd about the line so far."""
        return self._trunk.counts

    @property
    def end(self) -> CallEnd | None:
        """How the call ended; ``None`` while it lasts."""
        return self._trunk.end

    async def run(self, session: Session) -> CallEnd:
        """Carry the caller's voice to the session and the agent's voice to the caller, until one of them ends.

        The session stays open when the caller hangs up; leaving its ``async with`` closes it. When the session ends,
        the socket is closed. ``SessionInterrupted`` and ``SessionResumed`` end nothing. Cancelling leaves the call open
        until the block of ``accept`` is left.

        Raises:
            ConfigurationError: The session's audio formats are not the line's.
            LocalProtocolError: It runs already.
            SessionClosedError: The session did not end normally.
        """
        self._check(session)
        if self._session is not None:
            raise LocalProtocolError("this call has a session already; one run() at a time")
        self._session, self._trunk.played = session, session.playback.played
        try:
            await self._carry(session)
        except Exception as error:
            await self._trunk.wind_up("session", type(error).__name__)
            raise
        finally:
            self._session = self._trunk.played = None
        return await self._trunk.wind_up("session")

    def hang_up(self) -> None:
        """End the call now; ``run`` returns. To let a farewell be heard, close the session ``after_playback``."""
        self._trunk.finish("hung_up")

    def __aiter__(self) -> CallEvents:
        """What the line says, for one reader; ends with the call.

        ``Dtmf``, ``BrokenMessage``, ``UnknownMessage``, ``CallerAudioDropped``, and the provider's own events, which
        are classes of its codec.
        """
        return self._trunk.events

    # -- the agent's voice: a PlaybackSink

    async def write(self, frame: PlaybackFrame) -> None:
        """Hand a frame to the line when there is room for it, unless the caller speaks over it meanwhile."""
        flushes = self._flushes
        while self._flushes == flushes and self.end is None and (wait_s := self._line.room_in_s(self._trunk.now())) > 0:
            await self._trunk.move_on(wait_s)
        if self._flushes == flushes and self.end is None:
            await self._trunk.outgoing.write(lambda: self._line.voice(frame, self._trunk.now()))
            if self._line.sounding:
                self._sounding.set()

    def flush(self) -> None:
        """Drop everything that was not heard."""
        self._flushes += 1
        self._trunk.moved.set()
        self._trunk.outgoing.drop()
        for frame in self._line.flush(self._trunk.now()):
            self._trunk.outgoing.push(frame)

    # -- carrying

    def _check(self, session: Session) -> None:
        line = self._line.format
        if session.input_format != line or session.output_format != line:
            raise ConfigurationError(
                f"the line speaks {line}, the session takes {session.input_format} and gives {session.output_format}; "
                f"make its settings with {self._line.advice}"
            )

    async def _carry(self, session: Session) -> None:
        """Until the call or the session is over, or something goes wrong."""
        closed = asyncio.create_task(_until_closed(session))
        play = session.playback.play_to(self, ms=self._line.frame_ms, acknowledge=False)
        beside = [companion(session, self._trunk) for companion in self._companions]
        pumps = (self._trunk.over.wait(), play, self._hear(session), self._count(session), *beside)
        tasks: list[asyncio.Task[Any]] = [closed, *(asyncio.create_task(pump) for pump in pumps)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if not self._trunk.over.is_set():
                for task in done:
                    task.result()
                await closed  # what carries audio ends by itself only with the session
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _hear(self, session: Session) -> None:
        caller = self._trunk.caller
        assert caller is not None, "made with the start message"
        with suppress(SessionClosedError):  # who waits for the session's end tells of it
            while True:
                await session.send_audio(await caller.get())

    async def _count(self, session: Session) -> None:
        """Say what was heard, while there is something to be heard."""
        while True:
            await self._sounding.wait()
            await asyncio.sleep(_COUNT_S)
            for played in self._line.heard(self._trunk.now()):
                session.playback.played(played.item_id, played.ms)
            if not self._line.sounding:
                self._sounding.clear()


async def _until_closed(session: Session) -> None:
    """Until the session has ended.

    Raises:
        SessionClosedError: It did not end normally.
    """
    with session.subscribe(SessionInterrupted) as stream:
        async for _ in stream:
            pass

"""Session: the I/O shell of one conversation, and the file that owns its tasks.

A reader task drains the socket whatever the application does: frame -> event -> protocol -> effects -> streams.
Nothing in that chain awaits a consumer, so pings are answered and liveness is known behind any handler.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar

from voicelive.audio_input import AudioInput
from voicelive.avatar.signalling import Avatar
from voicelive.avatar.turns import LinkTurns
from voicelive.caller_voice import CallerVoice
from voicelive.continuity import Continuity, Redial
from voicelive.dialogue import Dialogue
from voicelive.engine import Engine
from voicelive.errors import (
    ConfigurationError,
    LocalProtocolError,
    SessionClosedError,
    SlowConsumerError,
    VoiceLiveError,
)
from voicelive.events import BudgetReached, HandlerFailed
from voicelive.handlers import Handlers
from voicelive.listening import Listening
from voicelive.options import ClientOptions
from voicelive.protocol.connection import CloseInfo, Phase
from voicelive.protocol.core import SessionProtocol
from voicelive.renewal import Renewal
from voicelive.sending import Sender
from voicelive.session_view import SessionView
from voicelive.taps import SESSION_EVENT_BYTES
from voicelive.transport.base import Transport, TransportClosed, checked_close
from voicelive.transport.outbox import Outbox
from voicelive.usage import SessionUsage
from voicelive.wire.client_events import (
    ClientEvent,
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    KnownClientEvent,
    RtcCallSdpCreate,
)
from voicelive.wire.codec import encode
from voicelive.wire.server.base import ServerEventBase
from voicelive.wire.server.calls import RtcCallSdpCreated
from voicelive.wire.server.session import SessionCreated
from voicelive.wire.session import SessionConfig

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12 on

    from voicelive.budget import Budget

__all__ = ["Session"]

log = logging.getLogger("voicelive")

_T = TypeVar("_T")
_A = TypeVar("_A", bound=ServerEventBase)


class Session(SessionView, Listening, Dialogue):
    """One conversation with an agent, made by ``VoiceLiveClient.connect``.

    ``async for event in session`` gives everything the service says and what the session itself reports. Use
    ``subscribe`` for further independent streams and ``on`` for handlers. All methods belong to one event loop.
    """

    def __init__(
        self,
        transport: Transport,
        options: ClientOptions | None = None,
        requested: SessionConfig | None = None,
        redial: Redial | None = None,
        link_turns: LinkTurns | None = None,
        *,
        sideband: bool = False,
    ) -> None:
        """Over an open transport, inside a running loop; applications call ``VoiceLiveClient.connect`` instead.

        With ``sideband`` it is the signalling socket of a WebRTC call: no audio passes, and what the page forwards of
        the call's data channel comes in by ``take_forwarded``.
        """
        self._sideband = sideband
        self._options = options or ClientOptions()
        self._transport = transport
        resume = self._options.resume if redial is not None else None
        self._protocol = SessionProtocol(
            max_tool_rounds=self._options.max_tool_rounds,
            min_barge_in_ms=self._options.min_barge_in_ms,
            expire_after_s=self._options.confirm_timeout_s,
            keep_audio_ms=resume.audio_ms if resume is not None else 0,
            sideband=sideband,
        )
        self._protocol.requested = requested
        self._clock = asyncio.get_running_loop().time
        self._outbox = Outbox(transport, self._options.outbox_bytes)
        self._sender = Sender(self._outbox, self._protocol.ledger, self._clock)
        self.usage = SessionUsage(
            self._protocol.usage,
            self._clock,
            lambda: datetime.now(UTC),
            lambda: self.audio_sent_ms,
            self._protocol.history.turn_ids,
            self._options.prices,
        )
        """What the call has used so far, and what that costs."""
        self._engine = Engine(
            self, self._options, self._sender, self._protocol, self._start, self.usage, sideband=sideband
        )
        self._continuity: Continuity | None = None
        if resume is not None and redial is not None:
            rehearsal_s = self._options.confirm_timeout_s
            self._continuity = Continuity(
                resume, redial, self._engine, self._sender, self._outbox, self._change_over, rehearsal_s
            )
        self._renewal = Renewal(self._continuity, self._start) if self._continuity is not None else None
        self._streams = self._engine.streams
        self._caller_voice = CallerVoice(
            self._protocol.caller_audio,
            self._options,
            self._put_audio_frame,
            self._start,
            self._engine.tell,
            self._clock,
        )
        self.avatar = Avatar(self, self._protocol.avatar, link_turns or LinkTurns(), self._request)
        """The link of a visual agent, and its scene."""
        self._handlers: Handlers | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._closed = asyncio.Event()
        self._reader = self._start(self._read())

    def use_budget(self, budget: Budget) -> None:
        """Keep the call within a budget from now on, what it has used already included; ``connect`` does this.

        Another budget takes the place of the one before. One that is exceeded already acts with the next event.

        Raises:
            NotInCatalogueError: What cannot be priced is refused, and the model is unknown.
            SessionClosedError: The session has ended.
        """
        from voicelive.budget_guard import BudgetGuard

        self._refuse_when_closed()
        if budget.prices is not None:
            self.usage.use(budget.prices)
        budget.check(*self.usage.asked)
        engine = self._engine
        if engine.guard is not None:
            engine.guard.end()
            if engine.guard.budget.on_reached is not None:
                self.off(engine.guard.budget.on_reached)
        if budget.on_reached is not None:
            self.on(BudgetReached)(budget.on_reached)
        engine.guard = BudgetGuard(
            budget,
            self.usage,
            want=engine.want,
            verbatim=self.verbatim,
            finish=lambda last: engine.perform(self._protocol.finish(last, self._clock())),
            send=engine.push,
            tell=engine.tell,
            close=self._close_for_budget,
            start=self._start,
        )
        engine.guard.watch()

    async def _close_for_budget(self, politely: bool, within_s: float) -> None:
        await self.close(1000, "budget reached", after_playback=politely, playback_timeout_s=within_s)

    async def prepare(self, timeout_s: float) -> None:
        """Wait until the session exists and the requested settings are in effect; ``connect`` does this.

        Raises:
            ServiceError: The service refused the settings.
            SessionClosedError: The session ended before.
        """
        if self._protocol.connection.phase is Phase.OPENING:
            with self._streams.add("the start", (SessionCreated,)) as stream:
                async for _ in stream:
                    break
        if self._closed.is_set():
            raise self._protocol.connection.closed_error()
        if self.requested is not None:
            await self.update(self.requested, timeout_s=timeout_s)
        if self._renewal is not None and not self._closed.is_set():
            self._outbox.holds = True
            self._renewal.plan()

    # -- saying; the verbs are in Verbs

    async def send_audio(self, audio: Buffer) -> None:
        self._refuse_audio()
        await super().send_audio(audio)

    async def answer_offer(self, sdp_offer: str, timeout_s: float) -> RtcCallSdpCreated:
        """Have the service answer the offer of a WebRTC call; ``VoiceLiveClient.answer_call`` does this.

        Raises:
            RtcCallRefusedError: The service does not take it.
            ConfirmationTimeoutError: No answer in time.
        """
        return await self._request(RtcCallSdpCreate(sdp_offer=sdp_offer), RtcCallSdpCreated, timeout_s)

    def take_forwarded(self, message: str | bytes) -> bool:
        """A message of a WebRTC call's data channel; ``RtcCall.receive`` does this."""
        return self._engine.take(message, forwarded=True)

    async def send(self, event: ClientEvent) -> None:
        """Send any client event as it stands. Returns when written.

        Raises:
            SessionClosedError: The session has ended.
        """
        if isinstance(event, InputAudioBufferAppend):
            await self._caller_voice.write(event.audio, encode(event))
        else:
            await self._write(event)

    async def send_raw(self, event: Mapping[str, Any]) -> None:
        """Send a JSON object that no class describes; it gets an ``event_id`` where it has none. Returns when written.

        Raises:
            ConfigurationError: It has no ``type``, or is not JSON.
            SessionClosedError: The session has ended.
        """
        kind = event.get("type")
        if not isinstance(kind, str):
            raise ConfigurationError("type is missing; every client event needs a type, a text")
        is_audio = kind == "input_audio_buffer.append"
        given = event.get("event_id")
        event_id = given if isinstance(given, str) else self._sender.name()
        named = dict(event) if is_audio else {**event, "event_id": event_id}
        try:
            frame = json.dumps(named, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"the event of type {kind!r:.60} is not JSON: {type(error).__name__}") from None
        if is_audio:
            await self._put_audio_frame(frame)
        else:
            self._refuse_when_closed()
            await self._until_written(self._sender.put_raw(frame, event_id, kind))

    async def _write(self, event: ClientEvent) -> None:
        self._refuse_when_closed()
        if isinstance(event, InputAudioBufferClear | InputAudioBufferCommit):
            self._protocol.caller_audio.settling()
        await self._until_written(self._sender.put(event))
        self._engine.sent(event)

    async def _request(self, event: KnownClientEvent, answer: type[_A], timeout_s: float | None) -> _A:
        self._refuse_when_closed()
        limit_s = self._options.confirm_timeout_s if timeout_s is None else timeout_s
        self._engine.sent(event)
        if isinstance(event, InputAudioBufferClear | InputAudioBufferCommit):
            self._protocol.caller_audio.settling()
        return await self._until_written(self._sender.request(event, answer, limit_s))

    def _audio_input(self) -> AudioInput:
        self._refuse_when_closed()
        return self._caller_voice.input(self.config)

    def _avatar_is_asked_for(self, config: SessionConfig) -> None:
        self.avatar.asked_for(config)

    @property
    def _audio_was_sent(self) -> bool:
        return self._caller_voice.used

    def _refuse_audio(self) -> None:
        self._refuse_when_closed()
        if self._sideband:
            raise LocalProtocolError(
                "no audio passes through the session of a WebRTC call: the page and the service exchange it; add the "
                "microphone to the page's peer connection, and call send_text to say something in writing"
            )

    async def _put_audio_frame(self, frame: str | bytes, begin: Callable[[], bool] | None = None) -> None:
        self._refuse_audio()
        await self._until_written(self._sender.put_audio(frame, begin))

    async def _until_written(self, writing: Awaitable[_T]) -> _T:
        try:
            return await writing
        except TransportClosed as end:
            self._end(end)
            raise self._protocol.connection.closed_error() from None

    @property
    def _ended_normally(self) -> bool:
        return self.close_info is not None and self.close_info.normal

    def _closed_error(self) -> SessionClosedError:
        return self._protocol.connection.closed_error()

    def _refuse_when_closed(self) -> None:
        if self._closed.is_set():
            raise self._protocol.connection.closed_error()
        if self._closing:
            raise SessionClosedError(None, "close() was called", self.id)

    # -- the reader's chain

    async def _read(self) -> None:
        try:
            while not self._closed.is_set():
                await self._read_connection(self._transport)
        except Exception as error:  # a fault of this package must end the session, not leave it deaf
            trace = "".join(traceback.format_tb(error.__traceback__))  # without the text, which may quote an event
            log.error("= the reader failed: %s\n%s", type(error).__name__, trace)
            self._end(TransportClosed(None, f"internal error: {type(error).__name__}", by_peer=False))
            await self._transport.close(1011)

    async def _read_connection(self, transport: Transport) -> None:
        """Read until another connection has taken the place of this one, or the session has ended."""
        try:
            while transport is self._transport:
                frame = await transport.receive()
                if transport is self._transport:
                    self._engine.take(frame)
                else:
                    self._engine.counts.superseded_events += 1
        except TransportClosed as end:
            if transport is self._transport:
                await self._after(end)

    async def _after(self, end: TransportClosed) -> None:
        """The connection has ended: go on over another one, or end."""
        continuity = self._continuity
        may_go_on = self._outbox.holds and not self._closing
        if continuity is None or self._renewal is None or not may_go_on or not continuity.goes_on_after(end):
            self._end(end)
            return
        renewing = self._renewal.stop()
        if renewing is not None:
            await asyncio.wait([renewing])  # it must have let go of the outbox
        try:
            await continuity.resume(end)
        except VoiceLiveError as failure:
            reason = f"{end.reason or 'the connection dropped'}; not resumed: {failure}"
            self._end(TransportClosed(end.code, reason, by_peer=True))
        else:
            self._renewal.plan()

    def _stop_renewal(self) -> None:
        if self._renewal is not None:
            self._renewal.stop()

    def _change_over(self, transport: Transport) -> Transport:
        old, self._transport = self._transport, transport
        return old

    # -- the end, and the tasks

    async def close(
        self, code: int = 1000, reason: str = "", *, after_playback: bool = False, playback_timeout_s: float = 60.0
    ) -> None:
        """End the session; iteration ends normally. Bounded by ``ClientOptions.close_timeout_s``, twice over
        where handlers are still busy.

        Events that have come stay readable. Handlers get them until the bound, then they are cancelled; tool calls
        are cancelled at once. Calling it again, or from a handler, is fine. Cancelling it while it waits for playback
        leaves the session as it is; later, it ends at once and handlers are cancelled.

        Args:
            code: Of the close frame.
            reason: Of the close frame.
            after_playback: First wait until the running response has ended and was heard, so that a farewell is not
                cut off.
            playback_timeout_s: Bound on that wait.

        Raises:
            ConfigurationError: ``code`` must not be sent.
        """
        code, reason = checked_close(code, reason)
        if after_playback and not self._closed.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(playback_timeout_s):
                    await self._engine.quiet()
        if not self._closing:
            self._closing = True
            self._stop_renewal()
            if self._outbox.held:  # between two connections
                self._reader.cancel()
            try:
                await self._transport.close(code, reason)
            except asyncio.CancelledError:
                self._end(TransportClosed(code, reason, by_peer=False))
                self._cancel_tasks()
                raise
            self._end(TransportClosed(code, reason, by_peer=False))
        await self._wind_up()

    async def wait_closed(self) -> CloseInfo:
        """How the session ended, once it has."""
        await self._closed.wait()
        assert self.close_info is not None, "set before the event"
        return self.close_info

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _end(self, end: TransportClosed) -> None:
        """The transport is gone: settle everything that waits. The first call counts."""
        if self._closed.is_set():
            return
        connection = self._protocol.connection
        connection.end(end.code, end.reason, by_application=self._closing or not end.by_peer, wanted=self._closing)
        log.info("= session %s ended, code %s", self.id, end.code)
        self._stop_renewal()
        self._outbox.end(end)
        self._sender.fail(connection.closed_error())
        self._engine.end()
        self._caller_voice.drop()
        self._closed.set()

    async def _wind_up(self) -> None:
        """End all tasks: handlers may finish what has come within the bound, others have nothing left to do."""
        limit_s = self._options.close_timeout_s
        tasks = self._tasks - {asyncio.current_task()}
        try:
            if tasks:
                await asyncio.wait(tasks, timeout=limit_s)
        finally:
            unfinished = self._cancel_tasks()
        if unfinished:
            _, deaf = await asyncio.wait(unfinished, timeout=limit_s)
            if deaf:
                log.error(
                    "= session %s is over, but %d handlers or tools ignore their cancellation", self.id, len(deaf)
                )

    def _cancel_tasks(self) -> set[asyncio.Task[None]]:
        unfinished = {task for task in self._tasks if task is not asyncio.current_task() and not task.done()}
        for task in unfinished:
            task.cancel()
        return unfinished

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run work as a task of this session; nothing else in the package makes one."""

        async def guarded() -> None:
            with contextlib.suppress(SessionClosedError):  # the end is told through every stream already
                await work

        task = asyncio.create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # a task that is cancelled before its first step never began it
        return task

    def _running_handlers(self) -> Handlers:
        if self._handlers is None:
            self._handlers = Handlers(self._streams.add("the queue of handlers"), self._handler_failed)
            self._start(self._run_handlers(self._handlers))
        return self._handlers

    async def _run_handlers(self, handlers: Handlers) -> None:
        try:
            await handlers.run()
        except SlowConsumerError as error:
            log.error("= no handler runs any more: %s", error)
            self._handler_failed(HandlerFailed("(all handlers)", "(queue)", error))

    def _handler_failed(self, told: HandlerFailed) -> None:
        self._streams.deliver(told, SESSION_EVENT_BYTES)
        if self._options.handler_errors == "end" and not (self._closing or self._closed.is_set()):
            self._end(TransportClosed(1011, f"handler {told.handler} failed", by_peer=False))
            self._start(self.close(1011, "a handler failed"))

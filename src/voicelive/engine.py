"""The engine of one session: what the protocol decides is done here, in order, without ever waiting.

In: frame -> event -> protocol -> effects -> streams. Out: a wish of the application -> protocol -> effects. The
session owns the tasks and the socket; the engine asks it to start work.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never
from weakref import WeakSet

from voicelive.approvals import ApprovalHandler, Approvals
from voicelive.conversation import Conversation
from voicelive.errors import BudgetReachedError, ConfigurationError, DecodeError
from voicelive.events import BudgetReached, BudgetWarning, SessionEvent, UndecodableFrame
from voicelive.options import ClientOptions
from voicelive.playback import Playback
from voicelive.protocol.calls import AnswerCall, Call, CancelCall, RunCall
from voicelive.protocol.core import SessionProtocol
from voicelive.protocol.effects import Effect, Flushed, Send, Tell
from voicelive.protocol.ledger import Confirmed, Refused
from voicelive.protocol.mcp import AskApproval
from voicelive.protocol.responses import OVER, Again, Ask, Began, Ended, Kind, Rejected, tagged
from voicelive.protocol.routing import TIMED
from voicelive.protocol.sideband import OnceEach, may_be_forwarded
from voicelive.protocol.usage_book import HEARS as USAGE
from voicelive.protocol.wishes import Wish
from voicelive.refusals import refusal
from voicelive.response import ResponseHandle
from voicelive.sending import Sender
from voicelive.streams import Streams
from voicelive.taps import SESSION_EVENT_BYTES
from voicelive.usage import SessionUsage
from voicelive.wire.client_events import ClientEvent, ConversationItemCreate, ResponseCreate
from voicelive.wire.codec import decode
from voicelive.wire.items import FunctionCallOutputItem
from voicelive.wire.responses import Response, ResponseCreateParams
from voicelive.wire.server.response import ResponseAudioDelta, ResponseAudioDone, ResponseCreated
from voicelive.wire.server.session import ServerEventErrorDetails
from voicelive.wire.server_events import ServerEvent, UnknownServerEvent

if TYPE_CHECKING:  # tools and budgets are loaded by applications that have some
    from voicelive.budget_guard import BudgetGuard
    from voicelive.session import Session
    from voicelive.tool_calls import ToolRuns
    from voicelive.tools.results import ToolResult
    from voicelive.tools.toolset import ToolSet

__all__ = ["Counts", "Engine"]

log = logging.getLogger("voicelive")


@dataclass(slots=True)
class Counts:
    """What was odd about the service's traffic so far.

    Attributes:
        undecodable_frames: Frames that were no JSON object.
        unknown_events: Events of a type without a class.
        malformed_events: Events of a known type whose fields did not fit.
        superseded_events: Frames that came over an old connection after a new one had taken its place, at a moment when
            nothing was under way. Not delivered.
        copied_events: Events of a WebRTC call that had come over its other channel, or once before. Not delivered.
        unbelieved_events: Events that a page forwarded and that only the service's own socket may tell. Not delivered.
    """

    undecodable_frames: int = 0
    unknown_events: int = 0
    malformed_events: int = 0
    superseded_events: int = 0
    copied_events: int = 0
    unbelieved_events: int = 0


class Engine:
    """Performs what the protocol decides. Everything here runs on the session's event loop and returns at once."""

    def __init__(
        self,
        session: Session,
        options: ClientOptions,
        sender: Sender,
        protocol: SessionProtocol,
        start: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        usage: SessionUsage,
        *,
        sideband: bool = False,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._once = OnceEach() if sideband else None
        self._session, self._sender, self._start = session, sender, start
        self._cancel: Callable[[str | None], Awaitable[None]] = session.cancel_response
        self.protocol = protocol
        self.streams = Streams(options.inbox_bytes)
        self.counts = Counts()
        self.playback = Playback(protocol.playback, self._loop.time, self.moved, lambda: protocol.cues_wait)
        self.conversation = Conversation(protocol.history)
        self._approvals = Approvals(self.tell, self.push)
        self._tools: ToolRuns | None = None
        self.guard: BudgetGuard | None = None
        """Who watches what the call costs, where somebody does."""
        self.usage = usage
        self._wanted: dict[str, ResponseHandle] = {}
        self._running: dict[str, WeakSet[ResponseHandle]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._looking_ahead = False
        self._ticked = 0.0
        self._over = False
        self._change = asyncio.Event()
        self._deciding: set[asyncio.Task[None]] = set()

    # -- in

    def take(self, frame: str | bytes, *, forwarded: bool = False) -> bool:
        """One frame of the service, or one that a page forwards; whether it was delivered."""
        if self._over:  # it came before the end and is read after it
            return False
        try:
            event = decode(frame)
        except DecodeError as error:
            self._undecodable(error)
            return False
        kind = type(event)
        if self._once is not None and not self._counts(event, self._once, forwarded=forwarded):
            return False
        if isinstance(event, UnknownServerEvent):
            self._count(event)
        spent = self._spend(event) if kind in USAGE else None
        effects = self.protocol.receive(event, self._loop.time(), forwarded=forwarded)
        for effect in effects:
            if not isinstance(effect, Tell | Ended):
                self._perform(effect)
        if self._running:
            self._collect(event)
        self.streams.deliver(event, len(frame))
        for effect in effects:
            if isinstance(effect, Tell | Ended):  # a handle ends with its last event
                self._perform(effect)
        if spent is not None:
            self._spent(event, spent)
        is_audio = kind is ResponseAudioDelta
        if is_audio or kind is ResponseAudioDone or effects:
            self.playback.wake()
        if effects or kind in TIMED or (is_audio and self.protocol.cues_wait):
            self._look_ahead()
        return True

    def tell(self, event: SessionEvent) -> None:
        """Deliver what the session itself has to say."""
        self.streams.deliver(event, SESSION_EVENT_BYTES)

    def moved(self) -> None:
        """Playback moved on, or time has passed."""
        if not self._over:
            self.perform(self.protocol.tick(self._loop.time()))

    def perform(self, effects: Iterable[Effect]) -> None:
        """Do what the protocol says, in its order."""
        for effect in effects:
            self._perform(effect)
        self._look_ahead()

    # -- out

    def sent(self, event: ClientEvent) -> None:
        """The application itself wrote this."""
        self.perform(self.protocol.sent(event, self._loop.time()))

    def want(
        self,
        params: ResponseCreateParams | None,
        additional_instructions: str | None = None,
        *,
        kind: Kind = Kind.ANSWER,
        interruptible: bool = True,
    ) -> tuple[str, ResponseHandle]:
        """A response is wanted; it is asked for when it may be."""
        wish_id, effects = self.protocol.wish(self._loop.time(), params, additional_instructions, kind)
        handle = ResponseHandle(self._cancel, lambda: self.give_up(wish_id), wish_id, interruptible=interruptible)
        self._wanted[wish_id] = handle
        self.perform(effects)
        return wish_id, handle

    def give_up(self, wish_id: str) -> bool:
        """Nobody wants this response any more; one that was asked for still comes, which is ``False``."""
        withdrawn = self.protocol.gate.withdraw(wish_id)
        if withdrawn:
            self._wanted.pop(wish_id, None)
            self._change.set()
        return withdrawn

    def use_tools(self, toolset: ToolSet) -> None:
        """Run the calls of these tools; calls of other functions in effect are the application's."""
        if self._tools is None:
            from voicelive.tool_calls import ToolRuns

            self._tools = ToolRuns(self._session, self._start, self.tell, self._answer, self._say, self.give_up)
        self._tools.use(toolset)

    @property
    def toolset(self) -> ToolSet | None:
        """The tools in use."""
        return self._tools.toolset if self._tools is not None else None

    def use_approvals(self, handler: ApprovalHandler | None) -> None:
        """Who says yes or no to MCP calls."""
        self._approvals.handler = handler

    async def quiet(self) -> None:
        """Wait until nothing is said any more and all of it was heard, or the session is over."""
        while not self._over and (self.playback.playing or not self.protocol.gate.idle):
            self._change.clear()
            await self._change.wait()

    async def at_rest(self) -> None:
        """Wait until nobody speaks, nothing is under way and all was heard, or the session is over."""
        while not self.is_at_rest():
            self._change.clear()
            await self._change.wait()

    def is_at_rest(self) -> bool:
        """Whether that is so."""
        return self._over or (self.protocol.at_rest(self._loop.time()) and not self.playback.playing)

    @property
    def over(self) -> bool:
        """Whether the session has ended."""
        return self._over

    def connection_lost(self) -> None:
        """Another connection is to come; the service's own questions were those of the old one."""
        for task in self._deciding:
            task.cancel()
        self.playback.wake()

    def other_session(self) -> None:
        """Events of another session of the service come from now on."""
        self._session.avatar.other_session()

    def end(self) -> None:
        """The session is over."""
        for effect in self.protocol.end(self._loop.time()):
            if isinstance(effect, Tell):
                self.tell(effect.event)
        self._over = True
        if self.guard is not None:
            self.guard.end()
        self.usage.end()
        if self._timer is not None:
            self._timer.cancel()
        error = self.protocol.connection.closed_error()
        for handle in self._wanted.values():
            handle.fail(error)
        for handles in self._running.values():
            for handle in handles:
                handle.fail(error)
        if self._tools is not None:
            self._tools.cancel_all()
        for task in self._deciding:
            task.cancel()
        self.playback.end()
        self._change.set()
        self.streams.end(self.protocol.connection.failure())

    # -- effects

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Confirmed() | Refused():
                self._sender.settle(effect)
            case Ask(wish=wish):
                self._ask(wish)
            case Began(response=response, wishes=wishes):
                self._began(response, wishes)
            case Ended(response=response):
                self._ended(response)
            case Again(response_id=response_id):
                for handle in self._running.pop(response_id, ()):
                    handle.again()
                    self._wanted[handle.wish_id] = handle
            case Rejected(wishes=wishes, error=error):
                self._rejected(wishes, error)
            case RunCall(call=call):
                self._run(call)
            case CancelCall(call_id=call_id):
                if self._tools is not None:
                    self._tools.cancel(call_id)
            case AnswerCall(call_id=call_id, output=output):
                self.push(ConversationItemCreate(item=FunctionCallOutputItem(call_id=call_id, output=output)))
            case AskApproval():
                task = self._start(self._approvals.decide(effect))
                self._deciding.add(task)
                task.add_done_callback(self._deciding.discard)
            case Flushed():
                self.playback.flushed()
                if self._tools is not None:
                    self._tools.interrupted()
            case Send(event=event):
                self.push(event)
            case Tell(event=told):
                self.tell(told)
            case _:
                assert_never(effect)

    def _ask(self, wish: Wish) -> None:
        request = ResponseCreate(event_id=wish.id, response=tagged(wish))
        if wish.additional_instructions is not None:
            request = request.model_copy(update={"additional_instructions": wish.additional_instructions})
        self.push(request)

    def _rejected(self, wishes: tuple[str, ...], error: ServerEventErrorDetails) -> None:
        for wish_id in wishes:
            handle = self._wanted.pop(wish_id, None)
            if handle is not None:
                handle.fail(BudgetReachedError() if error is OVER else refusal(error))

    def _run(self, call: Call) -> None:
        """Run a call, unless it is of a function that the application answers by hand."""
        tools = self._tools
        if tools is None or (call.name not in tools.toolset and call.name in self._declared()):
            self.perform(self.protocol.disown(call.call_id, self._loop.time()))
        else:
            self.protocol.running(call.call_id, tools.policy(call.name))
            tools.run(call)

    def _declared(self) -> set[str]:
        """Functions that the service was told of."""
        requested = self._session.requested
        told = [*(self.protocol.connection.settings.tools or ()), *((requested.tools if requested else None) or ())]
        return {tool.name for tool in told if tool.type == "function"}

    def _ended(self, response: Response) -> None:
        for handle in self._running.pop(response.id or "", ()):
            handle.end(response)

    def _began(self, response: Response, wishes: tuple[str, ...]) -> None:
        for wish_id in wishes:
            handle = self._wanted.pop(wish_id, None)
            if handle is not None:
                if not handle.interruptible:
                    self.protocol.protect(response.id or "")
                handle.begin(response)
                self._running.setdefault(response.id or "", WeakSet()).add(handle)

    def _answer(self, result: ToolResult) -> None:
        if not self._over:
            self.perform(self.protocol.answer(result.call_id, result.output, self._loop.time()))

    def _say(self, phrase: str) -> str | None:
        if self._over or self.protocol.connection.settings.interim_response is not None:
            return None  # the service itself bridges waits
        with contextlib.suppress(ConfigurationError):  # an OpenAI voice says no ready text; it is a courtesy
            return self.want(self._session.verbatim(phrase), kind=Kind.SAY)[0]
        return None

    def push(self, event: ClientEvent) -> None:
        """Put an event on the wire in turn, without waiting."""
        if not self._over:
            self.protocol.history.sent(event, self._loop.time())
            lasting = isinstance(event, ConversationItemCreate) and isinstance(event.item, FunctionCallOutputItem)
            self._sender.push(event, self._start, lasting=lasting)

    def _collect(self, event: ServerEvent) -> None:
        """Give handles the events of their response; what no class fits may hold anything there."""
        response = getattr(event, "response", None)
        response_id = response.id if isinstance(response, Response) else getattr(event, "response_id", None)
        for handle in self._running.get(response_id if isinstance(response_id, str) else "", ()):
            handle.add(event)

    def _spend(self, event: ServerEvent) -> list[BudgetWarning | BudgetReached]:
        """Count what was used; a budget that is reached holds back what would be asked for next."""
        used = self.protocol.count(event, self._loop.time())
        said = self.guard.look() if used and self.guard is not None else []
        if used:
            self.usage.counted()
        return said

    def _spent(self, event: ServerEvent, said: list[BudgetWarning | BudgetReached]) -> None:
        """The event was delivered: tell what it means for the budget."""
        if self.guard is not None:
            if isinstance(event, ResponseCreated):
                self.guard.began(event)
            self.guard.told(said)

    def _undecodable(self, error: DecodeError) -> None:
        self.counts.undecodable_frames += 1
        log.warning("< %s", error)
        self.tell(UndecodableFrame(error.problem, error.frame_bytes, self.counts.undecodable_frames))

    def _counts(self, event: ServerEvent, once: OnceEach, *, forwarded: bool) -> bool:
        """Whether an event of a call counts: a page is not believed everything, and each counts once."""
        if forwarded and not may_be_forwarded(event):
            self.counts.unbelieved_events += 1
            log.warning("< a page forwarded an event that only the socket may bring; not delivered")
            return False
        if not once.is_new(event):
            self.counts.copied_events += 1
            return False
        return True

    def _count(self, event: UnknownServerEvent) -> None:
        if event.malformed:
            self.counts.malformed_events += 1
            log.warning("< event %s has fields of an unexpected kind; delivered as it is", event.kind)
        else:
            self.counts.unknown_events += 1

    def _look_ahead(self) -> None:
        """Ask once for what is due next, however many events come together."""
        if not self._looking_ahead:
            self._looking_ahead = True
            self._loop.call_soon(self._set_timer)

    def _set_timer(self) -> None:
        self._looking_ahead = False
        self._change.set()
        now = max(self._loop.time(), self._ticked)  # a tick that came early has told of a moment that is still to come
        due_at = None if self._over else self.protocol.due_at(now)
        if self._timer is not None:
            if self._timer.when() == due_at:
                return
            self._timer.cancel()
            self._timer = None
        if due_at is not None:
            self._timer = self._loop.call_at(due_at, self._tick, due_at)

    def _tick(self, due_at: float) -> None:
        self._timer = None
        if not self._over:  # event loops may call a clock's tick early; then what was due is not to be asked for again
            self._ticked = max(due_at, self._loop.time())
            self.perform(self.protocol.tick(self._ticked))

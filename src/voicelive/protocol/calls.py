"""Tool calls: which are owed, which are answered, and when the model may speak about the results.

Keeps ids, not "the current call": several calls of one response run side by side, and calls of two responses may
overlap. Every call gets exactly one output. When all calls of a response have theirs and the response itself is
done, one follow-up response is wanted. Whether a tool exists and what it does is the shell's business.

On a sideband, the socket of a WebRTC call, function calls come by themselves: of their responses, and of the caller's
turns, only a page tells, if it forwards what it hears. A response that nobody has told of counts as done. Arguments are
taken from the socket alone: a page is somebody else's program, and may lend a call no more than its name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Set
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal, TypeAlias

from voicelive.wire.items import ResponseFunctionCallItem, ResponseFunctionCallOutputItem
from voicelive.wire.server.conversation import (
    ConversationItemCreated,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
)
from voicelive.wire.server.response import (
    ResponseCreated,
    ResponseDone,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
)
from voicelive.wire.server.tool_calls import ResponseFunctionCallArgumentsDone
from voicelive.wire.server_events import ServerEvent

__all__ = [
    "AnswerCall",
    "Call",
    "CallEffect",
    "CallTrouble",
    "Calls",
    "CancelCall",
    "FollowUp",
    "Odd",
    "OnBargeIn",
    "RunCall",
]

HEARS: Final = frozenset(
    {
        ResponseCreated,
        ResponseOutputItemAdded,
        ResponseFunctionCallArgumentsDone,
        ResponseOutputItemDone,
        ResponseDone,
        ConversationItemCreated,
        InputAudioBufferCommitted,
        InputAudioBufferSpeechStarted,
    }
)
"""Events that move a call; others need not be shown."""

_DONE_KEPT: Final = 16  # responses whose calls may still be told of after their end
DEFAULT_MAX_ROUNDS: Final = 8  # a person rarely waits for more steps than that; loops are cut off here


TOO_MANY_ROUNDS: Final = '{"error":{"type":"too_many_rounds","message":"No more functions now; answer in words."}}'


@dataclass(frozen=True, slots=True)
class Call:
    """A function that the model wants to be called.

    Attributes:
        arguments: JSON text as the model wrote it: untrusted input.
    """

    call_id: str
    name: str
    arguments: str = field(repr=False)
    response_id: str
    item_id: str


@dataclass(frozen=True, slots=True)
class RunCall:
    """Run this call."""

    call: Call


@dataclass(frozen=True, slots=True)
class CancelCall:
    """Stop running this call; the caller has moved on."""

    call_id: str


@dataclass(frozen=True, slots=True)
class AnswerCall:
    """Send this output; it is the only one for its call."""

    call_id: str
    output: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Ask for the response that speaks about the results.

    Attributes:
        tools_allowed: ``False`` when the limit of rounds is reached, so that the model must speak now.
        unseen: Calls whose outputs the service has not confirmed yet.
    """

    tools_allowed: bool
    unseen: frozenset[str] = frozenset()


class CallTrouble(Enum):
    """What can be odd about a call or its answer."""

    DUPLICATE_CALL = "duplicate_call"
    DUPLICATE_ANSWER = "duplicate_answer"
    UNKNOWN_CALL = "unknown_call"
    TOO_MANY_ROUNDS = "too_many_rounds"


@dataclass(frozen=True, slots=True)
class Odd:
    """Tell the application."""

    call_id: str
    trouble: CallTrouble


CallEffect: TypeAlias = RunCall | CancelCall | AnswerCall | FollowUp | Odd

OnBargeIn: TypeAlias = Literal["cancel", "finish", "finish_silently"]


@dataclass(slots=True)
class _Batch:
    """The calls of one response."""

    owed: set[str] = field(default_factory=set)
    silent: bool = True
    """No call of it wants the results to be spoken."""
    by_hand: bool = False
    """The application answers a call of it, and then asks for the response to all of them."""
    done: bool = False
    unseen: set[str] = field(default_factory=set)


class Calls:
    """The tool calls of one session. Pure: same calls, same answers.

    Args:
        max_rounds: Follow-ups within one turn of the caller after which the model must speak. On a sideband it holds
            from the first turn that was told of.
        sideband: Whether responses may run that no event tells of.
    """

    def __init__(self, max_rounds: int = DEFAULT_MAX_ROUNDS, *, sideband: bool = False) -> None:
        self._max_rounds = max_rounds
        self._sideband = sideband
        self._told_of_turns = not sideband
        self._running: set[str] = set()
        """Responses that were told of and have not ended; kept on a sideband only."""
        self._nameless: dict[str, ResponseFunctionCallArgumentsDone] = {}
        self._followed_up: str | None = None
        self._rounds = 0
        self._names: dict[str, str] = {}
        self._seen: dict[str, str] = {}
        self._answered: set[str] = set()
        self._silent: set[str] = set()
        self._batches: dict[str, _Batch] = {}
        self._done: deque[str] = deque(maxlen=_DONE_KEPT)

    @property
    def owed(self) -> bool:
        """Whether a call waits for its output."""
        return bool(self._batches) and any(batch.owed for batch in self._batches.values())

    def receive(self, event: ServerEvent, *, forwarded: bool = False) -> list[CallEffect]:
        """Take in an event; a call begins as soon as its arguments are whole.

        Args:
            event: Any server event; most move nothing.
            forwarded: Whether it comes from a page.
        """
        if isinstance(event, ResponseOutputItemAdded):
            if isinstance(event.item, ResponseFunctionCallItem):
                return self._named(event.item)
        elif isinstance(event, ResponseFunctionCallArgumentsDone):
            name = event.name or self._names.get(event.call_id)
            if name:
                return self._begin(Call(event.call_id, name, event.arguments, event.response_id, event.item_id))
            self._nameless[event.call_id] = event  # the finished item tells its name
        elif isinstance(event, ResponseOutputItemDone):
            if isinstance(event.item, ResponseFunctionCallItem):
                return self._named(event.item) if forwarded else self._from_item(event.item, event.response_id)
        elif isinstance(event, ResponseCreated):
            self._response_begun(event.response.id or "")
        elif isinstance(event, InputAudioBufferSpeechStarted):
            if self._sideband:  # where nothing tells of the commit
                self._told_of_turns, self._rounds = True, 0
        elif isinstance(event, ResponseDone):
            return self._response_done(event.response.id or "")
        elif isinstance(event, ConversationItemCreated):
            if isinstance(event.item, ResponseFunctionCallOutputItem):
                self._confirmed(event.item.call_id)
        elif isinstance(event, InputAudioBufferCommitted):
            self._rounds = 0
        return []

    def new_turn(self) -> None:
        """The application itself asked for something: rounds count anew."""
        self._rounds = 0

    def answer(self, call_id: str, output: str, *, silent: bool = False) -> list[CallEffect]:
        """The result of a call.

        Args:
            call_id: The call.
            output: What the model gets.
            silent: Whether the model need not speak about it.
        """
        if call_id not in self._seen:
            return [Odd(call_id, CallTrouble.UNKNOWN_CALL)]
        if call_id in self._answered:
            return [Odd(call_id, CallTrouble.DUPLICATE_ANSWER)]
        return [AnswerCall(call_id, output), *self._settle(call_id, silent=silent)]

    def answered_elsewhere(self, call_id: str) -> list[CallEffect]:
        """The application sent the output itself."""
        if call_id not in self._seen or call_id in self._answered:
            return []
        return [CancelCall(call_id), *self._settle(call_id, silent=True)]

    def disown(self, call_id: str) -> None:
        """Somebody else answers this call, and asks for the response; it is not owed here."""
        response_id = self._seen.get(call_id, "")
        batch = self._batches.get(response_id)
        if batch is not None and call_id not in self._answered:
            self._answered.add(call_id)
            batch.owed.discard(call_id)
            batch.by_hand = True
            self._follow_up(response_id)  # none is due; the batch may be over

    def interrupted(self, policies: dict[str, OnBargeIn]) -> list[CallEffect]:
        """The caller spoke while calls run: what happens to each is its tool's policy."""
        effects: list[CallEffect] = []
        for call_id, policy in policies.items():
            if call_id not in self._seen or call_id in self._answered:
                continue
            if policy == "cancel":
                effects.append(CancelCall(call_id))
            if policy != "finish":
                self._silent.add(call_id)
        return effects

    def connection_lost(self) -> tuple[frozenset[str], list[CallEffect]]:
        """No event of the running responses will come any more: those with calls that began, and what follows.

        Calls that began go on and stay owed; those whose arguments were not whole are forgotten.
        """
        self._names.clear()
        self._nameless.clear()
        effects: list[CallEffect] = []
        began = frozenset(response_id for response_id in self._seen.values() if response_id not in self._done)
        for response_id, batch in list(self._batches.items()):
            batch.unseen.clear()  # the new session is told of all results
            if not batch.done:
                effects += self._response_done(response_id)
        return began, effects

    @property
    def begun_ids(self) -> Set[str]:
        """All calls of this session whose arguments were whole."""
        return self._seen.keys()

    @property
    def owed_ids(self) -> frozenset[str]:
        """Calls that wait for their output."""
        return frozenset(call_id for batch in self._batches.values() for call_id in batch.owed)

    def _named(self, item: ResponseFunctionCallItem) -> list[CallEffect]:
        """What a call is called; it begins where only that was missing."""
        known = self._nameless.pop(item.call_id, None)
        if known is not None:
            return self._begin(Call(known.call_id, item.name, known.arguments, known.response_id, known.item_id))
        if item.call_id not in self._seen:
            self._names[item.call_id] = item.name
        return []

    def _response_begun(self, response_id: str) -> None:
        if self._sideband:
            self._running.add(response_id)
            batch = self._batches.get(response_id)
            if batch is not None:  # the call itself came faster
                batch.done = False

    def _is_done(self, response_id: str) -> bool:
        return response_id in self._done or (self._sideband and response_id not in self._running)

    def _from_item(self, item: ResponseFunctionCallItem, response_id: str) -> list[CallEffect]:
        if item.status == "incomplete":  # cut off before its arguments were whole
            self._names.pop(item.call_id, None)
            return []
        if item.call_id in self._seen:  # its arguments told it already
            return []
        return self._begin(Call(item.call_id, item.name, item.arguments, response_id, item.id or ""))

    def _begin(self, call: Call) -> list[CallEffect]:
        self._names.pop(call.call_id, None)
        self._nameless.pop(call.call_id, None)
        if call.call_id in self._seen:
            return [Odd(call.call_id, CallTrouble.DUPLICATE_CALL)]
        self._seen[call.call_id] = call.response_id
        batch = self._batches.setdefault(call.response_id, _Batch(done=self._is_done(call.response_id)))
        batch.owed.add(call.call_id)
        beyond = self._rounds >= self._max_rounds and call.response_id != self._followed_up
        if self._told_of_turns and beyond:
            odd = Odd(call.call_id, CallTrouble.TOO_MANY_ROUNDS)
            return [odd, *self.answer(call.call_id, TOO_MANY_ROUNDS)]
        return [RunCall(call)]

    def _settle(self, call_id: str, *, silent: bool) -> list[CallEffect]:
        self._answered.add(call_id)
        response_id = self._seen[call_id]
        batch = self._batches[response_id]
        batch.owed.discard(call_id)
        batch.unseen.add(call_id)
        batch.silent = batch.silent and (silent or call_id in self._silent)
        self._silent.discard(call_id)
        return self._follow_up(response_id)

    def _confirmed(self, call_id: str) -> None:
        batch = self._batches.get(self._seen.get(call_id, ""))
        if batch is not None:
            batch.unseen.discard(call_id)

    def _response_done(self, response_id: str) -> list[CallEffect]:
        self._done.append(response_id)
        self._running.discard(response_id)
        batch = self._batches.get(response_id)
        if batch is None:
            return []
        batch.done = True
        return self._follow_up(response_id)

    def _follow_up(self, response_id: str) -> list[CallEffect]:
        batch = self._batches[response_id]
        if batch.owed or not batch.done:
            return []
        del self._batches[response_id]
        limited = self._told_of_turns
        if batch.silent or batch.by_hand or (limited and self._rounds > self._max_rounds):
            return []
        if response_id != self._followed_up:  # further calls of a response that nobody told of are of the same round
            self._rounds += 1
        self._followed_up = response_id
        return [FollowUp(not limited or self._rounds <= self._max_rounds, frozenset(batch.unseen))]

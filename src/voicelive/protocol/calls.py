"""Tool calls: which are owed, which are answered, and when the model may speak about the results.

Keeps ids, not "the current call": several calls of one response run side by side, and calls of two responses may
overlap. Every call gets exactly one output. When all calls of a response have theirs and the response itself is
done, one follow-up response is wanted. Whether a tool exists and what it does is the shell's business.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Set
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal, TypeAlias

from voicelive.wire.items import ResponseFunctionCallItem, ResponseFunctionCallOutputItem
from voicelive.wire.server.conversation import ConversationItemCreated, InputAudioBufferCommitted
from voicelive.wire.server.response import ResponseDone, ResponseOutputItemAdded, ResponseOutputItemDone
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
        ResponseOutputItemAdded,
        ResponseFunctionCallArgumentsDone,
        ResponseOutputItemDone,
        ResponseDone,
        ConversationItemCreated,
        InputAudioBufferCommitted,
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
    """The tool calls of one session. Pure: same calls, same answers."""

    def __init__(self, max_rounds: int = DEFAULT_MAX_ROUNDS) -> None:
        self._max_rounds = max_rounds
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

    def receive(self, event: ServerEvent) -> list[CallEffect]:
        """Take in an event; a call begins as soon as its arguments are whole."""
        if isinstance(event, ResponseOutputItemAdded):
            if isinstance(event.item, ResponseFunctionCallItem):
                self._names[event.item.call_id] = event.item.name
        elif isinstance(event, ResponseFunctionCallArgumentsDone):
            name = event.name or self._names.get(event.call_id)
            if name:  # otherwise the finished item tells it
                return self._begin(Call(event.call_id, name, event.arguments, event.response_id, event.item_id))
        elif isinstance(event, ResponseOutputItemDone):
            if isinstance(event.item, ResponseFunctionCallItem):
                return self._from_item(event.item, event.response_id)
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

    def _from_item(self, item: ResponseFunctionCallItem, response_id: str) -> list[CallEffect]:
        if item.status == "incomplete":  # cut off before its arguments were whole
            self._names.pop(item.call_id, None)
            return []
        if item.call_id in self._seen:  # its arguments told it already
            return []
        return self._begin(Call(item.call_id, item.name, item.arguments, response_id, item.id or ""))

    def _begin(self, call: Call) -> list[CallEffect]:
        self._names.pop(call.call_id, None)
        if call.call_id in self._seen:
            return [Odd(call.call_id, CallTrouble.DUPLICATE_CALL)]
        self._seen[call.call_id] = call.response_id
        batch = self._batches.setdefault(call.response_id, _Batch(done=call.response_id in self._done))
        batch.owed.add(call.call_id)
        if self._rounds >= self._max_rounds:
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
        if batch.silent or batch.by_hand or self._rounds > self._max_rounds:
            return []
        self._rounds += 1
        return [FollowUp(self._rounds <= self._max_rounds, frozenset(batch.unseen))]

"""When a response may be asked for: one at a time.

The service answers one response at a time, starts some by itself (turn detection), and refuses another one
meanwhile. So wishes wait here: behind the active response, behind tool results that are owed, and behind the answer
that turn detection is about to start. That reservation begins with ``speech_started`` and ends with
``response.created``; a turn that never gets its answer must not block for ever, so it also ends 5 s after
``committed`` and 30 s after the last ``speech_started``. A response of ours that was on its way already is not that
answer. What the service never answers at all is given up after 30 s.

Out-of-band responses (``conversation: "none"``) run beside the conversation and wait for nothing.

On a sideband, the socket of a WebRTC call, responses may run that no event tells of. As long as none was told of, a
request that is not refused counts as answered after a moment, speech reserves nothing, and a refused one is tried again
soon.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from voicelive.protocol.wishes import TAG, Kind, Wish, tagged
from voicelive.wire.items import FunctionCallOutputItem, ResponseFunctionCallOutputItem
from voicelive.wire.responses import Response
from voicelive.wire.server.conversation import (
    ConversationItemCreated,
    InputAudioBufferCleared,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
)
from voicelive.wire.server.response import ResponseCreated, ResponseDone
from voicelive.wire.server.session import ServerEventErrorDetails
from voicelive.wire.server_events import ServerEvent

__all__ = ["Again", "Ask", "Began", "Ended", "Gate", "GateEffect", "Kind", "Rejected", "Wish", "tagged"]

ANSWER_AFTER_COMMIT_S: Final = 5.0
ANSWER_AFTER_SPEECH_S: Final = 30.0
ANSWER_AFTER_REQUEST_S: Final = 30.0  # beyond it the request is lost; measured: response.created within 0.1 s
RETRY_S: Final = 5.0  # after a refusal for a response that no event has told of
UNTOLD_RETRY_S: Final = 1.0  # the same where no response is ever told of, so that every end of one is a guess
UNTOLD_ANSWER_S: Final = 1.0  # a refusal comes within a round trip
FURTHER_CALLS_S: Final = 0.3  # a model writes its next call of the same response within less

HEARS: Final = frozenset(
    {
        InputAudioBufferSpeechStarted,
        InputAudioBufferCommitted,
        InputAudioBufferCleared,
        ConversationItemCreated,
        ResponseCreated,
        ResponseDone,
    }
)
"""Events that move the gate; others need not be shown to it."""

ALREADY_ACTIVE: Final = "conversation_already_has_active_response"
NO_ANSWER: Final = ServerEventErrorDetails(
    type="no_answer",
    code="no_answer",
    message=f"the service did not answer response.create within {ANSWER_AFTER_REQUEST_S:.0f} s",
)


OVER: Final = ServerEventErrorDetails(
    type="budget_reached", code="budget_reached", message="no response is asked for any more"
)


@dataclass(frozen=True, slots=True)
class Ask:
    """Send ``response.create`` for this wish."""

    wish: Wish


@dataclass(frozen=True, slots=True)
class Began:
    """A response began; ``wishes`` are ours that it fulfils, none where the service started it by itself."""

    response: Response
    wishes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """A response ended."""

    response: Response


@dataclass(frozen=True, slots=True)
class Rejected:
    """The service refused these wishes for good."""

    wishes: tuple[str, ...]
    error: ServerEventErrorDetails


@dataclass(frozen=True, slots=True)
class Again:
    """A running response went with its connection; these wishes of ours that it fulfilled are asked for again."""

    response_id: str
    wishes: tuple[str, ...]


GateEffect: TypeAlias = Ask | Began | Ended | Rejected | Again


@dataclass(slots=True)
class _Entry:
    """One ``response.create``, which may fulfil several wishes that were joined."""

    wishes: list[Wish]
    number: int = 0
    """Order of sending."""
    asked_at: float = 0.0
    withdrawn: set[str] = field(default_factory=set)
    """Wishes taken back after it was sent."""
    unseen: set[str] = field(default_factory=set)
    """Calls whose outputs the service has not confirmed yet."""
    covered_by: Response | None = None
    """The automatic response that is the answer already, should the service refuse this one."""

    @property
    def wish(self) -> Wish:
        return self.wishes[0]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(wish.id for wish in self.wishes)

    @property
    def follows_up(self) -> bool:
        return all(wish.kind is Kind.FOLLOW_UP for wish in self.wishes)

    @property
    def has_tag(self) -> bool:
        return TAG in (tagged(self.wish).metadata or {})

    def join(self, other: _Entry) -> None:
        self.wishes += other.wishes
        self.unseen |= other.unseen

    def without(self, unwanted: set[str]) -> _Entry | None:
        """What is left of it; ``None`` where nobody wants it any more."""
        wishes = [wish for wish in self.wishes if wish.id not in unwanted]
        return _Entry(wishes, unseen=self.unseen) if wishes else None


class Gate:
    """The responses of one session. Pure: same calls, same answers.

    Args:
        sideband: Whether responses may run that no event tells of.
    """

    def __init__(self, *, sideband: bool = False) -> None:
        self.blind = sideband
        """Whether responses may run unseen: on a sideband, until one is told of."""
        self.active_id: str | None = None
        """The running response of the conversation."""
        self._queue: deque[_Entry] = deque()
        self._sent: _Entry | None = None
        self._guessed: _Entry | None = None
        """What the running response was taken for by order alone; the service may still refuse it."""
        self._active: _Entry | None = None
        """What of ours the running response fulfils; ``None`` where the service started it by itself."""
        self._unwanted = False
        """Whether the running response was cancelled or cut off: nobody waits for the rest of it."""
        self._answer_due = False
        """Whether a turn is committed and its automatic answer has not begun."""
        self._held = False
        self._last_wishes: frozenset[str] | None = None
        """What alone may still be asked for, once the end was decided."""
        self._beside: dict[str, _Entry] = {}
        self._beside_running: dict[str, _Entry] = {}
        self._reserved_until: float | None = None
        self._refused_until: float | None = None
        self._tags_come_back = False
        self._asked = 0

    @property
    def follow_up_pending(self) -> bool:
        """Whether the answer to tool results is still to begin."""
        if self._sent is None and not self._queue:
            return False
        entries = [*self._queue, *([self._sent] if self._sent is not None else [])]
        return any(wish.kind is Kind.FOLLOW_UP for entry in entries for wish in entry.wishes)

    @property
    def reserved(self) -> bool:
        """Whether turn detection is about to answer."""
        return self._reserved_until is not None

    @property
    def idle(self) -> bool:
        """Whether nothing runs, waits or is about to begin."""
        return self.active_id is None and self._sent is None and not self._queue and not self.reserved

    def is_beside(self, response_id: str) -> bool:
        """Whether a running response is out of band."""
        return response_id in self._beside_running

    # -- what the application wants

    def wish(self, wish: Wish, now: float, *, owed: bool) -> list[GateEffect]:
        """Take a wish in; it may be due at once."""
        if self._last_wishes is not None:
            return [Rejected((wish.id,), OVER)]
        entry = _Entry([wish], unseen=set(wish.unseen))
        if wish.beside:
            self._beside[wish.id] = entry
            return [] if self._held else [self._ask(entry, now)]
        twin = self._twin(entry)
        if twin is None:
            self._queue.append(entry)
        else:
            twin.join(entry)
        return self.pump(now, owed=owed)

    def stop(self, last_wishes: frozenset[str]) -> list[GateEffect]:
        """Ask for nothing more but for these; what runs goes on."""
        self._last_wishes = last_wishes
        self._reserved_until, self._answer_due = None, False
        dropped = [entry for entry in self._queue if not self._may_be_asked(entry)]
        self._queue = deque(entry for entry in self._queue if self._may_be_asked(entry))
        if self._held:  # those were not sent yet
            dropped += self._beside.values()
            self._beside = {}
        return [Rejected(entry.ids, OVER) for entry in dropped]

    def withdraw(self, wish_id: str) -> bool:
        """Take a wish back; ``False`` when it was sent already: it may still begin, but is not asked for again."""
        for place, entry in enumerate(self._queue):
            if wish_id in entry.ids:
                rest = entry.without({wish_id})
                del self._queue[place]
                if rest is not None:
                    self._queue.insert(place, rest)
                return True
        for sent in (self._sent, self._guessed):
            if sent is not None and wish_id in sent.ids:
                sent.withdrawn.add(wish_id)
        return False

    def cancelled(self, response_id: str | None) -> None:
        """The running response was cancelled or cut off; ``None``: whichever it is."""
        if response_id in (self.active_id, None):
            self._unwanted = True

    # -- one connection after another

    def hold(
        self, *, answered_otherwise: Set[str], question_known: bool, answer_id: str
    ) -> tuple[bool, list[GateEffect]]:
        """The connection is gone: ask for nothing until ``resume``, and then first for what was due on it.

        Tells whether the running response, or the automatic one that was due, is among that.

        Args:
            answered_otherwise: Responses that need not be asked for again, since they made calls: their results are.
            question_known: Whether an answer that the service had begun by itself still makes sense.
            answer_id: Id for the wish that takes the place of such an answer.
        """
        lost_id, wanted = self.active_id or "", not self._unwanted and self.active_id not in answered_otherwise
        running = dict(self._beside_running)
        if self._sent is not None:
            self._requeue(self._sent)
        if self._active is not None and wanted:
            running[lost_id] = self._active
            self._requeue(self._active)
        again = self._active is not None and wanted
        automatic = self._answer_due or (self.active_id is not None and self._active is None)
        if automatic and wanted and question_known:
            again = True
            self._requeue(_Entry([Wish(answer_id, kind=Kind.FOLLOW_UP)]))
        self._beside |= {entry.wish.id: entry for entry in self._beside_running.values()}
        self._forget_connection()
        self._held = True
        return again, [Again(response_id, entry.ids) for response_id, entry in running.items()]

    def _forget_connection(self) -> None:
        self.active_id = self._sent = self._guessed = self._active = None
        self._reserved_until = self._refused_until = None
        self._unwanted = self._answer_due = self._tags_come_back = False
        self._beside_running = {}

    def resume(self, now: float, *, owed: bool) -> list[GateEffect]:
        """There is a new connection."""
        self._held = False
        return [*(self._ask(entry, now) for entry in self._beside.values()), *self.pump(now, owed=owed)]

    # -- what the service says

    def receive(self, event: ServerEvent, now: float, *, answers: bool, owed: bool) -> list[GateEffect]:
        """Take in an event.

        Args:
            event: Any server event; most move nothing.
            now: Seconds on any steady clock.
            answers: Whether turn detection starts a response by itself (``create_response``).
            owed: Whether tool results are owed.
        """
        if isinstance(event, InputAudioBufferSpeechStarted):
            if answers and not self.blind and self._last_wishes is None:
                self._reserved_until = now + ANSWER_AFTER_SPEECH_S
        elif isinstance(event, InputAudioBufferCommitted):
            if self._reserved_until is not None:
                self._reserved_until = now + ANSWER_AFTER_COMMIT_S
                self._answer_due = True
        elif isinstance(event, InputAudioBufferCleared):
            self._reserved_until, self._answer_due = None, False
            return self.pump(now, owed=owed)
        elif isinstance(event, ConversationItemCreated):
            self._confirmed(event)
        elif isinstance(event, ResponseCreated):
            self.blind = False
            return [*self._began(event.response), *self.pump(now, owed=owed)]  # one that replaces may be due
        elif isinstance(event, ResponseDone):
            return self._done(event.response, now, owed=owed)
        return []

    def refused(self, wish_id: str, error: ServerEventErrorDetails, now: float, *, owed: bool) -> list[GateEffect]:
        """The service refused a request of ours, by its ``event_id``."""
        if wish_id in self._beside:
            return [Rejected(self._beside.pop(wish_id).ids, error)]
        entry = self._refused_entry(wish_id, error)
        if entry is None:
            return []
        if error.code != ALREADY_ACTIVE:
            return [Rejected(entry.ids, error), *self.pump(now, owed=owed)]
        if entry.covered_by is not None:
            return [Began(entry.covered_by, entry.ids)]
        self._requeue(entry)  # it raced with an automatic one: next in line when that is done
        if self.active_id is None:
            self._refused_until = now + (UNTOLD_RETRY_S if self.blind else RETRY_S)
        return self.pump(now, owed=owed)

    # -- time

    def due_at(self) -> float | None:
        """When ``pump`` should be called at the latest; ``None``: only events can change anything."""
        if self._reserved_until is None and self._refused_until is None and self._sent is None:
            return None
        waits = [until for until in (self._reserved_until, self._refused_until) if until is not None]
        if self._sent is not None:
            waits.append(self._sent.asked_at + self._answer_within_s)
        return min(waits, default=None)

    def await_further_calls(self, now: float) -> None:
        """A response that nobody has told of may go on to call functions; its results are spoken about together."""
        if self.blind:
            self._refused_until = max(self._refused_until or 0.0, now + FURTHER_CALLS_S)

    def pump(self, now: float, *, owed: bool) -> list[GateEffect]:
        """Send the next wish if nothing stands in its way."""
        if self._held:
            return []
        effects = self._expire(now)
        if self._sent is not None or self._reserved_until is not None or self._refused_until is not None:
            return effects
        for place, entry in enumerate(self._queue):
            if self.active_id is not None and not entry.wish.replaces:
                continue
            if owed and entry.wish.kind is not Kind.SAY:
                continue
            del self._queue[place]
            self._sent = entry
            return [*effects, self._ask(entry, now)]
        return effects

    # -- inside

    @property
    def _answer_within_s(self) -> float:
        return UNTOLD_ANSWER_S if self.blind else ANSWER_AFTER_REQUEST_S

    def _may_be_asked(self, entry: _Entry) -> bool:
        return self._last_wishes is None or not self._last_wishes.isdisjoint(entry.ids)

    def _ask(self, entry: _Entry, now: float) -> Ask:
        self._asked += 1
        entry.number, entry.asked_at = self._asked, now
        return Ask(entry.wish)

    def _requeue(self, entry: _Entry) -> None:
        """Put what nobody has taken back at the head of the line."""
        rest = entry.without(entry.withdrawn)
        if rest is None or not self._may_be_asked(rest):
            return
        twin = self._twin(rest)
        if twin is not None:
            self._queue.remove(twin)
            rest.join(twin)
        self._queue.appendleft(rest)

    def _twin(self, entry: _Entry) -> _Entry | None:
        """What the entry can be joined with."""
        return next((other for other in self._queue if other.wish.plain), None) if entry.wish.plain else None

    def _expire(self, now: float) -> list[GateEffect]:
        if self._reserved_until is not None and now >= self._reserved_until:
            self._reserved_until, self._answer_due = None, False
        if self._refused_until is not None and now >= self._refused_until:
            self._refused_until = None
        entry = self._sent
        if entry is None or now < entry.asked_at + self._answer_within_s:
            return []
        self._sent = None
        if self.blind:
            return []  # it runs, as far as can be known
        return [Rejected(entry.ids, NO_ANSWER)]

    def _confirmed(self, event: ConversationItemCreated) -> None:
        if isinstance(event.item, FunctionCallOutputItem | ResponseFunctionCallOutputItem):
            for entry in (*self._queue, *([self._sent] if self._sent is not None else [])):
                entry.unseen.discard(event.item.call_id)

    def _began(self, response: Response) -> list[GateEffect]:
        response_id = response.id or ""
        if response_id and (response_id in self._beside_running or response_id == self.active_id):
            return []  # told twice
        tag = (response.metadata or {}).get(TAG)
        self._tags_come_back = self._tags_come_back or tag is not None
        entry = self._asked_for(response, tag)
        if entry is not None and entry.wish.beside:
            del self._beside[entry.wish.id]
            self._beside_running[response_id] = entry
            return [Began(response, entry.ids)]
        self.active_id = response_id
        self._refused_until = None
        if entry is None or tag is None:  # ours would leave the answer to the caller still to come
            self._reserved_until = None
        self._answer_due = self._answer_due and entry is not None and tag is not None  # ours is not that answer
        self._guessed = entry if tag is None else None
        self._active, self._unwanted = entry, False
        if entry is None:
            return [Began(response, self._made_needless(response))]
        self._sent = None
        return [Began(response, entry.ids)]

    def _asked_for(self, response: Response, tag: str | None) -> _Entry | None:
        """What of ours this response is; by tag, or by order among those that cannot be told by it."""
        asked = [*self._beside.values(), *([self._sent] if self._sent is not None else [])]
        if tag is not None:
            return next((entry for entry in asked if entry.wish.id == tag), None)
        if self._tags_come_back:
            asked = [entry for entry in asked if not entry.has_tag]
        if "conversation_id" in response.model_fields_set:
            beside = [entry for entry in asked if entry.wish.beside]
            if response.conversation_id is not None:
                asked = [entry for entry in asked if not entry.wish.beside]
            elif beside:  # some services never name the conversation
                asked = beside
        return min(asked, key=lambda entry: entry.number, default=None)

    def _made_needless(self, response: Response) -> tuple[str, ...]:
        """An automatic response sees all tool results that the service had before, so it is the answer to them."""
        ids: tuple[str, ...] = ()
        for entry in list(self._queue):
            if entry.follows_up and not entry.unseen:
                self._queue.remove(entry)
                ids += entry.ids
        if self._sent is not None and self._sent.follows_up and not self._sent.unseen:
            self._sent.covered_by = response
        return ids

    def _refused_entry(self, wish_id: str, error: ServerEventErrorDetails) -> _Entry | None:
        """What was refused; the code alone tells it where the service names no request."""
        nameless = not wish_id and error.code == ALREADY_ACTIVE
        entry = self._sent
        if entry is not None and (entry.wish.id == wish_id or nameless):
            self._sent = None
            return entry
        guessed = self._guessed
        if guessed is not None and error.code == ALREADY_ACTIVE and guessed.wish.id == wish_id:
            self._guessed = None  # the running response was an automatic one, after all
            return guessed
        return None

    def _done(self, response: Response, now: float, *, owed: bool) -> list[GateEffect]:
        if self._beside_running.pop(response.id or "", None) is not None:
            return [Ended(response)]
        if self.active_id is None or response.id in (self.active_id, None):
            self.active_id = self._active = None
            self._refused_until = None
        return [Ended(response), *self.pump(now, owed=owed)]

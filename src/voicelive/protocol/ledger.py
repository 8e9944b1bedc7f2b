"""What became of every event that was sent, and which event of the service answers which.

An error names the event that caused it, except those of avatars, which ``refusals`` knows. A confirmation names at
best the item; where it names nothing, events of one kind are confirmed in the order in which they were sent. Audio is
not kept here: it has an account of its own (``CallerAudio``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from voicelive.protocol.refusals import unnamed_refusal
from voicelive.wire.client_events import (
    ClientEvent,
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    KnownClientEvent,
    OutputAudioBufferClear,
    ResponseCancel,
    RtcCallSdpCreate,
    SessionAvatarConnect,
    SessionUpdate,
    UnknownClientEvent,
)
from voicelive.wire.server.calls import RtcCallError, RtcCallSdpCreated
from voicelive.wire.server.conversation import (
    ConversationItemCreated,
    ConversationItemDeleted,
    ConversationItemRetrieved,
    ConversationItemTruncated,
    InputAudioBufferCleared,
    InputAudioBufferCommitted,
)
from voicelive.wire.server.response import OutputAudioBufferCleared, ResponseDone
from voicelive.wire.server.session import (
    ErrorEvent,
    ServerEventErrorDetails,
    SessionAvatarConnecting,
    SessionUpdated,
)
from voicelive.wire.server_events import KnownServerEvent, ServerEvent

__all__ = ["Confirmed", "Ledger", "LedgerEntry", "LedgerStatus", "Open", "Outcome", "Refused"]

LedgerStatus: TypeAlias = Literal["waiting", "sent", "confirmed", "rejected", "expired", "lost"]

_KEPT: Final = 1000  # settled entries that can still be asked for
_MOST_OPEN: Final = 4096  # sent events without an answer; kinds that are never answered must not pile up


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What became of one event that was sent.

    Attributes:
        event_id: Its id; the session chooses one where the event has none.
        type: Its type.
        status: ``waiting`` to be written; ``sent``, and unanswered so far; ``confirmed`` or ``rejected`` by the
            service; ``expired``: no answer within ``ClientOptions.confirm_timeout_s``, which is also the end of kinds
            that the service never answers; ``lost`` with a connection, and not sent again.
        error_code: The service's code where it was rejected.
    """

    event_id: str
    type: str
    status: LedgerStatus
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The service did what the request asked for."""

    request_id: str
    event: KnownServerEvent
    asked: ClientEvent | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """The service refused the request."""

    request_id: str
    error: ServerEventErrorDetails
    asked: ClientEvent | None = field(default=None, compare=False)
    call_error: RtcCallError | None = field(default=None, compare=False)
    """What the service said, where it said so in the words of WebRTC calls."""


Outcome: TypeAlias = Confirmed | Refused


class _Rule(NamedTuple):
    answer: type[KnownServerEvent]
    asked_for: Callable[[Any], str | None]
    """The id that the request names, ``None`` where it names none."""
    told_of: Callable[[Any], str | None]
    """The id that the answer names."""


def _nothing(_: Any) -> None:
    return None


def _item_id(event: Any) -> str | None:
    return event.item_id or None


def _own_item_id(event: Any) -> str | None:
    return event.item.id if event.item is not None else None


RULES: Mapping[type[KnownClientEvent], _Rule] = {
    SessionUpdate: _Rule(SessionUpdated, _nothing, _nothing),
    SessionAvatarConnect: _Rule(SessionAvatarConnecting, _nothing, _nothing),
    InputAudioBufferCommit: _Rule(InputAudioBufferCommitted, _nothing, _nothing),
    InputAudioBufferClear: _Rule(InputAudioBufferCleared, _nothing, _nothing),
    OutputAudioBufferClear: _Rule(OutputAudioBufferCleared, _nothing, _nothing),
    ConversationItemCreate: _Rule(ConversationItemCreated, _own_item_id, _own_item_id),
    ConversationItemRetrieve: _Rule(ConversationItemRetrieved, _item_id, _own_item_id),
    ConversationItemDelete: _Rule(ConversationItemDeleted, _item_id, _item_id),
    ConversationItemTruncate: _Rule(ConversationItemTruncated, _item_id, _item_id),
    RtcCallSdpCreate: _Rule(RtcCallSdpCreated, _nothing, _nothing),
    ResponseCancel: _Rule(ResponseDone, lambda event: event.response_id, lambda event: event.response.id),
}
"""Client event to the server event that confirms it, and the ids that must agree. Responses are told by the gate."""


@dataclass(slots=True, eq=False)
class Open:
    """An event that has no answer yet."""

    event_id: str
    event: ClientEvent | None
    """``None`` for one that no class describes."""
    type: str
    sent_at: float | None = None
    expired: bool = False


class Ledger:
    """The events of one session, across all its connections. Pure: same calls, same answers.

    Args:
        expire_after_s: How long an answer is waited for before the entry counts as expired.
    """

    def __init__(self, expire_after_s: float) -> None:
        self._expire_after_s = expire_after_s
        self._open: dict[str, Open] = {}
        self._by_answer: dict[type[KnownServerEvent], deque[Open]] = {}
        self._settled: dict[str, LedgerEntry] = {}

    # -- what is sent

    def enter(self, event_id: str, event: ClientEvent | None, kind: str) -> None:
        """An event is about to be sent under this id; while it is open, an earlier one of that id does not count."""
        entry = self._open[event_id] = Open(event_id, event, kind)
        if event is not None and not isinstance(event, UnknownClientEvent) and type(event) in RULES:
            self._by_answer.setdefault(RULES[type(event)].answer, deque()).append(entry)
        if len(self._open) > _MOST_OPEN:
            self.settle(next(iter(self._open)), "expired")

    def written(self, event_id: str, now: float) -> None:
        """It is being written."""
        if event_id in self._open:
            self._open[event_id].sent_at = now

    def withdraw_unwritten(self, event_id: str) -> None:
        """If it was not written yet, it will not be."""
        entry = self._open.get(event_id)
        if entry is not None and entry.sent_at is None:
            self._take(event_id)

    def unwritten(self, event_id: str) -> None:
        """It is to be written once more."""
        if event_id in self._open:
            self._open[event_id].sent_at = None

    def expire(self, event_id: str) -> None:
        """Nobody waits for its answer any more; one that still comes settles it, unless a younger event asks for it."""
        if event_id in self._open:
            self._open[event_id].expired = True

    def settle(self, event_id: str, status: LedgerStatus, error_code: str | None = None) -> None:
        """It has found its end."""
        entry = self._take(event_id)
        if entry is not None:
            self._settled.pop(event_id, None)  # of an earlier one of that id: the order is that of the ends
            self._settled[event_id] = LedgerEntry(event_id, entry.type, status, error_code)
            if len(self._settled) > _KEPT:
                del self._settled[next(iter(self._settled))]

    # -- what the service says

    def receive(self, event: ServerEvent, now: float) -> Outcome | None:
        """The request that this event settles, if any."""
        if not self._open:
            return None
        if isinstance(event, ErrorEvent):
            return self._refuse(event)
        if isinstance(event, RtcCallError):
            return self._refuse_call(event)
        waiting = self._by_answer.get(type(event))  # type: ignore[arg-type]  # the unknown class is never a key
        return self._confirm(event, waiting, now) if waiting else None

    # -- what can be asked

    def unanswered(self) -> Iterator[Open]:
        """Everything that was written and has no answer, oldest first."""
        return (entry for entry in tuple(self._open.values()) if entry.sent_at is not None)

    def awaits_answers(self, now: float) -> bool:
        """Whether an answer is on its way, as far as can be known."""
        return any(not self._is_expired(entry, now) for entry in self._open.values())

    def entries(self, now: float) -> tuple[LedgerEntry, ...]:
        """All events without an answer, and the last 1,000 that are settled; in the order of their end."""
        settled = (entry for event_id, entry in self._settled.items() if event_id not in self._open)
        return (*settled, *(self._entry(entry, now) for entry in self._open.values()))

    def entry(self, event_id: str, now: float) -> LedgerEntry | None:
        """One of them."""
        entry = self._open.get(event_id)
        return self._settled.get(event_id) if entry is None else self._entry(entry, now)

    def _entry(self, entry: Open, now: float) -> LedgerEntry:
        status: LedgerStatus = "waiting" if entry.sent_at is None else "sent"
        if entry.sent_at is not None and self._is_expired(entry, now):
            status = "expired"
        return LedgerEntry(entry.event_id, entry.type, status)

    def _is_expired(self, entry: Open, now: float) -> bool:
        return entry.expired or (entry.sent_at is not None and now > entry.sent_at + self._expire_after_s)

    def _take(self, event_id: str) -> Open | None:
        entry = self._open.pop(event_id, None)
        if entry is not None and entry.event is not None and not isinstance(entry.event, UnknownClientEvent):
            rule = RULES.get(type(entry.event))
            if rule is not None:
                self._by_answer[rule.answer].remove(entry)
        return entry

    def _refuse(self, event: ErrorEvent) -> Outcome | None:
        request_id = event.error.event_id
        entry = self._unnamed(event.error) if request_id is None else self._open.get(request_id)
        if entry is None:
            return None
        self.settle(entry.event_id, "rejected", event.error.code)
        return Refused(entry.event_id, event.error, entry.event)

    def _refuse_call(self, event: RtcCallError) -> Outcome | None:
        """Calls are asked for by one kind of event only, so that an error need not name it."""
        entry = self._open_call()
        if entry is None:
            return None
        told = event.error
        self.settle(entry.event_id, "rejected", told.code)
        error = ServerEventErrorDetails(type=told.type, code=told.code, message=told.message)
        return Refused(entry.event_id, error, entry.event, event)

    def _open_call(self) -> Open | None:
        calls = (entry for entry in self.unanswered() if isinstance(entry.event, RtcCallSdpCreate))
        return next(calls, None)

    def _unnamed(self, error: ServerEventErrorDetails) -> Open | None:
        call = self._open_call()
        if call is not None:  # nothing is sent beside it, and no agent works before it is answered
            return call
        kinds = unnamed_refusal(error)
        return next((entry for entry in self.unanswered() if not entry.expired and _concerns(entry, kinds)), None)

    def _confirm(self, event: Any, waiting: deque[Open], now: float) -> Outcome | None:
        fitting = [entry for entry in waiting if entry.sent_at is not None and _fits(entry, event)]
        if not fitting:
            return None
        found = next((entry for entry in fitting if not self._is_expired(entry, now)), fitting[0])
        self.settle(found.event_id, "confirmed")
        return Confirmed(found.event_id, event, found.event)


def _concerns(entry: Open, kinds: tuple[type[KnownClientEvent], ...]) -> bool:
    """Whether it is of these kinds, and about an avatar."""
    if isinstance(entry.event, SessionUpdate) and entry.event.session.avatar is None:
        return False
    return isinstance(entry.event, kinds)


def _fits(entry: Open, event: Any) -> bool:
    rule = RULES[type(entry.event)]  # type: ignore[index]  # only kinds that have a rule wait for an answer
    asked_for, told_of = rule.asked_for(entry.event), rule.told_of(event)
    return asked_for == told_of or asked_for is None or told_of is None

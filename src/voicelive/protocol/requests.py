"""Which event of the service answers which request of ours.

An error names the event that caused it, so a refusal always finds its request. A confirmation names at best the
item; where it names nothing, requests of one kind are confirmed in the order in which they were sent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from voicelive.wire.client_events import (
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    KnownClientEvent,
    OutputAudioBufferClear,
    SessionAvatarConnect,
    SessionUpdate,
)
from voicelive.wire.server.conversation import (
    ConversationItemCreated,
    ConversationItemDeleted,
    ConversationItemRetrieved,
    ConversationItemTruncated,
    InputAudioBufferCleared,
    InputAudioBufferCommitted,
)
from voicelive.wire.server.response import OutputAudioBufferCleared
from voicelive.wire.server.session import (
    ErrorEvent,
    ServerEventErrorDetails,
    SessionAvatarConnecting,
    SessionUpdated,
)
from voicelive.wire.server_events import KnownServerEvent, ServerEvent

__all__ = ["Confirmed", "Outcome", "Refused", "Requests"]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The service did what the request asked for."""

    request_id: str
    event: KnownServerEvent


@dataclass(frozen=True, slots=True)
class Refused:
    """The service refused the request."""

    request_id: str
    error: ServerEventErrorDetails


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
}
"""Client event to the server event that confirms it, and the ids that must agree."""


class _Pending(NamedTuple):
    request_id: str
    names: str | None
    told_of: Callable[[Any], str | None]


class Requests:
    """Requests that wait for the service's word. Pure: same calls, same answers."""

    def __init__(self) -> None:
        self._pending: dict[type[KnownServerEvent], deque[_Pending]] = {}

    def expect(self, request_id: str, event: KnownClientEvent) -> None:
        """Wait for the answer to an event that is about to be sent under this ``event_id``.

        Raises:
            KeyError: Nothing that the service sends confirms this kind of event.
        """
        rule = RULES[type(event)]
        waiting = self._pending.setdefault(rule.answer, deque())
        waiting.append(_Pending(request_id, rule.asked_for(event), rule.told_of))

    def forget(self, request_id: str) -> None:
        """The answer is not expected any more; one that still comes belongs to the next request of its kind.

        For a request whose waiter was merely cancelled the answer is still to come: do not forget it.
        """
        for answer, waiting in list(self._pending.items()):
            kept = deque(pending for pending in waiting if pending.request_id != request_id)
            if len(kept) != len(waiting):
                self._replace(answer, kept)

    def receive(self, event: ServerEvent) -> Outcome | None:
        """The request that this event settles, if any."""
        if not self._pending:
            return None
        if isinstance(event, ErrorEvent):
            return self._refuse(event)
        waiting = self._pending.get(type(event))  # type: ignore[arg-type]  # the unknown class is never a key
        return self._confirm(event, waiting) if waiting else None

    def _refuse(self, event: ErrorEvent) -> Outcome | None:
        request_id = event.error.event_id
        known = any(pending.request_id == request_id for waiting in self._pending.values() for pending in waiting)
        if request_id is None or not known:
            return None
        self.forget(request_id)
        return Refused(request_id, event.error)

    def _confirm(self, event: Any, waiting: deque[_Pending]) -> Outcome | None:
        for pending in waiting:
            told_of = pending.told_of(event)
            if told_of == pending.names or (told_of is None or pending.names is None):
                self._replace(type(event), deque(other for other in waiting if other is not pending))
                return Confirmed(pending.request_id, event)
        return None

    def _replace(self, answer: type[KnownServerEvent], waiting: deque[_Pending]) -> None:
        if waiting:
            self._pending[answer] = waiting
        else:
            del self._pending[answer]

"""What a lost connection leaves behind: what was under way, what can be said again, and what is gone.

Decides which of the events without an answer make sense over another connection. Sends nothing; the order in which
things are said again is the shell's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from voicelive.protocol.ledger import Confirmed, Ledger, Open
from voicelive.protocol.replay import LeftOut
from voicelive.wire.client_events import (
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    KnownClientEvent,
    OutputAudioBufferClear,
    ResponseCancel,
    ResponseCreate,
    SessionUpdate,
)
from voicelive.wire.items import MCPApprovalResponseRequestItem
from voicelive.wire.server.conversation import ConversationItemTruncated, InputAudioBufferCleared
from voicelive.wire.server.response import OutputAudioBufferCleared, ResponseDone
from voicelive.wire.server_events import KnownServerEvent

__all__ = ["LossReport", "LostEvent", "LostResponse", "Unanswered", "sort_out"]

WISH: Final = "voicelive_response_"
"""How ids of responses begin that the session asks for, and asks for again, by itself."""


@dataclass(frozen=True, slots=True)
class LostResponse:
    """A response that was under way as its connection was lost.

    Attributes:
        response_id: Its id.
        item_ids: Items of it that came in part, or whole; they stay in the conversation as far as they came.
        asked_again: Whether another response is asked for in its place. Not where it was being cancelled, where it
            made calls (their results are spoken of), and where the question to it could not be told again.
    """

    response_id: str
    item_ids: tuple[str, ...]
    asked_again: bool


@dataclass(frozen=True, slots=True)
class LostEvent:
    """An event that was sent and neither confirmed nor sent again; its effect, if it had one, is gone."""

    event_id: str
    type: str


@dataclass(frozen=True, slots=True)
class LossReport:
    """What going over to another connection has cost. What is not named here is as it was.

    Attributes:
        planned: Whether the session was renewed ahead of its end; the application did nothing without a connection.
        gap_s: How long there was no connection.
        attempts: Handshakes that it took.
        previous_session_id: The session that ended.
        unsent_audio_ms: Audio of the caller that was given and dropped unsent, exactly; nothing where sending waits.
        unconfirmed_audio_ms: Audio of the caller that was sent, that no turn is known to have used, and that was
            not said again: an upper bound of what is lost, silence included.
        resent_audio_ms: The newest audio of the caller, said again.
        response: The response that was under way.
        owed_calls: Tool calls that were running; their results are told to the new session.
        lost_events: What was sent without confirmation, and makes no sense over another connection.
        left_out: Items of the conversation that the new session could not be given.
    """

    planned: bool
    gap_s: float
    attempts: int
    previous_session_id: str
    unsent_audio_ms: float = 0.0
    unconfirmed_audio_ms: float = 0.0
    resent_audio_ms: float = 0.0
    response: LostResponse | None = None
    owed_calls: tuple[str, ...] = ()
    lost_events: tuple[LostEvent, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


@dataclass(slots=True)
class Unanswered:
    """Events without an answer, sorted by what becomes of them.

    Attributes:
        again: To be said again, behind the conversation.
        commits: To be said again, behind the caller's audio.
        updates: Settings; the new session begins with them.
        settled: What the loss itself has brought about, as if the service had said so.
        lost: Gone.
    """

    again: list[KnownClientEvent] = field(default_factory=list)
    commits: list[InputAudioBufferCommit] = field(default_factory=list)
    updates: list[SessionUpdate] = field(default_factory=list)
    settled: list[Confirmed] = field(default_factory=list)
    lost: list[LostEvent] = field(default_factory=list)


def sort_out(ledger: Ledger, *, audio_is_kept: bool) -> Unanswered:
    """Settle in the ledger what is lost or done, and sort the rest.

    Args:
        ledger: Where the events without an answer stand.
        audio_is_kept: Whether all audio that an unanswered commit is about can be said again.
    """
    found = Unanswered()
    for entry in ledger.unanswered():
        _sort(entry, found, ledger, audio_is_kept=audio_is_kept)
    return found


def _sort(entry: Open, found: Unanswered, ledger: Ledger, *, audio_is_kept: bool) -> None:
    match entry.event:
        case ConversationItemCreate(item=item) if not isinstance(item, MCPApprovalResponseRequestItem):
            found.again.append(entry.event)
        case ConversationItemDelete() | ConversationItemRetrieve():
            found.again.append(entry.event)
        case SessionUpdate():
            found.updates.append(entry.event)
        case InputAudioBufferCommit() if audio_is_kept:
            found.commits.append(entry.event)
        case ResponseCreate() if entry.event_id.startswith(WISH):
            ledger.settle(entry.event_id, "lost")  # until the gate asks again, under the same id
            return
        case ConversationItemTruncate() | InputAudioBufferClear() | OutputAudioBufferClear() | ResponseCancel():
            ledger.settle(entry.event_id, "confirmed")
            found.settled.append(Confirmed(entry.event_id, _as_told(entry.event), entry.event))
            return
        case _:
            ledger.settle(entry.event_id, "lost")
            found.lost.append(LostEvent(entry.event_id, entry.type))
            return
    ledger.unwritten(entry.event_id)


def _as_told(
    event: ConversationItemTruncate | InputAudioBufferClear | OutputAudioBufferClear | ResponseCancel,
) -> KnownServerEvent:
    """What the service would have said: a new session knows neither the rest of a reply nor audio to drop."""
    match event:
        case ConversationItemTruncate():
            return ConversationItemTruncated(
                item_id=event.item_id, content_index=event.content_index, audio_end_ms=event.audio_end_ms
            )
        case InputAudioBufferClear():
            return InputAudioBufferCleared()
        case OutputAudioBufferClear():
            return OutputAudioBufferCleared()
        case ResponseCancel():
            return ResponseDone()


def ids(events: Iterable[KnownClientEvent]) -> list[str]:
    """The ids of events that were sent."""
    return [event.event_id or "" for event in events]

"""The account of one conversation, and whether it agrees with the service's log.

Pure: what the caller knows goes in, and what the service knows; breaches come out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from voicelive import wire
from voicelive.events import LossReport, SessionInterrupted, SessionResumed
from voicelive.protocol.connection import CloseInfo
from voicelive.protocol.ledger import LedgerEntry

__all__ = ["Account", "ServerLog", "disagreements"]

_SETTLED_BY_A_LOSS: Final = frozenset(
    {
        "session.update",  # the next session begins with these settings
        "conversation.item.truncate",  # the next session is told what was heard, and nothing more
        "input_audio_buffer.clear",
        "output_audio_buffer.clear",
        "response.cancel",
    }
)
"""What counts as confirmed when a connection is lost: the next session is as if it had been done."""

_TOLD_AGAIN: Final = "voicelive_resume_"
"""How ids of events begin with which the next session is told the conversation; the ledger is not for them."""

_CHUNK_MS: Final = 100.0  # a chunk that was being written as its connection was lost may have arrived all the same


@dataclass
class Account:
    """What the caller knows of one conversation.

    Attributes:
        name: Of the conversation, unique.
        sessions: Ids of the service's sessions it went over, in order.
        reports: Of all changes of connection.
        interruptions: How often the connection was lost.
        open_interruption: The connection was lost, and nothing has followed yet.
        ledger: What became of the events that were sent.
        audio_sent_ms: As the session counts it.
        items: Items of the user that the service confirmed to have.
        turns: How many turns came to which end.
        failures: How often what was raised.
        breaches: What must not be.
        end: How it ended for the caller; ``None`` while it goes on.
        complete: The service saw the same end, so all that was sent has arrived.
    """

    name: str
    sessions: list[str] = field(default_factory=list)
    reports: list[LossReport] = field(default_factory=list)
    interruptions: int = 0
    open_interruption: bool = False
    ledger: Sequence[LedgerEntry] = ()
    audio_sent_ms: float = 0.0
    items: set[str] = field(default_factory=set)
    turns: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    breaches: list[str] = field(default_factory=list)
    end: CloseInfo | None = None
    complete: bool = False

    def hear(self, event: SessionInterrupted | SessionResumed) -> None:
        """Note a change of connection; each interruption is followed by one resumption, or by the end."""
        if isinstance(event, SessionInterrupted):
            if self.open_interruption:
                self.breach("was interrupted twice without a word between")
            self.interruptions += 1
            self.open_interruption = True
            return
        if self.open_interruption is event.report.planned:
            self.breach(f"resumed, planned={event.report.planned}, interrupted={self.open_interruption}")
        if event.report.previous_session_id != self.sessions[-1]:
            self.breach(f"resumed from {event.report.previous_session_id}, not from {self.sessions[-1]}")
        self.open_interruption = False
        self.sessions.append(event.session_id)
        self.reports.append(event.report)

    def breach(self, what: str) -> None:
        """Something is wrong."""
        self.breaches.append(f"conversation {self.name}: {what}")

    @property
    def failed(self) -> bool:
        """It ended with an exception."""
        return self.end is not None and not self.end.normal

    def costs_since(self, report_count: int) -> set[str]:
        """Losses, named by a report since then, that may leave a turn without its answer."""
        named = set().union(*map(_costs, self.reports[report_count:]))
        return named | {"no connection"} if self.open_interruption else named


@dataclass(frozen=True)
class ServerLog:
    """What one session of the service knows.

    Attributes:
        session_id: Its id.
        received: Events of the client.
        items: Ids of the conversation's items, as they are now.
        input_ms_per_byte: Length of a byte of the caller's audio.
    """

    session_id: str
    received: Sequence[wire.ClientEvent]
    items: frozenset[str]
    input_ms_per_byte: float = 1 / 48

    @property
    def audio_ms(self) -> float:
        """How much of the caller's audio arrived."""
        appended = (event for event in self.received if isinstance(event, wire.InputAudioBufferAppend))
        return sum(len(event.audio) for event in appended) * self.input_ms_per_byte


def disagreements(account: Account, logs: Sequence[ServerLog]) -> Iterator[str]:
    """What caller and service do not agree on.

    Args:
        account: The caller's view.
        logs: Of all sessions that this conversation was ever tried over, those included that never were used.
    """
    used = [log for log in logs if log.session_id in account.sessions]
    yield from _ledger(account, used)
    yield from _items(account, used)
    yield from _audio(account, used)
    if account.open_interruption and (
        account.end is None or account.end.normal is not (account.end.by == "application")
    ):
        yield f"an interruption was followed by {account.end}"


def _ledger(account: Account, logs: Sequence[ServerLog]) -> Iterator[str]:
    received = {event.event_id for log in logs for event in log.received if event.event_id}
    entered = {entry.event_id: entry for entry in account.ledger}
    for entry in entered.values():
        by_loss = entry.type in _SETTLED_BY_A_LOSS and account.reports
        if entry.status == "confirmed" and entry.event_id not in received and not by_loss:
            yield f"{entry.type} {entry.event_id} counts as confirmed, and the service never got it"
    for event in (event for log in logs for event in log.received):
        event_id = event.event_id or ""
        by_itself = isinstance(event, wire.InputAudioBufferAppend) or event_id.startswith(_TOLD_AGAIN)
        if not by_itself and event_id not in entered:
            yield f"{event.type} {event_id} reached the service, and the ledger does not know it"


def _items(account: Account, logs: Sequence[ServerLog]) -> Iterator[str]:
    last = next((log for log in logs if log.session_id == account.sessions[-1]), None)
    if last is None:
        yield f"the service knows no session {account.sessions[-1]}"
        return
    named = {left.item_id for report in account.reports for left in report.left_out}
    for item_id in sorted(account.items - last.items - named):
        yield f"item {item_id} of the user was confirmed, is missing in {last.session_id}, and no report names it"


def _audio(account: Account, logs: Sequence[ServerLog]) -> Iterator[str]:
    """What was written over the connections that were used, less what arrived, is what the reports own up to."""
    arrived_ms = sum(log.audio_ms for log in logs)
    resent_ms = sum(report.resent_audio_ms for report in account.reports)
    owned_ms = sum(report.unconfirmed_audio_ms for report in account.reports)
    slack_ms = _CHUNK_MS * len(account.reports) + 1
    missing_ms = account.audio_sent_ms - arrived_ms
    if missing_ms > owned_ms + slack_ms and account.complete:
        yield f"{missing_ms:.0f} ms of audio are missing, and the reports name {owned_ms:.0f} ms"
    if arrived_ms > account.audio_sent_ms + resent_ms + slack_ms:
        sent = f"{account.audio_sent_ms:.0f} ms were sent, {resent_ms:.0f} ms again"
        yield f"{arrived_ms:.0f} ms of audio arrived, {sent}"


def _costs(report: LossReport) -> set[str]:
    costs = {
        "response not asked again": report.response is not None and not report.response.asked_again,
        "event lost": bool(report.lost_events),
        "item left out": bool(report.left_out),
        "audio unconfirmed": report.unconfirmed_audio_ms + report.unsent_audio_ms > 0,
    }
    return {name for name, applies in costs.items() if applies}

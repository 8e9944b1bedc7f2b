"""Rows of the phases in which there is a session: what it lives through, what it resumes after, what ends it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tests.reliability import network, service
from tests.reliability.faults import Fault
from tests.reliability.outcomes import SILENCE_S, Ends, EndsQuietly, GoesOn, Outcome, Resumes, Waits
from tests.reliability.phases import AGENT, CALLER, IDLE, TOOL, Phase
from tests.reliability.row import Row

from voicelive import (
    ConnectionLostError,
    ServiceError,
    SessionClosedError,
    SessionExpiredError,
    wire,
)
from voicelive.testing import Double, Drop, Swap

__all__ = ["talking"]

LOST: Final = Ends(error=ConnectionLostError)


def _losses(phase: Phase) -> Iterator[Row]:
    """Faults that break a connection, while another one can be had."""
    for fault in (network.RESET, *network.fins(), service.ABORT):
        yield Row(phase, fault, Resumes(), LOST)
    for fault in network.cuts():
        yield Row(phase, fault, Resumes(lost_types=(network.PROBE,)), LOST)
    for fault in network.black_holes():
        over = fault.direction == "up" and phase is AGENT
        within_s = SILENCE_S if not over else SILENCE_S + 2
        yield Row(
            phase, fault, Resumes(within_s=within_s, over=over), Ends(error=ConnectionLostError, within_s=within_s)
        )
    silent = Ends(error=ConnectionLostError, within_s=SILENCE_S, says="nothing came for 4 s after a ping")
    yield Row(phase, service.SILENCE, Resumes(within_s=SILENCE_S), silent)


def _closes(phase: Phase) -> Iterator[Row]:
    """Ends that the service gives a reason for."""
    passing = [(1001, "going away"), (1011, "internal error"), (1012, "service restart"), (1013, "try again later")]
    for fault, (code, reason) in zip(service.closes(passing), passing, strict=True):
        lost = Ends(error=ConnectionLostError, code=code, reason=reason)
        yield Row(phase, fault, Resumes(code=code, reason=reason), lost)
    final = [(1003, "unsupported"), (1007, "not UTF-8"), (1008, "policy violation"), (1009, "too large")]
    for fault, (code, reason) in zip(service.closes(final), final, strict=True):
        lost = Ends(error=ConnectionLostError, code=code, reason=reason)
        yield Row(phase, fault, lost, lost)
    (normal,) = service.closes([(1000, "goodbye")])
    quietly = EndsQuietly(reason="goodbye")
    yield Row(phase, normal, quietly, quietly)
    expired = Ends(error=SessionExpiredError, code=1001, reason="session_expired")
    yield Row(phase, service.EXPIRED, Resumes(code=1001, reason="session_expired"), expired)
    yield Row(phase, service.ERROR_ONLY, Resumes(), Ends(error=SessionExpiredError))


def _harmless(phase: Phase) -> Iterator[Row]:
    """Faults that the session lives through over the same connection."""

    def row(fault: Fault, **counts: int) -> Row:
        outcome = GoesOn(counts=counts)
        return Row(phase, fault, outcome, outcome)

    for fault in (*network.slow_lines(), network.PAUSE, service.FLOOD):
        yield row(fault)
    for fault in service.garbage():
        yield row(fault, undecodable_frames=1)
    yield row(service.BAD_BASE64, malformed_events=1)
    yield row(service.UNKNOWN, unknown_events=1)
    within, over = service.large()
    yield row(within)
    limit = Ends(error=SessionClosedError, code=1009, reason="incoming frame over the limit of 16777216 bytes")
    yield Row(phase, over, limit, limit)


def _odd_orders() -> Iterator[Row]:
    """Events that are missing, come twice, or change places with the next one."""

    def row(phase: Phase, tamper: Drop | Double | Swap, seen: Outcome | None = None) -> Row:
        how = {Drop: "missing", Double: "duplicated", Swap: "out of order"}[type(tamper)]
        kind = tamper.kind.model_fields["type"].default
        words = {Drop: "does not come", Double: "comes twice", Swap: "comes behind the event after it"}[type(tamper)]
        fault = service.tampered(f"event {how}", f"`{kind}` {words}", tamper)
        outcome = seen or GoesOn()
        return Row(phase, fault, outcome, outcome)

    for phase, kinds in _ORDERED.items():
        for kind in kinds:
            for change in (Double, Swap):
                yield row(phase, change(kind))
    for phase, kind in _DISPENSABLE:
        yield row(phase, Drop(kind))
    yield row(IDLE, Double(wire.ConversationItemCreated))
    yield row(AGENT, Double(wire.ResponseDone))
    unconfirmed = Waits(error=TimeoutError, after_s=60, recovers=True, gone="that question is not asked")
    yield row(IDLE, Drop(wire.ConversationItemCreated), seen=unconfirmed)
    unanswered = Waits(error=ServiceError, after_s=30, recovers=True, gone="the answer")
    yield row(IDLE, Drop(wire.ResponseCreated), seen=unanswered)
    endless = "every later answer: the response counts as running until the session ends"
    yield row(AGENT, Drop(wire.ResponseDone), seen=Waits(error=TimeoutError, after_s=60, recovers=False, gone=endless))
    unnoticed = GoesOn(gone="200 ms of the agent's voice, unnoticed: deltas bear no number", voice_ms=800)
    yield row(AGENT, Drop(wire.ResponseAudioDelta), seen=unnoticed)
    twice = GoesOn(gone="nothing; 200 ms of the agent's voice are heard twice", voice_ms=1200)
    yield row(AGENT, Double(wire.ResponseAudioDelta), seen=twice)
    yield row(AGENT, Swap(wire.ResponseAudioDelta), seen=GoesOn(gone="nothing", voice_ms=1000))


_ORDERED: Final[dict[Phase, tuple[type[Any], ...]]] = {
    IDLE: (wire.ResponseCreated, wire.ResponseOutputItemDone),
    CALLER: (wire.InputAudioBufferSpeechStopped, wire.InputAudioBufferCommitted, wire.ResponseCreated),
    AGENT: (wire.ResponseAudioDone, wire.ResponseOutputItemDone),
    TOOL: (wire.ConversationItemCreated, wire.ResponseCreated),
}
_DISPENSABLE: Final[tuple[tuple[Phase, type[Any]], ...]] = (
    (CALLER, wire.InputAudioBufferSpeechStopped),
    (CALLER, wire.InputAudioBufferCommitted),
    (AGENT, wire.ResponseAudioDone),
    (AGENT, wire.ResponseOutputItemDone),
    (CALLER, wire.ResponseCreated),
    (TOOL, wire.ConversationItemCreated),
    (TOOL, wire.ResponseCreated),
)


def talking(phase: Phase) -> Iterator[Row]:
    """All rows of one phase."""
    yield from _harmless(phase)
    yield from (row for row in _odd_orders() if row.phase is phase)
    yield from _losses(phase)
    yield from _closes(phase)

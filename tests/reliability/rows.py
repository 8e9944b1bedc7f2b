"""The fault matrix: every fault in every phase in which it makes sense, and what the application sees of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from inspect import isawaitable
from typing import Any, Final

from tests.reliability import faults
from tests.reliability.faults import Fault
from tests.reliability.outcomes import (
    AT_ONCE_S,
    SILENCE_S,
    Closes,
    Connects,
    Ends,
    EndsQuietly,
    GoesOn,
    NotConnected,
    Outcome,
    Resumes,
    Waits,
)
from tests.reliability.phases import AGAIN, AGENT, CALLER, CLOSING, HANDSHAKE, IDLE, TALKING, TOOL, Phase
from tests.reliability.scene import OPTIONS, opened

from voicelive import (
    ConnectFailedError,
    ConnectionLostError,
    ConnectTimeoutError,
    CredentialRejectedError,
    ServiceBusyError,
    ServiceError,
    SessionClosedError,
    SessionExpiredError,
    wire,
)
from voicelive.testing import Double, Drop, Swap

__all__ = ["ROWS", "Row", "play"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a fault in a phase, and what is seen with either policy; ``None``: it cannot happen with that one."""

    phase: Phase
    fault: Fault
    resumed: Outcome
    ended: Outcome | None

    @property
    def checks(self) -> tuple[bool, ...]:
        """The policies whose checks differ: with ``Resume``, and without."""
        return (True,) if self.ended is None or self.ended is self.resumed else (True, False)

    @property
    def policies(self) -> tuple[bool, ...]:
        """The policies that can make a difference."""
        return (True,) if self.ended is None or self.phase in (HANDSHAKE, CLOSING) else (True, False)

    @property
    def name(self) -> str:
        words = (self.phase.name, self.fault.name, self.fault.direction)
        return "-".join(word.replace(" ", "_").replace("`", "") for word in words if word)


async def play(row: Row, *, resumes: bool, injected: bool = True) -> None:
    """Bring the call to the phase, inject the fault, and compare what is seen."""
    async with opened(resumes=resumes, tls=row.fault.tls) as scene:
        await row.phase.enter(scene)
        if injected:
            injecting = row.fault.inject(scene)
            if isawaitable(injecting):
                await injecting
        row.phase.then(scene)
        outcome = row.resumed if resumes else row.ended
        assert outcome is not None, "the row has one for this policy"
        await outcome.check(scene, row.phase)
        await asyncio.sleep(_SETTLING_S)
        assert row.fault.happened(scene)


_SETTLING_S: Final = 0.1
"""Of the virtual clock: until the service has learnt of the end as well."""

LOST: Final = Ends(error=ConnectionLostError)


def _losses(phase: Phase) -> Iterator[Row]:
    """Faults that break a connection, while another one can be had."""
    for fault in (faults.RESET, *faults.fins(), faults.ABORT):
        yield Row(phase, fault, Resumes(), LOST)
    for fault in faults.cuts():
        yield Row(phase, fault, Resumes(lost_types=(faults.PROBE,)), LOST)
    for fault in faults.black_holes():
        over = fault.direction == "up" and phase is AGENT
        within_s = SILENCE_S if not over else SILENCE_S + 2
        yield Row(
            phase, fault, Resumes(within_s=within_s, over=over), Ends(error=ConnectionLostError, within_s=within_s)
        )
    silent = Ends(error=ConnectionLostError, within_s=SILENCE_S, says="nothing came for 4 s after a ping")
    yield Row(phase, faults.SILENCE, Resumes(within_s=SILENCE_S), silent)


def _closes(phase: Phase) -> Iterator[Row]:
    """Ends that the service gives a reason for."""
    passing = [(1001, "going away"), (1011, "internal error"), (1012, "service restart"), (1013, "try again later")]
    for fault, (code, reason) in zip(faults.closes(passing), passing, strict=True):
        lost = Ends(error=ConnectionLostError, code=code, reason=reason)
        yield Row(phase, fault, Resumes(code=code, reason=reason), lost)
    final = [(1003, "unsupported"), (1007, "not UTF-8"), (1008, "policy violation"), (1009, "too large")]
    for fault, (code, reason) in zip(faults.closes(final), final, strict=True):
        lost = Ends(error=ConnectionLostError, code=code, reason=reason)
        yield Row(phase, fault, lost, lost)
    (normal,) = faults.closes([(1000, "goodbye")])
    quietly = EndsQuietly(reason="goodbye")
    yield Row(phase, normal, quietly, quietly)
    expired = Ends(error=SessionExpiredError, code=1001, reason="session_expired")
    yield Row(phase, faults.EXPIRED, Resumes(code=1001, reason="session_expired"), expired)
    yield Row(phase, faults.ERROR_ONLY, Resumes(), Ends(error=SessionExpiredError))


def _harmless(phase: Phase) -> Iterator[Row]:
    """Faults that the session lives through over the same connection."""

    def row(fault: Fault, **counts: int) -> Row:
        outcome = GoesOn(counts=counts)
        return Row(phase, fault, outcome, outcome)

    for fault in (*faults.slow_lines(), faults.PAUSE, faults.FLOOD):
        yield row(fault)
    for fault in faults.garbage():
        yield row(fault, undecodable_frames=1)
    yield row(faults.BAD_BASE64, malformed_events=1)
    yield row(faults.UNKNOWN, unknown_events=1)
    within, over = faults.large()
    yield row(within)
    limit = Ends(error=SessionClosedError, code=1009, reason="incoming frame over the limit of 16777216 bytes")
    yield Row(phase, over, limit, limit)


def _odd_orders() -> Iterator[Row]:
    """Events that are missing, come twice, or change places with the next one."""

    def row(phase: Phase, tamper: Drop | Double | Swap, gone: str = "nothing", seen: Outcome | None = None) -> Row:
        how = {Drop: "missing", Double: "duplicated", Swap: "out of order"}[type(tamper)]
        kind = tamper.kind.model_fields["type"].default
        words = {Drop: "does not come", Double: "comes twice", Swap: "comes behind the event after it"}[type(tamper)]
        fault = faults.tampered(f"event {how}", f"`{kind}` {words}", tamper)
        outcome = seen or GoesOn(gone=gone)
        return Row(phase, fault, outcome, outcome)

    for phase, kinds in _ORDERED.items():
        for kind in kinds:
            for change in (Double, Swap):
                yield row(phase, change(kind))
    for phase, kind in _DISPENSABLE:
        yield row(phase, Drop(kind))
    unnoticed = "200 ms of the agent's voice, unnoticed: deltas bear no number"
    yield row(IDLE, Double(wire.ConversationItemCreated))
    unconfirmed = Waits(error=TimeoutError, after_s=60, recovers=True, gone="that question is not asked")
    yield row(IDLE, Drop(wire.ConversationItemCreated), seen=unconfirmed)
    unanswered = Waits(error=ServiceError, after_s=30, recovers=True, gone="the answer")
    yield row(IDLE, Drop(wire.ResponseCreated), seen=unanswered)
    endless = "every later answer: the response counts as running until the session ends"
    yield row(AGENT, Drop(wire.ResponseDone), seen=Waits(error=TimeoutError, after_s=60, recovers=False, gone=endless))
    yield row(AGENT, Double(wire.ResponseDone))
    yield row(AGENT, Drop(wire.ResponseAudioDelta), unnoticed)
    yield row(AGENT, Double(wire.ResponseAudioDelta), "nothing; 200 ms of the agent's voice are heard twice")
    yield row(AGENT, Swap(wire.ResponseAudioDelta), "nothing")


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


def _handshakes() -> Iterator[Row]:
    """Nobody has a session yet; the policy plays no part."""

    def row(fault: Fault, outcome: Outcome) -> Row:
        return Row(HANDSHAKE, fault, outcome, outcome)

    for fault in (*faults.slow_lines(), *(faults.before_created(fault, instead=False) for fault in _STRANGE)):
        counts = {"undecodable_frames": 1} if fault.name in faults.GARBAGE else _COUNTS.get(fault.name, {})
        yield row(fault, Connects(counts=counts))
    for status, error in ((302, ConnectFailedError), (404, ConnectFailedError)):
        extra = {"location": "https://elsewhere.example/"} if status == 302 else {}
        yield row(faults.refusal(status, once=False, **extra), NotConnected(error=error, status=status))
    for status in (401, 403):
        yield row(faults.refusal(status, once=False), NotConnected(error=CredentialRejectedError, status=status))
    for status in (408, 500, 503):
        busy = NotConnected(error=ServiceBusyError, status=status, tries=3)
        yield row(faults.refusal(status, once=False), busy)
        yield row(faults.refusal(status, once=True), Connects(tries=2))
    busy = NotConnected(error=ServiceBusyError, status=429, retry_after_s=2, tries=3)
    yield row(faults.refusal(429, once=False, retry_after_s=2), busy)
    yield row(faults.refusal(429, once=True, retry_after_s=2), Connects(tries=2, after_s=2))
    busy = NotConnected(error=ServiceBusyError, status=429, retry_after_s=60, after_s=0)
    yield row(faults.refusal(429, once=False, retry_after_s=60), busy)
    late = NotConnected(error=ConnectTimeoutError, after_s=OPTIONS.connect_timeout_s)
    yield row(faults.slow_handshake(5), Connects(after_s=5))
    yield row(faults.unanswered(once=False), late)
    yield row(faults.mute_service(once=False), NotConnected(error=ConnectFailedError, after_s=SILENCE_S))
    yield row(faults.NEVER_CREATED, replace(late, says="session.created did not come"))
    for fault, says in _ends_before_created():
        yield row(faults.before_created(fault, instead=True), NotConnected(error=ConnectFailedError, says=says))
    for fault in faults.handshake_cuts():
        yield row(fault, NotConnected(error=ConnectFailedError, tries=3))
    for way in faults.DIRECTIONS:
        yield row(faults.handshake_black_hole(way), late)
    yield row(faults.REFUSE, NotConnected(error=ConnectFailedError, tries=3, says="out of reach"))
    yield row(faults.BROKEN_TLS, NotConnected(error=ConnectFailedError, says="TLS"))


_STRANGE: Final = (*faults.garbage(), faults.BAD_BASE64, faults.UNKNOWN, faults.large()[0], faults.FLOOD)
_COUNTS: Final = {faults.BAD_BASE64.name: {"malformed_events": 1}, faults.UNKNOWN.name: {"unknown_events": 1}}


def _ends_before_created() -> Iterator[tuple[Fault, str]]:
    codes = [(1000, "goodbye"), (1001, "going away"), (1008, "policy violation"), (1011, "internal error")]
    codes.append((1013, "try again later"))
    for fault, (code, reason) in zip(faults.closes(codes), codes, strict=True):
        yield fault, f"with code {code} ({reason})"
    yield faults.EXPIRED, "reached the end of its lifetime"
    yield faults.ABORT, "without a close frame"
    yield faults.large()[1], "with code 1009"


def _handshakes_again() -> Iterator[Row]:
    """The session looks for another connection; without ``Resume`` it does not."""

    def row(fault: Fault, outcome: Outcome) -> Row:
        return Row(AGAIN, fault, outcome, None)

    def lost(within_s: float = AT_ONCE_S) -> Ends:
        return Ends(error=ConnectionLostError, says="; not resumed: ", within_s=within_s)

    for fault in faults.slow_lines():
        yield row(fault, Resumes())
    for status in (302, 401, 403, 404, 408, 500, 503):
        extra = {"location": "https://elsewhere.example/"} if status == 302 else {}
        yield row(faults.refusal(status, once=False, **extra), lost())
    for status in (408, 500, 503):
        yield row(faults.refusal(status, once=True), Resumes(attempts=2))
    yield row(faults.refusal(429, once=False, retry_after_s=2), lost(4 * 2))
    yield row(faults.refusal(429, once=True, retry_after_s=2), Resumes(attempts=2, gap_s=2))
    yield row(faults.refusal(429, once=False, retry_after_s=60), lost())
    yield row(faults.slow_handshake(5), Resumes(gap_s=5))
    yield row(faults.unanswered(once=False), lost(OPTIONS.connect_timeout_s))
    yield row(faults.mute_service(once=True), Resumes(attempts=2, gap_s=SILENCE_S))
    within_s = OPTIONS.resume.within_s if OPTIONS.resume is not None else 0
    yield row(faults.mute_service(once=False), lost(within_s + OPTIONS.close_timeout_s))
    yield row(faults.NEVER_CREATED, lost(within_s))
    for fault, _ in _ends_before_created():
        ended = replace(lost(), error=SessionExpiredError) if fault is faults.EXPIRED else lost()
        yield row(faults.before_created(fault, instead=True), ended)
    for fault in faults.handshake_cuts():
        yield row(fault, lost())
    for way in faults.DIRECTIONS:
        yield row(faults.handshake_black_hole(way), lost(OPTIONS.connect_timeout_s))
    yield row(faults.REFUSE, lost())
    yield row(faults.BROKEN_TLS, lost())


def _closings() -> Iterator[Row]:
    """``close()`` is under way; the policy plays no part."""

    def row(fault: Fault, outcome: Outcome) -> Row:
        return Row(CLOSING, fault, outcome, outcome)

    for fault in (faults.RESET, *faults.fins(), faults.ABORT, faults.EXPIRED):
        yield row(fault, Closes())
    for fault in faults.closes([(1000, "goodbye"), (1001, "going away"), (1011, "internal error")]):
        yield row(fault, Closes())
    for fault in (*faults.black_holes(), faults.SILENCE):
        yield row(fault, Closes(after_s=OPTIONS.close_timeout_s))
    for fault in _STRANGE:
        counts = {"undecodable_frames": 1} if fault.name in faults.GARBAGE else _COUNTS.get(fault.name, {})
        yield row(fault, Closes(counts=counts, at_most_s=OPTIONS.close_timeout_s))
    yield row(faults.large()[1], Closes(at_most_s=OPTIONS.close_timeout_s))


def _rows() -> Iterator[Row]:
    yield from _handshakes()
    for phase in TALKING:
        yield from _harmless(phase)
        yield from (row for row in _odd_orders() if row.phase is phase)
        yield from _losses(phase)
        yield from _closes(phase)
    yield from _handshakes_again()
    yield from _closings()


ROWS: Final = tuple(_rows())

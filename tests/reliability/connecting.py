"""Rows of the phases in which a session begins, looks for another connection, or ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from tests.reliability import network, service, upgrades
from tests.reliability.faults import DIRECTIONS, Fault
from tests.reliability.outcomes import AT_ONCE_S, SILENCE_S, Ends, Outcome, Resumes
from tests.reliability.outcomes_beside import Closes, Connects, NotConnected
from tests.reliability.phases import AGAIN, CLOSING, HANDSHAKE
from tests.reliability.row import Row
from tests.reliability.scene import OPTIONS

from voicelive import (
    ConnectFailedError,
    ConnectionLostError,
    ConnectTimeoutError,
    CredentialRejectedError,
    ServiceBusyError,
)

__all__ = ["closings", "handshakes", "handshakes_again"]


def handshakes() -> Iterator[Row]:
    """Nobody has a session yet; the policy plays no part."""

    def row(fault: Fault, outcome: Outcome) -> Row:
        return Row(HANDSHAKE, fault, outcome, outcome)

    for fault in (*network.slow_lines(), *(upgrades.before_created(fault, instead=False) for fault in _STRANGE)):
        counts = {"undecodable_frames": 1} if fault.name in service.GARBAGE else _COUNTS.get(fault.name, {})
        yield row(fault, Connects(counts=counts))
    for status, error in ((302, ConnectFailedError), (404, ConnectFailedError)):
        extra = {"location": "https://elsewhere.example/"} if status == 302 else {}
        yield row(upgrades.refusal(status, once=False, **extra), NotConnected(error=error, status=status))
    for status in (401, 403):
        yield row(upgrades.refusal(status, once=False), NotConnected(error=CredentialRejectedError, status=status))
    for status in (408, 500, 503):
        busy = NotConnected(error=ServiceBusyError, status=status, tries=3)
        yield row(upgrades.refusal(status, once=False), busy)
        yield row(upgrades.refusal(status, once=True), Connects(tries=2))
    busy = NotConnected(error=ServiceBusyError, status=429, retry_after_s=2, tries=3)
    yield row(upgrades.refusal(429, once=False, retry_after_s=2), busy)
    yield row(upgrades.refusal(429, once=True, retry_after_s=2), Connects(tries=2, after_s=2))
    busy = NotConnected(error=ServiceBusyError, status=429, retry_after_s=60, after_s=0)
    yield row(upgrades.refusal(429, once=False, retry_after_s=60), busy)
    late = NotConnected(error=ConnectTimeoutError, after_s=OPTIONS.connect_timeout_s)
    yield row(upgrades.slow_handshake(5), Connects(after_s=5))
    yield row(upgrades.unanswered(once=False), late)
    yield row(upgrades.mute_service(once=False), NotConnected(error=ConnectFailedError, after_s=SILENCE_S))
    yield row(upgrades.NEVER_CREATED, replace(late, says="session.created did not come"))
    for fault, says in _ends_before_created():
        yield row(upgrades.before_created(fault, instead=True), NotConnected(error=ConnectFailedError, says=says))
    for fault in upgrades.handshake_cuts():
        yield row(fault, NotConnected(error=ConnectFailedError, tries=3))
    for way in DIRECTIONS:
        yield row(upgrades.handshake_black_hole(way), late)
    yield row(upgrades.REFUSE, NotConnected(error=ConnectFailedError, tries=3, says="out of reach"))
    yield row(upgrades.BROKEN_TLS, NotConnected(error=ConnectFailedError, says="TLS"))


_STRANGE: Final = (*service.garbage(), service.BAD_BASE64, service.UNKNOWN, service.large()[0], service.FLOOD)
_COUNTS: Final = {service.BAD_BASE64.name: {"malformed_events": 1}, service.UNKNOWN.name: {"unknown_events": 1}}


def _ends_before_created() -> Iterator[tuple[Fault, str]]:
    codes = [(1000, "goodbye"), (1001, "going away"), (1008, "policy violation"), (1011, "internal error")]
    codes.append((1013, "try again later"))
    for fault, (code, reason) in zip(service.closes(codes), codes, strict=True):
        yield fault, f"with code {code} ({reason})"
    yield service.EXPIRED, "reached the end of its lifetime"
    yield service.ABORT, "without a close frame"
    yield service.large()[1], "with code 1009"


def handshakes_again() -> Iterator[Row]:
    """The session looks for another connection; without ``Resume`` it does not."""

    def row(fault: Fault, outcome: Outcome) -> Row:
        return Row(AGAIN, fault, outcome, None)

    def lost(within_s: float = AT_ONCE_S) -> Ends:
        return Ends(error=ConnectionLostError, says="; not resumed: ", within_s=within_s)

    within_s = OPTIONS.resume.within_s if OPTIONS.resume is not None else 0
    for fault in network.slow_lines():
        yield row(fault, Resumes())
    for status in (302, 401, 403, 404, 408, 500, 503):
        extra = {"location": "https://elsewhere.example/"} if status == 302 else {}
        yield row(upgrades.refusal(status, once=False, **extra), lost())
    for status in (408, 500, 503):
        yield row(upgrades.refusal(status, once=True), Resumes(attempts=2))
    yield row(upgrades.refusal(429, once=False, retry_after_s=2), lost(4 * 2))
    yield row(upgrades.refusal(429, once=True, retry_after_s=2), Resumes(attempts=2, gap_s=2))
    yield row(upgrades.refusal(429, once=False, retry_after_s=60), lost())
    yield row(upgrades.slow_handshake(5), Resumes(gap_s=5))
    yield row(upgrades.unanswered(once=True), Resumes(attempts=2, gap_s=OPTIONS.connect_timeout_s))
    yield row(upgrades.unanswered(once=False), lost(within_s))
    yield row(upgrades.mute_service(once=True), Resumes(attempts=2, gap_s=SILENCE_S))
    yield row(upgrades.mute_service(once=False), lost(within_s + OPTIONS.close_timeout_s))
    yield row(upgrades.NEVER_CREATED, lost(within_s))
    for fault, _ in _ends_before_created():
        yield row(upgrades.before_created(fault, instead=True), lost())
    for fault in upgrades.handshake_cuts():
        yield row(fault, lost())
    for way in DIRECTIONS:
        yield row(upgrades.handshake_black_hole(way), lost(within_s))
    yield row(upgrades.REFUSE, lost())
    yield row(upgrades.BROKEN_TLS, lost())


def closings() -> Iterator[Row]:
    """``close()`` is under way; the policy plays no part."""

    def row(fault: Fault, outcome: Outcome) -> Row:
        return Row(CLOSING, fault, outcome, outcome)

    for fault in (network.RESET, *network.fins(), service.ABORT, service.EXPIRED):
        yield row(fault, Closes())
    for fault in service.closes([(1000, "goodbye"), (1001, "going away"), (1011, "internal error")]):
        yield row(fault, Closes())
    for fault in (*network.black_holes(), service.SILENCE):
        yield row(fault, Closes(after_s=OPTIONS.close_timeout_s))
    for fault in _STRANGE:
        counts = {"undecodable_frames": 1} if fault.name in service.GARBAGE else _COUNTS.get(fault.name, {})
        yield row(fault, Closes(counts=counts, at_most_s=OPTIONS.close_timeout_s))
    yield row(service.large()[1], Closes(at_most_s=OPTIONS.close_timeout_s))

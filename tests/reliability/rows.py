"""The fault matrix: every fault in every phase in which it makes sense, and what the application sees of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from inspect import isawaitable
from typing import Final

from tests.reliability import faults
from tests.reliability.faults import Fault
from tests.reliability.outcomes import (
    SILENCE_S,
    Ends,
    EndsQuietly,
    GoesOn,
    Outcome,
    Resumes,
)
from tests.reliability.phases import AGENT, TALKING, Phase
from tests.reliability.scene import opened

from voicelive import (
    ConnectionLostError,
    SessionClosedError,
    SessionExpiredError,
)

__all__ = ["ROWS", "Row", "play"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a fault in a phase, with either policy."""

    phase: Phase
    fault: Fault
    resumed: Outcome
    ended: Outcome

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
        await (row.resumed if resumes else row.ended).check(scene, row.phase)
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
    yield Row(phase, normal, EndsQuietly(reason="goodbye"), EndsQuietly(reason="goodbye"))
    expired = Ends(error=SessionExpiredError, code=1001, reason="session_expired")
    yield Row(phase, faults.EXPIRED, Resumes(code=1001, reason="session_expired"), expired)
    yield Row(phase, faults.ERROR_ONLY, Resumes(), Ends(error=SessionExpiredError))


def _harmless(phase: Phase) -> Iterator[Row]:
    """Faults that the session lives through over the same connection."""

    def row(fault: Fault, **counts: int) -> Row:
        return Row(phase, fault, GoesOn(counts=counts), GoesOn(counts=counts))

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


def _rows() -> Iterator[Row]:
    for phase in TALKING:
        yield from _harmless(phase)
        yield from _losses(phase)
        yield from _closes(phase)


ROWS: Final = tuple(_rows())

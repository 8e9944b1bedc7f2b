"""One row of the fault matrix, and how it is played."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from inspect import isawaitable
from typing import Final

from tests.reliability.faults import Fault
from tests.reliability.outcomes import Outcome
from tests.reliability.phases import CLOSING, HANDSHAKE, Phase
from tests.reliability.scene import opened

__all__ = ["Row", "play"]


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

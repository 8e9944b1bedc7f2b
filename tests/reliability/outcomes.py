"""What the application sees of a fault: each kind says it in words for the table, and checks it to the letter."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Final, Protocol

import pytest
from tests.reliability.phases import Phase
from tests.reliability.scene import OPTIONS, Scene

from voicelive import SessionClosedError
from voicelive.engine import Counts
from voicelive.events import LossReport, SessionInterrupted, SessionResumed

__all__ = ["AT_ONCE_S", "MORE_S", "SILENCE_S", "Ends", "EndsQuietly", "GoesOn", "Outcome", "Resumes", "Waits", "odd"]

AT_ONCE_S: Final = 0.5
"""On the virtual clock, and more than the latency of any row: where no timeout had to pass."""
SILENCE_S: Final = (OPTIONS.ping_interval_s or 0) + (OPTIONS.ping_timeout_s or 0)
MORE_S: Final = 0.001  # of rounding


class Outcome(Protocol):
    """What has to be seen."""

    def words(self, phase: Phase) -> str:
        """For the table."""
        ...

    def lost(self, phase: Phase) -> str:
        """What is lost, for the table."""
        ...

    async def check(self, scene: Scene, phase: Phase) -> None:
        """Fail where anything else is seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumes:
    """The session goes on over another connection, and the conversation with it.

    Attributes:
        code: Of the loss.
        reason: Of the loss: how it begins.
        within_s: When it is noticed at the latest.
        attempts: Handshakes that it takes.
        gap_s: How long there is no connection, at least.
        over: What was under way came to its end before the loss was noticed.
        lost_types: Events that were sent and neither answered nor said again.
    """

    code: int | None = None
    reason: str = ""
    within_s: float = AT_ONCE_S
    attempts: int = 1
    gap_s: float = 0.0
    over: bool = False
    lost_types: tuple[str, ...] = ()

    def words(self, phase: Phase) -> str:
        code = f"code {self.code}" if self.code is not None else "no code"
        reason = f" `{self.reason}`" if self.code is not None and self.reason else ""
        when = "" if self.within_s == AT_ONCE_S else f" after at most {self.within_s:g} s"
        found = [phase.report] if phase.report and not self.over else []
        found += ["`lost_events` with the event"] if self.lost_types else []
        found += [f"`attempts` {self.attempts}"] if self.attempts > 1 else []
        found += [f"`gap_s` at least {self.gap_s:g}"] if self.gap_s else []
        report = f" with {', '.join(found)}" if found else " with an empty report"
        return f"`SessionInterrupted` ({code}{reason}){when}, then `SessionResumed`{report}"

    def lost(self, phase: Phase) -> str:
        if self.lost_types:
            return f"the event without an answer; else {phase.kept}"
        return "nothing: it came to its end before the loss was noticed" if self.over else phase.kept

    async def check(self, scene: Scene, phase: Phase) -> None:
        began_s, previous = scene.now, scene.first
        async with asyncio.timeout(60):
            await scene.resumed.wait()
        interrupted, resumed = scene.told
        assert isinstance(interrupted, SessionInterrupted)
        assert (interrupted.session_id, interrupted.code) == (previous.id, self.code)
        assert interrupted.reason.startswith(self.reason)
        assert isinstance(resumed, SessionResumed)
        assert resumed.session_id == scene.service.id == scene.session.id != previous.id
        report = resumed.report
        assert report.gap_s >= self.gap_s
        assert scene.now - began_s <= self.within_s + report.gap_s + 0.02
        assert tuple(event.type for event in report.lost_events) == self.lost_types
        plain = LossReport(False, report.gap_s, self.attempts, previous.id, lost_events=report.lost_events)
        assert report == (plain if self.over else phase.expected(scene, plain))
        await phase.finish(scene)
        await scene.ask()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """The session is over, by an exception in every loop and verb.

    Attributes:
        error: Its class.
        code: Of the close.
        reason: How it begins.
        within_s: When it is noticed at the latest.
        says: A part of the reason, for the table and the check.
    """

    error: type[SessionClosedError]
    code: int | None = None
    reason: str = ""
    within_s: float = AT_ONCE_S
    says: str = ""

    def words(self, phase: Phase) -> str:
        code = f"`code` {self.code}" if self.code is not None else "`code` `None`"
        reason = f", `reason` `{self.reason}`" if self.code is not None and self.reason else ""
        says = f", `reason` with “{self.says}”" if self.says else ""
        when = "" if self.within_s == AT_ONCE_S else f" after at most {self.within_s:g} s"
        return f"`{self.error.__name__}` ({code}{reason}{says}){when}"

    def lost(self, phase: Phase) -> str:
        return phase.at_stake

    async def check(self, scene: Scene, phase: Phase) -> None:
        began_s = scene.now
        with pytest.raises(SessionClosedError) as loop:
            async for _ in scene.session:
                pass
        assert scene.now - began_s <= self.within_s + 0.02
        with pytest.raises(SessionClosedError) as verb:
            await scene.session.send_text("Is anybody there?")
        for error in (loop.value, verb.value):
            assert type(error) is self.error
            assert (error.code, error.session_id) == (self.code, scene.first.id)
            assert error.reason.startswith(self.reason)
            assert self.says in error.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class EndsQuietly:
    """The service has ended the session in order: loops end, and verbs raise."""

    reason: str

    def words(self, phase: Phase) -> str:
        return f"loops end; verbs raise `SessionClosedError` (`code` 1000, `reason` `{self.reason}`)"

    def lost(self, phase: Phase) -> str:
        return phase.at_stake

    async def check(self, scene: Scene, phase: Phase) -> None:
        async for _ in scene.session:
            pass
        with pytest.raises(SessionClosedError) as verb:
            await scene.session.send_text("Is anybody there?")
        assert type(verb.value) is SessionClosedError
        assert (verb.value.code, verb.value.reason) == (1000, self.reason)
        assert scene.session.close_info is not None
        assert scene.session.close_info.normal


@dataclass(frozen=True, slots=True, kw_only=True)
class GoesOn:
    """The session goes on over the same connection.

    Attributes:
        counts: What ``session.counts`` holds; all other fields are 0.
        gone: What is lost, in words.
        voice_ms: How much of the agent's voice comes.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    gone: str = "nothing"
    voice_ms: int | None = None

    def words(self, phase: Phase) -> str:
        told = [f"`counts.{name}` {count}" for name, count in self.counts.items()]
        told += ["`UndecodableFrame`"] if "undecodable_frames" in self.counts else []
        return ", ".join(told) or "nothing"

    def lost(self, phase: Phase) -> str:
        return self.gone

    async def check(self, scene: Scene, phase: Phase) -> None:
        await phase.finish(scene)
        await scene.ask()
        assert odd(scene.session.counts) == self.counts
        assert len(scene.told) == self.counts.get("undecodable_frames", 0), "nothing was interrupted"
        if self.voice_ms is not None:
            assert scene.handle is not None, "made by the phase"
            assert scene.session.output_format.duration_ms(len(scene.handle.audio)) == self.voice_ms
        assert len(scene.emulator.sessions) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """The session goes on, and a question waits in vain for what is missing.

    Attributes:
        error: What ``ask`` raises.
        after_s: When.
        recovers: Whether the next question is answered again.
        gone: What is lost, in words.
    """

    error: type[Exception]
    after_s: float
    recovers: bool
    gone: str

    def words(self, phase: Phase) -> str:
        then = "works" if self.recovers else "raises it too"
        return f"`ask` raises `{self.error.__name__}` after {self.after_s:g} s; the next `ask` {then}"

    def lost(self, phase: Phase) -> str:
        return self.gone

    async def check(self, scene: Scene, phase: Phase) -> None:
        began_s = scene.now
        with pytest.raises(self.error):
            await scene.session.ask("And now?")
        assert scene.now - began_s == pytest.approx(self.after_s, abs=0.1)
        if self.recovers:
            await scene.ask()
        else:
            assert scene.handle is not None, "made by the phase"
            assert scene.handle.status == "in_progress"
            with pytest.raises(self.error):
                await scene.session.ask("And now?")
        assert scene.told == []


def odd(counts: Counts) -> dict[str, int]:
    """The counts that are not 0."""
    found = {one.name: getattr(counts, one.name) for one in fields(counts)}
    return {name: count for name, count in found.items() if count}

"""How long the parts of a turn took to come.

Decides which moment a turn is measured from and which of several moments counts. Reads no clock: every time is an
argument, in seconds of any steady clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Origin", "Step", "Stopwatch", "TurnLatency"]

Step: TypeAlias = Literal["committed", "response_created", "first_transcript", "first_audio", "first_played", "done"]
Origin: TypeAlias = Literal["speech_stopped", "sent", "first_event"]

_DECIMALS = 3  # a microsecond; what is finer is noise of binary fractions


@dataclass(frozen=True, slots=True)
class TurnLatency:
    """Milliseconds from the end of the caller's input; ``None`` where something did not happen.

    Attributes:
        measured_from: What stands at zero: ``speech_stopped`` for speech that turn detection ended, ``sent`` where the
            application sent a text, a commit or a bare ``response.create``, ``first_event`` where nothing told of
            either.
        committed_ms: The caller's audio became an item.
        response_created_ms: The first response of the turn began.
        first_transcript_ms: The first piece of the agent's text came.
        first_audio_ms: The first piece of the agent's voice came.
        first_played_ms: The first sample of it was played.
        done_ms: The last response of the turn ended.
    """

    measured_from: Origin | None = None
    committed_ms: float | None = None
    response_created_ms: float | None = None
    first_transcript_ms: float | None = None
    first_audio_ms: float | None = None
    first_played_ms: float | None = None
    done_ms: float | None = None


class Stopwatch:
    """Takes the times of one turn. Pure: same calls, same answers."""

    __slots__ = ("_marks", "_origin", "_start")

    def __init__(self) -> None:
        self._start: float | None = None
        self._origin: Origin | None = None
        self._marks: dict[Step, float] = {}

    def start(self, now: float, origin: Origin) -> None:
        """The input of the turn ended; the last input before the answer counts."""
        if "response_created" not in self._marks:
            self._start, self._origin = now, origin

    def mark(self, step: Step, now: float) -> None:
        """A step was reached; its first time counts, of ``done`` the last."""
        if self._start is None:
            self.start(now, "first_event")
        if step == "done" or step not in self._marks:
            self._marks[step] = now

    def played_since(self, instant: float) -> None:
        """Playback began at about ``instant``, which is not before the first audio came."""
        self.mark("first_played", max(instant, self._marks.get("first_audio", instant)))

    def read(self) -> TurnLatency:
        """The record so far."""
        return TurnLatency(
            self._origin,
            self._ms("committed"),
            self._ms("response_created"),
            self._ms("first_transcript"),
            self._ms("first_audio"),
            self._ms("first_played"),
            self._ms("done"),
        )

    def _ms(self, step: Step) -> float | None:
        instant = self._marks.get(step)
        if instant is None or self._start is None:
            return None
        return round((instant - self._start) * 1000, _DECIMALS)

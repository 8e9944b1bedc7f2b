"""When nobody speaks: the caller was given the word and does not take it.

Silence begins when the agent has been heard to the end and nothing of its is under way, and ends with the caller's
voice or with anything that the agent does. Prompts by this timer do not count as the caller's word.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Prompt", "Silence"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """The caller has been silent too long.

    Attributes:
        count: How often in a row, this time included.
        last: Whether no further prompt will follow.
    """

    count: int
    last: bool


class Silence:
    """The no-input timer of one session. Pure: same calls, same answers."""

    def __init__(self) -> None:
        self._after_s: float | None = None
        self._times = 0
        self._count = 0
        self._since: float | None = None

    def watch(self, after_s: float | None, times: int) -> None:
        """Begin, or with ``None`` stop."""
        self._after_s, self._times, self._count, self._since = after_s, times, 0, None

    @property
    def watching(self) -> bool:
        """Whether the timer is on."""
        return self._after_s is not None

    def caller_spoke(self) -> None:
        """The caller took the word: prompts count anew."""
        self._count, self._since = 0, None

    def observe(self, now: float, *, quiet: bool) -> Prompt | None:
        """How things are; the prompt that is due."""
        if self._after_s is None or not quiet or self._count >= self._times:
            self._since = None
            return None
        if self._since is None:
            self._since = now
        if now < self._since + self._after_s:
            return None
        self._since = None
        self._count += 1
        return Prompt(self._count, self._count == self._times)

    def due_at(self) -> float | None:
        """When a prompt is due if nothing happens."""
        return None if self._since is None or self._after_s is None else self._since + self._after_s

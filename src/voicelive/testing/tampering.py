"""What becomes of outgoing events on the way to the socket, where a test wants them missing, doubled or out of order.

Anything that maps an event to events tampers; the classes here are the usual ways. Each may be copied, with what it
has counted and held back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from voicelive import wire

__all__ = ["Double", "Drop", "Swap", "Tamper"]

Tamper: TypeAlias = Callable[[wire.ServerEvent], Iterable[wire.ServerEvent]]
"""Maps each event that is to go out to those that do."""


@dataclass(slots=True)
class _Counted:
    """Concerns events of a class.

    Attributes:
        kind: The class.
        times: How many of them, from now on; ``None``: all.
    """

    kind: type[Any]
    times: int | None = 1

    def _concerns(self, event: wire.ServerEvent) -> bool:
        if self.times == 0 or not isinstance(event, self.kind):
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(slots=True)
class Drop(_Counted):
    """Events of a class do not go out."""

    def __call__(self, event: wire.ServerEvent) -> Iterable[wire.ServerEvent]:
        return () if self._concerns(event) else (event,)


@dataclass(slots=True)
class Double(_Counted):
    """Events of a class go out twice."""

    def __call__(self, event: wire.ServerEvent) -> Iterable[wire.ServerEvent]:
        return (event, event) if self._concerns(event) else (event,)


@dataclass(slots=True)
class Swap(_Counted):
    """Events of a class change places with the event behind them; without one they never go out."""

    _held: wire.ServerEvent | None = field(default=None, init=False, repr=False)

    def __call__(self, event: wire.ServerEvent) -> Iterable[wire.ServerEvent]:
        if self._held is not None:
            held, self._held = self._held, None
            return event, held
        if self._concerns(event):
            self._held = event
            return ()
        return (event,)

"""What a fault is: something that is done to the network or the service, and the proof that it was done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from tests.reliability.scene import Scene

__all__ = ["DIRECTIONS", "Direction", "Fault", "Way", "cut_off"]

Way = Literal["up", "down", "both"]
Direction = Literal["up", "down", "both", ""]
DIRECTIONS: Final[tuple[Way, ...]] = ("up", "down", "both")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        name: As in the table.
        direction: Where it acts; empty where it has none.
        words: What is injected.
        inject: Does it.
        happened: Whether it did, asked at the end.
        tls: It needs TLS.
    """

    name: str
    direction: Direction
    words: str
    inject: Callable[[Scene], Awaitable[object] | None]
    happened: Callable[[Scene], bool]
    tls: bool = field(default=False)


def cut_off(scene: Scene) -> bool:
    """The service's first connection has ended without a close frame, and not by the client."""
    return scene.first.close_code == 1006

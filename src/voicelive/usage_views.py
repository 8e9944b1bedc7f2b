"""What ``session.usage`` shows: tokens by kind, what each response and each turn costs. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from voicelive.wire.responses import TokenUsage

if TYPE_CHECKING:  # loaded when somebody asks for a bill
    from voicelive.catalogue import Bill

__all__ = ["Observer", "ResponseCost", "TurnCost", "UsedTokens"]


class Observer(Protocol):
    """Who wants to know at once when something was used; ``voicelive.telemetry`` does. Called on the event loop."""

    def responded(self) -> None:
        """A response was counted."""
        ...

    def ended(self) -> None:
        """The session is over, and the account complete."""
        ...


@dataclass(frozen=True, slots=True)
class UsedTokens:
    """Tokens that the service told of. Cached ones are counted apart from fresh ones.

    Attributes:
        text_fresh: Text that was read for the first time.
        text_cached: Text that was read from the cache.
        audio_fresh: Speech that was heard for the first time.
        audio_cached: Speech that was read from the cache.
        text_out: Text that was written, reasoning included.
        audio_out: Speech that was spoken.
        unknown: Tokens of which nobody told what they are, and images.
    """

    text_fresh: int = 0
    text_cached: int = 0
    audio_fresh: int = 0
    audio_cached: int = 0
    text_out: int = 0
    audio_out: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        read = self.text_fresh + self.text_cached + self.audio_fresh + self.audio_cached
        return read + self.text_out + self.audio_out + self.unknown


@dataclass(frozen=True, slots=True)
class ResponseCost:
    """What one response used and costs.

    Attributes:
        response_id: Its id; empty where the service did not tell.
        turn_id: Its turn; ``None`` for one that runs out of band.
        status: As the service told; ``lost``: its end was never told, so that its usage is not known.
        model: The model's name, as the service reported it.
        usage: As the service told; ``None``: it told nothing.
        bill: What that costs.
    """

    response_id: str
    turn_id: str | None
    status: str
    model: str | None
    usage: TokenUsage | None = field(repr=False)
    bill: Bill


@dataclass(frozen=True, slots=True)
class TurnCost:
    """What the responses of one turn cost.

    Attributes:
        turn_id: As in ``session.conversation``; ``None``: all responses out of band.
        responses: How many.
        bill: What they cost.
    """

    turn_id: str | None
    responses: int
    bill: Bill

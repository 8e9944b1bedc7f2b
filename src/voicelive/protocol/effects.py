"""What the protocol asks the shell to do, most urgent first; plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from voicelive.events import SessionEvent
from voicelive.protocol.calls import AnswerCall, CancelCall, RunCall
from voicelive.protocol.continuation import LostResponse, Unanswered
from voicelive.protocol.ledger import Outcome
from voicelive.protocol.mcp import AskApproval
from voicelive.protocol.responses import Again, Ask, Began, Ended, Rejected
from voicelive.wire.client_events import ClientEvent

__all__ = ["Broken", "Effect", "Flushed", "Send", "Tell"]


@dataclass(frozen=True, slots=True)
class Flushed:
    """Playback was cut: whoever plays must fall silent now."""


@dataclass(frozen=True, slots=True)
class Send:
    """Put this on the wire, in order, without waiting."""

    event: ClientEvent


@dataclass(frozen=True, slots=True)
class Tell:
    """Deliver this to the application, after the event that caused it."""

    event: SessionEvent


Effect: TypeAlias = (
    Outcome
    | Ask
    | Began
    | Ended
    | Rejected
    | Again
    | RunCall
    | CancelCall
    | AnswerCall
    | AskApproval
    | Flushed
    | Send
    | Tell
)
"""What the shell must do."""


@dataclass(frozen=True, slots=True)
class Broken:
    """What was under way as a connection was lost.

    Attributes:
        unanswered: Events without an answer.
        response: The running response.
        owed_calls: Calls that go on.
    """

    unanswered: Unanswered
    response: LostResponse | None
    owed_calls: tuple[str, ...]

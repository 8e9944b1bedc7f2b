"""SessionProtocol joins the machines: one way in for everything the service says.

``receive`` returns what must happen before the event is delivered, most urgent first; on the hot path that is
nothing, and an empty tuple costs nothing.
"""

from __future__ import annotations

from voicelive.protocol.connection import Connection
from voicelive.protocol.requests import Outcome, Requests
from voicelive.wire.server.response import ResponseAudioDelta
from voicelive.wire.server_events import ServerEvent

__all__ = ["Effect", "SessionProtocol"]

Effect = Outcome
"""What the shell must do before it delivers an event: settle a request."""

_NOTHING: tuple[Effect, ...] = ()


class SessionProtocol:
    """What one session's events mean. Pure: same calls, same answers."""

    def __init__(self) -> None:
        self.connection = Connection()
        self.requests = Requests()

    def receive(self, event: ServerEvent) -> tuple[Effect, ...]:
        """Take in one event and say what must happen."""
        if type(event) is ResponseAudioDelta:
            return _NOTHING
        self.connection.receive(event)
        outcome = self.requests.receive(event)
        return _NOTHING if outcome is None else (outcome,)

"""Where a session stands: from the first event to the close.

Decides what is in effect (settings, id, expiry) and how an end is to be understood. Closing codes follow
RFC 6455; what the service means by them is in the comments.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from voicelive.audio.formats import AudioFormat
from voicelive.errors import ConfigurationError, ConnectionLostError, SessionClosedError, SessionExpiredError
from voicelive.wire.server.session import ErrorEvent, SessionCreated, SessionUpdated
from voicelive.wire.server_events import ServerEvent
from voicelive.wire.session import SessionResource

__all__ = ["CloseInfo", "Connection", "Phase"]

NORMAL_CLOSURE = 1000
EXPIRED = "session_expired"  # error code, and reason of a 1001, when the lifetime is over


class Phase(Enum):
    """How far a session has come."""

    OPENING = "opening"
    CREATED = "created"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class CloseInfo:
    """How a session ended.

    Attributes:
        code: WebSocket close code; ``None`` where the socket went away without a close frame.
        reason: The peer's words, or ours where it gave none.
        by: Who ended it.
        normal: Whether iteration ends quietly: the application closed it, or the service did with code 1000.
    """

    code: int | None
    reason: str
    by: Literal["application", "service"]
    normal: bool


HEARS: Final = frozenset({SessionCreated, SessionUpdated, ErrorEvent})
"""Events that concern the connection; others need not be shown."""


class Connection:
    """Settings in effect and the end of one session. Pure: same calls, same answers."""

    def __init__(self) -> None:
        self.phase = Phase.OPENING
        self.settings = SessionResource()
        self.close_info: CloseInfo | None = None
        self._expired = False

    @property
    def session_id(self) -> str:
        """The service's id of the session; empty before ``session.created``."""
        return self.settings.id or ""

    @property
    def known_input(self) -> AudioFormat | None:
        """The format of the caller's audio; ``None`` for one that this version does not know."""
        settings = self.settings
        cancellation = settings.input_audio_echo_cancellation
        channels = (cancellation.channels or 1) if cancellation is not None else 1
        try:
            return AudioFormat.of_input(settings.input_audio_format, settings.input_audio_sampling_rate, channels)
        except ConfigurationError:
            return None

    def receive(self, event: ServerEvent) -> None:
        if isinstance(event, SessionCreated | SessionUpdated):
            known_id = self.settings.id
            self.settings = event.session
            if event.session.id is None and known_id is not None:
                self.settings = event.session.model_copy(update={"id": known_id})
            if self.phase is Phase.OPENING:
                self.phase = Phase.CREATED
        elif isinstance(event, ErrorEvent) and event.error.code == EXPIRED:
            self._expired = True

    def end(self, code: int | None, reason: str, *, by_application: bool, wanted: bool) -> None:
        """The transport has ended; the first call counts. ``wanted``: the application called close."""
        if self.close_info is None:
            self.phase = Phase.CLOSED
            normal = wanted or (code == NORMAL_CLOSURE and not by_application)
            self.close_info = CloseInfo(code, reason, "application" if by_application else "service", normal)
            self._expired = self._expired or reason.startswith(EXPIRED)  # what follows may tell of other sessions

    def failure(self) -> SessionClosedError | None:
        """The error of an end that is not normal; a fresh one for each raise."""
        info = self.close_info
        if info is None or info.normal:
            return None
        kind: type[SessionClosedError] = ConnectionLostError
        if self._expired:
            kind = SessionExpiredError
        elif info.by == "application":
            kind = SessionClosedError
        return kind(info.code, info.reason, self.session_id)

    def closed_error(self) -> SessionClosedError:
        """What a verb raises after the end, normal or not."""
        assert self.close_info is not None, "asked only after the end"
        return self.failure() or SessionClosedError(self.close_info.code, self.close_info.reason, self.session_id)

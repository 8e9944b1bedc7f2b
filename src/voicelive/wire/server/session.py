"""The session itself: settings, errors, warnings, the avatar's link."""

from typing import Literal, TypeAlias

from pydantic import Field

from voicelive.wire.base import Private, Wire
from voicelive.wire.server.base import ServerEventBase
from voicelive.wire.session import SessionResource

__all__ = [
    "ConversationCreated",
    "ConversationResource",
    "ErrorEvent",
    "ErrorResponse",
    "RateLimitsItem",
    "RateLimitsUpdated",
    "ServerEventErrorDetails",
    "ServerEventWarningDetails",
    "SessionAvatarConnecting",
    "SessionAvatarSwitchToIdle",
    "SessionAvatarSwitchToSpeaking",
    "SessionCreated",
    "SessionServerEvent",
    "SessionUpdated",
    "VoiceLiveErrorDetails",
    "WarningEvent",
]


class ServerEventErrorDetails(Wire):
    """What went wrong. ``code`` is open text: the service publishes no list."""

    type: str = ""
    """``invalid_request_error``, ``server_error``, ..."""
    code: str | None = None
    message: Private = ""
    param: str | None = None
    event_id: str | None = None
    """Id of the client event at fault; ``None`` when it is not tied to one."""


class VoiceLiveErrorDetails(Wire):
    """An error inside another event or a refused handshake."""

    type: str | None = None
    code: str | None = None
    message: Private = ""
    param: str | None = None
    event_id: str | None = None


class ErrorResponse(Wire):
    """The envelope of a refused handshake."""

    error: VoiceLiveErrorDetails = Field(default_factory=VoiceLiveErrorDetails)


class ErrorEvent(ServerEventBase):
    """A request failed or the service had a fault; the session normally stays open."""

    type: Literal["error"] = "error"
    error: ServerEventErrorDetails = Field(default_factory=ServerEventErrorDetails)


class ServerEventWarningDetails(Wire):
    """A remark of the service."""

    message: Private = ""
    code: str | None = None
    param: str | None = None


class WarningEvent(ServerEventBase):
    """A remark; nothing stops."""

    type: Literal["warning"] = "warning"
    warning: ServerEventWarningDetails = Field(default_factory=ServerEventWarningDetails)


class SessionCreated(ServerEventBase):
    """The first event, with the service's defaults."""

    type: Literal["session.created"] = "session.created"
    session: SessionResource = Field(default_factory=SessionResource)


class SessionUpdated(ServerEventBase):
    """All settings in effect after an update; with an avatar it brings the ICE servers."""

    type: Literal["session.updated"] = "session.updated"
    session: SessionResource = Field(default_factory=SessionResource)


class SessionAvatarConnecting(ServerEventBase):
    """The answer of the avatar's WebRTC link."""

    type: Literal["session.avatar.connecting"] = "session.avatar.connecting"
    server_sdp: Private = ""
    """Base64 of the JSON text ``{"type": "answer", "sdp": "..."}``."""


class SessionAvatarSwitchToSpeaking(ServerEventBase):
    """The avatar began to speak."""

    type: Literal["session.avatar.switch_to_speaking"] = "session.avatar.switch_to_speaking"
    turn_id: str | None = None


class SessionAvatarSwitchToIdle(ServerEventBase):
    """The avatar went idle."""

    type: Literal["session.avatar.switch_to_idle"] = "session.avatar.switch_to_idle"
    turn_id: str | None = None


class ConversationResource(Wire):
    """A conversation's handle."""

    id: str = ""
    object: str | None = None


class ConversationCreated(ServerEventBase):
    """The conversation exists. Early drafts and ``v1`` only."""

    type: Literal["conversation.created"] = "conversation.created"
    conversation: ConversationResource = Field(default_factory=ConversationResource)


class RateLimitsItem(Wire):
    """The state of one quota."""

    name: str = ""
    """``requests`` or ``tokens``."""
    limit: int = 0
    remaining: int = 0
    reset_seconds: float = 0.0


class RateLimitsUpdated(ServerEventBase):
    """The state of the quotas. Documented, in no dated schema."""

    type: Literal["rate_limits.updated"] = "rate_limits.updated"
    rate_limits: list[RateLimitsItem] = Field(default_factory=list)


SessionServerEvent: TypeAlias = (
    ErrorEvent
    | WarningEvent
    | SessionCreated
    | SessionUpdated
    | SessionAvatarConnecting
    | SessionAvatarSwitchToSpeaking
    | SessionAvatarSwitchToIdle
    | ConversationCreated
    | RateLimitsUpdated
)

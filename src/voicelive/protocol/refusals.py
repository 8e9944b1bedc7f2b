"""Errors that do not say which request they refuse: what they say tells of which kind it was."""

from __future__ import annotations

from voicelive.wire.client_events import KnownClientEvent, SessionAvatarConnect, SessionUpdate
from voicelive.wire.server.session import ServerEventErrorDetails

__all__ = ["unnamed_refusal"]


def unnamed_refusal(error: ServerEventErrorDetails) -> tuple[type[KnownClientEvent], ...]:
    """Requests that an error without ``event_id`` may refuse: those of avatars name none (seen in 2026).

    An error in which everything is null was seen for a custom avatar's name.
    """
    code, message = error.code or "", error.message
    if code in ("avatar_verification_failed", "invalid_argument"):
        return (SessionUpdate,)
    if code.startswith("avatar_service_") or "WebRTC" in message:
        return (SessionAvatarConnect,)
    if code == "rate_limit_exceeded" and "avatar" in message.lower():
        return (SessionAvatarConnect,)
    if not (code or message or error.type):
        return (SessionAvatarConnect, SessionUpdate)
    return ()

"""An ``error`` event of the service as the exception that a verb raises."""

from __future__ import annotations

import re
from typing import Final

from voicelive.errors import AvatarBusyError, AvatarRefusedError, RtcCallRefusedError, ServiceError
from voicelive.wire.server.calls import RtcCallError
from voicelive.wire.server.session import ServerEventErrorDetails

__all__ = ["call_refusal", "refusal"]

_RETRY_AFTER: Final = re.compile(
    r"retry after (\d+(?:\.\d+)?) ?s", re.IGNORECASE
)  # seen in 2026; nowhere but in the text


def refusal(error: ServerEventErrorDetails, *, of_avatar: bool = False) -> ServiceError:
    """The exception; ``of_avatar``: the request was about an avatar's link."""
    facts = (error.type, error.code, error.message, error.param, error.event_id)
    code = error.code or ""
    if code == "avatar_service_resource_exhausted":
        return AvatarBusyError(*facts)
    if code == "rate_limit_exceeded" and (of_avatar or "avatar" in error.message.lower()):
        found = _RETRY_AFTER.search(error.message)
        return AvatarBusyError(*facts, retry_after_s=float(found[1]) if found else None)
    if of_avatar or code.startswith("avatar_"):
        return AvatarRefusedError(*facts)
    return ServiceError(*facts)


def call_refusal(error: ServerEventErrorDetails, told: RtcCallError | None) -> RtcCallRefusedError:
    """The exception of a WebRTC call; ``told``: the service's own words, where it used those of calls."""
    operation, rtc_call_id = (told.operation, told.rtc_call_id) if told is not None else (None, None)
    return RtcCallRefusedError(error.type, error.code, error.message, operation, rtc_call_id)

"""Messages of the avatar's data channel. Hints, which may be lost: the socket's ``switch_to_*`` events say more."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

__all__ = ["AvatarEvent", "read_event"]


@dataclass(frozen=True, slots=True)
class AvatarEvent:
    """One message. Fields that were missing or unreadable are ``None``; nothing is lost, ``raw`` holds all.

    Attributes:
        kind: ``EVENT_TYPE_TURN_START``, ``EVENT_TYPE_SWITCH_TO_SPEAKING``, ``EVENT_TYPE_SWITCH_TO_IDLE``,
            ``EVENT_TYPE_SESSION_END`` (seen by clients, 2026), or another one; empty where none was told.
        offset_s: Seconds since the start of the media, by the service.
        duration_s: Seconds.
        turn_id: The turn it belongs to.
        raw: The message as it came.
    """

    kind: str
    offset_s: float | None = None
    duration_s: float | None = None
    turn_id: str | None = None
    raw: str | bytes = field(default="", repr=False)


def read_event(message: str | bytes) -> AvatarEvent:
    """Never raises: what is not understood comes with an empty ``kind``."""
    try:
        outer = json.loads(message)
    except (ValueError, RecursionError):
        outer = None
    found: Any = outer.get("event") if isinstance(outer, dict) else None
    if not isinstance(found, dict):
        return AvatarEvent("", raw=message)
    kind, turn_id = found.get("eventType"), found.get("turnID")
    return AvatarEvent(
        kind if isinstance(kind, str) else "",
        _seconds(found.get("offset")),
        _seconds(found.get("duration")),
        turn_id if isinstance(turn_id, str) else None,
        message,
    )


def _seconds(text: object) -> float | None:
    """``"14.610s"`` as a number."""
    if not isinstance(text, str):
        return None
    try:
        value = float(text.removesuffix("s"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None

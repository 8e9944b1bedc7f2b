"""What the emulated service reports of an avatar, and what an update changes of one that is there.

The echo is that of applications in 2026-04 to 2026-10: unset keys as null, an undocumented ``image_prompt_url``, the
defaults of ``video`` once it is sent, servers of the service's own where the client gave none. Of an avatar in effect
only a photo avatar's scene changes: a new bitrate was seen confirmed and ignored, and nobody has seen anything else
change. Which avatars there are is decided in ``avatar_rules``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeAlias

__all__ = ["ICE_SERVERS", "completed", "updated"]

JsonObject: TypeAlias = dict[str, Any]

ICE_SERVERS: Sequence[Mapping[str, Any]] = (
    {
        "urls": ["turn:relay.example.com:3478"],
        "username": "emulated-user",
        "credential": "emulated-credential",
    },
)
"""What a session is given by default: one server, as the service gives, under a name that nobody has."""

_DEFAULTS: JsonObject = {
    "type": "video-avatar",
    "character": None,
    "style": None,
    "customized": False,
    "model": None,
    "video": None,
    "scene": None,
    "image_prompt_url": None,
    "output_protocol": "webrtc",
    "output_audit_audio": False,
    "ice_servers": None,
}
_VIDEO_DEFAULTS: JsonObject = {
    "bitrate": 2_000_000,
    "codec": "h264",
    "crop": None,
    "resolution": None,
    "background": None,
    "gop_size": 10,
}


def completed(avatar: JsonObject, ice_servers: Sequence[Mapping[str, Any]]) -> JsonObject:
    """An avatar as the service reports it. ``ice_servers`` are those for clients without their own; a session that
    shows its avatar over the socket is given none."""
    whole = _DEFAULTS | _set(avatar)
    if whole["video"] is not None:
        whole["video"] = _VIDEO_DEFAULTS | _set(whole["video"])
    if whole["ice_servers"] is None and whole["output_protocol"] == "webrtc":
        whole["ice_servers"] = [dict(server) for server in ice_servers]
    return deepcopy(whole)


def updated(before: JsonObject, update: JsonObject | None) -> JsonObject:
    """An avatar that is there, after a valid update: as it was, but for the scene of a photo avatar."""
    scene = None if update is None else update.get("scene")
    if scene is None or before["type"] != "photo-avatar" or update is None:
        return before
    if any(update.get(name) != before[name] for name in ("type", "character", "model")):
        return before
    return {**before, "scene": deepcopy(scene)}


def _set(values: JsonObject) -> JsonObject:
    return {name: value for name, value in values.items() if value is not None}

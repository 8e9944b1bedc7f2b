"""Which avatars the emulated service takes, and in which words it refuses the others.

The form of the settings is a table, as in ``settings_rules``; who may appear is looked up in the dated list of standard
avatars, as the service looks it up in its own. Sources: the reference and the guides of api-version 2026-07-15, and
what applications saw of the service's answers (2026-04 to 2026-10). The text of ``avatar_verification_failed`` was
seen; the other texts are the emulator's own, since none is published. One application saw an error of nothing but nulls
for its custom avatar without ``customized``; here that is answered like every other name that is not found.
"""

from __future__ import annotations

import re
from math import pi
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from voicelive.avatar import characters
from voicelive.testing.checks import Check, Refusal, boolean, each, integer, nullable, number, one_of, record, text

__all__ = ["AVATAR", "verify", "verify_voice"]

JsonObject: TypeAlias = dict[str, Any]

_NATIVE_PX = (1920, 1080)
_CUSTOM_PX = (3840, 2160)
_COLOUR = re.compile(r"#[0-9A-Fa-f]{8}")
_ICE = re.compile(r"(stuns?|turns?):[^/\s].*")


def _refused(path: str, wanted: str) -> Refusal:
    return Refusal("invalid_value", f"Invalid value for '{path}': {wanted}.", path)


def _above_zero(most: float | None = None) -> Check:
    """The reference gives such fields 0 as default, and a range that leaves it out."""
    judge = number(0, most)

    def check(value: object, path: str) -> None:
        judge(value, path)
        if value == 0:
            raise _refused(path, "it must be greater than 0")

    return check


def _written_as(pattern: re.Pattern[str], form: str) -> Check:
    def check(value: object, path: str) -> None:
        text(value, path)
        if not pattern.fullmatch(str(value)):
            raise _refused(path, f"the form is {form}")

    return check


def _image_url(value: object, path: str) -> None:
    text(value, path)
    if urlsplit(str(value)).scheme not in ("http", "https"):
        raise _refused(path, "the image must have a public http or https address")


def _corner(value: object, path: str) -> None:
    each(integer(0))(value, path)
    if not isinstance(value, list) or len(value) != 2:
        raise _refused(path, "a corner is [x, y]")


def _crop(value: object, path: str) -> None:
    record({"top_left": _corner, "bottom_right": _corner}, required=("top_left", "bottom_right"))(value, path)
    assert isinstance(value, dict), "record passes objects only"
    (left, top), (right, bottom) = value["top_left"], value["bottom_right"]
    if right <= left or bottom <= top:
        raise _refused(f"{path}.bottom_right", "it must lie right of and below top_left")


def _background(value: object, path: str) -> None:
    fields = {"color": nullable(_written_as(_COLOUR, "#RRGGBBAA")), "image_url": nullable(_image_url)}
    record(fields)(value, path)
    assert isinstance(value, dict), "record passes objects only"
    if sum(value.get(name) is not None for name in fields) != 1:
        raise _refused(path, "exactly one of color and image_url is needed")


_angle = nullable(number(-pi, pi))
_share = nullable(number(-1, 1))
_video = record(
    {
        "bitrate": nullable(integer(1)),
        "codec": nullable(one_of("h264")),
        "crop": nullable(_crop),
        "resolution": nullable(record({"width": integer(1), "height": integer(1)}, required=("width", "height"))),
        "background": nullable(_background),
        "gop_size": nullable(integer(1, 2000)),
    }
)
_scene = record(
    {
        "zoom": nullable(_above_zero()),
        **dict.fromkeys(("position_x", "position_y"), _share),
        **dict.fromkeys(("rotation_x", "rotation_y", "rotation_z"), _angle),
        "amplitude": nullable(_above_zero(1)),
    }
)
_ice_server = record(
    {
        "urls": each(_written_as(_ICE, "stun:, stuns:, turn: or turns:, then a host")),
        "username": nullable(text),
        "credential": nullable(text),
    },
    required=("urls",),
)

AVATAR = record(
    {
        "type": nullable(one_of("video-avatar", "photo-avatar")),
        "character": text,
        "style": nullable(text),
        "model": nullable(text),
        "customized": nullable(boolean),  # required by the schema, left out by documented examples
        "ice_servers": nullable(each(_ice_server)),
        "video": nullable(_video),
        "scene": nullable(_scene),
        "output_protocol": nullable(one_of("webrtc", "websocket")),
        "output_audit_audio": nullable(boolean),
        "image_prompt_url": nullable(text),  # documented nowhere; the service reports it, so it may come back
    },
    required=("character",),
)


def verify(avatar: JsonObject) -> None:
    """Look the avatar up, and judge what its picture allows.

    Args:
        avatar: Settings that ``AVATAR`` has passed.

    Raises:
        Refusal: There is no such avatar, or it cannot be shown like this.
    """
    photo = avatar.get("type") == "photo-avatar"
    if photo and avatar.get("model") is None:
        where = "session.avatar.model"
        raise Refusal("missing_required_parameter", f"Missing required parameter: '{where}'.", where)
    if not (_has_photo(avatar) if photo else _has_video(avatar)):
        character, style = avatar["character"], avatar.get("style")
        message = f"Avatar with character [{character}] and style [{style}] not found."
        raise Refusal("avatar_verification_failed", message, names_request=False)
    if not photo:
        _refuse_picture(avatar)


def verify_voice(settings: JsonObject) -> None:
    """A voice that is trained together with a custom video avatar speaks for no other.

    Raises:
        Refusal: The avatar that is in effect, or would be, is another.
    """
    avatar = settings["avatar"]
    if avatar is None or settings["voice"]["type"] != "avatar-voice-sync":
        return
    if avatar["type"] != "video-avatar" or not avatar["customized"]:
        raise Refusal("invalid_value", "This voice needs the custom video avatar it belongs to.", "session.voice")


def _has_photo(avatar: JsonObject) -> bool:
    known = characters.find(avatar["character"])
    if avatar.get("style") is not None:
        return False
    if avatar.get("customized"):
        return known is None
    return known is not None and known.kind == "photo" and known.model == avatar["model"]


def _has_video(avatar: JsonObject) -> bool:
    known, style = characters.find(avatar["character"]), avatar.get("style")
    if avatar.get("customized"):
        return known is None and style is None
    if known is None or known.kind != "video":
        return False
    if not known.styles:
        return style is None
    own = known.style(style) if style is not None else None
    return own is not None and own.real_time


def _refuse_picture(avatar: JsonObject) -> None:
    if avatar.get("scene") is not None:
        raise _refused("session.avatar.scene", "scenes are for photo avatars")
    video = avatar.get("video") or {}
    size, crop = video.get("resolution"), video.get("crop")
    if size and abs(size["width"] * 9 - size["height"] * 16) > 8:  # half a pixel of rounding is let pass
        where = "session.avatar.video.resolution"
        raise Refusal("invalid_argument", f"'{where}' must keep the native ratio of 16:9.", names_request=False)
    if crop:
        own = _CUSTOM_PX if avatar.get("customized") else _NATIVE_PX
        width, height = (size["width"], size["height"]) if size else own
        right, bottom = crop["bottom_right"]
        if right > width or bottom > height:
            raise _refused("session.avatar.video.crop.bottom_right", f"the picture ends at [{width}, {height}]")

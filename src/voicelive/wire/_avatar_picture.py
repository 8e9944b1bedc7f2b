"""How an avatar may be shown: colours, addresses, sizes. Raises ``ValueError``, or says what will have no effect."""

import re
from ipaddress import ip_address  # urllib.parse loads it anyway
from typing import Any
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, ValidationInfo

__all__ = [
    "COLOUR",
    "doubts_of_image",
    "doubts_of_size",
    "is_opaque",
    "refuse_crop",
    "refuse_ice_url",
    "refuse_image",
    "refuse_outside",
    "refuse_ratio",
]

_NATIVE = (1920, 1080)
_LARGEST = (3840, 2160)
"""Custom avatars may be trained in this size; standard ones have the smaller."""

_COLOUR = r"#[0-9A-Fa-f]{6}([0-9A-Fa-f]{2})?"  # compiled on use: each costs an import half a millisecond
_ICE = r"(?P<scheme>stuns?|turns?):(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/?@\[\]]+)(:(?P<port>[0-9]{1,5}))?(?P<query>\?.+)?"
_TRANSPORTS = ("", "?transport=udp", "?transport=tcp")


def _complete_colour(value: Any, info: ValidationInfo) -> Any:
    if info.mode != "python" or value is None:
        return value
    if not re.fullmatch(_COLOUR, value):
        raise ValueError(f"{value!r:.40} is refused, allowed: #RRGGBBAA, such as '#00FF00FF'; or #RRGGBB")
    return value if len(value) == 9 else f"{value}FF"


COLOUR = AfterValidator(_complete_colour)
"""``#RRGGBBAA``; six digits are an opaque colour."""


def is_opaque(colour: str) -> bool:
    return colour[7:].upper() == "FF"


def refuse_image(url: str) -> None:
    """The service fetches the image itself, so it must have an address there. The value may be signed: not shown."""
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            f"image_url is a text of {len(url)} characters that is no http(s) URL with a host; "
            "the service fetches the image itself: give its public address, such as 'https://example.com/room.jpg'"
        )


def doubts_of_image(url: str) -> list[str]:
    parts = _split(url)
    assert parts is not None, "refused before"
    doubts = []
    if parts.scheme == "http":
        doubts.append("video.background.image_url is plain http; the service may refuse to fetch it: use https")
    if _is_private(parts.hostname or ""):
        doubts.append(
            "video.background.image_url names a host of a private network; the service fetches the image itself "
            "and cannot reach it: use a public address"
        )
    return doubts


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:  # brackets that hold no address
        return None


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".localhost", ".internal", ".lan"))


def refuse_ice_url(index: int, url: str) -> bool:
    """Raise for what is no address of a STUN or TURN server; whether it is one that wants a password."""
    match = re.fullmatch(_ICE, url)
    if match is None or (match["query"] or "") not in _TRANSPORTS or not 0 < int(match["port"] or 1) < 65_536:
        shown = "a text with '@'" if "@" in url else f"{url!r:.80}"  # what stands before it may be a password
        raise ValueError(
            f"urls[{index}] is {shown}, allowed: stun:, stuns:, turn: or turns:, then host, then perhaps a port and "
            "?transport=udp or ?transport=tcp, such as 'turn:turn.example.org:3478'"
        )
    return match["scheme"].startswith("turn")


def refuse_crop(top_left: list[int], bottom_right: list[int]) -> None:
    for name, corner in (("top_left", top_left), ("bottom_right", bottom_right)):
        if len(corner) != 2 or min(corner) < 0:
            raise ValueError(f"{name} is {corner!r}; it must be [x, y] in pixels, neither of them negative")
    if bottom_right[0] <= top_left[0] or bottom_right[1] <= top_left[1]:
        raise ValueError(f"bottom_right is {bottom_right!r}; it must lie right of and below top_left {top_left!r}")


def refuse_ratio(width: int, height: int) -> None:
    """Video avatars are 16:9 and stay so; half a pixel of rounding is let pass."""
    if abs(width * 9 - height * 16) > 8:
        raise ValueError(
            f"video.resolution is {width} x {height}; a video avatar keeps its ratio 16:9, such as 1920 x 1080 or "
            "1280 x 720. For a portrait, leave the resolution and use video.crop"
        )


def refuse_outside(bottom_right: list[int], size: tuple[int, int] | None, *, customized: bool) -> None:
    """Raise where a crop reaches beyond the picture, which has the size asked for, else its own."""
    width, height = size or (_LARGEST if customized else _NATIVE)
    if bottom_right[0] > width or bottom_right[1] > height:
        raise ValueError(
            f"video.crop.bottom_right is {bottom_right!r}, outside the picture of {width} x {height}; "
            f"at most [{width}, {height}]"
        )


def doubts_of_size(size: tuple[int, int], *, cropped: bool, customized: bool) -> list[str]:
    """Doubts about a resolution that is not the picture's own."""
    doubts = []
    native = (_NATIVE, _LARGEST) if customized else (_NATIVE,)
    shown = f"{size[0]} x {size[1]}"
    if cropped and size not in native:
        doubts.append(
            f"video.resolution is {shown} together with video.crop; whether the crop counts in pixels before or "
            "after scaling is not documented: leave the resolution out, or give 1920 x 1080"
        )
    if size > native[-1]:
        doubts.append(f"video.resolution is {shown}, more than the avatar's own {native[-1][0]} x {native[-1][1]}")
    return doubts

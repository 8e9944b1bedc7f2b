"""What the avatar's settings say of its picture, in numbers. Pure; knows neither drawing nor encoding.

Sizes, defaults and units are the documented ones: 1920 x 1080 for video avatars, 512 x 512 for photo avatars, 25
pictures a second, 2,000,000 bit/s, a key picture every 10. Photo avatars ignore a resolution, as seen in 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["AvatarPicture", "Look", "Scene", "look_of"]

_VIDEO_PX = (1920, 1080)
_PHOTO_PX = (512, 512)
_LEAST_PX = 16
_BITRATE = 2_000_000
_KEY_INTERVAL = 10
_WHITE = (255, 255, 255)
_IMAGE_GREY = (128, 136, 144)  # stands in for a background image, which is not fetched
_PACKETS_PER_S = 50  # Opus frames of 20 ms


@dataclass(frozen=True, slots=True, kw_only=True)
class AvatarPicture:
    """How large and how smooth the emulated picture is; by default as the service's.

    Attributes:
        scale: Factor of both sides. A full picture of 1920 x 1080 takes some 8 ms of CPU to draw and encode, one of
            ``scale=0.125`` takes 0.3 ms.
        frames_per_s: 50, 25, 10 or 5: pictures share the beat of the sound, which comes in pieces of 20 ms.

    Raises:
        ValueError: Another number of pictures, or a scale that is not above 0 and at most 1.
    """

    scale: float = 1.0
    frames_per_s: int = 25

    def __post_init__(self) -> None:
        if not 0 < self.scale <= 1:
            raise ValueError(f"scale is {self.scale}; it must be above 0 and at most 1")
        if self.frames_per_s not in (50, 25, 10, 5):
            raise ValueError(f"frames_per_s is {self.frames_per_s}; allowed: 50, 25, 10, 5")

    @classmethod
    def small(cls) -> AvatarPicture:
        """Cheap enough for tests: 240 x 136 or 64 x 64."""
        return cls(scale=0.125)


class Scene(NamedTuple):
    """Framing of a photo avatar, in the units of the wire."""

    zoom: float = 1.0
    position_x: float = 0.0
    position_y: float = 0.0
    rotation_x: float = 0.0
    rotation_y: float = 0.0
    rotation_z: float = 0.0
    amplitude: float = 1.0


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be drawn and encoded.

    Attributes:
        is_photo: A head alone; else a head with shoulders.
        full: Width and height before cropping.
        left: First column that is kept.
        top: First row that is kept.
        size: Width and height of the picture, both even.
        background: Red, green, blue.
        bitrate: Bits per second.
        key_interval: Pictures from one key picture to the next.
        frames_per_s: Pictures a second.
    """

    is_photo: bool
    full: tuple[int, int]
    left: int
    top: int
    size: tuple[int, int]
    background: tuple[int, int, int]
    scene: Scene
    bitrate: int
    key_interval: int
    frames_per_s: int


def look_of(avatar: Mapping[str, Any], picture: AvatarPicture) -> Look:
    """Read valid settings; what is absent or null has its default."""
    is_photo = avatar.get("type") == "photo-avatar"
    video = avatar.get("video") or {}
    full = _PHOTO_PX if is_photo else _VIDEO_PX
    resolution = video.get("resolution")
    if resolution and not is_photo:
        full = (resolution["width"], resolution["height"])
    left, top, right, bottom = _crop(video.get("crop"), full)
    size = (_even((right - left) * picture.scale), _even((bottom - top) * picture.scale))
    return Look(
        is_photo=is_photo,
        full=(max(1, round(full[0] * picture.scale)), max(1, round(full[1] * picture.scale))),
        left=round(left * picture.scale),
        top=round(top * picture.scale),
        size=size,
        background=_background(video.get("background") or {}),
        scene=_scene(avatar.get("scene") or {}) if is_photo else Scene(),
        bitrate=video.get("bitrate") or _BITRATE,
        key_interval=video.get("gop_size") or _KEY_INTERVAL,
        frames_per_s=picture.frames_per_s,
    )


def _crop(crop: Mapping[str, Any] | None, full: tuple[int, int]) -> tuple[int, int, int, int]:
    """The part that is kept; one that keeps nothing of the picture keeps all of it."""
    if not crop:
        return (0, 0, *full)
    (left, top), (right, bottom) = crop["top_left"], crop["bottom_right"]
    right, bottom = min(right, full[0]), min(bottom, full[1])
    return (left, top, right, bottom) if left < right and top < bottom else (0, 0, *full)


def _background(background: Mapping[str, Any]) -> tuple[int, int, int]:
    if background.get("image_url"):
        return _IMAGE_GREY
    try:
        red, green, blue = bytes.fromhex((background.get("color") or "").removeprefix("#"))[:3]
    except ValueError:
        return _WHITE
    return red, green, blue


def _scene(scene: Mapping[str, Any]) -> Scene:
    """Null, and the 0 that the reference prints as the default of zoom and amplitude, mean the default."""
    return Scene(**{name: value for name in Scene._fields if (value := scene.get(name))})


def _even(length: float) -> int:
    """H.264 halves the colours' sides."""
    return max(_LEAST_PX, round(length / 2) * 2)

"""The visible agent: who appears, how it is framed, and how the picture travels.

Video avatars and photo avatars are told apart by ``type``, which older versions leave out: an avatar without
a type is a video avatar.
"""

from math import pi
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field

from voicelive.wire.base import Private, Settings, Unknown, Unlisted
from voicelive.wire.checks import more_than, within

__all__ = [
    "Animation",
    "AvatarConfig",
    "Background",
    "IceServer",
    "PhotoAvatar",
    "Scene",
    "UnknownAvatar",
    "VideoAvatar",
    "VideoCrop",
    "VideoParams",
    "VideoResolution",
]

Angle: TypeAlias = Annotated[float | None, within(-pi, pi, "rad")]
Share: TypeAlias = Annotated[float | None, within(-1, 1)]


class Animation(Settings):
    """Viseme or blendshape output; needs an Azure voice."""

    model_name: str | None = None
    outputs: list[Literal["blendshapes", "viseme_id"] | Unlisted] | None = None


class IceServer(Settings):
    """A STUN or TURN server of WebRTC."""

    urls: list[str]
    username: Private | None = None
    credential: Private | None = None


class Background(Settings):
    """What stands behind the avatar: a colour or an image, not both."""

    color: str | None = None
    """``#RRGGBBAA``."""
    image_url: Private | None = None
    """May be signed, so it shows nowhere."""

    def _refuse_impossible(self) -> None:
        if self.color is not None and self.image_url is not None:
            raise ValueError("color and image_url exclude each other; give one of them")


class VideoCrop(Settings):
    """The part of the picture that is kept, as two corners ``[x, y]`` in pixels."""

    top_left: list[int]
    bottom_right: list[int]

    def _refuse_impossible(self) -> None:
        for name, corner in (("top_left", self.top_left), ("bottom_right", self.bottom_right)):
            if len(corner) != 2 or min(corner) < 0:
                raise ValueError(f"{name} is {corner!r}; it must be [x, y] in pixels, neither of them negative")


class VideoResolution(Settings):
    """Size of the picture in pixels."""

    width: Annotated[int, within(1, unit="px")]
    height: Annotated[int, within(1, unit="px")]


class VideoParams(Settings):
    """How the avatar's picture is encoded."""

    bitrate: Annotated[int | None, within(1, unit="bit/s")] = None
    """Bits per second; the service's default is 2,000,000."""
    codec: Literal["h264"] | Unlisted | None = None
    crop: VideoCrop | None = None
    resolution: VideoResolution | None = None
    background: Background | None = None
    gop_size: Annotated[int | None, within(1, 2000, "frames")] = None


class Scene(Settings):
    """Framing of a photo avatar. The service declares 0 for ``zoom`` and ``amplitude``, outside their own ranges:
    leave them unset unless you want them."""

    zoom: Annotated[float | None, more_than(0)] = None
    position_x: Share = None
    """Share of the frame's width, right is positive."""
    position_y: Share = None
    """Share of the frame's height, down is positive."""
    rotation_x: Angle = None
    """Radians; pitch, down is positive."""
    rotation_y: Angle = None
    """Radians; yaw, right is positive."""
    rotation_z: Angle = None
    """Radians; roll, clockwise is positive."""
    amplitude: Annotated[float | None, more_than(0, 1)] = None


class _Avatar(Settings):
    always_sent: ClassVar[tuple[str, ...]] = ("type", "customized")

    character: str
    """Lower-case name, such as ``lisa``."""
    customized: bool = False
    ice_servers: list[IceServer] | None = None
    """Left out: the service names its own in ``session.updated``."""
    video: VideoParams | None = None
    scene: Scene | None = None
    output_protocol: Literal["webrtc", "websocket"] | Unlisted | None = None
    output_audit_audio: bool | None = None
    """Also send the voice as ``response.audio.delta`` while the picture runs over WebRTC."""


class PhotoAvatar(_Avatar):
    """An avatar animated from a photo; it needs a base model and takes no style."""

    type: Literal["photo-avatar"] = "photo-avatar"
    model: Literal["vasa-1"] | Unlisted | None = None
    style: str | None = None

    def _refuse_impossible(self) -> None:
        if self.style is not None:
            raise ValueError("style is not for photo avatars; leave it out, or use VideoAvatar")
        if self.model is None:
            raise ValueError("model is required for photo avatars, allowed: vasa-1")


class VideoAvatar(_Avatar):
    """An avatar filmed from a person, in one of the character's styles."""

    type: Literal["video-avatar"] | None = "video-avatar"
    style: str | None = None
    """Such as ``casual-sitting``."""
    model: str | None = None

    def _refuse_impossible(self) -> None:
        if self.model is not None:
            raise ValueError("model is for photo avatars only; leave it out, or use PhotoAvatar")


class UnknownAvatar(Unknown):
    """A kind of avatar that this version does not know."""

    known = frozenset({"photo-avatar", "video-avatar"})


AvatarConfig: TypeAlias = Annotated[VideoAvatar | PhotoAvatar | UnknownAvatar, Field(union_mode="left_to_right")]
"""A video avatar comes first: it is what an avatar without a type is."""

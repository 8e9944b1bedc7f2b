"""The visible agent: who appears, how it is framed, and how the picture travels.

Video avatars and photo avatars are told apart by ``type``, which older versions leave out: an avatar without
a type is a video avatar.

An avatar that the service is known to refuse raises as it is made. One that it takes, and that will not do what it
seems to, warns once, with ``VoiceLiveWarning``.
"""

from abc import abstractmethod
from functools import cached_property
from math import pi
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field

from voicelive.wire import _avatar_identity as identity
from voicelive.wire import _avatar_picture as picture
from voicelive.wire._doubts import voice
from voicelive.wire.avatar_video import VideoCrop, VideoParams
from voicelive.wire.base import Private, Settings, Unknown, Unlisted
from voicelive.wire.checks import more_than, within

__all__ = [
    "Animation",
    "AvatarConfig",
    "IceServer",
    "PhotoAvatar",
    "Scene",
    "UnknownAvatar",
    "VideoAvatar",
]

Angle: TypeAlias = Annotated[float | None, within(-pi, pi, "rad")]
_PHOTO_SIZE = (512, 512)

Share: TypeAlias = Annotated[float | None, within(-1, 1)]


class Animation(Settings):
    """Viseme or blendshape output; needs an Azure voice."""

    model_name: str | None = None
    outputs: list[Literal["blendshapes", "viseme_id"] | Unlisted] | None = None


class IceServer(Settings):
    """A STUN or TURN server of WebRTC."""

    urls: list[str]
    """``stun:``, ``stuns:``, ``turn:`` or ``turns:``, then host and port; ``turn`` may name ``?transport=tcp``."""
    username: Private | None = None
    credential: Private | None = None

    def _refuse_impossible(self) -> None:
        if not self.urls:
            raise ValueError("urls is empty; name at least one, such as 'turn:turn.example.org:3478'")
        relays = [url for index, url in enumerate(self.urls) if picture.refuse_ice_url(index, url)]
        for name in ("username", "credential"):
            if relays and getattr(self, name) is None:
                raise ValueError(
                    f"{name} is required with {relays[0]!r:.80}; TURN servers want username and credential"
                )


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

    character: str | Unlisted
    """Lower-case name of a standard avatar, such as ``lisa`` (see ``voicelive.avatar.characters``), or the name of
    one of your own. ``Unlisted("...")`` sends a name whatever the list of standard avatars says."""
    customized: bool = False
    """True exactly for an avatar of your own: it decides where the name is looked up."""
    ice_servers: list[IceServer] | None = None
    """Left out: the service names its own in ``session.updated``."""
    video: VideoParams | None = None
    scene: Scene | None = None
    """Of photo avatars; the only setting that changes while the avatar is shown."""
    output_protocol: Literal["webrtc", "websocket"] | Unlisted | None = None
    """Left out: ``webrtc``. With ``websocket`` the picture comes as ``response.video.delta``."""
    output_audit_audio: bool | None = None
    """Also send the voice as ``response.audio.delta`` while the picture runs over WebRTC: play one of the two."""

    def _refuse_impossible(self) -> None:
        self._refuse_refused()
        if getattr(self, "style", None) is None:
            self.__pydantic_fields_set__.discard("style")  # the service would look null up as a style named "None"
        if "_doubts" not in self.__dict__:  # this runs again wherever the avatar is put into other settings
            for doubt in self._doubts:
                voice(doubt)

    @cached_property
    def _doubts(self) -> tuple[str, ...]:
        of_picture = [] if self.video is None else self.video.doubts()
        return tuple(f"avatar: {doubt}" for doubt in [*self._doubts_of_kind(), *of_picture])

    @abstractmethod
    def _refuse_refused(self) -> None:
        """Raise ``ValueError`` for what the service is known to refuse."""

    @abstractmethod
    def _doubts_of_kind(self) -> list[str]:
        """What will not do what it seems to, apart from the picture."""

    @property
    def _size(self) -> tuple[int, int] | None:
        size = None if self.video is None else self.video.resolution
        return None if size is None else (size.width, size.height)


class PhotoAvatar(_Avatar):
    """An avatar animated from a photo; it needs a base model and takes no style.

    ``vasa-2`` is a preview, offered in westus2, centralindia, southeastasia and swedencentral (2026-09-22).
    """

    type: Literal["photo-avatar"] = "photo-avatar"
    model: Literal["vasa-1", "vasa-2"] | Unlisted | None = None
    """Required. Each standard photo avatar belongs to one of them."""
    style: str | Unlisted | None = None

    def _refuse_refused(self) -> None:
        if self.style is not None:
            raise ValueError(
                f"style is {self.style!r}, but photo avatars have no styles; leave it out, or use VideoAvatar"
            )
        if self.model is None:
            raise ValueError("model is required for photo avatars, allowed: vasa-1, vasa-2")
        identity.refuse_photo(self.character, self.model, customized=self.customized)

    def _doubts_of_kind(self) -> list[str]:
        assert self.model is not None, "refused before"
        doubts = identity.doubts_of_photo(self.character, self.model, customized=self.customized)
        if self._size not in (None, _PHOTO_SIZE):
            doubts.append("video.resolution has no effect on photo avatars, whose picture is 512 x 512; leave it out")
        return doubts


class VideoAvatar(_Avatar):
    """An avatar filmed from a person, in one of the character's styles. Its picture is 1920 x 1080 at 25 frames/s;
    one of your own may have 3840 x 2160."""

    type: Literal["video-avatar"] | None = "video-avatar"
    style: str | Unlisted | None = None
    """Such as ``casual-sitting``; required where the character has styles, and one of its own. None for an avatar of
    your own."""
    model: str | None = None

    def _refuse_refused(self) -> None:
        if self.model is not None:
            raise ValueError(
                f"model is {self.model!r}, which is for photo avatars only; leave it out, or use PhotoAvatar"
            )
        if self.scene is not None:
            raise ValueError("scene is for photo avatars only; leave it out, and frame the picture with video.crop")
        identity.refuse_video(self.character, self.style, customized=self.customized)
        if self._size is not None:
            picture.refuse_ratio(*self._size)
        if self._crop is not None:
            picture.refuse_outside(self._crop.bottom_right, self._size, customized=self.customized)

    def _doubts_of_kind(self) -> list[str]:
        doubts = identity.doubts_of_video(self.character, self.style, customized=self.customized)
        if self._size is not None:
            cropped = self._crop is not None
            doubts += picture.doubts_of_size(self._size, cropped=cropped, customized=self.customized)
        return doubts

    @property
    def _crop(self) -> VideoCrop | None:
        return None if self.video is None else self.video.crop


class UnknownAvatar(Unknown):
    """A kind of avatar that this version does not know."""

    known = frozenset({"photo-avatar", "video-avatar"})


AvatarConfig: TypeAlias = Annotated[VideoAvatar | PhotoAvatar | UnknownAvatar, Field(union_mode="left_to_right")]
"""A video avatar comes first: it is what an avatar without a type is."""

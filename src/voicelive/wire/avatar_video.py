"""How an avatar's picture is encoded, cut, and what stands behind it."""

from typing import Annotated, Literal

from voicelive.wire import _avatar_picture as picture
from voicelive.wire.base import Private, Settings, Unlisted
from voicelive.wire.checks import within

__all__ = ["Background", "VideoCrop", "VideoParams", "VideoResolution"]

_KILOBITS = 50_000  # bit/s: nobody wants a picture of less, and batch synthesis counts in thousands


class Background(Settings):
    """What stands behind the avatar: a colour or an image, not both."""

    color: Annotated[str | None, picture.COLOUR] = None
    """``#RRGGBBAA``; ``#RRGGBB`` is completed with ``FF``. The alpha part has no effect in real time: for a
    transparent avatar, take a colour such as ``#00FF00FF`` and key it out where the picture is shown."""
    image_url: Private | None = None
    """Public address of an image; the service fetches it. May be signed, so it shows nowhere."""

    def _refuse_impossible(self) -> None:
        if self.color is not None and self.image_url is not None:
            raise ValueError("color and image_url exclude each other; give one of them")
        if self.color is None and self.image_url is None and not self.extra:
            raise ValueError("color or image_url is required; for the white default leave the background out")
        if self.image_url is not None:
            picture.refuse_image(self.image_url)

    def doubts(self) -> list[str]:
        """What of it will have no effect."""
        if self.color is not None and not picture.is_opaque(self.color):
            return [
                f"video.background.color is {self.color!r}; in real time the alpha part is ignored and nothing is "
                "transparent: use FF, and key the colour out where the picture is shown"
            ]
        return [] if self.image_url is None else picture.doubts_of_image(self.image_url)


class VideoCrop(Settings):
    """The part of the picture that is kept, as two corners ``[x, y]`` in pixels of the full picture."""

    top_left: list[int]
    bottom_right: list[int]
    """Right of and below the other; outside the part that is kept."""

    def _refuse_impossible(self) -> None:
        picture.refuse_crop(self.top_left, self.bottom_right)


class VideoResolution(Settings):
    """Size of the picture in pixels."""

    width: Annotated[int, within(1, unit="px")]
    height: Annotated[int, within(1, unit="px")]


class VideoParams(Settings):
    """How the avatar's picture is encoded."""

    bitrate: Annotated[int | None, within(1, unit="bit/s")] = None
    """Bits per second, where batch synthesis counts kilobits; the service's default is 2,000,000. The limits are not
    published: 300,000 was honoured."""
    codec: Literal["h264"] | Unlisted | None = None
    crop: VideoCrop | None = None
    resolution: VideoResolution | None = None
    """Video avatars keep their ratio of 16:9; photo avatars ignore it."""
    background: Background | None = None
    gop_size: Annotated[int | None, within(1, 2000, "frames")] = None
    """Frames from one key frame to the next; the service's default is 10, which is 0.4 s."""

    def doubts(self) -> list[str]:
        """What of it will have no effect, or another than wanted; the sizes are judged by the avatar."""
        doubts = [] if self.background is None else self.background.doubts()
        if self.bitrate is not None and self.bitrate < _KILOBITS:
            doubts.append(
                f"video.bitrate is {self.bitrate} bit/s, which looks like kbit/s; write {self.bitrate * 1000} if it is"
            )
        return doubts

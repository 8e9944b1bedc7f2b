"""The avatar's picture as H.264 in real time: settings of the encoder, and pictures in, packets out. Needs PyAV."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

import av
import numpy as np
import numpy.typing as npt
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from voicelive.testing.avatar.look import Look
from voicelive.testing.avatar.playout import RATE_HZ

__all__ = ["VIDEO_TIME_BASE", "PictureEncoder", "set_up", "video_frame"]

VIDEO_TIME_BASE: Final = Fraction(1, 90_000)
_TICKS: Final = 90_000


def set_up(codec: VideoCodecContext, look: Look) -> None:
    """Baseline, without delay, with the bitrate and key pictures of the settings.

    ``ultrafast`` takes half the time of the next preset: 5 ms for 1920 x 1080. One thread: further ones are left over
    for whoever decodes on the same machine.
    """
    codec.width, codec.height = look.size
    codec.pix_fmt = "yuv420p"
    codec.bit_rate = look.bitrate
    codec.gop_size = look.key_interval
    codec.framerate = Fraction(look.frames_per_s)
    codec.time_base = VIDEO_TIME_BASE
    codec.options = {"preset": "ultrafast", "tune": "zerolatency", "threads": "1", "forced-idr": "1"}
    codec.profile = "Baseline"


def video_frame(picture: npt.NDArray[np.uint8], position: int) -> av.VideoFrame:
    """A picture, copied, with the time of a sample of the media clock."""
    frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
    frame.pts, frame.time_base = position * _TICKS // RATE_HZ, VIDEO_TIME_BASE
    return frame


class PictureEncoder:
    """Encodes for WebRTC: each packet can be cut into RTP as it is."""

    def __init__(self, look: Look) -> None:
        self._codec = av.CodecContext.create("libx264", "w")
        set_up(self._codec, look)

    def encode(self, picture: npt.NDArray[np.uint8], position: int, *, key: bool) -> list[av.Packet[Any]]:
        """The packets that are due: one for each picture.

        Args:
            picture: yuv420p planes.
            position: Sample of the media clock at which it is shown.
            key: Make it one from which decoding can start.
        """
        frame = video_frame(picture, position)
        frame.pict_type = PictureType.I if key else PictureType.NONE
        return self._codec.encode(frame)

"""Pictures and sound of an avatar, as they are handed out: the same classes for WebRTC and for the socket.

Holds decoded frames of PyAV and says when they are due. Does not receive or play.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import av
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["AudioFrame", "Frame", "VideoFrame"]


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One picture.

    Attributes:
        timestamp_s: When it is due, in seconds on the clock that it shares with the sound; 0 is when media began.
        raw: The frame as PyAV decoded it, mostly YUV 4:2:0. Consumers share it: do not write into it.
    """

    timestamp_s: float
    raw: av.VideoFrame = field(repr=False, compare=False)

    @property
    def width(self) -> int:
        """In pixels."""
        return self.raw.width

    @property
    def height(self) -> int:
        """In pixels."""
        return self.raw.height

    def to_ndarray(self) -> NDArray[np.uint8]:
        """Red, green and blue as an array ``[height, width, 3]`` of its own; some 3 ms of work for full HD."""
        pixels: Any = self.raw.to_ndarray(format="rgb24")
        found: NDArray[np.uint8] = pixels
        return found


@dataclass(frozen=True, slots=True)
class AudioFrame:
    """A piece of sound, 20 ms over WebRTC, 1024 samples or so over the socket.

    Attributes:
        timestamp_s: When its first sample is due, in seconds on the clock that it shares with the picture.
        raw: The frame as PyAV decoded it. Consumers share it: do not write into it.
    """

    timestamp_s: float
    raw: av.AudioFrame = field(repr=False, compare=False)

    @property
    def rate_hz(self) -> int:
        """Samples per second and channel; WebRTC brings 48000."""
        return self.raw.sample_rate

    @property
    def channels(self) -> int:
        """WebRTC brings two."""
        return self.raw.layout.nb_channels

    @property
    def samples(self) -> int:
        """Of each channel."""
        return self.raw.samples

    @property
    def pcm(self) -> bytes:
        """16-bit little-endian samples, channels interleaved."""
        return self.to_ndarray().astype("<i2", copy=False).tobytes()

    def to_ndarray(self) -> NDArray[np.int16]:
        """16-bit samples as an array ``[samples, channels]`` of its own. Decoders that give float are clipped."""
        import numpy as np

        values: NDArray[Any] = self.raw.to_ndarray()
        values = values.T if self.raw.format.is_planar else values.reshape(-1, self.channels)
        if values.dtype.kind == "f":
            values = np.rint(values * 32767.0).clip(-32768, 32767)
        return np.ascontiguousarray(values, dtype=np.int16)


Frame: TypeAlias = VideoFrame | AudioFrame
"""A picture or a piece of sound."""

"""The avatar's picture and voice as tracks of a peer connection. Needs aiortc.

The film puts moments in, aiortc takes them out. A peer that does not take (its picture is inactive, its link is dying)
must not make them pile up: of pictures the newest are kept, of sound what a link may be late with.
"""

from __future__ import annotations

import asyncio
from fractions import Fraction
from typing import Any, Final, TypeVar

import av
import numpy as np
from aiortc import MediaStreamTrack

from voicelive.testing.avatar.encoder import PictureEncoder
from voicelive.testing.avatar.face import Face
from voicelive.testing.avatar.look import Look
from voicelive.testing.avatar.moments import Moment
from voicelive.testing.avatar.playout import RATE_HZ

__all__ = ["FaceTrack", "VoiceTrack"]

_T = TypeVar("_T")

_PACKET_SAMPLES: Final = 960  # 20 ms: aiortc gives all that one frame encodes to the same time stamp
_KEPT_PACKETS: Final = 50
_KEPT_PICTURES: Final = 2


def _put(queue: asyncio.Queue[_T], item: _T) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(item)


class VoiceTrack(MediaStreamTrack):
    """The voice, in frames of 20 ms."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._frames: asyncio.Queue[av.AudioFrame] = asyncio.Queue(_KEPT_PACKETS)

    def put(self, moment: Moment) -> None:
        """Send the sound of a moment."""
        samples = np.frombuffer(moment.pcm, "<i2")
        for start in range(0, samples.size, _PACKET_SAMPLES):
            packet = samples[None, start : start + _PACKET_SAMPLES]
            frame = av.AudioFrame.from_ndarray(packet, format="s16", layout="mono")
            frame.sample_rate, frame.time_base = RATE_HZ, Fraction(1, RATE_HZ)
            frame.pts = moment.position + start
            _put(self._frames, frame)

    async def recv(self) -> av.AudioFrame:
        """The next frame."""
        return await self._frames.get()


class FaceTrack(MediaStreamTrack):
    """The picture, encoded here rather than by aiortc, for the sake of the bitrate and key pictures asked for.

    Attributes:
        look: What is drawn; may be exchanged for one of the same size.
    """

    kind = "video"

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.look = look
        self._face: Face | None = None  # the thread's
        self._encoder = PictureEncoder(look)
        self._moments: asyncio.Queue[Moment] = asyncio.Queue(_KEPT_PICTURES)
        self._key_wanted = False

    def put(self, moment: Moment) -> None:
        """Send the picture of a moment."""
        _put(self._moments, moment)

    def want_key_picture(self) -> None:
        """The receiver has lost the picture: the next one must stand by itself."""
        self._key_wanted = True

    async def recv(self) -> av.Packet[Any]:
        """The next picture; drawn and encoded in a thread."""
        moment = await self._moments.get()
        key, self._key_wanted = self._key_wanted, False
        loop = asyncio.get_running_loop()
        (packet,) = await loop.run_in_executor(None, self._encode, self.look, moment, key)
        return packet

    def _encode(self, look: Look, moment: Moment, key: bool) -> list[av.Packet[Any]]:
        if self._face is None or self._face.look != look:
            self._face = Face(look)
        return self._encoder.encode(self._face.draw(moment), moment.position, key=key)

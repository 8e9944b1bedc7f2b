"""The avatar as one endless fragmented MP4: H.264 and AAC, header once. Needs PyAV.

Seen of the service in 2026: ``ftyp`` and ``moov`` once, then fragments; yuv420p, AAC beside it.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import av
import numpy as np

from voicelive.testing.avatar.encoder import set_up, video_frame
from voicelive.testing.avatar.face import Face
from voicelive.testing.avatar.look import Look
from voicelive.testing.avatar.moments import Moment
from voicelive.testing.avatar.playout import RATE_HZ

__all__ = ["Mp4"]

_FRAGMENT_US: Final = 100_000
_AUDIO_BITRATE: Final = 96_000


class _Sink:
    """A file that can only be written; what was written is taken out again."""

    def __init__(self) -> None:
        self.written = bytearray()

    def write(self, data: bytes) -> int:
        self.written += data
        return len(data)


class Mp4:
    """Writes moments; for one task at a time."""

    def __init__(self, look: Look) -> None:
        self._sink = _Sink()
        options = {"movflags": "empty_moov+default_base_moof+frag_keyframe", "frag_duration": str(_FRAGMENT_US)}
        self._container = av.open(self._sink, "w", format="mp4", options=options)
        self._video = self._container.add_stream("libx264", rate=look.frames_per_s)
        set_up(self._video.codec_context, look)
        self._audio = self._container.add_stream("aac", rate=RATE_HZ)
        self._audio.codec_context.layout = "stereo"
        self._audio.codec_context.bit_rate = _AUDIO_BITRATE

    def add(self, face: Face, moment: Moment) -> bytes:
        """The bytes that are complete with a moment; none while a fragment is being filled."""
        self._container.mux(self._video.encode(video_frame(face.draw(moment), moment.position)))
        sound = av.AudioFrame.from_ndarray(np.frombuffer(moment.pcm, "<i2")[None, :], format="s16", layout="mono")
        sound.sample_rate, sound.pts, sound.time_base = RATE_HZ, moment.position, Fraction(1, RATE_HZ)
        self._container.mux(self._audio.encode(sound))
        return self._take()

    def close(self) -> bytes:
        """The bytes that end the stream; nothing can be added afterwards."""
        self._container.close()
        return self._take()

    def _take(self) -> bytes:
        data = bytes(self._sink.written)
        self._sink.written.clear()
        return data

"""A fragmented MP4 as ``response.video.delta`` brings it: H.264 and AAC, one fragment for each picture or so."""

from __future__ import annotations

import fractions
import io
from functools import lru_cache

import av
from tests.support.avatar_peer import FPS, RATE_HZ, SIZE, picture, sound


@lru_cache
def fragmented_mp4(duration_s: float) -> bytes:
    """Flashes and beeps in step, as those of ``avatar_peer``."""
    file = io.BytesIO()
    file.seekable = lambda: False  # type: ignore[method-assign]
    flags = {"movflags": "empty_moov+default_base_moof", "frag_duration": "40000"}  # microseconds
    with av.open(file, "w", format="mp4", options=flags) as container:
        video = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "tune": "zerolatency"})
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        video.codec_context.gop_size = 10
        audio = container.add_stream("aac", rate=RATE_HZ, layout="stereo")
        for index in range(round(duration_s * FPS)):
            frame = picture(index / FPS)
            frame.pts, frame.time_base = index, fractions.Fraction(1, FPS)
            container.mux(video.encode(frame))
            piece = sound(index * RATE_HZ // FPS, RATE_HZ // FPS)
            piece.pts, piece.time_base = index * RATE_HZ // FPS, fractions.Fraction(1, RATE_HZ)
            container.mux(audio.encode(piece))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return file.getvalue()

"""Pictures and sound as arrays and bytes."""

from __future__ import annotations

import av
import numpy as np
import pytest

from voicelive.avatar.frames import AudioFrame, VideoFrame


def test_a_picture_is_red_green_blue() -> None:
    pixels = np.zeros((32, 64, 3), np.uint8)
    pixels[:, :, 0] = 200
    frame = VideoFrame(1.5, av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p"))

    assert (frame.timestamp_s, frame.width, frame.height) == (1.5, 64, 32)
    assert np.abs(frame.to_ndarray().astype(int) - pixels).max() <= 3
    assert repr(frame) == "VideoFrame(timestamp_s=1.5)"


@pytest.mark.parametrize("layout", ["mono", "stereo"])
@pytest.mark.parametrize("kind", ["s16", "s16p", "flt", "fltp"])
def test_sound_of_any_decoder_is_interleaved_16_bit(kind: str, layout: str) -> None:
    channels = 1 if layout == "mono" else 2
    wanted = np.array([[0, 1], [32767, -32767], [16384, 5], [-3, 2]], np.int16)[:, :channels].copy()
    shaped = wanted.T.copy() if kind.endswith("p") else wanted.reshape(1, -1)
    if kind.startswith("flt"):
        raw = av.AudioFrame.from_ndarray((shaped / 32767).astype(np.float32), kind, layout)
    else:
        raw = av.AudioFrame.from_ndarray(shaped, kind, layout)
    raw.sample_rate = 48_000
    frame = AudioFrame(0.25, raw)

    assert frame.to_ndarray().tolist() == wanted.tolist()
    assert frame.pcm == wanted.astype("<i2").tobytes()
    assert (frame.rate_hz, frame.channels, frame.samples) == (48_000, channels, 4)
    assert repr(frame) == "AudioFrame(timestamp_s=0.25)"


def test_sound_that_is_too_loud_is_clipped() -> None:
    raw = av.AudioFrame.from_ndarray(np.array([[2.0, -2.0]], np.float32), "flt", "mono")

    assert AudioFrame(0, raw).to_ndarray().tolist() == [[32767], [-32768]]

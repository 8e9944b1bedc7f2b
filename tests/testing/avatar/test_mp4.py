"""The stream of an avatar on the socket, as any player reads it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import av
import numpy as np

from voicelive.testing import AvatarPicture
from voicelive.testing.avatar.encoder import PictureEncoder
from voicelive.testing.avatar.face import Face
from voicelive.testing.avatar.look import look_of
from voicelive.testing.avatar.moments import Moment, mouth_of
from voicelive.testing.avatar.mp4 import Mp4

LOOK = look_of({"type": "photo-avatar", "video": {"gop_size": 5}}, AvatarPicture(scale=0.25))
FRAME = 1920


def moments(count: int) -> list[Moment]:
    """0.4 s of silence, 0.4 s of sound, and so on."""
    tone = np.rint(8000 * np.sin(np.arange(FRAME) / 10)).astype("<i2").tobytes()
    return [Moment.at(n * FRAME, tone if n // 10 % 2 else bytes(2 * FRAME)) for n in range(count)]


def stream(count: int) -> list[bytes]:
    face, mp4 = Face(LOOK), Mp4(LOOK)
    return [*(mp4.add(face, moment) for moment in moments(count)), mp4.close()]


def test_it_has_one_header_and_is_complete_soon_after_each_moment() -> None:
    parts = stream(50)
    whole = b"".join(parts)

    assert whole[4:8] == b"ftyp"
    assert (whole.count(b"ftyp"), whole.count(b"moov")) == (1, 1)
    assert whole.count(b"moof") >= 15
    filled = [number for number, part in enumerate(parts) if part]
    assert max(later - earlier for earlier, later in pairwise(filled)) * 0.04 <= 0.2


def test_it_decodes_with_picture_and_sound_in_step() -> None:
    sounds: list[tuple[float, float]] = []
    pictures: list[tuple[float, int]] = []
    with av.open(io.BytesIO(b"".join(stream(50))), "r") as container:
        video, audio = container.streams.video[0].codec_context, container.streams.audio[0].codec_context
        assert (video.name, video.pix_fmt, video.width, video.height) == ("h264", "yuv420p", 128, 128)
        assert (audio.name, audio.sample_rate, audio.channels) == ("aac", 48_000, 2)
        frames: Iterator[Any] = container.decode()  # of both kinds, which its type does not say
        for frame in frames:
            assert frame.time is not None
            if isinstance(frame, av.AudioFrame):
                samples = np.rint(frame.to_ndarray()[0] * 32_767).astype("<i2")
                sounds.append((frame.time, mouth_of(samples.tobytes())))
            elif isinstance(frame, av.VideoFrame):
                pictures.append((frame.time, int((frame.to_ndarray()[:128] < 40).sum())))

    assert len(pictures) == 50
    for edge_s in (0.4, 0.8, 1.2):
        assert changes_near(edge_s, sounds) is not None
    for (sound_s, _), (picture_s, _) in zip(edges(sounds), edges(pictures), strict=True):
        assert abs(sound_s - picture_s) <= 0.08


def edges(signal: list[tuple[float, float]] | list[tuple[float, int]]) -> list[tuple[float, float]]:
    """Where silence and sound, or a closed and an open mouth, follow each other."""
    return [later for earlier, later in pairwise(signal) if (earlier[1] > 0) != (later[1] > 0)]


def changes_near(at_s: float, signal: list[tuple[float, float]]) -> float | None:
    return next((edge_s for edge_s, _ in edges(signal) if abs(edge_s - at_s) <= 0.08), None)


def test_key_pictures_come_as_often_as_asked_for_and_on_demand() -> None:
    encoder, face = PictureEncoder(LOOK), Face(LOOK)
    keys = [
        packet.is_keyframe
        for moment in moments(12)
        for packet in encoder.encode(face.draw(moment), moment.position, key=moment.position == 7 * FRAME)
    ]

    assert [number for number, key in enumerate(keys) if key] == [0, 5, 7]


def test_a_packet_stands_alone_and_has_the_time_of_its_moment() -> None:
    encoder, face = PictureEncoder(LOOK), Face(LOOK)
    (first,) = encoder.encode(face.draw(moments(1)[0]), 48_000, key=False)

    assert bytes(first).startswith(b"\0\0\0\1")
    assert first.pts is not None
    assert first.time_base is not None
    assert first.pts * first.time_base == 1

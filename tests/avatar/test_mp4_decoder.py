"""Frames of an MP4 that comes in pieces."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from av.error import FFmpegError
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.avatar.test_mp4_boxes import pieces
from tests.support.fragments import fragmented_mp4

from voicelive.avatar.frames import AudioFrame, Frame, VideoFrame
from voicelive.avatar.mp4_boxes import Mp4Joiner
from voicelive.avatar.mp4_decoder import decode
from voicelive.errors import AvatarStreamError

STREAM = fragmented_mp4(0.6)


def decoded(cut: list[bytes]) -> list[Frame]:
    joiner, frames = Mp4Joiner(), list[Frame]()
    segments: Iterator[bytes] = iter([segment.data for piece in cut for segment in joiner.feed(piece)])
    decode(lambda: next(segments, b""), frames.append)
    return frames


WHOLE = decoded([STREAM])


def test_all_of_the_stream_is_decoded() -> None:
    pictures = [frame for frame in WHOLE if isinstance(frame, VideoFrame)]
    sounds = [frame for frame in WHOLE if isinstance(frame, AudioFrame)]

    assert len(pictures) == 15
    assert pictures[-1].timestamp_s - pictures[1].timestamp_s == pytest.approx(0.52)
    assert (pictures[0].width, pictures[0].height) == (320, 180)
    assert sum(frame.samples for frame in sounds) / 48_000 == pytest.approx(0.6, abs=0.05)
    assert (sounds[0].rate_hz, sounds[0].channels) == (48_000, 2)
    assert pictures[0].to_ndarray().mean() > 200, "the stream begins with a flash"


@settings(max_examples=10)
@given(st.lists(st.integers(0, 100_000), max_size=40))
def test_any_cutting_gives_the_same_frames(cuts: list[int]) -> None:
    found = decoded(pieces(STREAM, cuts))

    assert found == WHOLE
    assert all(bytes(a.raw.planes[0]) == bytes(b.raw.planes[0]) for a, b in zip(found, WHOLE, strict=True))


def test_each_picture_comes_with_its_own_fragment() -> None:
    segments = [segment.data for segment in Mp4Joiner().feed(STREAM)]
    frames, taken = list[Frame](), 0

    def take() -> bytes:
        nonlocal taken
        if taken >= 4:
            assert frames, "nothing is held back"
        taken += 1
        return segments.pop(0) if segments else b""

    decode(take, frames.append)

    assert len(frames) == len(WHOLE)


def test_a_stream_that_never_began_gives_nothing() -> None:
    assert decoded([]) == []


@pytest.mark.parametrize(
    ("stream", "problem"),
    [
        ([b"garbage! " * 200], "cannot be decoded"),
        ([b"\0\0\0\x10ftypisom\0\0\0\0", b"\0\0\0\x10moovgarbage!"], "neither picture nor sound"),
    ],
)
def test_what_cannot_be_decoded_is_told(stream: list[bytes], problem: str) -> None:
    segments = iter(stream)

    with pytest.raises(AvatarStreamError, match=problem):
        decode(lambda: next(segments, b""), list[Frame]().append)


def test_another_error_is_not_disguised() -> None:
    def broken() -> bytes:
        raise KeyError("a bug")

    with pytest.raises((KeyError, FFmpegError)):
        decode(broken, list[Frame]().append)

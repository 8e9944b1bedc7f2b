"""An avatar's MP4 stream, cut anywhere, gives the same segments."""

from __future__ import annotations

import struct
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.fragments import fragmented_mp4

from voicelive.avatar.mp4_boxes import Mp4Joiner, Segment
from voicelive.errors import AvatarStreamError


def box(kind: bytes, content: bytes = b"", *, large: bool = False) -> bytes:
    if large:
        return struct.pack(">I4sQ", 1, kind, 16 + len(content)) + content
    return struct.pack(">I4s", 8 + len(content), kind) + content


HEADER = box(b"ftyp", b"isom") + box(b"moov", b"tracks")
FIRST = box(b"moof", b"one") + box(b"mdat", b"picture")
SECOND = box(b"styp", b"msdh") + box(b"sidx") + box(b"moof", b"two") + box(b"mdat", b"sound", large=True)
SEGMENTS = [Segment("init", HEADER), Segment("media", FIRST), Segment("media", SECOND)]


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[begin:end] for begin, end in pairwise(edges)]


@given(st.lists(st.integers(0, 10_000), max_size=40))
def test_any_cutting_gives_the_same_segments(cuts: list[int]) -> None:
    joiner = Mp4Joiner()

    found = [segment for piece in pieces(HEADER + FIRST + SECOND, cuts) for segment in joiner.feed(piece)]

    assert found == SEGMENTS
    assert joiner.header == SEGMENTS[0]
    assert joiner.pending_bytes == 0


@given(st.lists(st.integers(0, 100_000), max_size=40))
def test_segments_of_a_real_stream_are_the_stream(cuts: list[int]) -> None:
    stream, joiner = fragmented_mp4(0.4), Mp4Joiner()

    found = [segment for piece in pieces(stream, cuts) for segment in joiner.feed(piece)]

    assert [segment.kind for segment in found[:2]] == ["init", "media"]
    joined = b"".join(segment.data for segment in found)
    assert stream.startswith(joined)
    assert len(stream) - len(joined) == joiner.pending_bytes  # an index at the end, which belongs to no fragment
    assert stream[len(joined) + 4 :].startswith(b"mfra")


@given(st.binary(max_size=200))
def test_nonsense_gives_nothing_or_a_clear_error(nonsense: bytes) -> None:
    joiner = Mp4Joiner()
    with suppress(AvatarStreamError):
        joiner.feed(nonsense)


def test_a_broken_stream_stays_broken() -> None:
    joiner = Mp4Joiner()
    with pytest.raises(AvatarStreamError) as first:
        joiner.feed(b"RIFF" * 3)

    with pytest.raises(AvatarStreamError) as again:
        joiner.feed(HEADER)

    assert again.value is first.value
    assert joiner.pending_bytes == 0


@pytest.mark.parametrize(
    ("stream", "problem"),
    [
        (FIRST, "began before it was listened to"),
        (box(b"mdat", b"x"), "began before it was listened to"),
        (HEADER + box(b"mdat", b"x"), "without moof"),
        (HEADER + FIRST + HEADER, "a second time"),
        (b"\0\0\0\7free", "a box of 7 bytes"),
        (b"\0\0\0\0mdat", "a box of 0 bytes"),
        (struct.pack(">I4sQ", 1, b"free", 15), "a box of 15 bytes"),
        (b"\0\0\0\x10\0\1\2\3", "a box without a name"),
        (b"\0\0\0\x10\xff\xfe\xfd\xfc", "a box without a name"),
        (HEADER + struct.pack(">I4s", 1000, b"moof"), "more than 500 bytes"),
        (HEADER + box(b"moof", bytes(300)) + box(b"mdat", bytes(300)), "more than 500 bytes"),
    ],
)
def test_a_broken_stream_is_told(stream: bytes, problem: str) -> None:
    with pytest.raises(AvatarStreamError, match=problem):
        Mp4Joiner(500).feed(stream)

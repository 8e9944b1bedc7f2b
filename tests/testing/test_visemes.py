"""Shapes of the mouth: in order, within the words' time, the same for the same text."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.audio.formats import AudioFormat
from voicelive.avatar.shapes import FRAMES_PER_S
from voicelive.testing.loudness import loudness, pauses
from voicelive.testing.replies import Studio
from voicelive.testing.small_talk import HALF_PAST_THREE, SUNNY
from voicelive.testing.visemes import Viseme, at_rest_in, visemes
from voicelive.testing.voice import default_voice, word_timings


@given(st.text(max_size=80), st.integers(0, 5_000))
def test_offsets_grow_within_the_audio_and_no_shape_follows_itself(text: str, duration_ms: int) -> None:
    shapes = visemes(word_timings(text, duration_ms))

    offsets = [shape.start_ms for shape in shapes]
    assert offsets == sorted(set(offsets))
    assert all(0 <= offset <= duration_ms for offset in offsets)
    ids = [shape.viseme_id for shape in shapes]
    assert all(one != next_one for one, next_one in itertools.pairwise(ids))
    assert set(ids) <= set(range(22))
    assert shapes == visemes(word_timings(text, duration_ms))


@given(st.text(min_size=1, max_size=80).filter(str.split), st.integers(1_000, 5_000))
def test_the_mouth_is_at_rest_before_the_audio_ends(text: str, duration_ms: int) -> None:
    last = visemes(word_timings(text, duration_ms))[-1:]

    assert all((shape.viseme_id, shape.start_ms < duration_ms) == (0, True) for shape in last)


@pytest.mark.parametrize(
    ("word", "ids"),
    [
        ("map", [21, 1, 21, 0]),
        ("She", [16, 4, 0]),
        ("it's", [6, 19, 15, 0]),
        ("tall", [19, 1, 14, 0]),
        ("7", [1, 0]),
        ("no,", [19, 8, 0]),
    ],
)
def test_letters_stand_for_shapes(word: str, ids: list[int]) -> None:
    assert [shape.viseme_id for shape in visemes([(word, 0, 1_000)])] == ids


def test_letters_share_the_time_of_their_word() -> None:
    assert [shape.start_ms for shape in visemes([("map", 100, 400)])] == [100, 200, 300, 400]


def shown_at(shapes: list[Viseme], ms: int) -> int:
    return next((shape.viseme_id for shape in reversed(shapes) if shape.start_ms <= ms), 0)


@given(
    st.text(max_size=80),
    st.integers(0, 5_000),
    st.lists(st.integers(0, 5_000), max_size=8, unique=True).map(sorted).filter(lambda edges: len(edges) % 2 == 0),
)
def test_the_mouth_rests_in_every_pause_and_is_elsewhere_what_it_was(
    text: str, duration_ms: int, edges: list[int]
) -> None:
    shapes = visemes(word_timings(text, duration_ms))
    paused = list(zip(edges[::2], edges[1::2], strict=True))

    found = at_rest_in(paused, shapes)

    for ms in range(0, 5_000, 7):
        silent = any(start_ms <= ms < end_ms for start_ms, end_ms in paused)
        assert shown_at(found, ms) == (0 if silent else shown_at(shapes, ms))
    assert [shape.start_ms for shape in found] == sorted({shape.start_ms for shape in found})
    assert all(one.viseme_id != following.viseme_id for one, following in itertools.pairwise(found))


@pytest.mark.parametrize("text", [SUNNY, HALF_PAST_THREE])
async def test_visemes_agree_with_the_recording_they_are_for(text: str) -> None:
    form = AudioFormat("pcm16", 24_000)
    reply = await Studio(default_voice()).speak(text, form, shapes_mouth=True)
    shapes, silent = list(reply.visemes), pauses(loudness(reply.audio, 24_000, FRAMES_PER_S), FRAMES_PER_S)

    assert silent, "a recording begins and ends with a little silence"
    for start_ms, end_ms in silent:
        assert {shown_at(shapes, ms) for ms in range(start_ms, end_ms)} == {0}
    assert shapes[-1].viseme_id == 0
    assert reply.audio_ms - 600 < shapes[-1].start_ms < reply.audio_ms, "they end with the audio"

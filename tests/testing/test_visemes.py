"""Shapes of the mouth: in order, within the words' time, the same for the same text."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.testing.visemes import visemes
from voicelive.testing.voice import word_timings


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

"""Faces from visemes and loudness."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.avatar.shapes import BLENDSHAPES, VISEMES
from voicelive.testing.blendshapes import blendshapes
from voicelive.testing.visemes import Viseme

WIDE, PURSED, CLOSED = 2, 7, 21


def weight(frame: list[float], name: str) -> float:
    return frame[BLENDSHAPES.index(name)]


@given(
    st.lists(st.tuples(st.integers(0, 2_000), st.integers(-1, 30)), max_size=20).map(sorted),
    st.lists(st.floats(0, 1), max_size=90),
)
def test_a_frame_for_each_level_with_weights_between_0_and_1(
    shapes: list[tuple[int, int]], levels: list[float]
) -> None:
    frames = blendshapes([Viseme(*shape) for shape in shapes], levels)

    assert len(frames) == len(levels)
    assert all(len(frame) == len(BLENDSHAPES) and min(frame) >= 0 and max(frame) <= 1 for frame in frames)
    assert all(weight(frame, "jawOpen") == 0 for frame, level in zip(frames, levels, strict=True) if level == 0)


def test_the_louder_the_voice_the_wider_the_jaw() -> None:
    frames = blendshapes([Viseme(0, WIDE)], [0.5] * 20 + [0.125] * 20)

    assert weight(frames[19], "jawOpen") == pytest.approx(VISEMES[WIDE].openness, abs=0.01)
    assert weight(frames[39], "jawOpen") == pytest.approx(VISEMES[WIDE].openness / 2, abs=0.01)


def test_a_shape_begins_with_its_viseme_and_glides_there_within_a_few_frames() -> None:
    frames = blendshapes([Viseme(0, WIDE), Viseme(500, PURSED), Viseme(800, CLOSED)], [0.5] * 60)

    assert weight(frames[29], "mouthPucker") == 0
    assert 0.2 < weight(frames[30], "mouthPucker") < 0.5
    assert weight(frames[47], "mouthPucker") == pytest.approx(0.85, abs=0.01)
    assert weight(frames[59], "jawOpen") < 0.02
    assert weight(frames[59], "mouthPressLeft") == pytest.approx(0.6, abs=0.01)


def test_a_viseme_that_is_not_documented_is_shown_as_rest() -> None:
    frames = blendshapes([Viseme(0, 99)], [0.5] * 10)

    assert frames == [[0.0] * len(BLENDSHAPES)] * 10

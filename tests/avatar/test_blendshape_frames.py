"""Batches of blendshapes in all the forms that are described somewhere, and in others."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.avatar.blendshape_frames import frames_of

ROWS = st.lists(st.lists(st.floats(-1, 1), max_size=60), max_size=5)


@given(ROWS)
def test_rows_mean_the_same_as_a_list_as_text_and_as_the_speech_sdk_has_them(rows: list[list[float]]) -> None:
    expected = [tuple(row) for row in rows]

    assert frames_of(rows) == expected
    assert frames_of(json.dumps(rows)) == expected
    assert frames_of(json.dumps({"FrameIndex": 3, "BlendShapes": rows})) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("AAECAw==", "", "{}", "3", "null", "[1]", "[[true]]", '[["0"]]', '{"BlendShapes": 1}', "[[NaN]]"),
        *(f"[[1{'0' * 400}]]", "[[1e999]]", '{"blendShapes": [[1]]}', "[[1, [2]]]", "[" * 100_000),
    ],
    ids=range(15),
)
def test_what_cannot_be_read_stays_as_it_came(text: str) -> None:
    assert frames_of(text) == text


def test_a_batch_with_what_is_no_number_is_not_shown() -> None:
    assert frames_of([[0.5], [math.nan]]) == "[[0.5], [NaN]]"


@given(st.text())
def test_no_text_is_refused(text: str) -> None:
    assert isinstance(frames_of(text), str | list)

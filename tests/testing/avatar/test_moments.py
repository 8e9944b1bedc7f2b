"""The face that goes with a piece of sound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.testing.avatar.moments import CLOSED_EYES, GAZES, MOUTHS, Moment, eyes_at, mouth_of

FRAME = 1920


def tone(amplitude: float) -> bytes:
    return np.rint(amplitude * np.sin(np.arange(FRAME) / 10)).astype("<i2").tobytes()


@pytest.mark.parametrize("amplitude", [0, 1, 50])
def test_the_mouth_is_closed_in_silence(amplitude: float) -> None:
    assert mouth_of(tone(amplitude)) == 0


def test_the_mouth_is_open_in_speech_and_wide_when_it_is_loud() -> None:
    assert mouth_of(tone(200)) == 1
    assert mouth_of(tone(10_000)) == mouth_of(tone(32_767)) == MOUTHS - 1


@given(st.floats(0, 32_767), st.floats(0, 32_767))
def test_louder_is_never_narrower(quiet: float, loud: float) -> None:
    quiet, loud = sorted((quiet, loud))
    assert 0 <= mouth_of(tone(quiet)) <= mouth_of(tone(loud)) < MOUTHS


def test_the_eyes_move_in_every_second_and_blink_now_and_then() -> None:
    states = [eyes_at(second * 48_000 + part * FRAME) for second in range(10) for part in range(25)]

    assert all(len(set(states[start : start + 25])) > 1 for start in range(0, 250, 25))
    assert set(states) == {*range(GAZES), CLOSED_EYES}
    assert 8 <= states.count(CLOSED_EYES) <= 16  # three blinks of four pictures
    assert states[0] != CLOSED_EYES


def test_a_moment_is_the_same_whenever_it_is_made() -> None:
    assert Moment.at(96_000, tone(5_000)) == Moment.at(96_000, tone(5_000))


def test_a_moment_shows_no_sound_in_its_repr() -> None:
    assert "pcm" not in repr(Moment.at(0, tone(1)))

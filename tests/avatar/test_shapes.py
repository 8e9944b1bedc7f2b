"""The documented visemes and blendshapes."""

from __future__ import annotations

import pytest

from voicelive.avatar.shapes import BLENDSHAPES, FRAMES_PER_S, REST, VISEMES, viseme
from voicelive.protocol.cues import BLENDSHAPES_PER_S


def test_each_viseme_stands_at_the_place_of_its_id() -> None:
    assert [shape.id for shape in VISEMES] == list(range(22))
    assert VISEMES[REST].phonemes == ()
    assert all(shape.phonemes and shape.mouth and shape.examples for shape in VISEMES[1:])
    assert all(0 <= value <= 1 for shape in VISEMES for value in (shape.openness, shape.rounding))


def test_both_sounds_of_th_are_told_apart() -> None:
    assert ("ð" in VISEMES[17].phonemes, "θ" in VISEMES[19].phonemes) == (True, True)


def test_no_phoneme_has_two_visemes() -> None:
    phonemes = [phoneme for shape in VISEMES for phoneme in shape.phonemes]
    assert len(phonemes) == len(set(phonemes))


def test_a_frame_has_fifty_five_names_in_the_order_of_the_service() -> None:
    assert (len(BLENDSHAPES), len(set(BLENDSHAPES))) == (55, 55)
    assert (BLENDSHAPES[0], BLENDSHAPES[17]) == ("eyeBlinkLeft", "jawOpen")
    assert BLENDSHAPES[51:] == ("tongueOut", "headRoll", "leftEyeRoll", "rightEyeRoll")


def test_frames_have_one_rate_here_and_where_they_are_played() -> None:
    assert FRAMES_PER_S == BLENDSHAPES_PER_S == 60


@pytest.mark.parametrize("unknown", [-1, 22, 4_000])
def test_an_unknown_id_is_drawn_as_silence(unknown: int) -> None:
    assert viseme(unknown) is VISEMES[REST]
    assert viseme(21) is VISEMES[21]

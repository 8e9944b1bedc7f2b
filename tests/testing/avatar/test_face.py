"""The drawn face, as an encoder gets it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicelive.testing import AvatarPicture
from voicelive.testing.avatar.face import Face
from voicelive.testing.avatar.look import look_of
from voicelive.testing.avatar.moments import CLOSED_EYES, MOUTHS, Moment

Picture = npt.NDArray[np.uint8]

SMALL = AvatarPicture.small()
THROAT_LUMA = 40  # below that, nothing else is as dark
SHIRT = 75


def face(picture: AvatarPicture = SMALL, **avatar: Any) -> Face:
    return Face(look_of(avatar, picture))


def draw(drawn: Face, mouth: int = 0, eyes: int = 2) -> Picture:
    width, height = drawn.size
    flat = drawn.draw(Moment(0, b"", mouth, eyes))
    assert flat.shape == (height * 3 // 2, width)
    return flat.copy()


def luma(drawn: Face, **state: int) -> Picture:
    return draw(drawn, **state)[: drawn.size[1]]


def throat(picture: Picture) -> int:
    return int((picture < THROAT_LUMA).sum())


def centre_of_hair(drawn: Face) -> tuple[float, float]:
    """Of what is darker than the shirt: column and row as shares of the picture."""
    rows, columns = np.nonzero(luma(drawn) < SHIRT)
    return float(columns.mean()) / drawn.size[0], float(rows.mean()) / drawn.size[1]


@pytest.mark.parametrize("kind", ["video-avatar", "photo-avatar"])
def test_the_mouth_opens_with_every_step(kind: str) -> None:
    drawn = face(AvatarPicture(scale=0.5), type=kind)
    opened = [throat(luma(drawn, mouth=mouth)) for mouth in range(MOUTHS)]

    assert opened[0] == 0
    assert opened == sorted(set(opened))


def test_eyes_blink_and_wander() -> None:
    drawn = face()
    states = [draw(drawn, eyes=eyes).tobytes() for eyes in range(CLOSED_EYES + 1)]

    assert len(set(states)) == len(states)


def test_a_picture_leaves_nothing_behind_in_the_next() -> None:
    drawn = face(type="photo-avatar")
    first = draw(drawn)
    draw(drawn, mouth=7, eyes=CLOSED_EYES)

    assert (draw(drawn) == first).all()


def test_two_faces_of_one_look_are_the_same() -> None:
    assert (draw(face(), mouth=3) == draw(face(), mouth=3)).all()


def test_the_background_has_its_colour() -> None:
    av = pytest.importorskip("av")
    drawn = face(video={"background": {"color": "#00FF00FF"}})
    picture = av.VideoFrame.from_ndarray(draw(drawn), format="yuv420p").to_ndarray(format="rgb24")

    red, green, blue = (int(channel) for channel in picture[2, 2])
    assert red < 10
    assert green > 245
    assert blue < 10


def test_a_crop_shows_that_part_of_the_full_picture() -> None:
    quarter = AvatarPicture(scale=0.25)
    whole = luma(face(quarter), mouth=7)
    part = luma(face(quarter, video={"crop": {"top_left": [560, 0], "bottom_right": [1360, 1080]}}), mouth=7)

    assert (part == whole[:, 140:340]).all()


def test_the_scene_zooms_moves_turns_and_calms_a_photo() -> None:
    def photo(**scene: float) -> Face:
        return face(AvatarPicture(scale=0.5), type="photo-avatar", scene=scene)

    still = centre_of_hair(photo())
    moved = centre_of_hair(photo(position_x=0.1, position_y=0.1))
    assert moved[0] - still[0] == pytest.approx(0.1, abs=0.02)
    assert moved[1] - still[1] == pytest.approx(0.1, abs=0.02)
    assert centre_of_hair(photo(rotation_z=0.5))[0] > still[0] + 0.03  # clockwise: the top goes right
    assert throat(luma(photo(zoom=0.5), mouth=7)) < throat(luma(photo(), mouth=7)) / 3
    assert throat(luma(photo(amplitude=0.3), mouth=7)) < throat(luma(photo(), mouth=7)) / 2
    assert (luma(photo(rotation_y=0.4)) != luma(photo())).any()
    assert (luma(photo(rotation_x=0.4)) != luma(photo())).any()


@settings(max_examples=30, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "zoom": st.floats(0.01, 8),
            "position_x": st.floats(-1, 1),
            "position_y": st.floats(-1, 1),
            "rotation_x": st.floats(-3.14, 3.14),
            "rotation_y": st.floats(-3.14, 3.14),
            "rotation_z": st.floats(-3.14, 3.14),
            "amplitude": st.floats(0.01, 1),
        }
    )
)
def test_every_allowed_scene_can_be_drawn_in_all_states(scene: dict[str, float]) -> None:
    drawn = face(type="photo-avatar", scene=scene)
    still = draw(drawn)
    for mouth in range(MOUTHS):
        draw(drawn, mouth=mouth, eyes=mouth % (CLOSED_EYES + 1))
    assert (draw(drawn) == still).all()

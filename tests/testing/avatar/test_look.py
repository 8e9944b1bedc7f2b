"""What avatar settings mean for the picture: sizes, crops, colours, scenes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.testing import AvatarPicture
from voicelive.testing.avatar.look import Look, Scene, look_of

FULL = AvatarPicture()
CROP = {"top_left": [560, 0], "bottom_right": [1360, 1080]}


def look(picture: AvatarPicture = FULL, **avatar: Any) -> Look:
    return look_of(avatar, picture)


def test_a_video_avatar_has_the_documented_picture() -> None:
    found = look(character="lisa")

    assert found.size == (1920, 1080)
    assert (found.frames_per_s, found.bitrate, found.key_interval) == (25, 2_000_000, 10)
    assert found.background == (255, 255, 255)
    assert not found.is_photo


def test_a_photo_avatar_is_square_and_ignores_a_resolution() -> None:
    found = look(type="photo-avatar", video={"resolution": {"width": 1280, "height": 720}})

    assert found.size == (512, 512)
    assert found.is_photo


def test_resolution_bitrate_and_key_pictures_are_taken() -> None:
    found = look(video={"resolution": {"width": 1280, "height": 720}, "bitrate": 500_000, "gop_size": 50})

    assert (found.size, found.bitrate, found.key_interval) == ((1280, 720), 500_000, 50)


def test_the_crop_of_the_documentation_gives_its_picture() -> None:
    found = look(video={"crop": CROP})

    assert found.size == (800, 1080)
    assert (found.left, found.top, found.full) == (560, 0, (1920, 1080))


@pytest.mark.parametrize(
    "crop",
    [
        {"top_left": [1920, 0], "bottom_right": [2000, 10]},
        {"top_left": [5, 5], "bottom_right": [5, 9]},
        {"top_left": [9, 9], "bottom_right": [5, 5]},
    ],
)
def test_a_crop_that_keeps_nothing_keeps_all(crop: dict[str, Any]) -> None:
    assert look(video={"crop": crop}).size == (1920, 1080)


@pytest.mark.parametrize(
    ("background", "colour"),
    [
        ({"color": "#00FF00FF"}, (0, 255, 0)),
        ({"color": "#10203000"}, (16, 32, 48)),
        ({"color": None}, (255, 255, 255)),
        ({"color": "#green"}, (255, 255, 255)),
        ({"color": "#00"}, (255, 255, 255)),
        ({"image_url": "https://example.com/b.jpg"}, (128, 136, 144)),
    ],
)
def test_the_background(background: dict[str, Any], colour: tuple[int, int, int]) -> None:
    assert look(video={"background": background}).background == colour


def test_a_scene_frames_photo_avatars_alone_and_zero_is_no_zoom() -> None:
    scene = {"zoom": 0, "position_x": 0.25, "rotation_z": None, "amplitude": 0.6}

    assert look(type="photo-avatar", scene=scene).scene == Scene(position_x=0.25, amplitude=0.6)
    assert look(scene=scene).scene == Scene()


def test_a_small_picture_shrinks_all_of_it() -> None:
    small = AvatarPicture.small()

    assert look(small).size == (240, 136)
    assert look(small, type="photo-avatar").size == (64, 64)
    assert look(small, video={"crop": CROP}).left == 70


@pytest.mark.parametrize(
    "wrong",
    [{"scale": 0}, {"scale": 1.5}, {"scale": float("nan")}, {"frames_per_s": 24}, {"frames_per_s": 0}],
)
def test_an_impossible_picture_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"allowed|at most 1"):
        AvatarPicture(**wrong)


@given(
    st.floats(0.01, 1),
    st.tuples(st.integers(1, 4000), st.integers(1, 4000)),
    st.lists(st.integers(0, 4000), min_size=4, max_size=4),
)
def test_every_picture_can_be_encoded(scale: float, full: tuple[int, int], crop: list[int]) -> None:
    video = {
        "resolution": {"width": full[0], "height": full[1]},
        "crop": {"top_left": crop[:2], "bottom_right": crop[2:]},
    }
    width, height = look(AvatarPicture(scale=scale), video=video).size
    assert width >= 16
    assert height >= 16
    assert width % 2 == height % 2 == 0

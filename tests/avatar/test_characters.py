"""The dated list of standard avatars: what it holds, and that nothing reads it before an avatar is made."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest

from voicelive.avatar import characters
from voicelive.avatar.characters import find, standard


def test_the_list_has_the_documentations_counts() -> None:
    video, photo = standard("video"), standard("photo")

    assert (len(video), len(photo)) == (10, 33)  # a 34th is documented without the name that it has on the wire
    assert sum(len(one.styles) for one in video) == 19
    assert sum(style.real_time for one in video for style in one.styles) == 15
    assert [one.model for one in photo].count("vasa-1") == 30
    assert standard() == video + photo


def test_names_are_lower_case_and_come_once() -> None:
    names = [one.name for one in standard()]

    assert len(set(names)) == len(names)
    assert all(name == name.lower() for name in names)


def test_a_character_is_found_by_its_exact_name() -> None:
    lisa = find("lisa")

    assert lisa is not None
    assert (lisa.display_name, lisa.kind, lisa.default_style, lisa.model) == ("Lisa", "video", "casual-sitting", None)
    assert find("Lisa") is None
    assert find("nobody") is None


def test_a_default_style_is_shown_in_real_time() -> None:
    for one in standard("video"):
        style = one.style(one.default_style) if one.default_style else None
        assert bool(one.styles) is (style is not None), one.name
        assert style is None or style.real_time


def test_photo_avatars_have_a_model_and_no_styles_and_video_avatars_no_model() -> None:
    assert all(one.model and not one.styles for one in standard("photo"))
    assert all(one.model is None for one in standard("video"))


def test_the_ends_that_are_announced_are_dated() -> None:
    jeff, lisa = find("jeff"), find("lisa")
    assert jeff is not None
    assert lisa is not None

    assert jeff.withdrawn_from == date(2026, 12, 1)
    assert {style.name for style in lisa.styles if style.withdrawn_from == date(2026, 12, 1)} == {
        style.name for style in lisa.styles if not style.real_time
    }
    assert lisa.withdrawn_from is None
    assert characters.as_of() == date(2026, 9, 22)


def test_previews_name_their_regions() -> None:
    previews = [one for one in standard() if one.preview]

    assert {one.model for one in previews} == {"vasa-2"}
    assert {one.regions for one in previews} == {("westus2", "centralindia", "southeastasia", "swedencentral")}
    assert all(not one.regions for one in standard() if not one.preview)


@pytest.mark.parametrize("one", standard(), ids=lambda one: one.name)
def test_every_character_names_its_source_and_works_in_real_time(one: characters.Character) -> None:
    assert "standard-avatars" in one.source
    assert one.real_time


def test_the_list_is_read_when_an_avatar_is_made_and_not_before() -> None:
    program = (
        "import sys\n"
        "from voicelive import SessionConfig, VideoAvatar\n"
        "SessionConfig(instructions='Be brief.')\n"
        "assert 'voicelive.avatar.characters' not in sys.modules\n"
        "VideoAvatar(character='lisa', style='casual-sitting')\n"
        "assert 'voicelive.avatar.characters' in sys.modules\n"
    )

    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)

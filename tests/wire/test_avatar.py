"""Avatars that an application makes: what is refused, what only warned of, what goes on the wire unchanged."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.avatar_cases import CASES, Case

from voicelive import wire
from voicelive.avatar.characters import standard
from voicelive.errors import ConfigurationError, VoiceLiveWarning
from voicelive.wire.base import Settings, Unlisted

LISA: dict[str, Any] = {"character": "lisa", "style": "casual-sitting"}
ANIKA: dict[str, Any] = {"character": "anika", "model": "vasa-1"}
CUSTOM: dict[str, Any] = {"character": "my-avatar", "customized": True}


def video(**picture: Any) -> wire.VideoAvatar:
    return wire.VideoAvatar(**LISA, video=wire.VideoParams(**picture))


def make(cls: type[Settings], /, **fields: Any) -> Any:
    """A call with arguments that a type checker would refuse."""
    return cls(**fields)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        call()
    return str(caught.value)


def doubts(call: Callable[[], object]) -> list[str]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        call()
    assert all(issubclass(one.category, VoiceLiveWarning) for one in found)
    return [str(one.message) for one in found]


def sent(config: wire.SessionConfig) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(wire.encode(wire.SessionUpdate(session=config)))["session"]
    return settings


# --- the cases of the documentation and of what was seen --------------------------------------------------------------

REFUSED: dict[str, tuple[str, ...]] = {
    "mid_scene_on_video_avatar": ("avatar", "scene", "photo avatars"),
    "bad_upper_case": ("character", "'Lisa'", "'lisa'"),
    "bad_style_of_other": ("style", "'casual-sitting'", "business, casual, youthful"),
    "bad_batch_only_style": ("style", "'graceful-standing'", "batch synthesis", "2026-12-01", "casual-sitting"),
    "bad_style_null": ("style", "required", "business, casual, youthful"),
    "bad_photo_as_video": ("character", "'adrian'", "PhotoAvatar(character='adrian', model='vasa-1')"),
    "bad_photo_with_style": ("style", "'casual-sitting'", "leave it out"),
    "bad_photo_no_model": ("model", "required", "vasa-1, vasa-2"),
    "bad_photo_wrong_model": ("model", "'vasa-2'", "'vasa-1'"),
    "bad_standard_with_custom_flag": ("character", "'anika'", "customized must be False", "Unlisted("),
    "bad_custom_with_style": ("style", "'casual-sitting'", "leave it out"),
    "bad_voice_sync_standard": ("voice", "avatar-voice-sync", "'lisa'", "customized=True"),
    "bad_voice_sync_photo": ("voice", "avatar-voice-sync", "'my-photo-avatar'", "VideoAvatar"),
    "bad_codec_vp9": ("video.codec", "'vp9'", "h264"),
    "bad_codec_upper": ("video.codec", "'H264'", "h264"),
    "bad_resolution_portrait": ("video.resolution", "1080 x 1920", "16:9", "video.crop"),
    "bad_resolution_zero": ("video.resolution.width", "0", "1 or more px"),
    "bad_resolution_half": ("video.resolution.height", "required"),
    "bad_crop_three": ("video.crop", "top_left", "[560, 0, 0]", "[x, y]"),
    "bad_crop_negative": ("video.crop", "top_left", "[-1, 0]", "negative"),
    "bad_crop_swapped": ("video.crop", "bottom_right", "[560, 0]", "right of and below"),
    "bad_crop_outside": ("video.crop.bottom_right", "[2360, 1080]", "at most [1920, 1080]"),
    "bad_crop_one_corner": ("video.crop.bottom_right", "required"),
    "bad_background_both": ("video.background", "color and image_url", "one of them"),
    "bad_background_empty": ("video.background", "color or image_url", "leave the background out"),
    "bad_background_short_colour": ("video.background.color", "'#0F0'", "#RRGGBBAA"),
    "bad_background_data_url": ("video.background", "image_url", "http(s)", "public address"),
    "bad_gop_zero": ("video.gop_size", "0", "1 to 2000 frames"),
    "bad_gop_large": ("video.gop_size", "2001", "1 to 2000 frames"),
    "bad_bitrate_zero": ("video.bitrate", "0", "1 or more bit/s"),
    "bad_scene_zoom_zero": ("scene.zoom", "0", "more than 0"),
    "bad_scene_amplitude_zero": ("scene.amplitude", "0", "more than 0, at most 1"),
    "bad_scene_amplitude_large": ("scene.amplitude", "1.01", "at most 1"),
    "bad_scene_position": ("scene.position_x", "1.5", "-1 to 1"),
    "bad_scene_degrees": ("scene.rotation_x", "10", "rad"),
    "bad_scene_camel_case": ("scene", "'positionX'", "position_x"),
    "bad_camel_case_video": ("video", "'gopSize'", "gop_size"),
    "bad_output_protocol": ("output_protocol", "'rtmp'", "webrtc, websocket"),
}
"""Cases that raise, and what the message names: field, value, what is allowed."""

WARNED: dict[str, tuple[str, ...]] = {
    "video_alpha_ignored": ("video.background.color", "'#00FF0000'", "alpha"),
    "photo_1080p_requested": ("video.resolution", "no effect", "512 x 512"),
    "bad_bitrate_kbps": ("video.bitrate", "2000 bit/s", "kbit/s"),
    "bad_unknown_character": ("character", "'nobody'", "2026-09-22", "customized=True"),
    "bad_custom_without_flag": ("character", "'my-photo-avatar'", "customized=True"),
}
"""Cases that pass with a warning. The last two the service refuses, which nobody can know beforehand: the list of
standard avatars is a hint."""

UPDATES = [case for case in CASES if case.message["type"] == "session.update"]
ELSEWHERE = {"bad_webrtc_calls_path", "mid_bitrate", "mid_character"}
"""Settings that are fine in themselves: refused for the connection or the moment."""


@pytest.mark.parametrize("case", UPDATES, ids=lambda case: case.name)
def test_a_case_is_decided_as_the_settings_are_made(case: Case) -> None:
    if case.name in REFUSED:
        message = refused(lambda: wire.SessionConfig(**case.session))
        for words in REFUSED[case.name]:
            assert words in message
        assert "avatar" in message
        return
    found = doubts(lambda: wire.SessionConfig(**case.session))
    assert len(found) == (case.name in WARNED), found
    for words in WARNED.get(case.name, ()):
        assert words in found[0]


def test_every_case_is_decided_as_its_source_says() -> None:
    for case in UPDATES:
        if case.name in ELSEWHERE:
            continue
        passes = case.expect.startswith(("accept", "warn")) or "complete" in case.expect
        assert passes == (case.name not in REFUSED | WARNED) or case.name in WARNED, case.name
    assert REFUSED.keys() | WARNED.keys() <= {case.name for case in UPDATES}


@pytest.mark.parametrize("case", [case for case in UPDATES if case.name not in REFUSED], ids=lambda case: case.name)
def test_what_is_accepted_goes_on_the_wire_as_it_was_written(case: Case) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = sent(wire.SessionConfig(**case.session))

    wanted = json.loads(json.dumps(case.session))
    if "avatar" in wanted:
        wanted["avatar"] = {"type": "video-avatar", "customized": False} | wanted["avatar"]
    if case.name == "bad_background_six_digits":
        wanted["avatar"]["video"]["background"]["color"] = "#00FF00FF"  # completed: an opaque colour
    assert found == wanted


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_the_service_says_or_hears_is_never_refused(case: Case, recwarn: pytest.WarningsRecorder) -> None:
    assert json.loads(wire.encode(wire.decode_client(json.dumps(case.message)))) == case.message
    if case.answer is not None:
        assert json.loads(wire.encode(wire.decode(json.dumps(case.answer)))) == case.answer
    assert not recwarn.list


# --- who may appear ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", [one for one in standard() if one.withdrawn_from is None], ids=lambda one: one.name)
def test_every_listed_avatar_is_accepted_without_a_doubt(one: Any) -> None:
    if one.kind == "photo":
        wire.PhotoAvatar(character=one.name, model=one.model)
    for style in [style.name for style in one.styles if style.real_time] or ([None] if one.kind == "video" else []):
        made = wire.VideoAvatar(character=one.name, style=style)
        assert ("style" in json.loads(made.model_dump_json(exclude_unset=True))) is (style is not None)


@pytest.mark.parametrize("style", ["business", "formal"])
def test_a_withdrawn_character_warns_with_the_date(style: str) -> None:
    [found] = doubts(lambda: wire.VideoAvatar(character="jeff", style=style))

    assert "'jeff'" in found
    assert "2026-12-01" in found


@pytest.mark.parametrize("style", ["graceful-sitting", "graceful-standing", "technical-sitting", "technical-standing"])
def test_a_style_that_never_worked_in_real_time_is_refused_with_the_date(style: str) -> None:
    message = refused(lambda: wire.VideoAvatar(character="lisa", style=style))

    assert repr(style) in message
    assert "2026-12-01" in message


def test_a_style_that_nobody_has_is_doubted_and_one_that_another_has_is_refused() -> None:
    [found] = doubts(lambda: wire.VideoAvatar(character="lisa", style="sunny"))

    assert "'sunny'" in found
    assert "casual-sitting" in found
    assert "none of 'lisa'" in refused(lambda: wire.VideoAvatar(character="lisa", style="business"))
    assert "lower case" in refused(lambda: wire.VideoAvatar(character="lisa", style="Casual-sitting"))
    assert "'rowan' has no styles" in refused(lambda: wire.VideoAvatar(character="rowan", style="business"))


def test_kinds_are_not_mixed_up() -> None:
    assert "style='casual-sitting'" in refused(lambda: wire.PhotoAvatar(character="lisa", model="vasa-1"))
    assert "VideoAvatar(character='rowan')" in refused(lambda: wire.PhotoAvatar(character="rowan", model="vasa-1"))
    assert "belongs to 'vasa-2'" in refused(lambda: wire.PhotoAvatar(character="george", model="vasa-1"))
    assert "customized must be False" in refused(lambda: wire.VideoAvatar(character="lisa", customized=True))
    assert "'vasa-1'" in refused(lambda: wire.VideoAvatar(**ANIKA))


@pytest.mark.parametrize(
    "on_purpose",
    [
        lambda: wire.VideoAvatar(character=Unlisted("nobody")),
        lambda: wire.VideoAvatar(character=Unlisted("Lisa"), style="any"),
        lambda: wire.VideoAvatar(character="lisa", style=Unlisted("graceful-standing")),
        lambda: wire.VideoAvatar(character="harry", style=Unlisted("casual-sitting")),
        lambda: wire.VideoAvatar(character=Unlisted("max"), customized=True),
        lambda: wire.PhotoAvatar(character=Unlisted("lisa"), model="vasa-1"),
        lambda: wire.PhotoAvatar(character=Unlisted("anika"), model="vasa-2"),
        lambda: wire.PhotoAvatar(character=Unlisted("anika"), model=Unlisted("vasa-3")),
        lambda: wire.PhotoAvatar(character=Unlisted("x"), model="vasa-2", customized=True),
    ],
)
def test_whoever_knows_better_than_the_list_says_so(on_purpose: Callable[[], wire.VideoAvatar]) -> None:
    made = on_purpose()

    assert sent(wire.SessionConfig(avatar=made))["avatar"]["character"] == made.character


def test_an_avatar_of_ones_own_has_any_name() -> None:
    wire.VideoAvatar(character="My Model 7", customized=True)
    wire.PhotoAvatar(character="My.photo-7", model="vasa-1", customized=True)

    assert "3 to 64" in doubts(lambda: wire.PhotoAvatar(character="7", model="vasa-1", customized=True))[0]
    assert "'vasa-1' only" in doubts(lambda: wire.PhotoAvatar(character="own", model="vasa-2", customized=True))[0]


def test_a_style_of_none_is_never_sent() -> None:
    video_avatar, photo = wire.VideoAvatar(character="rowan", style=None), wire.PhotoAvatar(**ANIKA, style=None)

    assert "style" not in sent(wire.SessionConfig(avatar=video_avatar))["avatar"]
    assert "style" not in sent(wire.SessionConfig(avatar=photo))["avatar"]


def test_the_voice_of_an_avatar_may_be_set_without_it_or_for_a_kind_to_come() -> None:
    voice = wire.AzureAvatarVoiceSyncVoice(model="DragonLatestNeural")

    wire.SessionConfig(voice=voice)
    wire.SessionConfig(voice=voice, avatar=wire.VideoAvatar(**CUSTOM))
    wire.SessionConfig(voice=voice, avatar=wire.UnknownAvatar(type="hologram"))


# --- warnings ---------------------------------------------------------------------------------------------------------


def test_a_doubt_is_voiced_once_at_the_line_that_made_the_avatar() -> None:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        avatar = wire.VideoAvatar(character="nobody")
        config = wire.SessionConfig(avatar=avatar)
        sent(config)
        make(wire.SessionConfig, avatar={"type": "photo-avatar", "character": "nobody", "model": "vasa-1"})

    assert [one.filename for one in found] == [__file__] * 2
    assert "video" in str(found[0].message)
    assert "photo" in str(found[1].message)


def test_a_doubt_may_be_made_an_error() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", VoiceLiveWarning)
        with pytest.raises(VoiceLiveWarning, match="nobody"):
            wire.VideoAvatar(character="nobody")


def test_an_avatar_that_was_doubted_equals_one_that_was_received() -> None:
    with pytest.warns(VoiceLiveWarning):
        made = wire.VideoAvatar(character="nobody")

    assert made == wire.VideoAvatar.model_validate_json('{"type":"video-avatar","character":"nobody"}')


# --- the picture ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (640, 360), (854, 480)])
def test_a_resolution_keeps_the_ratio(size: tuple[int, int]) -> None:
    video(resolution=wire.VideoResolution(width=size[0], height=size[1]))


@pytest.mark.parametrize("size", [(1080, 1920), (1024, 768), (1920, 1090), (512, 512), (1, 1080)])
def test_another_ratio_is_refused_for_all_video_avatars(size: tuple[int, int]) -> None:
    picture = wire.VideoParams(resolution=wire.VideoResolution(width=size[0], height=size[1]))

    assert f"{size[0]} x {size[1]}" in refused(lambda: wire.VideoAvatar(**LISA, video=picture))
    assert "16:9" in refused(lambda: wire.VideoAvatar(**CUSTOM, video=picture))


def test_only_custom_avatars_are_larger_than_full_hd() -> None:
    picture = wire.VideoParams(resolution=wire.VideoResolution(width=3840, height=2160))
    too_large = wire.VideoParams(resolution=wire.VideoResolution(width=7680, height=4320))

    wire.VideoAvatar(**CUSTOM, video=picture)
    assert "1920 x 1080" in doubts(lambda: wire.VideoAvatar(**LISA, video=picture))[0]
    assert "3840 x 2160" in doubts(lambda: wire.VideoAvatar(**CUSTOM, video=too_large))[0]


@pytest.mark.parametrize(
    ("size", "customized", "fits"),
    [
        (None, False, [1920, 1080]),
        (None, True, [3840, 2160]),
        ((1920, 1080), True, [1920, 1080]),
        ((3840, 2160), True, [3840, 2160]),
    ],
)
def test_a_crop_stays_inside_the_picture(size: tuple[int, int] | None, customized: bool, fits: list[int]) -> None:
    def cropped(corner: list[int]) -> wire.VideoAvatar:
        crop = wire.VideoCrop(top_left=[0, 0], bottom_right=corner)
        more: dict[str, Any] = {}
        if size is not None:
            more["resolution"] = wire.VideoResolution(width=size[0], height=size[1])
        return wire.VideoAvatar(**(CUSTOM if customized else LISA), video=wire.VideoParams(crop=crop, **more))

    cropped(fits)
    for beyond in ([fits[0] + 1, fits[1]], [fits[0], fits[1] + 1]):
        assert f"at most {fits}" in refused(lambda beyond=beyond: cropped(beyond))  # type: ignore[misc]


def test_a_crop_of_a_scaled_picture_is_doubted() -> None:
    crop = wire.VideoCrop(top_left=[0, 0], bottom_right=[400, 720])
    size = wire.VideoResolution(width=1280, height=720)

    [found] = doubts(lambda: video(crop=crop, resolution=size))

    assert "1280 x 720" in found
    assert "before or after scaling" in found


@pytest.mark.parametrize("corners", [([5, 5], [5, 9]), ([5, 5], [9, 5]), ([5], [9, 9]), ([0, 0], [9, 9, 9])])
def test_a_crop_has_an_area(corners: tuple[list[int], list[int]]) -> None:
    refused(lambda: wire.VideoCrop(top_left=corners[0], bottom_right=corners[1]))


@given(st.lists(st.integers(0, 5_000), min_size=4, max_size=4))
def test_a_crop_is_refused_exactly_where_its_corners_are_out_of_order(values: list[int]) -> None:
    left, top, right, bottom = values
    ordered = left < right and top < bottom

    if ordered:
        wire.VideoCrop(top_left=[left, top], bottom_right=[right, bottom])
    else:
        assert "bottom_right" in refused(lambda: wire.VideoCrop(top_left=[left, top], bottom_right=[right, bottom]))


@pytest.mark.parametrize("colour", ["#FFFFFFFF", "#00ff00ff", "#123456fF"])
def test_an_opaque_colour_is_taken_as_it_is(colour: str) -> None:
    background = wire.Background(color=colour)
    video(background=background)

    assert background.color == colour


@given(st.from_regex(r"#[0-9A-Fa-f]{6}", fullmatch=True))
def test_six_digits_are_an_opaque_colour(colour: str) -> None:
    assert wire.Background(color=colour).color == f"{colour}FF"


@pytest.mark.parametrize(
    "colour", ["white", "#FFF", "#FFFFFFF", "FFFFFFFF", "#GGGGGGGG", "#FFFFFFFFF", "", "#FFFFFF\n"]
)
def test_another_colour_is_refused(colour: str) -> None:
    assert "color" in refused(lambda: wire.Background(color=colour))


@pytest.mark.parametrize(
    "url", ["", "room.jpg", "data:image/png;base64,AA", "file:///room.jpg", "ftp://a/b", "https://", "http://[::1/x"]
)
def test_an_image_has_an_address_and_its_refusal_does_not_show_it(url: str) -> None:
    message = refused(lambda: wire.Background(image_url=url))

    assert "image_url" in message
    assert not url or url not in message.replace("https://example.com/room.jpg", "")


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "10.0.0.5",
        "192.168.1.9:8000",
        "127.0.0.1",
        "[::1]",
        "printer",
        "box.local",
        "a.internal",
        "[fd00::1]",
    ],
)
def test_an_image_on_a_private_host_is_doubted(host: str) -> None:
    [found] = doubts(lambda: video(background=wire.Background(image_url=f"https://{host}/secret.jpg")))

    assert "private network" in found
    assert "secret" not in found


def test_an_image_over_plain_http_is_doubted() -> None:
    [found] = doubts(lambda: video(background=wire.Background(image_url="http://example.com/secret.jpg")))

    assert "plain http" in found
    assert "secret" not in found


def test_an_image_at_a_public_address_is_not() -> None:
    for host in ("example.com", "8.8.8.8", "[2606:4700::1111]:8443"):
        video(background=wire.Background(image_url=f"https://{host}/room.jpg?sig=1"))


def test_a_background_may_be_of_a_kind_to_come() -> None:
    assert sent(wire.SessionConfig(avatar=video(background=wire.Background(extra={"video_url": "x"}))))["avatar"][
        "video"
    ] == {"background": {"video_url": "x"}}


@pytest.mark.parametrize(("bitrate", "doubted"), [(1, True), (49_999, True), (50_000, False), (2_000_000, False)])
def test_a_bitrate_that_looks_like_kilobits_is_doubted(bitrate: int, doubted: bool) -> None:
    assert bool(doubts(lambda: video(bitrate=bitrate))) is doubted


def test_what_an_echo_leaves_null_can_be_sent_again() -> None:
    echo = {
        "type": "video-avatar",
        "character": "lisa",
        "style": "casual-sitting",
        "customized": False,
        "scene": None,
        "video": {"bitrate": 2000000, "codec": "h264", "crop": None, "resolution": None, "background": None},
        "image_prompt_url": None,
    }
    received = wire.decode(json.dumps({"type": "session.updated", "session": {"avatar": echo}}))
    assert isinstance(received, wire.SessionUpdated)

    assert sent(wire.SessionConfig(avatar=received.session.avatar))["avatar"] == echo


# --- ICE servers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "turn:turn.example.org",
        "turn:turn.example.org:3478?transport=udp",
        "turns:turn.example.org:443?transport=tcp",
        "turn:192.0.2.1:3478",
        "turn:[2001:db8::1]:3478",
    ],
)
def test_a_relay_wants_username_and_credential(url: str) -> None:
    wire.IceServer(urls=[url], username="u", credential="c")

    assert "credential is required" in refused(lambda: wire.IceServer(urls=[url], username="u"))
    assert "username is required" in refused(lambda: wire.IceServer(urls=[url], credential="c"))


@pytest.mark.parametrize("url", ["stun:stun.example.org", "stuns:stun.example.org:5349"])
def test_other_servers_want_neither(url: str) -> None:
    wire.IceServer(urls=[url])


@pytest.mark.parametrize(
    "url",
    [
        *("", "turn.example.org", "https://turn.example.org", "turn://turn.example.org", "turn:", "TURN:a", "turn:a b"),
        *("turn:a:0", "turn:a:65536", "turn:a:x", "turn:a?transport=sctp", "turn:a/b", "turn:a:1?x"),
    ],
)
def test_another_address_is_refused(url: str) -> None:
    message = refused(lambda: wire.IceServer(urls=["turn:a", url], username="user-x", credential="secret-x"))

    assert "urls[1]" in message
    assert repr(url) in message
    assert "stun:, stuns:, turn: or turns:" in message
    assert "secret-x" not in message


def test_a_password_in_an_address_is_not_shown() -> None:
    message = refused(lambda: wire.IceServer(urls=["turn:me:hunter2@turn.example.org"]))

    assert "urls[0]" in message
    assert "hunter2" not in message


def test_a_server_has_an_address() -> None:
    assert "urls is empty" in refused(lambda: wire.IceServer(urls=[]))


def test_credentials_show_in_no_repr() -> None:
    server = wire.IceServer(urls=["turn:a"], username="user-x", credential="secret-x")
    shown = repr(wire.SessionConfig(avatar=wire.VideoAvatar(**LISA, ice_servers=[server])))

    assert "turn:a" in shown
    assert "user-x" not in shown
    assert "secret-x" not in shown


# --- any of them ------------------------------------------------------------------------------------------------------


ANGLE = st.floats(-3.14159, 3.14159)
SHARE = st.floats(-1, 1)
SCENES = st.builds(
    lambda values: wire.Scene(**values),
    st.fixed_dictionaries(
        {},
        optional={
            "zoom": st.floats(0.001, 100),
            "position_x": SHARE,
            "position_y": SHARE,
            "rotation_x": ANGLE,
            "rotation_y": ANGLE,
            "rotation_z": ANGLE,
            "amplitude": st.floats(0.001, 1),
        },
    ),
)
CROPS = st.builds(
    lambda left, top, width, height: wire.VideoCrop(top_left=[left, top], bottom_right=[left + width, top + height]),
    *(st.integers(0, 900), st.integers(0, 500), st.integers(1, 1_000), st.integers(1, 500)),
)
BACKGROUNDS = st.one_of(
    st.builds(lambda value: wire.Background(color=f"#{value:06x}"), st.integers(0, 0xFFFFFF)),
    st.builds(lambda path: wire.Background(image_url=f"https://example.com/{path}"), st.text("abc/?&=%20", max_size=9)),
)
PICTURES = st.builds(
    lambda values: wire.VideoParams(**values),
    st.fixed_dictionaries(
        {},
        optional={
            "codec": st.just("h264"),
            "bitrate": st.integers(50_000, 10**9),
            "gop_size": st.integers(1, 2_000),
            "crop": CROPS,
            "resolution": st.just(wire.VideoResolution(width=1920, height=1080)),
            "background": BACKGROUNDS,
        },
    ),
)
COMMON: dict[str, st.SearchStrategy[Any]] = {
    "output_protocol": st.sampled_from(["webrtc", "websocket", Unlisted("pigeon")]),
    "output_audit_audio": st.booleans(),
    "ice_servers": st.lists(
        st.builds(
            lambda host, name: wire.IceServer(urls=[f"turn:{host}"], username=name, credential=name),
            st.from_regex(r"[a-z0-9.-]{1,20}", fullmatch=True),
            st.text(),
        ),
        max_size=2,
    ),
}
AVATARS = st.one_of(
    st.builds(
        lambda who, more: wire.VideoAvatar(**who, **more),
        st.sampled_from([LISA, CUSTOM, {"character": "rowan"}, {"character": Unlisted("new"), "style": "newer"}]),
        st.fixed_dictionaries({}, optional={**COMMON, "video": PICTURES}),
    ),
    st.builds(
        lambda who, more: wire.PhotoAvatar(**who, **more),
        st.sampled_from([ANIKA, {"character": "own", "model": "vasa-1", "customized": True}]),
        st.fixed_dictionaries({}, optional={**COMMON, "scene": SCENES}),
    ),
)


@given(AVATARS)
def test_any_avatar_comes_back_as_it_was_sent(avatar: wire.VideoAvatar | wire.PhotoAvatar) -> None:
    frame = wire.encode(wire.SessionUpdate(session=wire.SessionConfig(avatar=avatar)))

    back = wire.decode_client(frame)

    assert isinstance(back, wire.SessionUpdate)
    assert back.session.avatar == avatar
    assert wire.encode(back) == frame


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = [*wire.VideoAvatar.model_fields, "image_prompt_url", "brand_new"]


@given(st.dictionaries(st.sampled_from([name for name in KEYS if name != "extra"]), JUNK, max_size=8))
def test_whatever_the_service_says_of_an_avatar_is_decoded_and_kept(avatar: dict[str, Any]) -> None:
    message = {"type": "session.updated", "session": {"avatar": avatar}}

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = wire.decode(json.dumps(message))

    assert json.loads(wire.encode(found)) == message

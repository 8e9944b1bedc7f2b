"""Avatars of the emulated service: which it takes, in which words it refuses, what it reports."""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.avatar_cases import CASES, Case

from voicelive import SessionConfig, VideoAvatar, VoiceLiveClient
from voicelive.avatar.characters import standard
from voicelive.errors import AvatarRefusedError
from voicelive.testing import Emulator
from voicelive.testing.avatars import ICE_SERVERS
from voicelive.testing.checks import Refusal
from voicelive.testing.settings import Settings
from voicelive.wire.base import Unlisted

LISA: dict[str, Any] = {"character": "lisa", "style": "casual-sitting", "customized": False}
ANIKA: dict[str, Any] = {"type": "photo-avatar", "model": "vasa-1", "character": "anika"}
VOICE_SYNC = {"type": "avatar-voice-sync", "model": "DragonLatestNeural"}
SERVERS = [{"urls": ["turn:192.0.2.1:3478"], "username": "u", "credential": "c"}]

UPDATES = [case for case in CASES if case.message["type"] == "session.update"]
NOT_SETTINGS = {"bad_webrtc_calls_path"}
"""Fine settings on a path that the emulator does not serve."""

CODES: dict[str, tuple[str, str | None]] = {
    "mid_scene_on_video_avatar": ("invalid_value", "scene"),
    "bad_unknown_character": ("avatar_verification_failed", None),
    "bad_upper_case": ("avatar_verification_failed", None),
    "bad_style_of_other": ("avatar_verification_failed", None),
    "bad_batch_only_style": ("avatar_verification_failed", None),
    "bad_style_null": ("avatar_verification_failed", None),
    "bad_photo_as_video": ("avatar_verification_failed", None),
    "bad_photo_with_style": ("avatar_verification_failed", None),
    "bad_photo_no_model": ("missing_required_parameter", "model"),
    "bad_photo_wrong_model": ("avatar_verification_failed", None),
    "bad_custom_without_flag": ("avatar_verification_failed", None),
    "bad_standard_with_custom_flag": ("avatar_verification_failed", None),
    "bad_custom_with_style": ("avatar_verification_failed", None),
    "bad_voice_sync_standard": ("invalid_value", "voice"),
    "bad_voice_sync_photo": ("invalid_value", "voice"),
    "bad_codec_vp9": ("invalid_value", "video.codec"),
    "bad_codec_upper": ("invalid_value", "video.codec"),
    "bad_resolution_portrait": ("invalid_argument", None),
    "bad_resolution_zero": ("invalid_value", "video.resolution.width"),
    "bad_resolution_half": ("missing_required_parameter", "video.resolution.height"),
    "bad_crop_three": ("invalid_value", "video.crop.top_left"),
    "bad_crop_negative": ("invalid_value", "video.crop.top_left[0]"),
    "bad_crop_swapped": ("invalid_value", "video.crop.bottom_right"),
    "bad_crop_outside": ("invalid_value", "video.crop.bottom_right"),
    "bad_crop_one_corner": ("missing_required_parameter", "video.crop.bottom_right"),
    "bad_background_both": ("invalid_value", "video.background"),
    "bad_background_empty": ("invalid_value", "video.background"),
    "bad_background_short_colour": ("invalid_value", "video.background.color"),
    "bad_background_six_digits": ("invalid_value", "video.background.color"),
    "bad_background_data_url": ("invalid_value", "video.background.image_url"),
    "bad_gop_zero": ("invalid_value", "video.gop_size"),
    "bad_gop_large": ("invalid_value", "video.gop_size"),
    "bad_bitrate_zero": ("invalid_value", "video.bitrate"),
    "bad_scene_zoom_zero": ("invalid_value", "scene.zoom"),
    "bad_scene_amplitude_zero": ("invalid_value", "scene.amplitude"),
    "bad_scene_amplitude_large": ("invalid_value", "scene.amplitude"),
    "bad_scene_position": ("invalid_value", "scene.position_x"),
    "bad_scene_degrees": ("invalid_value", "scene.rotation_x"),
    "bad_scene_camel_case": ("unknown_parameter", "scene.positionX"),
    "bad_camel_case_video": ("unknown_parameter", "video.gopSize"),
    "bad_output_protocol": ("invalid_value", "output_protocol"),
}
"""What refused cases are answered with: code, and the field that ``param`` names."""


def new_settings(**more: Any) -> Settings:
    return Settings(session_id="sess_1", model="gpt-realtime", expires_at=1, **more)


def refused(avatar: dict[str, Any], **more: Any) -> Refusal:
    settings = new_settings()
    before = settings.view()
    with pytest.raises(Refusal) as caught:
        settings.apply({"avatar": avatar, **more})
    assert settings.view() == before
    return caught.value


def shown(avatar: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """The avatar as it is reported."""
    emulated = new_settings(**settings)
    emulated.apply({"avatar": avatar})
    found: dict[str, Any] = emulated.view()["avatar"]
    return found


def assert_reported(found: Any, wanted: Any, path: str = "") -> None:
    """Each key that a sample has is reported as the sample has it. Modalities come in any order, and the sample was
    sent text beside the default of audio."""
    if isinstance(wanted, dict):
        assert isinstance(found, dict), path
        for name, value in wanted.items():
            if name != "ice_servers":  # the sample's servers are an example
                assert_reported(found[name], value, f"{path}.{name}")
    elif path.endswith("modalities"):
        assert {"text", *found} == set(wanted), path
    else:
        assert found == wanted, path


@pytest.mark.parametrize("case", UPDATES, ids=lambda case: case.name)
async def test_a_case_is_answered_over_a_socket(case: Case, dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        if case.when == "connected":
            first = ANIKA if case.session["avatar"].get("type") == "photo-avatar" else LISA
            await peer.update(avatar=first)
        await peer.send("session.update", event_id="mine", session=case.session)
        answer = await peer.receive()
        while answer["type"] in ("session.created", "warning"):
            answer = await peer.receive()

    if case.name in CODES:
        code, field = CODES[case.name]
        root = "session.voice" if field == "voice" else f"session.avatar.{field}"
        assert answer["type"] == "error", answer
        assert (answer["error"]["code"], answer["error"]["param"]) == (code, None if field is None else root)
        assert answer["error"]["event_id"] == (None if field is None else "mine")
        if case.answer is not None and case.answer["error"]["message"] not in (None, "(text not published)"):
            assert answer["error"] == case.answer["error"]
    else:
        assert answer["type"] == "session.updated", answer
        if case.answer is not None and case.name != "mid_bitrate":  # its echo began with a video block
            assert_reported(answer["session"], case.answer["session"])


def test_every_case_is_answered_as_its_source_says() -> None:
    for case in UPDATES:
        if case.expect.startswith("refuse"):
            assert case.name in CODES, case.name
        elif case.expect.startswith(("accept", "warn")):
            assert case.name not in CODES, case.name
    assert CODES.keys() <= {case.name for case in UPDATES} - NOT_SETTINGS


@pytest.mark.parametrize("one", standard(), ids=lambda one: one.name)
def test_every_listed_avatar_is_taken_with_its_own_styles_only(one: Any) -> None:
    base: dict[str, Any] = {"character": one.name}
    if one.kind == "photo":
        assert shown({"type": "photo-avatar", "model": one.model, **base})["model"] == one.model
        assert refused({"type": "photo-avatar", "model": "vasa-9", **base}).code == "avatar_verification_failed"
        assert refused({"type": "video-avatar", **base}).code == "avatar_verification_failed"
        return
    for style in one.styles:
        if style.real_time:
            assert shown({**base, "style": style.name})["style"] == style.name
        else:
            assert f"style [{style.name}]" in refused({**base, "style": style.name}).message
    if one.styles:
        assert f"character [{one.name}] and style [None]" in refused(base).message
    else:
        assert shown(base)["style"] is None
    assert refused({**base, "style": "nobody's"}).code == "avatar_verification_failed"
    assert refused({"type": "photo-avatar", "model": "vasa-1", **base}).code == "avatar_verification_failed"
    assert refused({**base, "customized": True}).code == "avatar_verification_failed"


# --- the echo ---------------------------------------------------------------------------------------------------------


def test_the_first_echo_of_an_avatar_is_whole() -> None:
    assert shown(LISA) == {
        "type": "video-avatar",
        "character": "lisa",
        "style": "casual-sitting",
        "customized": False,
        "video": None,
        "scene": None,
        "model": None,
        "image_prompt_url": None,
        "output_protocol": "webrtc",
        "output_audit_audio": False,
        "ice_servers": list(ICE_SERVERS),
    }


def test_video_is_completed_where_it_was_sent() -> None:
    assert shown({**LISA, "video": {"codec": "h264"}})["video"] == {
        "bitrate": 2_000_000,
        "codec": "h264",
        "crop": None,
        "resolution": None,
        "background": None,
        "gop_size": 10,
    }


def test_avatar_is_added_to_the_modalities_that_are_reported() -> None:
    settings = new_settings()
    settings.apply({"modalities": ["text", "audio"], "avatar": LISA})
    assert settings.view()["modalities"] == ["text", "audio", "avatar"]
    assert settings.view()["modalities"] == ["text", "audio", "avatar"], "looking changes nothing"
    settings.apply({"modalities": ["text", "avatar"]})
    assert settings.view()["modalities"] == ["text", "avatar"]


def test_servers_are_the_emulators_the_callers_or_the_clients() -> None:
    own = [{"urls": ["stun:stun.example.org"]}]

    assert shown(LISA)["ice_servers"] == list(ICE_SERVERS)
    assert shown(LISA, ice_servers=SERVERS)["ice_servers"] == SERVERS
    assert shown(LISA, ice_servers=())["ice_servers"] == []
    assert shown({**LISA, "ice_servers": own}, ice_servers=SERVERS)["ice_servers"] == own
    assert shown({**LISA, "output_protocol": "websocket"}, ice_servers=SERVERS)["ice_servers"] is None


async def test_an_emulator_is_told_its_servers(dial: Any) -> None:
    async with Emulator(ice_servers=SERVERS) as emulator:
        peer = await dial(emulator)
        updated = await peer.update(avatar=LISA)

    assert updated["avatar"]["ice_servers"] == SERVERS


# --- an avatar that is there ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {**LISA, "video": {"bitrate": 400_000}},
        {"character": "meg", "style": "formal"},
        {**LISA, "output_protocol": "websocket"},
        ANIKA,
        None,
    ],
)
def test_a_change_is_confirmed_and_ignored(change: dict[str, Any] | None) -> None:
    settings = new_settings()
    settings.apply({"avatar": {**LISA, "video": {"codec": "h264"}}})
    before = settings.view()

    settings.apply({"avatar": change})

    assert settings.view() == before
    assert settings.view()["avatar"]["video"]["bitrate"] == 2_000_000


def test_an_invalid_change_is_refused_all_the_same() -> None:
    settings = new_settings()
    settings.apply({"avatar": LISA})

    with pytest.raises(Refusal, match="not found"):
        settings.apply({"avatar": {"character": "nobody"}})


def test_the_scene_of_a_photo_avatar_is_replaced_as_a_whole_and_the_rest_stays() -> None:
    settings = new_settings()
    settings.apply({"avatar": {**ANIKA, "video": {"codec": "h264"}, "scene": {"zoom": 2.0, "amplitude": 0.5}}})
    before = settings.view()["avatar"]

    settings.apply({"avatar": {**ANIKA, "scene": {"zoom": 1.5}}})

    assert settings.view()["avatar"] == before | {"scene": {"zoom": 1.5}}


def test_a_scene_of_somebody_else_changes_nothing() -> None:
    settings = new_settings()
    settings.apply({"avatar": ANIKA})

    settings.apply({"avatar": {**ANIKA, "character": "zoe", "scene": {"zoom": 1.5}}})

    assert settings.view()["avatar"]["scene"] is None


@pytest.mark.parametrize(
    ("avatar", "passes"),
    [({"character": "mine", "customized": True}, True), (LISA, False), ({**ANIKA, "character": "mine"}, False)],
)
def test_the_voice_of_an_avatar_needs_its_avatar_whichever_comes_first(avatar: dict[str, Any], passes: bool) -> None:
    avatar = {**avatar, "customized": avatar["character"] == "mine"}
    for updates in ([{"voice": VOICE_SYNC}, {"avatar": avatar}], [{"avatar": avatar}, {"voice": VOICE_SYNC}]):
        settings = new_settings()
        settings.apply(updates[0])
        if passes:
            settings.apply(updates[1])
        else:
            with pytest.raises(Refusal, match="custom video avatar"):
                settings.apply(updates[1])


# --- both ends --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "avatar",
    [
        VideoAvatar(character="lisa", style=Unlisted("technical-standing")),
        VideoAvatar(character=Unlisted("nobody")),
    ],
)
async def test_what_was_sent_on_purpose_is_refused_by_its_error_and_not_by_a_timeout(avatar: VideoAvatar) -> None:
    async with Emulator() as emulator, VoiceLiveClient(emulator.endpoint, "key") as client:
        with pytest.raises(AvatarRefusedError, match="not found"):
            async with client.connect("gpt-realtime", config=SessionConfig(avatar=avatar)):
                raise AssertionError("the settings were refused")


@pytest.mark.parametrize(
    "case", [case for case in UPDATES if case.when == "start" and case.name not in CODES], ids=lambda case: case.name
)
async def test_the_client_sends_what_is_accepted_and_reads_the_echo(case: Case) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = SessionConfig(**case.session)
        async with (
            Emulator() as emulator,
            VoiceLiveClient(emulator.endpoint, "key") as client,
            client.connect("gpt-realtime", config=config) as session,
        ):
            assert (session.config.avatar is None) is (config.avatar is None)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = ["type", "character", "style", "model", "customized", "video", "scene", "ice_servers", "output_protocol"]


@given(st.dictionaries(st.sampled_from(KEYS), JUNK, max_size=6))
def test_whatever_is_asked_for_is_taken_or_refused(avatar: dict[str, Any]) -> None:
    settings = new_settings()

    with suppress(Refusal):
        settings.apply({"avatar": {**ANIKA, **avatar}})

    shown = settings.view()["avatar"]
    assert shown is None or shown["character"]

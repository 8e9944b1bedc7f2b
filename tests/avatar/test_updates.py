"""What of an avatar changes while its session goes on; before the wire, and over a session's own verb."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import OpenSession
from tests.support.avatar_cases import CASES
from tests.support.service import heard

from voicelive import wire
from voicelive.avatar.updates import refuse_ignored, scene_update
from voicelive.errors import ConfigurationError, LocalProtocolError
from voicelive.protocol.settings import merged
from voicelive.wire.base import Unlisted

LISA = wire.VideoAvatar(
    character="lisa",
    style="casual-sitting",
    video=wire.VideoParams(codec="h264", background=wire.Background(color="#00FF00FF")),
    ice_servers=[wire.IceServer(urls=["turn:turn.example.org"], username="u", credential="c")],
)
ANIKA = wire.PhotoAvatar(
    character="anika", model="vasa-1", output_protocol="websocket", video=wire.VideoParams(bitrate=500_000)
)
SCENE = wire.Scene(zoom=1.2, rotation_x=0.1)


def echo(**avatar: Any) -> wire.SessionResource:
    """Settings in effect, as the service reports them: with its defaults and nulls."""
    whole = {
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
        "ice_servers": [{"urls": ["turn:relay"], "username": "u", "credential": "c"}],
    }
    return wire.SessionResource.model_validate_json(json.dumps({"id": "s", "avatar": whole | avatar}))


PHOTO_ECHO = echo(type="photo-avatar", character="anika", style=None, model="vasa-1")


def allowed(
    update: wire.SessionConfig, in_effect: wire.SessionResource, asked: wire.SessionConfig | None = None
) -> None:
    refuse_ignored(update, in_effect=in_effect, requested=asked)


def refused(update: wire.SessionConfig, in_effect: wire.SessionResource) -> str:
    with pytest.raises(LocalProtocolError) as caught:
        refuse_ignored(update, in_effect=in_effect)
    return str(caught.value)


def config(avatar: Any, **more: Any) -> wire.SessionConfig:
    return wire.SessionConfig(avatar=avatar, **more)


# --- what is refused --------------------------------------------------------------------------------------------------


def test_the_first_avatar_of_a_session_passes() -> None:
    allowed(config(LISA), wire.SessionResource())
    allowed(config(None), wire.SessionResource())


def test_other_settings_pass() -> None:
    allowed(wire.SessionConfig(instructions="Be brief."), echo())


CHANGES: dict[str, wire.VideoAvatar | wire.PhotoAvatar] = {
    "avatar.character": wire.VideoAvatar(character="meg", style="formal"),
    "avatar.style": wire.VideoAvatar(character="lisa", style=Unlisted("sunny")),
    "avatar.type": wire.PhotoAvatar(character=Unlisted("lisa"), model="vasa-1"),
    "avatar.customized": wire.VideoAvatar(character=Unlisted("lisa"), customized=True),
    "avatar.video.bitrate": wire.VideoAvatar(
        character="lisa", style="casual-sitting", video=wire.VideoParams(bitrate=400_000)
    ),
    "avatar.video.background.color": wire.VideoAvatar(
        character="lisa", style="casual-sitting", video=wire.VideoParams(background=wire.Background(color="#123456"))
    ),
    "avatar.video.crop": wire.VideoAvatar(
        character="lisa",
        style="casual-sitting",
        video=wire.VideoParams(crop=wire.VideoCrop(top_left=[0, 0], bottom_right=[9, 9])),
    ),
    "avatar.output_protocol": wire.VideoAvatar(character="lisa", style="casual-sitting", output_protocol="websocket"),
    "avatar.output_audit_audio": wire.VideoAvatar(character="lisa", style="casual-sitting", output_audit_audio=True),
    "avatar.ice_servers": LISA.model_copy(update={"video": None}),
    "avatar.brand_new": wire.VideoAvatar(character="lisa", style="casual-sitting", extra={"brand_new": 1}),
}


@pytest.mark.parametrize(("path", "avatar"), CHANGES.items(), ids=CHANGES)
def test_a_change_that_would_be_ignored_names_the_setting(path: str, avatar: wire.VideoAvatar) -> None:
    message = refused(config(avatar), echo())

    assert path in message or path in ("avatar.type", "avatar.customized", "avatar.video.crop")
    assert "new session" in message
    assert "credential" not in message.replace("ice_servers", "")


def test_an_avatar_is_not_taken_away() -> None:
    assert "avatar cannot be taken out" in refused(config(None), echo())


def test_an_avatar_of_an_unknown_kind_stays_as_it_is() -> None:
    hologram = wire.UnknownAvatar(type="hologram", extra={"a": 1})
    unknown = wire.SessionResource.model_validate_json('{"avatar": {"type": "hologram", "a": 1}}')

    allowed(config(hologram), unknown)
    assert "open a new one" in refused(config(wire.UnknownAvatar(type="hologram")), unknown)
    assert "open a new one" in refused(config(LISA), unknown)
    assert "open a new one" in refused(config(hologram), echo())


def test_what_is_repeated_passes_whether_reported_asked_for_or_a_default() -> None:
    defaults = wire.VideoParams(codec="h264", bitrate=2_000_000, gop_size=10)

    allowed(config(echo().avatar), echo())
    allowed(config(LISA), echo(), config(LISA))
    allowed(
        config(
            wire.VideoAvatar(
                character="lisa",
                style="casual-sitting",
                video=defaults,
                output_protocol="webrtc",
                output_audit_audio=False,
                scene=None,
            )
        ),
        echo(),
    )


def test_the_scene_of_a_photo_avatar_changes_and_nothing_else_of_it() -> None:
    allowed(scene_update(PHOTO_ECHO, SCENE), PHOTO_ECHO)

    assert "its scene can" in refused(config(wire.PhotoAvatar(character="zoe", model="vasa-1")), PHOTO_ECHO)
    assert "avatar.video.bitrate" in refused(config(ANIKA.model_copy(update={"output_protocol": None})), PHOTO_ECHO)


@given(st.sampled_from([None, *CHANGES.values(), LISA, ANIKA]), st.sampled_from([echo(), PHOTO_ECHO]))
def test_it_either_passes_or_says_why(avatar: Any, in_effect: wire.SessionResource) -> None:
    said = None
    try:
        refuse_ignored(config(avatar), in_effect=in_effect)
    except LocalProtocolError as refusal:
        said = str(refusal)

    assert said is None or said.startswith("avatar")


# --- the update of a scene --------------------------------------------------------------------------------------------


def sent(update: wire.SessionConfig) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(wire.encode(wire.SessionUpdate(session=update)))["session"]
    return settings


def test_a_scene_goes_alone_with_who_it_is_about() -> None:
    assert sent(scene_update(config(ANIKA), SCENE)) == {
        "avatar": {
            "type": "photo-avatar",
            "model": "vasa-1",
            "character": "anika",
            "customized": False,
            "scene": {"zoom": 1.2, "rotation_x": 0.1},
        }
    }


def test_formats_and_turn_detection_are_repeated_as_they_were_asked_for() -> None:
    asked = config(
        ANIKA,
        input_audio_format="pcm16",
        input_audio_sampling_rate=16_000,
        output_audio_format="pcm16",
        turn_detection=wire.AzureSemanticVad(),
        instructions="Be brief.",
        temperature=0.5,
    )

    update = sent(scene_update(asked, SCENE))

    assert update.pop("avatar")["scene"] == {"zoom": 1.2, "rotation_x": 0.1}
    assert update == {
        "input_audio_format": "pcm16",
        "input_audio_sampling_rate": 16_000,
        "output_audio_format": "pcm16",
        "turn_detection": {"type": "azure_semantic_vad"},
    }


def test_no_turn_detection_stays_none_and_a_format_that_is_null_is_not_sent() -> None:
    update = sent(scene_update(config(ANIKA, turn_detection=None, output_audio_format=None), SCENE))

    assert update["turn_detection"] is None
    assert "output_audio_format" not in update


def test_the_samples_say_the_same() -> None:
    messages = {case.name: case.session for case in CASES if case.name.startswith("mid_scene_update")}
    for settings in messages.values():
        asked = wire.SessionConfig(**settings)
        assert asked.avatar is not None
        assert asked.avatar.type == "photo-avatar"
        assert asked.avatar.scene is not None
        whole = sent(scene_update(asked, asked.avatar.scene))
        assert whole.pop("avatar") == {"customized": False, **settings["avatar"]}
        assert whole == {name: value for name, value in settings.items() if name != "avatar"}


def test_an_avatar_that_the_list_does_not_know_is_framed_without_a_word() -> None:
    own = echo(type="photo-avatar", character="max", style=None, model="vasa-1", customized=True)
    new = echo(type="photo-avatar", character="nobody", style=None, model="vasa-9")

    assert sent(scene_update(own, SCENE))["avatar"]["customized"] is True
    assert sent(scene_update(new, SCENE))["avatar"]["character"] == "nobody"


def test_only_a_photo_avatar_has_a_scene() -> None:
    for settings, said in ((config(LISA), "'video-avatar'"), (wire.SessionConfig(), "none is set")):
        with pytest.raises(ConfigurationError, match=f"scene is for photo avatars, but .*{said}"):
            scene_update(settings, SCENE)


def test_a_new_scene_leaves_the_rest_of_what_was_asked_for() -> None:
    asked = config(ANIKA, instructions="Be brief.")

    now = merged(asked, scene_update(asked, SCENE))

    assert sent(now)["avatar"] == sent(asked)["avatar"] | {"scene": {"zoom": 1.2, "rotation_x": 0.1}}
    assert now.instructions == "Be brief."


def test_another_avatar_replaces_the_old_one_as_a_whole() -> None:
    asked = config(ANIKA)
    for other in (LISA, wire.PhotoAvatar(character="zoe", model="vasa-1", scene=SCENE)):
        assert merged(asked, config(other)).avatar == other


# --- through a session ------------------------------------------------------------------------------------------------


async def with_anika(open_session: OpenSession) -> Any:
    session, peer = open_session()
    avatar = json.loads(PHOTO_ECHO.model_dump_json())["avatar"]
    await peer.say("session.created", session={"id": "s"})
    asking = asyncio.ensure_future(session.update(config(ANIKA, input_audio_format="pcm16")))
    await heard(peer, "session.update")
    await peer.say("session.updated", session={"id": "s", "input_audio_format": "pcm16", "avatar": avatar})
    await asking
    return session, peer


async def test_a_session_refuses_before_the_wire(open_session: OpenSession) -> None:
    session, peer = await with_anika(open_session)

    with pytest.raises(LocalProtocolError, match=r"avatar\.character cannot change"):
        await session.update(config(wire.PhotoAvatar(character="zoe", model="vasa-1")))
    await session.update(wire.SessionConfig(temperature=0.5), confirm=False)

    assert (await heard(peer, "session.update"))["session"] == {"temperature": 0.5}


async def test_a_scene_changes_with_its_formats_also_after_audio_was_sent(open_session: OpenSession) -> None:
    session, peer = await with_anika(open_session)
    await session.send_audio(bytes(960))
    await peer.hear_audio()
    assert session.requested is not None

    await session.update(scene_update(session.requested, SCENE), confirm=False)

    settings = (await heard(peer, "session.update"))["session"]
    assert settings["input_audio_format"] == "pcm16"
    assert settings["avatar"]["scene"] == {"zoom": 1.2, "rotation_x": 0.1}


async def test_settings_that_are_impossible_together_raise_in_the_verb(open_session: OpenSession) -> None:
    session, _ = await with_anika(open_session)

    with pytest.raises(ConfigurationError, match="avatar-voice-sync"):
        await session.update(
            wire.SessionConfig(voice=wire.AzureAvatarVoiceSyncVoice(model="DragonLatestNeural")), confirm=False
        )

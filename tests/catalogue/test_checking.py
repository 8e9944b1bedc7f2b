"""What does not go together, and what would do instead."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from voicelive import AzureStandardVoice, SessionConfig, VideoAvatar
from voicelive.catalogue import Finding, check, models, regions
from voicelive.errors import ConfigurationError
from voicelive.wire.audio import AudioInputTranscriptionOptions

AVATAR = SessionConfig(avatar=VideoAvatar(character="lisa", style="casual-sitting"))
TODAY = date(2026, 11, 22)


def found(*args: Any, **wishes: Any) -> dict[str, Finding]:
    return {one.code: one for one in check(*args, **{"today": TODAY, **wishes})}


def test_what_goes_together_finds_nothing() -> None:
    assert check("gpt-realtime-2.1", region="swedencentral", config=AVATAR, today=TODAY) == ()
    assert check("gpt-4.1-global-standard", today=TODAY) == ()
    assert check(region="swedencentral") == ()


def test_a_model_that_is_not_in_the_region_has_neighbours() -> None:
    one = found("gpt-realtime-2.1", region="West Europe")["model_not_in_region"]

    assert (one.level, one.field) == ("error", "region")
    assert one.instead is not None
    assert "use a resource in francecentral, swedencentral" in one.instead
    assert str(one) == f"region: westeurope does not offer gpt-realtime-2.1; {one.instead}"


def test_the_nearest_model_is_of_the_same_kind_and_tier() -> None:
    one = found("gpt-realtime-2.1-regional", region="swedencentral")["model_not_in_region"]

    assert one.instead == "use gpt-realtime-2.1 there or use a resource in centralindia"


def test_a_region_without_voice_live_names_one_that_has_all() -> None:
    one = found("gpt-realtime-2.1", region="northeurope", config=AVATAR)["region_without_voice_live"]

    assert one.instead is not None
    named = one.instead.removeprefix("use a resource in ").split(", ")
    assert named[:2] == ["francecentral", "swedencentral"]
    assert all("gpt-realtime-2.1" in regions[name].models and regions[name].avatar for name in named)


@pytest.mark.parametrize(
    ("config", "region", "code"),
    [
        (AVATAR, "uksouth", "avatar_not_in_region"),
        ({"avatar": {"character": "x", "customized": True}}, "uksouth", "custom_avatar_not_in_region"),
        ({"voice": {"type": "azure-custom", "name": "x"}}, "canadaeast", "custom_voice_not_in_region"),
        ({"voice": {"type": "azure-personal", "name": "x"}}, "uksouth", "personal_voice_not_in_region"),
        ({"voice": {"type": "avatar-voice-sync"}}, "uksouth", "avatar_voice_sync_not_in_region"),
    ],
)
def test_what_a_region_lacks_is_an_error_that_names_others(config: Any, region: str, code: str) -> None:
    one = found("gpt-5", region=region, config=config)[code]

    assert one.level == "error"
    assert one.instead is not None
    assert one.instead.startswith("use a resource in ")
    nearest = one.instead.removeprefix("use a resource in ").split(", ")[0]
    assert not [other for other in check("gpt-5", region=nearest, config=config, today=TODAY) if other.level == "error"]


def test_an_hd_voice_outside_its_regions_is_only_a_warning() -> None:
    config = SessionConfig(voice=AzureStandardVoice(name="en-US-Ava:DragonHDLatestNeural"))

    assert found("gpt-5", region="uksouth", config=config)["hd_voices_not_in_region"].level == "warning"
    assert not found("gpt-5", region="swedencentral", config=config)


def test_where_avatars_are_scarce_it_is_said() -> None:
    one = found("gpt-5", region="francecentral", config=AVATAR)["avatar_limited"]

    assert (one.level, one.text) == ("info", "francecentral: avatars: limited capacity")


@pytest.mark.parametrize(
    ("model", "level", "code", "instead"),
    [
        ("phi4-mini", "error", "model_gone", "use gpt-5-nano"),
        ("gpt-5.1-chat", "error", "model_gone", "use gpt-5.1"),
        ("gpt-5-chat", "warning", "model_unlisted", "use gpt-5"),
        ("gpt-5.5", "warning", "model_not_deployed", "deploy it in your resource and connect with byom=Byom(...)"),
        ("gpt-realtime", "warning", "model_retires", "use gpt-realtime-2.1"),
        ("phi4-mm-realtime", "info", "model_preview", None),
        ("gpt-9", "info", "unknown_model", None),
    ],
)
def test_models_near_their_end_or_beyond(model: str, level: str, code: str, instead: str | None) -> None:
    [one] = check(model, today=TODAY)

    assert (one.level, one.code, one.field, one.instead) == (level, code, "model", instead)


@pytest.mark.parametrize(
    ("today", "text"),
    [
        (date(2026, 9, 2), None),
        (date(2026, 9, 3), "gpt-realtime retires on 2027-03-02"),
        (date(2027, 3, 2), "gpt-realtime was to retire on 2027-03-02"),
    ],
)
def test_a_model_is_warned_about_half_a_year_ahead_and_never_refused_for_its_date(
    today: date, text: str | None
) -> None:
    assert [(one.level, one.text) for one in check("gpt-realtime", today=today)] == (
        [("warning", text)] if text else []
    )


def test_an_unknown_region_is_said_and_not_judged() -> None:
    [one] = check("gpt-5", region="mars", config=AVATAR)

    assert (one.level, one.code, one.field) == ("info", "unknown_region", "region")


def test_rules_of_families_are_findings_too() -> None:
    config = SessionConfig(input_audio_transcription=AudioInputTranscriptionOptions(model="whisper-1"))
    one = found("gpt-4.1", config=config)["transcription_model_of_another_family"]

    assert one.level == "error"
    assert one.field == "config.input_audio_transcription.model"
    assert "'gpt-4.1' takes azure-speech" in one.text
    assert "transcription_model_of_another_family" in found(config=config, agent=True)
    assert found("gpt-realtime", config={"interim_response": {}})["interim_response_on_native_model"].level == "warning"


def test_the_worst_comes_first() -> None:
    levels = [one.level for one in check("phi4-mm-realtime", region="westus", config=AVATAR)]

    assert levels == sorted(levels, key=["error", "warning", "info"].index)
    assert len(set(levels)) > 1


def test_nothing_to_check_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="name what is to be checked"):
        check(config=AVATAR)


@pytest.mark.parametrize("region", [region.id for region in regions.values()])
def test_every_model_can_be_checked_in_every_region(region: str) -> None:
    for model in models:
        for one in check(model, region=region, config=AVATAR, today=TODAY):
            assert str(one)

"""On which meters a session runs: the table of the documentation, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from voicelive import (
    AzureAvatarVoiceSyncVoice,
    AzureCustomVoice,
    AzurePersonalVoice,
    AzureRealtimeNativeVoice,
    AzureStandardVoice,
    OpenAIVoice,
    SessionConfig,
)
from voicelive.catalogue import BillingMode, models
from voicelive.errors import ConfigurationError, NotInCatalogueError
from voicelive.transport.address import Byom
from voicelive.wire.audio import AudioInputTranscriptionOptions
from voicelive.wire.session import SessionResource

STANDARD = AzureStandardVoice(name="en-US-AvaMultilingualNeural")
CUSTOM = AzureCustomVoice(name="x", endpoint_id="y")
OWN_SPEECH = AudioInputTranscriptionOptions(model="azure-speech", custom_speech={"en-US": "id"})


@pytest.mark.parametrize(
    ("model", "voice", "mode"),
    [
        ("gpt-realtime", None, ("pro", "native", "native", "pro")),
        ("gpt-realtime", OpenAIVoice(name="marin"), ("pro", "native", "native", "pro")),
        ("gpt-realtime", "marin", ("pro", "native", "native", "pro")),
        ("azure-realtime", AzureRealtimeNativeVoice(name="ava"), ("pro", "native", "native", "pro")),
        ("gpt-realtime-2025-08-28", STANDARD, ("pro", "native", "standard", "pro")),
        ("gpt-realtime-mini", CUSTOM, ("standard", "native", "custom", "standard")),
        ("gpt-realtime", "en-US-AvaMultilingualNeural", ("pro", "native", "standard", "pro")),
        ("phi4-mm-realtime", None, ("lite", "native", "standard", "lite")),
        ("phi4-mm-realtime", CUSTOM, ("lite", "native", "custom", "pro")),
        ("gpt-4.1", None, ("pro", "standard", "standard", "pro")),
        ("gpt-4.1", OpenAIVoice(name="alloy"), ("pro", "standard", "standard", "pro")),
        ("gpt-5-nano", CUSTOM, ("lite", "standard", "custom", "pro")),
    ],
)
def test_the_mode_follows_from_model_and_voice(model: str, voice: Any, mode: tuple[str, str, str, str]) -> None:
    config = None if voice is None else SessionConfig(voice=voice)
    tier, heard, spoken, voice_tier = mode

    found = BillingMode.of(model, config)

    assert (found.tier, found.audio_input, found.audio_output, found.audio_output_tier) == mode
    assert found == BillingMode(
        tier=tier,  # type: ignore[arg-type]  # words of the table
        audio_input=heard,  # type: ignore[arg-type]
        audio_output=spoken,  # type: ignore[arg-type]
        audio_output_tier=voice_tier,  # type: ignore[arg-type]
    )


def test_a_speech_model_of_one_s_own_counts_with_cascaded_models_alone() -> None:
    config = SessionConfig(input_audio_transcription=OWN_SPEECH)

    assert BillingMode.of("gpt-4.1", config).audio_input == "custom"
    assert BillingMode.of("gpt-realtime", config).audio_input == "native"


def test_what_the_service_reports_and_mappings_are_understood_alike() -> None:
    voice = {"type": "azure-standard", "name": "en-US-AvaMultilingualNeural"}

    assert BillingMode.of("gpt-realtime", SessionResource(voice=STANDARD)) == BillingMode.of(
        "gpt-realtime", {"voice": voice}
    )
    assert BillingMode.of(models["gpt-realtime"], {"voice": voice}).audio_output == "standard"


@pytest.mark.parametrize(
    "voice",
    [
        AzurePersonalVoice(name="x", model="DragonLatestNeural"),
        AzureAvatarVoiceSyncVoice(model="DragonLatestNeural"),
        {"type": "azure-singing"},
    ],
)
def test_voices_without_a_published_price_are_billed_as_custom_and_say_so(voice: Any) -> None:
    found = BillingMode.of("gpt-4.1", {"voice": voice})

    assert found.audio_output == "custom"
    assert "not published" in found.notes[0]


@pytest.mark.parametrize(
    ("byom", "heard", "spoken"),
    [
        (Byom(profile="byom-azure-openai-realtime"), "native", "native"),
        (Byom(profile="byom-azure-openai-chat-completion"), "standard", "standard"),
        ("byom-foundry-anthropic-messages", "standard", "standard"),
    ],
)
def test_a_deployment_of_one_s_own_is_byo_whatever_its_name(byom: Any, heard: str, spoken: str) -> None:
    found = BillingMode.of("my-deployment", byom=byom)

    assert (found.tier, found.audio_input, found.audio_output) == ("byo", heard, spoken)
    assert "own deployment" in found.notes[0]


def test_the_pro_rate_of_a_custom_voice_on_lite_is_a_choice_that_can_be_made_otherwise() -> None:
    by_default = BillingMode(tier="lite", audio_input="native", audio_output="custom")
    chosen = BillingMode(tier="lite", audio_input="native", audio_output="custom", audio_output_tier="lite")

    assert by_default.audio_output_tier == "pro"
    assert len(by_default.notes) == 1
    assert chosen.audio_output_tier == "lite"
    assert not chosen.notes


def test_the_older_name_of_a_tier_is_taken() -> None:
    mode = BillingMode(tier="basic", audio_input="native", audio_output="native", audio_output_tier="Basic")  # type: ignore[arg-type]

    assert mode.tier == mode.audio_output_tier == "standard"


@pytest.mark.parametrize("wrong", [{"tier": "gold"}, {"audio_input": "azure"}, {"audio_output_tier": "none"}])
def test_unknown_words_are_refused(wrong: dict[str, Any]) -> None:
    words: dict[str, Any] = {"tier": "pro", "audio_input": "native", "audio_output": "native"}
    with pytest.raises(ConfigurationError, match=f"{'tier' if 'tier' in next(iter(wrong)) else 'audio_input'} is"):
        BillingMode(**words | wrong)


def test_a_model_that_is_not_known_has_no_mode() -> None:
    with pytest.raises(NotInCatalogueError):
        BillingMode.of("my-deployment")

"""What ``connect`` says about settings that will not work: once, or never again, or not at all."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from voicelive import OpenAIVoice, SessionConfig, VoiceLiveClient
from voicelive.errors import ConfigurationError, SettingsWarning
from voicelive.options import ClientOptions
from voicelive.testing import Emulator, Pace
from voicelive.transport.address import Agent, Byom

ENDPOINT = "http://127.0.0.1:9"
OPENAI_VOICE = SessionConfig(voice=OpenAIVoice(name="alloy"))
WHISPER = SessionConfig.model_validate({"input_audio_transcription": {"model": "whisper-1"}})


def told(client: VoiceLiveClient, model: str | None, config: SessionConfig | None = None, **target: Any) -> list[str]:
    """What ``connect`` warns about; nothing is sent before its context is entered."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client.connect(model, config=config, **target)
    assert all(one.category is SettingsWarning for one in caught)
    assert all(one.filename == __file__ for one in caught), "it points at the caller's line"
    return [str(one.message) for one in caught]


def a_client(**options: Any) -> VoiceLiveClient:
    return VoiceLiveClient(ENDPOINT, "key", options=ClientOptions(**options))


def test_each_problem_of_a_model_is_told_once() -> None:
    client = a_client()

    [text] = told(client, "gpt-4.1", OPENAI_VOICE)
    assert text.startswith("config.voice: voices of OpenAI belong to the gpt-realtime family, and 'gpt-4.1' is none")
    assert text.endswith("use an AzureStandardVoice (openai_voice_on_other_model)")
    assert told(client, "gpt-4.1", OPENAI_VOICE) == []
    assert len(told(client, "gpt-4.1", WHISPER)) == 1
    assert len(told(client, "gpt-5", OPENAI_VOICE)) == 1


def test_a_model_that_is_gone_is_told_without_settings() -> None:
    [text] = told(a_client(), "phi4-mini")
    assert text == "model: phi4-mini is in no table since 2026-09-29; use gpt-5-nano (model_gone)"


@pytest.mark.parametrize("model", ["gpt-9", "gpt-live-1", "my-model", "gpt-realtime", "gpt-realtime-3", "gpt-5.5"])
def test_models_that_are_new_or_retire_are_not_warned_about(model: str) -> None:
    assert told(a_client(), model, OPENAI_VOICE if model != "gpt-5.5" else None) == []


def test_own_deployments_are_not_judged_by_their_names() -> None:
    byom = Byom(profile="byom-azure-openai-chat-completion")

    assert told(a_client(), "gpt-4.1", OPENAI_VOICE, byom=byom) == []


def test_agents_are_judged_by_their_rules() -> None:
    agent = Agent(name="a", project="p")

    [text] = told(a_client(), None, WHISPER, agent=agent)
    assert "an agent takes azure-speech" in text


def test_webrtc_calls_are_looked_at_likewise() -> None:
    client = a_client()
    offer = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n"

    with pytest.warns(SettingsWarning, match="openai_voice_on_other_model") as caught:
        client.answer_call(offer, "gpt-4.1", config=OPENAI_VOICE)
    assert caught[0].filename == __file__


def test_who_names_nothing_hears_of_that_from_the_connection() -> None:
    assert told(a_client(region="westeurope"), None, OPENAI_VOICE) == []


def test_a_region_counts_where_it_is_named() -> None:
    assert told(a_client(), "gpt-realtime") == []
    [text] = told(a_client(region="westeurope"), "gpt-realtime")
    assert "westeurope does not offer gpt-realtime" in text
    assert told(a_client(region="swedencentral"), "gpt-realtime") == []
    assert told(a_client(region="mars"), "gpt-realtime") == []


def test_insisting_refuses_all_problems_in_one_error() -> None:
    client = a_client(check_settings="refuse", region="uksouth")
    config = SessionConfig.model_validate(
        {"voice": {"type": "openai", "name": "alloy"}, "avatar": {"character": "lisa", "style": "casual-sitting"}}
    )

    with pytest.raises(ConfigurationError, match=r"config\.voice: .*; config\.avatar: uksouth does not offer avatars"):
        client.connect("gpt-4.1", config=config)
    with pytest.raises(ConfigurationError, match="uksouth does not offer avatars"):
        client.connect("gpt-4.1", config=config)
    client.connect("gpt-4.1")


def test_it_can_be_turned_off() -> None:
    assert told(a_client(check_settings="off", region="westeurope"), "phi4-mini", OPENAI_VOICE) == []


@pytest.mark.parametrize("wrong", [{"check_settings": "always"}, {"region": ""}, {"region": 5}])
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=f"{next(iter(wrong))} is "):
        ClientOptions(**wrong)


async def test_a_warning_stops_nothing() -> None:
    async with Emulator(pace=Pace.instant()) as emulator:
        client = VoiceLiveClient(emulator.endpoint, "key")
        with pytest.warns(SettingsWarning, match="openai_voice_on_other_model"):
            context = client.connect("gpt-4.1", config=OPENAI_VOICE)
        async with client, context as session:
            assert session.id

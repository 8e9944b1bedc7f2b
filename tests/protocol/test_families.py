"""Which settings a family of models takes; nothing is said about models that are not known."""

from __future__ import annotations

from typing import Any

import pytest

from voicelive.protocol.families import Family, family_of, misfits, setting, voice_kind
from voicelive.wire.audio import AudioInputTranscriptionOptions, AudioNoiseReduction
from voicelive.wire.responses import StaticInterimResponseConfig
from voicelive.wire.session import SessionConfig
from voicelive.wire.tools import MCPServer
from voicelive.wire.turn_detection import AzureSemanticDetection, AzureSemanticVad, OpenAISemanticVad
from voicelive.wire.voices import (
    AzureCustomVoice,
    AzureRealtimeNativeVoice,
    AzureStandardVoice,
    OpenAIVoice,
    UnknownVoice,
)

OPENAI, AZURE = OpenAIVoice(name="marin"), AzureStandardVoice(name="en-US-AvaMultilingualNeural")
NATIVE = AzureRealtimeNativeVoice(name="ava")


def codes(config: object, model: str | None = None, *, agent: bool = False) -> list[str]:
    return [misfit.code for misfit in misfits(config, model=model, agent=agent)]


def transcribed_by(model: str) -> SessionConfig:
    return SessionConfig(input_audio_transcription=AudioInputTranscriptionOptions(model=model))


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("gpt-realtime", "gpt-realtime"),
        ("GPT-Realtime-3-mini", "gpt-realtime"),
        ("gpt-live-1", "gpt-live"),
        ("azure-realtime", "azure-realtime"),
        ("phi4-mm-realtime", "phi4-mm-realtime"),
        ("phi4-mini", "cascaded"),
        ("gpt-4o-mini", "cascaded"),
        ("gpt-5.9-nova", "cascaded"),
        ("gpt-4o-realtime-preview", None),
        ("gpt-6", None),
        ("my-model", None),
        (None, None),
    ],
)
def test_a_family_is_told_by_how_a_name_begins(model: str | None, family: Family | None) -> None:
    assert family_of(model) == family
    assert family_of(model, agent=True) == "agent"


@pytest.mark.parametrize("model", ["gpt-realtime", "gpt-realtime-2.1-mini"])
def test_the_realtime_family_does_not_take_azure_speech(model: str) -> None:
    assert codes(transcribed_by("azure-speech"), model) == ["transcription_model_of_another_family"]
    for taken in ("whisper-1", "gpt-4o-mini-transcribe", "mai-transcribe-2", "something-new"):
        assert not codes(transcribed_by(taken), model)


@pytest.mark.parametrize("model", ["gpt-4.1", "gpt-5-nano", "phi4-mm-realtime", "azure-realtime", None])
def test_all_others_and_agents_take_no_transcription_of_openai(model: str | None) -> None:
    for refused in ("whisper-1", "gpt-4o-transcribe", "gpt-4o-transcribe-diarize"):
        assert codes(transcribed_by(refused), model, agent=model is None) == ["transcription_model_of_another_family"]
    for taken in ("azure-speech", "mai-transcribe", "something-new"):
        assert not codes(transcribed_by(taken), model, agent=model is None)


@pytest.mark.parametrize("model", ["my-model", "gpt-live-1", "gpt-6"])
def test_models_that_are_not_known_are_not_judged(model: str) -> None:
    config = SessionConfig(
        voice=OPENAI,
        turn_detection=OpenAISemanticVad(),
        input_audio_transcription=AudioInputTranscriptionOptions(model="whisper-1"),
        input_audio_noise_reduction=AudioNoiseReduction(type="near_field"),
    )
    assert not codes(config, model)


@pytest.mark.parametrize(
    ("voice", "model", "code"),
    [
        (OPENAI, "gpt-4.1", "openai_voice_on_other_model"),
        ("marin", "phi4-mm-realtime", "openai_voice_on_other_model"),
        (OPENAI, "azure-realtime", "openai_voice_on_other_model"),
        (NATIVE, "gpt-realtime", "azure_realtime_voice_on_other_model"),
        (NATIVE, "gpt-5", "azure_realtime_voice_on_other_model"),
        (AZURE, "azure-realtime", "azure_voice_on_azure_realtime"),
        (AzureCustomVoice(name="x", endpoint_id="y"), "azure-realtime", "azure_voice_on_azure_realtime"),
    ],
)
def test_voices_of_another_family_do_not_fit(voice: Any, model: str, code: str) -> None:
    assert codes(SessionConfig(voice=voice), model) == [code]


@pytest.mark.parametrize(
    ("voice", "model"),
    [
        (OPENAI, "gpt-realtime"),
        (AZURE, "gpt-realtime"),
        (AZURE, "gpt-4.1"),
        (AZURE, "phi4-mm-realtime"),
        (NATIVE, "azure-realtime"),
        ("en-US-AvaMultilingualNeural", "gpt-4.1"),
        (UnknownVoice(type="azure-singing"), "gpt-4.1"),
    ],
)
def test_voices_of_the_family_fit(voice: Any, model: str) -> None:
    assert not codes(SessionConfig(voice=voice), model)


@pytest.mark.parametrize(
    ("config", "model", "code"),
    [
        (SessionConfig(turn_detection=OpenAISemanticVad()), "gpt-4.1", "turn_detection_of_another_family"),
        (
            SessionConfig(input_audio_noise_reduction=AudioNoiseReduction(type="far_field")),
            "gpt-5",
            "noise_reduction_of_another_family",
        ),
        (
            SessionConfig(turn_detection=AzureSemanticVad(end_of_utterance_detection=AzureSemanticDetection())),
            "phi4-mm-realtime",
            "end_of_utterance_on_native_model",
        ),
        (
            SessionConfig(interim_response=StaticInterimResponseConfig(texts=["One moment."])),
            "gpt-realtime",
            "interim_response_on_native_model",
        ),
        (
            SessionConfig(tools=[MCPServer(server_label="x", server_url="https://x")]),
            "phi4-mm-realtime",
            "mcp_on_phi",
        ),
    ],
)
def test_what_else_belongs_to_other_families(config: SessionConfig, model: str, code: str) -> None:
    other = {"gpt-realtime": "gpt-4.1", "phi4-mm-realtime": "gpt-4.1"}.get(model, "gpt-realtime")

    assert codes(config, model) == [code]
    assert not codes(config, other)


def test_only_what_the_documentation_refuses_is_certain() -> None:
    [misfit] = misfits(
        SessionConfig(interim_response=StaticInterimResponseConfig(texts=["One moment."])), model="gpt-realtime"
    )
    assert not misfit.certain
    [other] = misfits(SessionConfig(voice=OPENAI), model="gpt-4.1")
    assert other.certain


def test_mappings_of_the_wire_are_read_like_settings() -> None:
    config = {"voice": {"type": "openai", "name": "marin"}, "turn_detection": {"type": "semantic_vad"}}

    assert codes(config, "gpt-4.1") == ["turn_detection_of_another_family", "openai_voice_on_other_model"]
    assert not codes({}, "gpt-4.1")
    assert not codes(None, "gpt-4.1")
    assert setting({"a": {"b": 1}}, "a", "b") == 1
    assert setting({"a": None}, "a", "b") is None


def test_the_kind_of_a_voice_is_its_type() -> None:
    assert voice_kind(UnknownVoice(type="azure-singing")) == "azure-singing"
    assert voice_kind({"type": 5}) is None
    assert voice_kind(None) is None

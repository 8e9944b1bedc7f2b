"""The service's own SDK for Python sets up sessions of the emulator, and reads back what is in effect."""

from __future__ import annotations

from typing import Any

import pytest
from azure.ai.voicelive import models
from tests.foreign.caller import call
from tests.foreign.reading import QUESTION, SENTENCE, SILENCE, sound, the

from voicelive.testing import Emulator, Script

WEATHER = models.FunctionTool(name="get_weather", description="The weather.", parameters={"type": "object"})
CLOCK = models.FunctionTool(name="get_time", description="The time.", parameters={"type": "object"})


async def test_a_refused_update_names_its_field_and_the_session_goes_on() -> None:
    async with Emulator(Script("Still here.")) as emulator, call(emulator, modalities=["text"]) as caller:
        await caller.connection.session.update(
            session=models.RequestSession(input_audio_sampling_rate=44_100), event_id="mine"
        )
        error = await caller.refusal()
        events = await caller.ask("Hello?")

    assert error.type == "invalid_request_error"
    assert (error.event_id, error.param) == ("mine", "session.input_audio_sampling_rate")
    assert error.code == "invalid_value"
    assert the(models.ServerEventResponseTextDone, events).text == "Still here."


async def test_the_voice_cannot_change_once_the_agent_has_spoken() -> None:
    async with Emulator() as emulator, call(emulator) as caller:
        await caller.ask("Hello!")
        voice = models.AzureStandardVoice(name="en-US-AvaMultilingualNeural")
        await caller.connection.session.update(session=models.RequestSession(voice=voice))
        error = await caller.refusal()

    assert error.code == "cannot_update_voice"


@pytest.mark.parametrize(
    ("name", "bytes_per_s"),
    [
        ("pcm16", 48_000),
        ("pcm16_16000hz", 32_000),
        ("pcm16_8000hz", 16_000),
        ("g711_ulaw", 8_000),
        ("g711_alaw", 8_000),
    ],
)
async def test_the_reply_comes_in_each_output_format(name: str, bytes_per_s: int) -> None:
    output_format = models.OutputAudioFormat(name)
    async with Emulator(Script(SENTENCE)) as emulator, call(emulator, output_audio_format=output_format) as caller:
        events = await caller.ask("What is the weather in Lisbon?")

    assert len(sound(events)) / bytes_per_s == pytest.approx(3.058, abs=0.002)


@pytest.mark.parametrize(
    "detection",
    [
        models.ServerVad(threshold=0.4, prefix_padding_ms=200, silence_duration_ms=300),
        models.AzureSemanticVad(remove_filler_words=True, silence_duration_ms=300, languages=["en"]),
        models.AzureSemanticVadEn(),
        models.AzureSemanticVadMultilingual(auto_truncate=True),
    ],
    ids=lambda detection: type(detection).__name__,
)
async def test_every_turn_detection_hears_a_spoken_turn(detection: models.TurnDetection) -> None:
    async with Emulator() as emulator, call(emulator, turn_detection=detection) as caller:
        effective = (await caller.configure(turn_detection=detection)).turn_detection
        await caller.say(QUESTION + SILENCE)
        events = await caller.until(models.ServerEventResponseDone)

    assert effective is not None
    assert type(effective) is type(detection)
    assert detection.items() <= effective.items()
    the(models.ServerEventInputAudioBufferCommitted, events)


@pytest.mark.parametrize(
    "voice",
    [
        models.OpenAIVoice(name=models.OpenAIVoiceName.CORAL),
        models.AzureStandardVoice(name="en-US-AvaMultilingualNeural", rate="1.2", temperature=0.7),
        models.AzureCustomVoice(name="mine", endpoint_id="endpoint"),
        models.AzurePersonalVoice(name="mine", model=models.PersonalVoiceModels.DRAGON_LATEST_NEURAL),
    ],
    ids=lambda voice: type(voice).__name__,
)
async def test_every_voice_is_taken_and_reported(voice: Any) -> None:
    async with Emulator() as emulator, call(emulator) as caller:
        effective = (await caller.configure(voice=voice)).voice

    assert effective == voice.as_dict()


async def test_a_full_set_of_settings_is_taken_and_reported() -> None:
    settings = {
        "modalities": [models.Modality.TEXT, models.Modality.AUDIO],
        "instructions": "Be brief.",
        "input_audio_format": models.InputAudioFormat.PCM16,
        "input_audio_sampling_rate": 16_000,
        "input_audio_noise_reduction": models.AudioNoiseReduction(type="azure_deep_noise_suppression"),
        "input_audio_echo_cancellation": models.AudioEchoCancellation(),
        "input_audio_transcription": models.AudioInputTranscriptionOptions(
            model="azure-speech", language="en", phrase_list=["Lisbon"]
        ),
        "tools": [WEATHER, CLOCK],
        "tool_choice": models.ToolChoiceLiteral.AUTO,
        "temperature": 0.8,
        "max_response_output_tokens": 1_000,
        "parallel_tool_calls": False,
    }
    async with Emulator() as emulator, call(emulator) as caller:
        effective = await caller.configure(**settings)

    assert {name: getattr(effective, name) for name in settings if name != "input_audio_transcription"} == {
        name: value for name, value in settings.items() if name != "input_audio_transcription"
    }
    transcription = effective.input_audio_transcription
    assert transcription is not None
    assert (transcription.model, transcription.language, transcription.phrase_list) == (
        "azure-speech",
        "en",
        ["Lisbon"],
    )

"""Settings that the emulator takes without effect: each is named, and only where it is set to something."""

from __future__ import annotations

from typing import Any

import pytest

from voicelive.testing.settings import Settings
from voicelive.testing.unplayed import unplayed

SERVER = {"type": "server_vad"}
AZURE = {"type": "azure_semantic_vad"}
WHISPER = {"model": "whisper-1"}
AVA = {"type": "azure-standard", "name": "en-US-AvaMultilingualNeural"}
MCP = {"type": "mcp", "server_label": "m", "server_url": "https://mcp.example"}
FUNCTION = {"type": "function", "name": "f"}


def params(settings: dict[str, Any], root: str = "session") -> list[str]:
    return [gap.param for gap in unplayed(settings, root)]


@pytest.mark.parametrize(
    ("settings", "param"),
    [
        (
            {
                "avatar": {
                    "character": "lisa",
                    "style": "casual-sitting",
                    "video": {"background": {"image_url": "https://example.com/b.jpg"}},
                }
            },
            "avatar.video.background.image_url",
        ),
        ({"animation": {"model_name": "m"}}, "animation.model_name"),
        ({"tools": [FUNCTION, MCP]}, "tools"),
        ({"tools": [{"type": "foundry_agent", "agent_name": "a"}]}, "tools"),
        ({"interim_response": {"type": "static_interim_response", "texts": ["Hm."]}}, "interim_response"),
        ({"include": ["item.input_audio_transcription.logprobs"]}, "include"),
        ({"greeting": {"type": "x"}}, "greeting"),
        ({"handoff": {"type": "x"}}, "handoff"),
        ({"truncation_strategy": {"type": "auto"}}, "truncation_strategy"),
        ({"temperature": 0}, "temperature"),
        ({"reasoning_effort": "low"}, "reasoning_effort"),
        ({"input_audio_noise_reduction": {"type": "near_field"}}, "input_audio_noise_reduction"),
        ({"input_audio_echo_cancellation": {"type": "server_echo_cancellation"}}, "input_audio_echo_cancellation"),
        (
            {"turn_detection": {**SERVER, "end_of_utterance_detection": {"model": "semantic_detection_v1"}}},
            "turn_detection.end_of_utterance_detection",
        ),
        ({"turn_detection": {**SERVER, "idle_timeout_ms": 0}}, "turn_detection.idle_timeout_ms"),
        (
            {"turn_detection": {**SERVER, "appended_text_after_truncation": "..."}},
            "turn_detection.appended_text_after_truncation",
        ),
        ({"turn_detection": {**AZURE, "remove_filler_words": True}}, "turn_detection.remove_filler_words"),
        ({"turn_detection": {**AZURE, "languages": ["en"]}}, "turn_detection.languages"),
        (
            {"turn_detection": {**AZURE, "speech_duration_assistant_speaking_ms": 9}},
            "turn_detection.speech_duration_assistant_speaking_ms",
        ),
        ({"input_audio_transcription": {**WHISPER, "language": "en"}}, "input_audio_transcription.language"),
        ({"input_audio_transcription": {**WHISPER, "prompt": "x"}}, "input_audio_transcription.prompt"),
        ({"input_audio_transcription": {**WHISPER, "phrase_list": ["x"]}}, "input_audio_transcription.phrase_list"),
        (
            {"input_audio_transcription": {**WHISPER, "custom_speech": {"en": "id"}}},
            "input_audio_transcription.custom_speech",
        ),
        *[
            ({"voice": {**AVA, name: "x"}}, f"voice.{name}")
            for name in (
                *("custom_lexicon_url", "custom_text_normalization_url", "locale", "style", "pitch", "rate", "volume"),
            )
        ],
        ({"voice": {**AVA, "temperature": 0.5}}, "voice.temperature"),
        ({"voice": {**AVA, "prefer_locales": ["en-GB"]}}, "voice.prefer_locales"),
    ],
)
def test_a_setting_that_is_taken_without_effect_is_named(settings: dict[str, Any], param: str) -> None:
    Settings(session_id="s", model="gpt-realtime", expires_at=1).apply(settings)  # it is taken

    assert params(settings) == [f"session.{param}"]


@pytest.mark.parametrize("nothing", [None, "", [], {}])
@pytest.mark.parametrize("name", ["avatar", "interim_response", "include", "tools", "animation", "modalities", "voice"])
def test_what_is_switched_off_or_empty_is_not_missed(name: str, nothing: object) -> None:
    assert params({name: nothing}) == []


def test_nested_settings_that_are_off_are_not_missed() -> None:
    off: dict[str, Any] = {"idle_timeout_ms": None, "remove_filler_words": False, "languages": []}
    assert params({"turn_detection": {**AZURE, **off}, "animation": {"outputs": None}}) == []


def test_what_has_an_effect_is_not_named() -> None:
    played = {
        "modalities": ["text", "audio", "animation", "avatar"],
        "avatar": {"character": "lisa", "style": "casual-sitting", "video": {"background": {"color": "#00FF00FF"}}},
        "instructions": "Be brief.",
        "voice": AVA,
        "animation": {"outputs": ["viseme_id", "blendshapes"]},
        "output_audio_timestamp_types": ["word"],
        "turn_detection": {**AZURE, "silence_duration_ms": 300, "auto_truncate": True},
        "input_audio_transcription": WHISPER,
        "tools": [FUNCTION],
        "parallel_tool_calls": False,
        "max_response_output_tokens": 10,
    }
    assert params(played) == []
    assert params({"voice": "marin"}) == []


def test_a_response_is_named_as_such_and_kinds_of_tools_are_told_apart() -> None:
    gaps = list(unplayed({"tools": [MCP, {"type": "foundry_agent"}], "invoke_input": {"a": 1}}, "response"))

    assert [gap.param for gap in gaps] == ["response.invoke_input", "response.tools", "response.tools"]
    assert len({gap.message for gap in gaps}) == 3
    assert all(gap.param in gap.message for gap in gaps)

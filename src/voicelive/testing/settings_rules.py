"""Which settings the emulated service takes: one table per object of ``session.update``, and nothing that acts.

Source: the published schema of api-version 2026-07-15, widened by the keys that the API reference, the guides and
recorded traffic know. Values that the documentation leaves open (models, voice names, transcription models)
stay open here. What a valid update changes is decided in ``settings``.
"""

from __future__ import annotations

from voicelive.testing.avatar_rules import AVATAR
from voicelive.testing.checks import (
    Check,
    anything,
    boolean,
    each,
    either,
    integer,
    nullable,
    number,
    one_of,
    record,
    tagged,
    text,
)

__all__ = [
    "INTERIM_RESPONSE",
    "MAX_OUTPUT_TOKENS",
    "METADATA",
    "MODALITIES",
    "OUTPUT_FORMATS",
    "SESSION",
    "TOOLS",
    "TOOL_CHOICE",
    "VOICE",
]

OUTPUT_FORMATS = ("pcm16", "pcm16_16000hz", "pcm16_8000hz", "pcm16-16000hz", "pcm16-8000hz", "g711_ulaw", "g711_alaw")
"""With both spellings of the sized formats: hyphens up to 2025-10-01, underscores since."""

_milliseconds = integer(0)

_end_of_utterance = record(
    {
        "model": one_of(
            "semantic_detection_v1",
            "semantic_detection_v1_en",
            "semantic_detection_v1_multilingual",
            "smart_end_of_turn_detection",
        ),
        "threshold": number(0, 1),
        "threshold_level": one_of("low", "medium", "high", "default"),
        "timeout_ms": _milliseconds,
        "timeout": number(0),  # seconds; the name before 2025-10-01
    },
    required=("model",),
)

_detection_common: dict[str, Check] = {
    "type": text,
    "create_response": nullable(boolean),
    "interrupt_response": nullable(boolean),
    "auto_truncate": nullable(boolean),
    "appended_text_after_truncation": nullable(text),
    "idle_timeout_ms": nullable(_milliseconds),
}
_detection_by_level: dict[str, Check] = {
    **_detection_common,
    "threshold": nullable(number(0, 1)),
    "prefix_padding_ms": nullable(_milliseconds),
    "silence_duration_ms": nullable(_milliseconds),
    "speech_duration_ms": nullable(_milliseconds),
    "end_of_utterance_detection": nullable(_end_of_utterance),
}
_azure_semantic = record(
    {
        **_detection_by_level,
        "remove_filler_words": nullable(boolean),
        "languages": nullable(each(text)),
        "speech_duration_assistant_speaking_ms": nullable(_milliseconds),
    }
)
_turn_detection = tagged(
    "type",
    {
        "server_vad": record(_detection_by_level),
        "semantic_vad": record({**_detection_common, "eagerness": one_of("low", "medium", "high", "auto")}),
        "azure_semantic_vad": _azure_semantic,
        "azure_semantic_vad_en": _azure_semantic,
        "azure_semantic_vad_multilingual": _azure_semantic,
    },
)

_voice_tuning: dict[str, Check] = {
    "type": text,
    "temperature": nullable(number(0, 1)),
    **dict.fromkeys(
        ("custom_lexicon_url", "custom_text_normalization_url", "locale", "style", "pitch", "rate", "volume"),
        nullable(text),
    ),
    "prefer_locales": nullable(each(text)),
}
_voice_object = tagged(
    "type",
    {
        "openai": record({"type": text, "name": text}, required=("name",)),
        "azure-realtime-native": record({"type": text, "name": text}, required=("name",)),
        "azure-standard": record({**_voice_tuning, "name": text}, required=("name",)),
        "azure-custom": record({**_voice_tuning, "name": text, "endpoint_id": text}, required=("name", "endpoint_id")),
        "azure-personal": record({**_voice_tuning, "name": text, "model": text}, required=("name", "model")),
        "avatar-voice-sync": record({**_voice_tuning, "model": text}, required=("model",)),
    },
)


def VOICE(value: object, path: str) -> None:  # noqa: N802 - a table like the others, chosen by the value's form
    """A bare OpenAI name or an object; an object is judged as one, so that its errors name its fields."""
    check = _voice_object if isinstance(value, dict) else text
    check(value, path)


TOOLS = each(
    tagged(
        "type",
        {
            "function": record(
                {
                    "type": text,
                    "name": text,
                    "description": nullable(text),
                    "parameters": anything,
                    "strict": anything,
                },
                required=("name",),
            ),
            "mcp": record(
                {
                    "type": text,
                    "server_label": text,
                    "server_url": text,
                    "authorization": nullable(text),
                    "headers": anything,
                    "allowed_tools": nullable(each(text)),
                    "require_approval": anything,
                },
                required=("server_label", "server_url"),
            ),
            "foundry_agent": anything,
        },
    )
)

TOOL_CHOICE = either(
    one_of("auto", "none", "required"),
    record({"type": one_of("function"), "name": text}, required=("type", "name")),
)
MODALITIES = each(one_of("text", "audio", "animation", "avatar"))
MAX_OUTPUT_TOKENS = either(one_of("inf"), integer(1, 4096))
METADATA = nullable(anything)  # pairs of strings; counted by the service, not judged here
INTERIM_RESPONSE = nullable(
    tagged(
        "type",
        {
            kind: record(
                {
                    "type": text,
                    "triggers": each(one_of("latency", "tool")),
                    "latency_threshold_ms": _milliseconds,
                    **own,
                }
            )
            for kind, own in {
                "static_interim_response": {"texts": each(text)},
                "llm_interim_response": {"model": text, "instructions": text, "max_completion_tokens": integer(1)},
            }.items()
        },
    )
)

SESSION = record(
    {
        "model": text,
        "modalities": MODALITIES,
        "instructions": nullable(text),
        "voice": nullable(VOICE),
        "input_audio_format": one_of("pcm16", "g711_ulaw", "g711_alaw"),
        "input_audio_sampling_rate": one_of(8000, 16000, 24000),
        "output_audio_format": nullable(one_of(*OUTPUT_FORMATS)),
        "turn_detection": nullable(_turn_detection),
        "input_audio_noise_reduction": nullable(
            record({"type": one_of("azure_deep_noise_suppression", "near_field", "far_field")}, required=("type",))
        ),
        "input_audio_echo_cancellation": nullable(
            record(
                {
                    "type": one_of("server_echo_cancellation"),
                    "reference_source": one_of("server", "client"),
                    "channels": one_of(1, 2),
                },
                required=("type",),
            )
        ),
        "input_audio_transcription": nullable(
            record(
                {
                    "model": text,
                    "language": nullable(text),
                    "prompt": nullable(text),
                    "custom_speech": anything,
                    "phrase_list": nullable(each(text)),
                },
                required=("model",),
            )
        ),
        "output_audio_timestamp_types": nullable(each(one_of("word"))),
        "animation": nullable(record({"model_name": text, "outputs": each(one_of("blendshapes", "viseme_id"))})),
        "avatar": nullable(AVATAR),
        "tools": TOOLS,
        "tool_choice": TOOL_CHOICE,
        "parallel_tool_calls": boolean,
        "temperature": nullable(number()),  # sources disagree on the range
        "max_response_output_tokens": MAX_OUTPUT_TOKENS,
        "reasoning_effort": nullable(one_of("none", "minimal", "low", "medium", "high", "xhigh")),
        "interim_response": INTERIM_RESPONSE,
        "include": nullable(each(text)),
        "metadata": METADATA,
        "truncation_strategy": anything,
        "greeting": anything,
        "handoff": anything,
    }
)

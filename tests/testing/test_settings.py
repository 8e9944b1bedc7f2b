"""Settings of a session: what an update changes, and what is refused."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.audio.formats import AudioFormat
from voicelive.testing.checks import Refusal
from voicelive.testing.settings import Settings


def new_settings(**more: Any) -> Settings:
    return Settings(session_id="sess_1", model="gpt-realtime", expires_at=1, **more)


def refused(update: object, **facts: bool) -> Refusal:
    settings = new_settings()
    before = settings.view()
    with pytest.raises(Refusal) as caught:
        settings.apply(update, **facts)
    assert settings.view() == before, "a refused update changes nothing"
    return caught.value


def test_only_keys_present_change() -> None:
    settings = new_settings()
    before = settings.view()
    settings.apply({"instructions": "Be brief."})
    assert settings.view() == before | {"instructions": "Be brief."}


def test_a_nested_object_replaces_and_falls_back_to_defaults() -> None:
    settings = new_settings()
    settings.apply({"turn_detection": {"type": "server_vad", "threshold": 0.9}})
    settings.apply({"turn_detection": {"type": "server_vad", "silence_duration_ms": 700}})
    detection = settings.view()["turn_detection"]
    assert (detection["threshold"], detection["prefix_padding_ms"], detection["silence_duration_ms"]) == (0.5, 400, 700)


def test_the_first_defaults_are_shorter_than_those_of_an_update() -> None:
    detection = new_settings().turn_detection
    assert detection is not None
    assert (detection.prefix_padding_ms, detection.silence_duration_ms) == (300, 200)


@pytest.mark.parametrize(
    ("kind", "prefix_ms", "speech_ms"),
    [("server_vad", 400, 200), ("azure_semantic_vad", 420, 80), ("azure_semantic_vad_multilingual", 420, 80)],
)
def test_each_kind_of_detection_has_its_durations(kind: str, prefix_ms: int, speech_ms: int) -> None:
    settings = new_settings()
    settings.apply({"turn_detection": {"type": kind}})
    detection = settings.turn_detection
    assert detection is not None
    assert (detection.prefix_padding_ms, detection.speech_duration_ms) == (prefix_ms, speech_ms)


def test_an_eager_model_waits_less() -> None:
    silences = []
    for eagerness in ("low", "auto", "high"):
        settings = new_settings()
        settings.apply({"turn_detection": {"type": "semantic_vad", "eagerness": eagerness}})
        assert settings.turn_detection is not None
        silences.append(settings.turn_detection.silence_duration_ms)
    assert silences == sorted(silences, reverse=True)
    assert len(set(silences)) == 3


def test_null_turns_off_and_an_empty_text_brings_the_default_back() -> None:
    settings = new_settings()
    default = settings["instructions"]
    settings.apply({"instructions": "x", "input_audio_transcription": {"model": "whisper-1"}})
    assert settings.transcribes
    settings.apply({"instructions": "", "turn_detection": None, "input_audio_transcription": None})
    assert settings["instructions"] == default
    assert settings.turn_detection is None
    assert not settings.transcribes


def test_transcription_is_reported_with_all_its_keys() -> None:
    settings = new_settings()
    settings.apply({"input_audio_transcription": {"model": "whisper-1", "language": "pt"}})
    assert settings["input_audio_transcription"] == {
        "model": "whisper-1",
        "language": "pt",
        "prompt": None,
        "custom_speech": None,
        "phrase_list": None,
    }


def test_a_bare_voice_name_becomes_an_object() -> None:
    settings = new_settings()
    settings.apply({"voice": "marin"})
    assert settings["voice"] == {"name": "marin", "type": "openai"}


@pytest.mark.parametrize(
    ("update", "code", "param"),
    [
        ({"nonsense": 1}, "unknown_parameter", "session.nonsense"),
        (
            {"turn_detection": {"type": "server_vad", "treshold": 1}},
            "unknown_parameter",
            "session.turn_detection.treshold",
        ),
        ({"turn_detection": {"type": "x"}}, "invalid_value", "session.turn_detection.type"),
        ({"turn_detection": {}}, "missing_required_parameter", "session.turn_detection.type"),
        (
            {"turn_detection": {"type": "server_vad", "threshold": 2}},
            "invalid_value",
            "session.turn_detection.threshold",
        ),
        ({"voice": {"type": "azure-custom", "name": "x"}}, "missing_required_parameter", "session.voice.endpoint_id"),
        ({"voice": {"type": "azure", "name": "x"}}, "invalid_value", "session.voice.type"),
        ({"modalities": ["audio"]}, "invalid_value", "session.modalities"),
        ({"modalities": ["text", "smell"]}, "invalid_value", "session.modalities[1]"),
        ({"model": "gpt-4o"}, "invalid_value", "session.model"),
        ({"tools": [{"type": "function"}]}, "missing_required_parameter", "session.tools[0].name"),
        ({"tool_choice": "sometimes"}, "invalid_value", "session.tool_choice"),
        ({"max_response_output_tokens": 5000}, "invalid_value", "session.max_response_output_tokens"),
        ({"max_response_output_tokens": True}, "invalid_value", "session.max_response_output_tokens"),
        ({"input_audio_sampling_rate": 44100}, "invalid_value", "session.input_audio_sampling_rate"),
        ({"output_audio_format": "mp3"}, "invalid_value", "session.output_audio_format"),
        ([], "invalid_value", "session"),
        (None, "invalid_value", "session"),
    ],
)
def test_a_refusal_names_the_field(update: object, code: str, param: str) -> None:
    refusal = refused(update)
    assert (refusal.code, refusal.param) == (code, param)


@pytest.mark.parametrize(
    ("echo", "code"),
    [
        ({"channels": 2}, "invalid_ec_channels_requires_client"),
        ({"reference_source": "client"}, "invalid_ec_reference_channels"),
    ],
)
def test_echo_reference_settings_come_in_pairs(echo: dict[str, Any], code: str) -> None:
    assert refused({"input_audio_echo_cancellation": {"type": "server_echo_cancellation", **echo}}).code == code


def test_an_echo_reference_needs_pcm16() -> None:
    echo = {"type": "server_echo_cancellation", "reference_source": "client", "channels": 2}
    settings = new_settings()
    settings.apply({"input_audio_echo_cancellation": echo})
    assert settings.input_format == AudioFormat("pcm16", 24_000, 2)
    assert refused({"input_audio_echo_cancellation": echo, "input_audio_format": "g711_ulaw"}).code == "invalid_value"


def test_the_voice_is_frozen_by_audio_unless_it_stays_the_same() -> None:
    assert refused({"voice": "marin"}, audio_out=True).code == "cannot_update_voice"
    new_settings().apply({"voice": "alloy", "instructions": "x"}, audio_out=True)


def test_the_input_format_is_frozen_silently_by_audio() -> None:
    settings = new_settings()
    settings.apply({"input_audio_sampling_rate": 8000, "instructions": "x"}, audio_in=True)
    assert (settings["input_audio_sampling_rate"], settings["instructions"]) == (24000, "x")


def test_an_agent_keeps_its_instructions() -> None:
    settings = new_settings(agent={"type": "agent", "name": "helper"})
    assert settings.view()["agent"]["name"] == "helper"
    with pytest.raises(Refusal):
        settings.apply({"instructions": "x"})


def test_a_view_is_a_copy() -> None:
    settings = new_settings()
    settings.view()["turn_detection"]["threshold"] = 1
    assert settings.view()["turn_detection"]["threshold"] == 0.5


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5000) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "name", "model", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(new_settings().view())), json_values, max_size=4))
def test_any_update_is_taken_or_refused(update: dict[str, Any]) -> None:
    settings = new_settings()
    with suppress(Refusal):
        settings.apply(update)
    assert settings.input_format
    assert settings.turn_detection is None or settings.turn_detection.silence_duration_ms >= 0

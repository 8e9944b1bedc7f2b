"""The tables of settings take every documented variant, and report it back."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from voicelive import wire
from voicelive.testing.checks import Refusal
from voicelive.testing.settings import Settings
from voicelive.testing.settings_rules import SESSION

VARIANTS = Path(__file__).parent.parent / "data" / "samples" / "session_update_variants.jsonl"


def new_settings() -> Settings:
    return Settings(session_id="sess_1", model="gpt-realtime", expires_at=1)


def code_of(update: object) -> str | None:
    """The error code that an update is answered with."""
    try:
        SESSION(update, "session")
    except Refusal as refusal:
        return refusal.code
    return None


def test_every_setting_of_the_schema_has_a_rule() -> None:
    assert code_of({"nonsense": 1}) == "unknown_parameter"
    for name in wire.SessionConfig.model_fields.keys() - {"extra"}:
        assert code_of({name: object()}) != "unknown_parameter", name


NESTED = {
    "turn_detection": (
        wire.ServerVad,
        wire.AzureSemanticVad,
        wire.AzureSemanticVadMultilingual,
        wire.OpenAISemanticVad,
    ),
    "voice": (wire.OpenAIVoice, wire.AzureStandardVoice, wire.AzureCustomVoice, wire.AzurePersonalVoice),
    "interim_response": (wire.LlmInterimResponseConfig, wire.StaticInterimResponseConfig),
    "input_audio_transcription": (wire.AudioInputTranscriptionOptions,),
    "input_audio_echo_cancellation": (wire.AudioEchoCancellation,),
}


@pytest.mark.parametrize(("setting", "model"), [(key, model) for key, models in NESTED.items() for model in models])
def test_every_key_of_a_nested_setting_has_a_rule(setting: str, model: type[wire.ServerVad]) -> None:
    required = {name: "x" for name, field in model.model_fields.items() if field.is_required()}
    if "type" in model.model_fields:
        required["type"] = model.model_fields["type"].get_default() or "server_echo_cancellation"
    for name in model.model_fields.keys() - {"extra", "type"}:
        assert code_of({setting: {**required, name: object()}}) != "unknown_parameter", name


@pytest.mark.parametrize(
    "case",
    [json.loads(line) for line in VARIANTS.read_text(encoding="utf-8").splitlines()],
    ids=lambda case: case["case"],
)
def test_every_documented_variant_is_accepted(case: dict[str, Any]) -> None:
    update = case["message"]["session"]
    settings = new_settings()
    settings.apply(copy.deepcopy(update))
    view = settings.view()
    for key, value in update.items():
        if isinstance(value, dict):
            assert view[key].items() >= value.items()
        elif key != "voice":
            assert view[key] == value

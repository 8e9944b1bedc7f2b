"""The file that type checkers read does at run time what it says."""

import json
from typing import Any

import pytest
from typing_tests import consume

from voicelive import wire


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"type": "response.audio.delta", "delta": "AAAA"}, "3 bytes"),
        ({"type": "session.created", "session": {"id": "sess_1"}}, None),
        ({"type": "response.done", "response": {"id": "resp_1"}}, None),
        ({"type": "input_audio_buffer.speech_started", "audio_start_ms": 40}, None),
        ({"type": "error", "error": {"code": "session_expired"}}, None),
        ({"type": "nobody.knows"}, "unknown nobody.knows"),
    ],
)
def test_every_way_of_narrowing_reaches_the_event(message: dict[str, object], said: str | None) -> None:
    event = wire.decode(json.dumps(message))

    answers = [consume.say_by_class(event), consume.say_by_word(event), consume.say_by_matched_word(event)]
    expected = {"session.created": "sess_1", "response.done": "resp_1", "error": "expired"}
    assert answers == [said] * 3 if said else expected.get(event.type, "40 ms") in answers


@pytest.mark.parametrize("kind", [wire.ServerVad, wire.AzureSemanticVadEn, wire.AzureSemanticVadMultilingual])
def test_turn_detection_is_told_apart_by_class(kind: Any) -> None:
    assert consume.silence_ms(kind(silence_duration_ms=300)) == 300


def test_other_unions_are_told_apart_to_the_end() -> None:
    assert consume.silence_ms(wire.OpenAISemanticVad()) is None
    assert consume.voice_name("alloy") == consume.voice_name(wire.OpenAIVoice(name="alloy")) == "alloy"
    assert consume.voice_name(wire.UnknownVoice(type="brand_new")) == "brand_new"
    assert consume.words(wire.ResponseAudioContentPart(transcript="hello")) == "hello"
    assert consume.words(wire.UnknownContentPart(type="brand_new")) == "brand_new"
    assert consume.tool_name(wire.FunctionTool(name="look_up")) == "look_up"
    assert consume.tool_name(wire.UnknownTool(type="brand_new")) == "brand_new"
    assert consume.item_id(wire.ResponseMessageItem(id="item_1")) == "item_1"
    assert consume.item_id(wire.UnknownResponseItem(type="brand_new", extra={"id": "item_2"})) == "item_2"
    assert consume.client_word(wire.InputAudioBufferAppend(audio=b"")) == "input_audio_buffer.append"


def test_the_settings_can_be_sent() -> None:
    sent = json.loads(wire.encode(wire.SessionUpdate(session=consume.settings())))["session"]

    assert sent["tools"][1] == {"type": "brand_new", "depth": 2}
    assert sent["brand_new"] == 1

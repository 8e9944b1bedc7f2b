"""Frames of a client: how they are read, and which pass."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive import wire
from voicelive.testing.checks import Refusal
from voicelive.testing.requests import EVENTS, Request

SAMPLES = Path(__file__).parent.parent / "data" / "samples" / "client.jsonl"
UNKNOWN_HERE = {"rtc.call.sdp.create"}  # on another path of the service


def samples() -> list[dict[str, Any]]:
    return [json.loads(line) for line in SAMPLES.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: str(sample.get("event_id", sample["type"])))
def test_documented_events_pass(sample: dict[str, Any]) -> None:
    request = Request.read(json.dumps(sample))
    assert request.event_id == sample.get("event_id")
    if sample["type"] in UNKNOWN_HERE:
        with pytest.raises(Refusal):
            request.check()
    else:
        request.check()


def test_every_event_of_a_client_has_a_table() -> None:
    assert set(EVENTS) == set(wire.CLIENT_EVENTS) - UNKNOWN_HERE


@pytest.mark.parametrize("frame", ["", "null", "3", '"x"', "[]", "{", b"\xff\xfe", '{"type": "x"'])
def test_what_is_no_object_is_no_event(frame: str | bytes) -> None:
    with pytest.raises(Refusal) as caught:
        Request.read(frame)
    assert (caught.value.code, caught.value.param) == ("invalid_event", None)


@pytest.mark.parametrize(
    ("event", "param"),
    [
        ({"type": "response.create", "response": {"modalities": ["sound"]}}, "response.modalities[0]"),
        ({"type": "response.create", "response": {"conversation": "maybe"}}, "response.conversation"),
        ({"type": "response.create", "response": {"max_output_tokens": 0}}, "response.max_output_tokens"),
        (
            {"type": "response.create", "response": {"pre_generated_assistant_message": {}}},
            "response.pre_generated_assistant_message.content",
        ),
        ({"type": "response.create", "response": {"input_items": [{"type": "x"}]}}, "response.input_items[0].type"),
        ({"type": "conversation.item.create", "item": {"type": "message"}}, "item.role"),
        (
            {
                "type": "conversation.item.create",
                "item": {"type": "message", "role": "user", "content": [{"type": "text"}]},
            },
            "item.content[0].type",
        ),
        ({"type": "conversation.item.create", "item": {"type": "function_call_output", "call_id": "c"}}, "item.output"),
        ({"type": "conversation.item.truncate", "item_id": "i", "content_index": 0}, "audio_end_ms"),
        ({"type": "input_audio_buffer.commit", "event_id": 3}, "event_id"),
    ],
)
def test_the_field_at_fault_is_named(event: dict[str, Any], param: str) -> None:
    with pytest.raises(Refusal) as caught:
        Request.read(json.dumps(event)).check()
    assert caught.value.param == param


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
field_names = st.sampled_from(["audio", "item", "item_id", "session", "response", "content_index", "event_id", "x"])


@given(st.sampled_from(sorted(EVENTS)), st.dictionaries(field_names, json_values))
def test_any_fields_pass_or_are_refused(kind: str, fields: dict[str, Any]) -> None:
    request = Request.read(json.dumps({"type": kind, **fields}))
    with suppress(Refusal):
        request.check()

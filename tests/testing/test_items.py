"""Items as clients send them and as the service reports them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from voicelive import wire
from voicelive.audio.formats import AudioFormat
from voicelive.testing.checks import Refusal
from voicelive.testing.items import ITEM, MessageItem, Part, item_from_request

PCM = AudioFormat("pcm16", 24_000)


def reported(request: dict[str, Any], *, with_audio: bool = False) -> dict[str, Any]:
    ITEM(request, "item")
    item = item_from_request(request, "item_1", PCM).report(with_audio=with_audio)
    event = wire.ConversationItemCreated(item=item)
    found: dict[str, Any] = json.loads(wire.encode(event))["item"]
    return found


def message(role: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": list(parts)}


@pytest.mark.parametrize(
    ("request_item", "content"),
    [
        (message("user", {"type": "input_text", "text": "Hi"}), [{"type": "input_text", "text": "Hi"}]),
        (message("system", {"type": "input_text", "text": "Hi"}), [{"type": "input_text", "text": "Hi"}]),
        (message("assistant", {"type": "text", "text": "Hi"}), [{"type": "text", "text": "Hi"}]),
        (message("assistant", {"type": "output_text", "text": "Hi"}), [{"type": "text", "text": "Hi"}]),
        (
            message("user", {"type": "input_audio", "audio": "AAAA", "transcript": "Hi"}),
            [{"type": "input_audio", "transcript": "Hi"}],
        ),
        (
            message("user", {"type": "input_image", "image_url": "https://x/y.png", "detail": "low"}),
            [{"type": "input_image", "image_url": "https://x/y.png", "detail": "low"}],
        ),
    ],
)
def test_a_message_is_reported_as_recorded(request_item: dict[str, Any], content: list[dict[str, Any]]) -> None:
    assert reported(request_item) == {
        "id": "item_1",
        "object": "realtime.item",
        "type": "message",
        "status": "completed",
        "role": request_item["role"],
        "content": content,
    }


def test_calls_and_outputs_are_reported_as_recorded() -> None:
    call = {"type": "function_call", "name": "f", "call_id": "c", "arguments": "{}"}
    assert reported(call) == {"id": "item_1", "object": "realtime.item", "status": "completed", **call}
    output = {"type": "function_call_output", "call_id": "c", "output": "x"}
    assert reported(output) == {"id": "item_1", "object": "realtime.item", **output}


def test_audio_is_reported_on_request_only() -> None:
    request = message("user", {"type": "input_audio", "audio": "AQID"})
    assert "audio" not in reported(request)["content"][0]
    assert reported(request, with_audio=True)["content"][0]["audio"] == "AQID"


@pytest.mark.parametrize(
    ("request_item", "param"),
    [
        (message("user", {"type": "input_audio", "audio": "%"}), "item.content[0].audio"),
        ({"type": "mcp_approval_response", "approval_request_id": "x", "approve": True}, "item.approval_request_id"),
    ],
)
def test_what_cannot_become_an_item_is_refused(request_item: dict[str, Any], param: str) -> None:
    with pytest.raises(Refusal) as caught:
        item_from_request(request_item, "item_1", PCM)
    assert caught.value.param == param


def test_speech_stays_out_of_representations() -> None:
    part = Part("audio", transcript="my secret", audio=b"secret", audio_format=PCM)
    assert "secret" not in repr(MessageItem("a", "assistant", [part]))

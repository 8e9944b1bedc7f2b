"""Which message is in a frame of a page, and how one is written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.bridges import browser_codec as codec
from voicelive.bridges import browser_messages as messages
from voicelive.bridges.events import BrokenMessage, UnknownMessage

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KINDS = ("start", "played", "text", "interrupt", "avatar.offer", "stop")
FIELDS = ("version", "rate_hz", "parameters", "item_id", "ms", "text", "sdp")


def decode(**message: Any) -> messages.Message:
    return codec.decode(json.dumps(message))


@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        (
            {"type": "start", "version": 1, "rate_hz": 16000, "parameters": {"language": "pt", "n": 1}},
            messages.Start(1, 16_000, {"language": "pt"}),
        ),
        ({"type": "start", "version": 1}, messages.Start(1, 24_000, {})),
        ({"type": "played", "item_id": "a", "ms": 120.5}, messages.Played("a", 120.5)),
        ({"type": "text", "text": "olá"}, messages.Text("olá")),
        ({"type": "interrupt"}, messages.Interrupt()),
        ({"type": "avatar.offer", "sdp": "v=0"}, messages.AvatarOffer("v=0")),
        ({"type": "stop"}, messages.Stop()),
    ],
)
def test_each_message_has_one_meaning(message: dict[str, Any], meaning: messages.Message) -> None:
    assert codec.decode(json.dumps(message)) == meaning


def test_a_binary_frame_is_voice() -> None:
    assert codec.decode(b"\x01\x02") == messages.Voice(b"\x01\x02")


@pytest.mark.parametrize("message", [{"type": "wave", "at": 1}, {"type": 3}, {}])
def test_a_message_of_another_kind_is_kept_whole(message: dict[str, Any]) -> None:
    kind = message.get("type")

    assert codec.decode(json.dumps(message)) == UnknownMessage(kind if isinstance(kind, str) else "", message)


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ({"type": "start"}, "start: version is no number"),
        ({"type": "start", "version": 1, "parameters": []}, "start: parameters is no object"),
        ({"type": "played", "ms": 1}, "played: item_id is no text"),
        ({"type": "played", "item_id": "a", "ms": -1}, "played: ms is negative"),
        ({"type": "text"}, "text: text is no text"),
        ({"type": "text", "text": "\ud800"}, "text: text holds half a character"),
        ({"type": "avatar.offer", "sdp": 1}, "avatar.offer: sdp is no text"),
    ],
)
def test_what_cannot_be_used_is_named_without_its_content(message: dict[str, Any], problem: str) -> None:
    data = json.dumps(message)

    assert codec.decode(data) == BrokenMessage(problem, len(data))


@given(st.text() | st.binary() | JSON.map(json.dumps))
def test_no_frame_raises(data: str | bytes) -> None:
    codec.decode(data)


@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_no_damaged_field_raises(kind: str, content: dict[str, Any]) -> None:
    found = codec.decode(json.dumps({"type": kind, **content}))

    assert not isinstance(found, UnknownMessage)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (messages.Audio("a", 40.0), {"type": "audio", "item_id": "a", "start_ms": 40.0}),
        (messages.Flush(), {"type": "flush"}),
        (
            messages.Transcript("agent", "a", "Hello you.", heard_text="Hello"),
            {
                "type": "transcript",
                "who": "agent",
                "item_id": "a",
                "text": "Hello you.",
                "final": True,
                "heard_text": "Hello",
            },
        ),
        (
            messages.Transcript("caller", "c", "Hel", final=False),
            {"type": "transcript", "who": "caller", "item_id": "c", "text": "Hel", "final": False},
        ),
        (
            messages.Tool("1", "get_weather", "failed"),
            {"type": "tool", "call_id": "1", "name": "get_weather", "state": "failed"},
        ),
        (messages.SessionState("s", "resumed"), {"type": "session", "id": "s", "state": "resumed"}),
        (
            messages.IceServers(({"urls": ["stun:x"]},)),
            {"type": "avatar.ice_servers", "servers": [{"urls": ["stun:x"]}]},
        ),
        (messages.AvatarAnswer("v=0"), {"type": "avatar.answer", "sdp": "v=0"}),
        (messages.AvatarState("idle"), {"type": "avatar.state", "state": "idle"}),
        (messages.Failure("rate_limit"), {"type": "error", "problem": "rate_limit"}),
        (messages.Failure("busy", 4.5), {"type": "error", "problem": "busy", "retry_after_s": 4.5}),
        (messages.End("session"), {"type": "end", "how": "session", "problem": ""}),
    ],
)
def test_each_command_is_written_with_its_documented_keys(command: messages.Command, message: dict[str, Any]) -> None:
    assert json.loads(codec.encode(command)) == message

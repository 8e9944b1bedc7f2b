"""One course of events over two channels: each event once, and what a page is believed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.protocol.sideband import OnceEach, may_be_forwarded
from voicelive.wire.codec import decode
from voicelive.wire.server_events import ServerEvent


def event(kind: str, **fields: Any) -> ServerEvent:
    return decode(json.dumps({"type": kind, **fields}))


def numbered(number: int) -> ServerEvent:
    return event("response.text.delta", event_id=f"event_{number}", delta="x")


@given(st.integers(0, 30), st.data())
def test_two_copies_of_one_course_give_each_event_once_in_its_order(length: int, data: st.DataObject) -> None:
    course = list(range(length))
    channels = [course.copy(), course.copy()]
    once, got = OnceEach(), []
    while any(channels):
        side = data.draw(st.sampled_from([side for side in (0, 1) if channels[side]]))
        number = channels[side].pop(0)
        for _ in range(data.draw(st.integers(1, 2))):  # a channel may repeat itself
            if once.is_new(numbered(number)):
                got.append(number)
    assert got == course


@given(st.lists(st.sampled_from(["both", "socket", "page"]), max_size=30), st.data())
def test_what_only_one_channel_brings_is_delivered_once_and_each_channel_keeps_its_order_of_its_own(
    routes: list[str], data: st.DataObject
) -> None:
    course = list(enumerate(routes))
    channels = [[n for n, route in course if route != "page"], [n for n, route in course if route != "socket"]]
    own = [[n for n, route in course if route == name] for name in ("socket", "page")]
    once, got = OnceEach(), []
    while any(channels):
        number = channels[data.draw(st.sampled_from([side for side in (0, 1) if channels[side]]))].pop(0)
        if once.is_new(numbered(number)):
            got.append(number)
    assert sorted(got) == [n for n, _ in course]
    for numbers in own:
        assert [n for n in got if n in numbers] == numbers


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("response.created", {"response": {"id": "resp_1"}}),
        ("response.done", {"response": {"id": "resp_1"}}),
        ("response.output_item.done", {"response_id": "resp_1", "item": {"id": "item_1", "type": "message"}}),
        ("response.audio_transcript.done", {"response_id": "resp_1", "item_id": "item_1", "content_index": 0}),
        ("input_audio_buffer.speech_started", {"item_id": "item_1", "audio_start_ms": 5}),
        ("output_audio_buffer.started", {"response_id": "resp_1"}),
    ],
)
def test_an_event_without_an_id_is_known_by_what_it_is_said_of(kind: str, fields: dict[str, Any]) -> None:
    once = OnceEach()
    assert once.is_new(event(kind, **fields))
    assert not once.is_new(event(kind, **fields))
    assert once.is_new(event(kind, **json.loads(json.dumps(fields).replace("_1", "_2"))))


@pytest.mark.parametrize(
    "same",
    [
        event("response.text.delta", response_id="resp_1", item_id="item_1", delta="ha"),
        event("conversation.item.created", item={"id": "item_1", "type": "message", "role": "user"}),
        event("response.done", response={}),
        event("brand.new"),
    ],
)
def test_what_may_be_said_twice_and_has_no_id_is_delivered_twice(same: ServerEvent) -> None:
    once = OnceEach()
    assert once.is_new(same)
    assert once.is_new(same)


def test_an_unknown_event_is_known_by_its_id() -> None:
    once = OnceEach()
    assert once.is_new(event("brand.new", event_id="event_1"))
    assert not once.is_new(event("brand.new", event_id="event_1"))


def test_the_oldest_is_forgotten_first() -> None:
    once = OnceEach(remembered=2)
    for number in (1, 2, 3):
        assert once.is_new(numbered(number))
    assert not once.is_new(numbered(2))
    assert once.is_new(numbered(1)), "three were remembered"


@pytest.mark.parametrize(
    "kind",
    [
        "session.created",
        "session.updated",
        "error",
        "rtc.call.error",
        "rtc.call.sdp.created",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.mcp_call_arguments.done",
        "mcp_list_tools.completed",
    ],
)
def test_a_page_is_not_believed_what_gives_orders(kind: str) -> None:
    assert not may_be_forwarded(event(kind))
    assert not may_be_forwarded(event(kind, event_id=7)), "nor where its fields do not fit"


@pytest.mark.parametrize(
    "kind", ["response.created", "response.done", "conversation.item.created", "response.output_item.done", "brand.new"]
)
def test_a_page_is_believed_the_course_of_the_call(kind: str) -> None:
    assert may_be_forwarded(event(kind))

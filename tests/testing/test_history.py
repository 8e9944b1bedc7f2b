"""The conversation: order of items, and what may be done to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.audio.formats import AudioFormat
from voicelive.testing.checks import Refusal
from voicelive.testing.history import History, last_user_message, latest_outputs, outputs_by_call
from voicelive.testing.items import CallItem, MessageItem, OutputItem, Part

PCM = AudioFormat("pcm16", 24_000)


def message(item_id: str, text: str = "x") -> MessageItem:
    return MessageItem(item_id, "user", [Part("input_text", text)])


def spoken(item_id: str, ms: int) -> MessageItem:
    return MessageItem(item_id, "assistant", [Part("audio", transcript="said", audio=bytes(48 * ms), audio_format=PCM)])


def test_an_item_goes_last_unless_told_otherwise() -> None:
    history = History()
    assert history.add(message("a")) is None
    assert history.add(message("b")) == "a"
    assert history.add(message("c"), after="a") == "a"
    assert history.add(message("d"), after="root") is None
    assert [item.id for item in history] == ["d", "a", "c", "b"]


@pytest.mark.parametrize(("item_id", "after", "param"), [("a", None, "item.id"), ("b", "nowhere", "previous_item_id")])
def test_an_item_without_a_place_is_refused(item_id: str, after: str | None, param: str) -> None:
    history = History()
    history.add(message("a"))
    with pytest.raises(Refusal) as caught:
        history.add(message(item_id), after=after)
    assert caught.value.param == param
    assert len(history) == 1


def test_truncation_keeps_what_was_heard_and_drops_the_transcript() -> None:
    history = History()
    item = spoken("a", 1000)
    history.add(item)
    history.truncate("a", 0, 400)
    assert item.parts[0].audio_ms == 400
    assert item.parts[0].transcript is None


def test_truncating_at_the_very_end_is_allowed() -> None:
    history = History()
    history.add(spoken("a", 1000))
    history.truncate("a", 0, 1000)


@pytest.mark.parametrize(
    ("item_id", "content_index", "audio_end_ms", "param"),
    [
        ("none", 0, 0, "item_id"),
        ("user", 0, 0, "item_id"),
        ("agent", 1, 0, "content_index"),
        ("agent", 0, 1001, "audio_end_ms"),
    ],
)
def test_a_truncation_that_makes_no_sense_is_refused(
    item_id: str, content_index: int, audio_end_ms: int, param: str
) -> None:
    history = History()
    history.add(message("user"))
    history.add(spoken("agent", 1000))
    with pytest.raises(Refusal) as caught:
        history.truncate(item_id, content_index, audio_end_ms)
    assert caught.value.param == param


def test_text_is_appended_to_text_of_the_user_only() -> None:
    history = History()
    history.add(message("user", "Do "))
    history.add(spoken("agent", 10))
    history.append_text("user", 0, "you?")
    assert history.find("user").words == "Do you?"
    for item_id, index in (("agent", 0), ("user", 1), ("none", 0)):
        with pytest.raises(Refusal):
            history.append_text(item_id, index, "x")


def test_the_last_message_of_the_user_is_found_behind_others() -> None:
    assert last_user_message([]) is None
    assert last_user_message([spoken("agent", 10)]) is None
    found = last_user_message([message("old"), message("new"), spoken("agent", 10), OutputItem("o", "c", "1")])
    assert found is not None
    assert found.id == "new"


def test_outputs_at_the_end_are_the_latest() -> None:
    history = History()
    for call_id in ("old", "new", "newer"):
        history.add(CallItem(f"call {call_id}", "f", call_id))
    history.add(OutputItem("o1", "old", "1"))
    history.add(message("m"))
    history.add(OutputItem("o2", "new", "2"))
    history.add(OutputItem("o3", "newer", "3"))
    assert latest_outputs([*history]) == ("2", "3")
    assert outputs_by_call([*history]) == {"old": "1", "new": "2", "newer": "3"}
    assert history.has_call("old")
    assert not history.has_call("other")


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from([None, "root", *"abcdef"]), st.booleans())))
def test_the_reported_predecessor_is_always_the_true_one(steps: list[tuple[str, str | None, bool]]) -> None:
    history = History()
    for item_id, after, delete in steps:
        try:
            if delete:
                history.delete(item_id)
                continue
            previous = history.add(message(item_id), after=after)
        except Refusal:
            continue
        ids = [item.id for item in history]
        place = ids.index(item_id)
        assert previous == (ids[place - 1] if place else None)
        assert len(set(ids)) == len(ids)


def test_what_is_left_in_progress_stays_incomplete() -> None:
    history = History()
    begun, ended = message("a"), CallItem("b", "f", "c", status="completed")
    begun.status = "in_progress"
    for item in (begun, ended, OutputItem("d", "c", "1")):
        history.add(item)
    history.settle()
    assert (begun.status, ended.status) == ("incomplete", "completed")

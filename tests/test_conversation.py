"""The application's view of a conversation: messages, JSON, items for a new session, and what may be dropped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.histories import (
    RECORDINGS,
    SCENARIOS,
    begins,
    calls,
    created,
    ends,
    event,
    feed,
    message,
    replay,
    result,
    says,
    spoken,
    transcribed,
    transcription_on,
    typed,
)

from voicelive.conversation import Conversation, LeftOut, estimate_tokens
from voicelive.errors import ConfigurationError
from voicelive.protocol.history import History
from voicelive.wire.client_events import ConversationItemCreate
from voicelive.wire.codec import decode, encode


def wire_of(conversation: Conversation, *, keep_ids: bool = False) -> list[dict[str, Any]]:
    items, _ = conversation.to_items(keep_ids=keep_ids)
    return [json.loads(encode(ConversationItemCreate(item=item)))["item"] for item in items]


def with_a_tool() -> History:
    history = History()
    feed(history, [typed("u1", "Look it up"), begins("r1"), *calls("r1", "f1", "c1", "u1"), ends("r1")])
    feed(
        history, [result("o1", "c1", "42", "f1"), begins("r2"), *says("r2", "a1", "It is 42.", after="o1"), ends("r2")]
    )
    return history


def turns(count: int) -> History:
    """Spoken turns, one a minute, each with a tool call."""
    history = History()
    before: str | None = None
    for n in range(1, count + 1):
        feed(
            history,
            [
                typed(f"u{n}", "x" * 40, before),
                begins(f"r{n}"),
                *calls(f"r{n}", f"f{n}", f"c{n}", f"u{n}"),
                ends(f"r{n}"),
                result(f"o{n}", f"c{n}", "y" * 40, f"f{n}"),
                begins(f"s{n}"),
                *says(f"s{n}", f"a{n}", "z" * 40, after=f"o{n}"),
                ends(f"s{n}"),
            ],
            now=n * 60.0,
        )
        before = f"a{n}"
    return history


# -- messages


def test_a_conversation_reads_as_chat_messages() -> None:
    assert Conversation(with_a_tool()).messages() == [
        {"role": "user", "content": "Look it up"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": '{"q":1}'}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
        {"role": "assistant", "content": "It is 42."},
    ]


def test_neighbouring_calls_are_one_message() -> None:
    history = History()
    feed(history, [begins("r1"), *calls("r1", "f1", "c1"), *calls("r1", "f2", "c2", "f1"), ends("r1")])
    feed(history, [result("o1", "c1", "1", "f2"), result("o2", "c2", "2", "o1")])
    made, first, second = Conversation(history).messages()
    assert [call["id"] for call in made["tool_calls"]] == ["c1", "c2"]
    assert [first["tool_call_id"], second["tool_call_id"]] == ["c1", "c2"]


def test_messages_hold_what_was_heard_unless_all_is_asked_for() -> None:
    history = History()
    feed(history, [typed("u1", "Go"), begins("r1"), *says("r1", "a1", "one two three four"), ends("r1")])
    history.heard("a1", 500, 1000, final=True, now=1.0)
    conversation = Conversation(history)
    assert conversation.messages()[-1]["content"] == "one two"
    assert conversation.messages(generated=True)[-1]["content"] == "one two three four"


def test_an_image_is_a_part_of_its_message() -> None:
    history = History()
    parts = [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": "https://x.test/i.png"},
    ]
    feed(history, [created(message("u1", "user", *parts))])
    assert Conversation(history).messages() == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image_url", "image_url": {"url": "https://x.test/i.png"}},
            ],
        }
    ]


def test_audio_without_a_transcript_is_a_message_without_content() -> None:
    history = History()
    feed(history, spoken("u1"))
    assert Conversation(history).messages() == [{"role": "user", "content": None}]


def test_a_message_that_is_still_playing_is_shown_in_full() -> None:
    history = History()
    feed(history, [begins("r1"), *says("r1", "a1", "one two three four"), ends("r1")])
    history.heard("a1", 500, 1000, final=False, now=1.0)
    assert Conversation(history).messages()[0]["content"] == "one two three four"


# -- JSON


@pytest.mark.parametrize("path", [*RECORDINGS, *SCENARIOS], ids=lambda path: path.stem)
def test_json_brings_back_everything(path: Path) -> None:
    history, _ = replay(path)
    conversation = Conversation(history)
    again = Conversation.from_json(conversation.to_json())

    assert again.items == conversation.items
    assert again.turns == conversation.turns
    assert again.to_json() == conversation.to_json()
    assert again.messages() == conversation.messages()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_brings_back_any_text(text: str) -> None:
    history = History()
    feed(history, [typed("u1", text)])
    assert Conversation.from_json(Conversation(history).to_json()).items == history.items()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format":"other","items":[],"turns":[]}', "secret"])
def test_other_text_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(ConfigurationError, match="not a saved conversation") as refused:
        Conversation.from_json(text)
    assert "secret" not in str(refused.value)


# -- items for a new session


def test_a_new_session_is_given_what_was_said_and_heard() -> None:
    history = History()
    system = message("s1", "system", {"type": "input_text", "text": "Be kind."})
    feed(history, [transcription_on(), created(system), *spoken("u1", "s1"), transcribed("u1", "Go on")])
    feed(history, [begins("r1"), *says("r1", "a1", "one two three four", after="u1"), ends("r1")])
    history.heard("a1", 500, 1000, final=True, now=1.0)

    assert wire_of(Conversation(history)) == [
        {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Be kind."}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Go on"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "one two"}]},
    ]


def test_a_call_comes_with_its_result_right_behind_it() -> None:
    assert wire_of(Conversation(with_a_tool()), keep_ids=True)[1:3] == [
        {"id": "f1", "type": "function_call", "name": "look_up", "call_id": "c1", "arguments": '{"q":1}'},
        {"id": "o1", "type": "function_call_output", "call_id": "c1", "output": "42"},
    ]


def test_what_cannot_be_given_again_is_named() -> None:
    history = History()
    image = message("u2", "user", {"type": "input_image"}, {"type": "input_text", "text": "And this?"})
    feed(history, [*spoken("u1"), begins("r1"), *calls("r1", "f1", "c1", "u1"), ends("r1"), created(image, "f1")])
    feed(history, [begins("r2"), *says("r2", "a2", "never heard", after="u2"), ends("r2", "cancelled")])
    feed(history, [result("o9", "c9", "lost", "a2"), created({"id": "m1", "type": "mcp_list_tools"}, "o9")])
    history.heard("a2", 0, 1000, final=True, now=1.0)

    items, left_out = Conversation(history).to_items()

    assert [item.type for item in items] == ["message"]
    assert left_out == [
        LeftOut("u1", "message", "its audio has no transcript"),
        LeftOut("f1", "function_call", "the call has no result"),
        LeftOut("u2", "message", "the address of its image is not known"),
        LeftOut("a2", "message", "nothing of it was heard"),
        LeftOut("o9", "function_call_output", "the result has no call"),
        LeftOut("m1", "mcp_list_tools", "only the service makes items of this kind"),
    ]


@pytest.mark.parametrize("path", [*RECORDINGS, *SCENARIOS], ids=lambda path: path.stem)
def test_every_item_is_either_given_again_or_named(path: Path) -> None:
    conversation = Conversation(replay(path)[0])
    items, left_out = conversation.to_items(keep_ids=True)
    told = [getattr(item, "id", None) for item in items] + [gap.item_id for gap in left_out]
    assert sorted(map(str, told)) == sorted(item.id for item in conversation.items)


def test_a_restored_conversation_reads_like_the_old_one() -> None:
    old = Conversation(with_a_tool())
    history = History()
    before: str | None = None
    for item in wire_of(old, keep_ids=True):
        reported = {**item, "status": "completed"}
        feed(history, [created(reported, before)])
        before = item["id"]

    assert Conversation(history).messages() == old.messages()
    assert [turn.caller_text for turn in history.turns()] == ["Look it up"]


def test_a_history_goes_on_in_a_new_session_when_ids_are_kept() -> None:
    history = with_a_tool()
    before = history.items()
    for item in wire_of(Conversation(history), keep_ids=True):
        reported = decode(json.dumps({"type": "conversation.item.created", "item": {**item, "status": "completed"}}))
        assert history.receive(reported, 9.0) == ()
    assert [(item.id, item.text, item.turn_id) for item in history.items()] == [
        (item.id, item.text, item.turn_id) for item in before
    ]


# -- what may be dropped


def test_the_last_turns_stay() -> None:
    history = turns(3)
    assert Conversation(history).compact(keep_last=2) == ["u1", "f1", "o1", "a1"]
    assert Conversation(history).compact(keep_last=3) == []


def test_the_newest_turn_always_stays() -> None:
    for limits in ({"keep_last": 0}, {"max_tokens": 0}):
        assert Conversation(turns(2)).compact(**limits) == ["u1", "f1", "o1", "a1"]


def test_old_turns_go() -> None:
    conversation = Conversation(turns(4))  # at 60, 120, 180 and 240 s
    assert conversation.compact(older_than_s=90, now=240.0) == [f"{kind}{n}" for n in (1, 2) for kind in "ufoa"]


def test_a_turn_is_as_old_as_its_youngest_item() -> None:
    history = turns(1)
    feed(history, [result("late", "c1", "again", "a1")], now=200.0)
    feed(history, [typed("u2", "Next", "late"), begins("r2"), ends("r2")], now=240.0)
    assert Conversation(history).compact(older_than_s=90, now=240.0) == []
    assert Conversation(history).compact(older_than_s=30, now=240.0) == ["u1", "f1", "o1", "a1", "late"]


def test_the_oldest_turns_go_until_the_tokens_fit() -> None:
    conversation = Conversation(turns(3))
    whole = conversation.estimate_tokens()
    assert whole == 3 * (10 + estimate_tokens('look_up{"q":1}') + 10 + 10)
    assert conversation.compact(max_tokens=whole) == []
    assert conversation.compact(max_tokens=whole - 1) == ["u1", "f1", "o1", "a1"]
    assert len(conversation.compact(max_tokens=whole // 2)) == 8


def test_reported_tokens_count_before_estimates() -> None:
    history = History()
    usage = {"total_tokens": 900, "input_tokens": 400, "output_tokens": 500}
    feed(history, [typed("u1", "x" * 40), begins("r1"), *says("r1", "a1", "short"), ends("r1", usage=usage)])
    assert Conversation(history).estimate_tokens() == 10 + 500


def test_what_belongs_to_no_turn_and_what_is_open_stay() -> None:
    history = History()
    system = message("s1", "system", {"type": "input_text", "text": "Be kind."})
    feed(history, [created(system), typed("u1", "Hi", "s1"), begins("r1"), *calls("r1", "f1", "c1", "u1"), ends("r1")])
    feed(history, [typed("u2", "And?", "f1"), begins("r2")])
    assert [turn.status for turn in history.turns()] == ["open", "open"]
    assert Conversation(history).compact(keep_last=0) == []


@given(st.integers(1, 5), st.integers(0, 5), st.integers(0, 200))
def test_compacting_never_parts_a_call_from_its_result(count: int, keep_last: int, max_tokens: int) -> None:
    history = turns(count)
    gone = Conversation(history).compact(keep_last=keep_last, max_tokens=max_tokens)
    feed(history, [event("conversation.item.deleted", item_id=item_id) for item_id in gone])

    assert all((f"f{n}" in gone) == (f"o{n}" in gone) for n in range(1, count + 1))
    assert Conversation(history).to_items()[1] == []


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        ({}, "nothing tells what to drop"),
        ({"keep_last": -1}, "keep_last is -1"),
        ({"max_tokens": -5}, "max_tokens is -5"),
        ({"older_than_s": float("nan"), "now": 1.0}, "older_than_s is nan"),
        ({"older_than_s": 5.0}, "now is None"),
    ],
)
def test_limits_that_make_no_sense_are_refused(limits: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        Conversation(turns(1)).compact(**limits)


# -- the view


def test_the_view_follows_the_session_and_what_it_gave_out_does_not_change() -> None:
    history = History()
    conversation = Conversation(history)
    feed(history, [typed("u1", "Hi")])
    before = conversation.turns
    feed(history, [begins("r1"), *says("r1", "a1", "Hello"), ends("r1")])
    assert [turn.agent_text for turn in before] == [""]
    assert [turn.agent_text for turn in conversation.turns] == ["Hello"]
    assert repr(conversation) == "<Conversation of 2 items in 1 turns>"

"""What was said, from the events alone: the recorded conversations in full, and what the order of events may do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.histories import (
    DATA,
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
    server_events_of,
    spoken,
    transcribed,
    transcription_on,
    typed,
)

from voicelive.protocol.history import TRANSCRIPT_WAIT_S, History
from voicelive.protocol.latency import TurnLatency
from voicelive.protocol.snapshots import AgentTranscript, ConversationEvent, Item, TurnFinished, UserTranscript
from voicelive.wire.client_events import ConversationItemCreate, ResponseCreate
from voicelive.wire.items import UserMessageItem
from voicelive.wire.parts import InputTextContentPart
from voicelive.wire.server_events import ServerEvent

RECORDED: dict[str, dict[str, Any]] = {
    "audio_in_server_vad_turn": {
        "items": [
            ("item_E4BAsP00UV55RqqV8zSub", "message", "user", "completed", "Cześć, nazywam się Marcelo."),
            (
                "item_E4BAsZXoSuYWxcYtda12l",
                "message",
                "assistant",
                "completed",
                "Hi Marcelo, nice to meet you! How can I help you today?",
            ),
        ],
        "turns": [
            (
                "finished",
                "Cześć, nazywam się Marcelo.",
                "Hi Marcelo, nice to meet you! How can I help you today?",
                [],
                [(143, 44, 99)],
            )
        ],
    },
    "message_history_seeding": {
        "items": [
            (
                "item_502DFDvolZ8VetrqA6mFvP",
                "message",
                "user",
                "completed",
                "My name is Alice and my favorite color is teal.",
            ),
            ("item_3Iw6iOWQ8fzzT19ijANWog", "message", "assistant", "completed", "Nice to meet you, Alice!"),
            ("item_4rM3Tcyn8EHtAC1rAtEU8T", "message", "user", "completed", "What is my name and favorite color?"),
            (
                "item_E4BAwex9dP7OdCGHkmTH8",
                "message",
                "assistant",
                "completed",
                "Your name is Alice, and your favorite color is teal! Got it locked in. "
                "Anything else fun you want to share?",
            ),
        ],
        "turns": [
            ("finished", "My name is Alice and my favorite color is teal.", "Nice to meet you, Alice!", [], []),
            (
                "finished",
                "What is my name and favorite color?",
                "Your name is Alice, and your favorite color is teal! Got it locked in. "
                "Anything else fun you want to share?",
                [],
                [(176, 149, 27)],
            ),
        ],
    },
    "text_in_audio_out_turn": {
        "items": [
            ("item_60aC9fbklRnUprIbPDwHTj", "message", "user", "completed", "Say a short greeting."),
            ("item_E4BAqvdWBX2CPiTEwdsGK", "message", "assistant", "completed", "Hola, ¿qué tal?"),
        ],
        "turns": [("finished", "Say a short greeting.", "Hola, ¿qué tal?", [], [(61, 16, 45)])],
    },
    "text_output_modality_returns_text": {
        "items": [
            ("item_2dKX0Hd5dzTtZO9IaxpcfG", "message", "user", "completed", "Say a short greeting."),
            ("item_EAKJURSUNAdRnKbgt6QVq", "message", "assistant", "completed", "Hello there!"),
        ],
        "turns": [("finished", "Say a short greeting.", "Hello there!", [], [(21, 16, 5)])],
    },
    "tool_call_round": {
        "items": [
            ("item_1NEGWt6HlQ4SHbk7pOcFOC", "message", "user", "completed", "What is the weather in London?"),
            ("item_E4BAvo5DXdxEo29tRXlor", "function_call", None, "completed", None),
            ("item_7cfrf6iwUkHTO5yiwWdT8h", "function_call_output", None, None, None),
            (
                "item_E4BAv7tLiUUCjXx1w627g",
                "message",
                "assistant",
                "completed",
                "It's foggy and 12 degrees in London right now.",
            ),
        ],
        "turns": [
            (
                "finished",
                "What is the weather in London?",
                "It's foggy and 12 degrees in London right now.",
                [("get_weather", '{  \n  "city": "London" \n} \n', "It is foggy and 12 degrees in London.")],
                [(85, 63, 22), (110, 96, 14)],
            )
        ],
    },
}


def brief(item: Item) -> tuple[str, str, str | None, str | None, str | None]:
    return item.id, item.kind, item.role, item.status, item.text


def turns_of(history: History) -> list[tuple[Any, ...]]:
    return [
        (
            turn.status,
            turn.caller_text,
            turn.agent_text,
            [(call.name, call.arguments, call.output) for call in turn.tool_calls],
            [(usage.total_tokens, usage.input_tokens, usage.output_tokens) for usage in turn.usage],
        )
        for turn in history.turns()
    ]


def finished(news: list[ConversationEvent]) -> list[str]:
    return [found.turn.id for found in news if isinstance(found, TurnFinished)]


# -- what the recordings and scenarios hold


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_recording_yields_the_conversation_it_holds(path: Path) -> None:
    history, news = replay(path)
    expected = RECORDED[path.stem]

    assert [brief(item) for item in history.items()] == expected["items"]
    assert turns_of(history) == expected["turns"]
    live = [turn for turn in history.turns() if turn.response_ids]
    assert [found.turn for found in news if isinstance(found, TurnFinished)] == live
    assert [found.text for found in news if isinstance(found, AgentTranscript)] == [turn.agent_text for turn in live]


SCENARIO_TURNS: dict[str, list[tuple[Any, ...]]] = {
    "avatar_webrtc_greeting": [("finished", None, "Hello!", [])],
    "barge_in_auto_truncate": [("interrupted", None, "We have many dishes tonight.", [])],
    "barge_in_client_truncate": [("interrupted", None, "We have many", []), ("finished", None, "Sorry, go on.", [])],
    "cancel_and_recoverable_error": [("interrupted", None, "Still here", [])],
    "function_call": [("finished", None, "It is booked.", [("book_table", '{"guests":4}', '{"ok":true}')])],
    "function_call_parallel": [
        (
            "finished",
            None,
            "Booked, and the text is out.",
            [("book_table", '{"guests":4}', '{"ok":true}'), ("send_sms", '{"to":"+10000000"}', '{"sent":true}')],
        )
    ],
    "manual_commit": [("finished", None, "Hello there.", [])],
    "mcp_with_approval": [("finished", None, "The record is changed.", [("update", '{"id":7}', '{"done":true}')])],
    "session_expired": [],
    "text_turn": [("finished", "Hi", "Hello", [])],
    "vad_audio_turn": [("finished", "Table for four.", "At what time?", [])],
}


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_yields_the_conversation_it_holds(path: Path) -> None:
    history, news = replay(path)
    expected = SCENARIO_TURNS[path.stem]

    assert [turn[:4] for turn in turns_of(history)] == expected
    assert finished(news) == [f"turn_{number + 1}" for number in range(len(expected))]
    assert all(usage.total_tokens == 87 for turn in history.turns() for usage in turn.usage)
    assert all(len(turn.usage) == len(turn.response_ids) for turn in history.turns())


def test_results_of_parallel_calls_stand_behind_their_calls() -> None:
    history, _ = replay(DATA / "samples" / "scenarios" / "function_call_parallel.jsonl")
    assert [item.id for item in history.items()] == ["item_u1", "item_f1", "item_o1", "item_f2", "item_o2", "item_a2"]


def test_items_of_other_kinds_are_kept_whole() -> None:
    history, _ = replay(DATA / "samples" / "scenarios" / "mcp_with_approval.jsonl")
    kinds = {item.id: (item.kind, item.turn_id) for item in history.items()}
    assert kinds == {
        "mcpl_1": ("mcp_list_tools", None),
        "item_u1": ("message", "turn_1"),
        "mcpr_1": ("mcp_approval_request", "turn_1"),
        "mcpa_1": ("mcp_approval_response", "turn_1"),
        "mcp_1": ("mcp_call", "turn_1"),
        "item_a2": ("message", "turn_1"),
    }
    assert all(item.wire is not None for item in history.items() if item.kind.startswith("mcp"))


def test_an_unknown_kind_of_item_is_kept_whole() -> None:
    history = History()
    feed(history, [created({"id": "x", "type": "hologram", "depth": 3})])
    (item,) = history.items()
    assert (item.kind, item.turn_id) == ("hologram", None)
    assert item.wire is not None
    assert item.wire.model_extra == {"type": "hologram", "id": "x", "depth": 3}


# -- the order of events


def untangled(path: Path) -> list[ServerEvent]:
    """Without what says nothing about items."""
    return [found for found in server_events_of(path) if not found.type.startswith("session.")]


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_events_in_any_order_end_in_the_same_items(path: Path) -> None:
    events = untangled(path)
    places = {"delta": [place for place, found in enumerate(events) if found.type.endswith(".delta")]}

    @settings(max_examples=40)
    @given(st.permutations(range(len(events))))
    def shuffled(order: list[int]) -> None:
        deltas = iter(places["delta"])  # pieces of one text keep their order
        history = History()
        feed(history, [events[next(deltas) if place in places["delta"] else place] for place in order])
        assert [brief(item) for item in history.items()] == RECORDED[path.stem]["items"]
        history.turns()

    shuffled()


SAMPLES = [
    json.loads(line)
    for name in ("server.jsonl", "v1_server.jsonl")
    for line in (DATA / "samples" / name).read_text(encoding="utf-8").splitlines()
]
IDS = st.sampled_from(["item_1", "item_2", "item_3", "resp_1", "resp_2", "call_1", "", "root"])
ODD = st.one_of(st.none(), st.integers(-5, 5), st.text(max_size=5), st.lists(IDS, max_size=2), IDS)


@st.composite
def mutated(draw: st.DrawFn) -> ServerEvent:
    sample = dict(draw(st.sampled_from(SAMPLES)))
    for key in ("item_id", "response_id", "previous_item_id", "call_id"):
        if key in sample:
            sample[key] = draw(IDS)
    for key in ("item", "response"):
        if isinstance(sample.get(key), dict):
            sample[key] = {**sample[key], "id": draw(IDS)}
    if draw(st.booleans()):
        key = draw(st.sampled_from(sorted(sample.keys() - {"type"}) or ["event_id"]))
        sample[key] = draw(ODD)
    if draw(st.integers(0, 5)) == 0:
        sample.pop(draw(st.sampled_from(sorted(sample.keys() - {"type"}) or ["event_id"])), None)
    kind = sample.pop("type")
    return event(kind, **sample)


@settings(max_examples=150)
@given(st.lists(mutated(), max_size=40))
def test_events_that_make_no_sense_never_raise(events: list[ServerEvent]) -> None:
    history = History()
    for number, found in enumerate(events):
        history.receive(found, float(number))
        history.heard("item_1", number * 10.0, 300.0, final=number % 7 == 6, now=float(number))
    ids = [item.id for item in history.items()]
    history.end()

    assert len(ids) == len(set(ids))
    listed = [item_id for turn in history.turns() for item_id in (*turn.caller_item_ids, *turn.agent_item_ids)]
    assert len(listed) == len(set(listed))


def test_a_response_that_is_known_by_its_end_alone_is_a_turn() -> None:
    history = History()
    whole = message("a1", "assistant", {"type": "audio", "transcript": "Hello!"})
    news = feed(history, [event("response.done", response={"id": "r1", "status": "completed", "output": [whole]})])
    assert [type(found) for found in news] == [AgentTranscript, TurnFinished]
    assert [(item.text, item.response_id, item.turn_id) for item in history.items()] == [("Hello!", "r1", "turn_1")]


def test_an_empty_report_does_not_erase_a_text() -> None:
    history = History()
    place = {"response_id": "r1", "item_id": "a1", "content_index": 0}
    empty = {"type": "text", "text": ""}
    feed(
        history,
        [
            begins("r1"),
            event("response.text.done", **place, text="Hello"),
            event("response.content_part.done", **place, part=empty),
        ],
    )
    assert history.items()[0].text == "Hello"


def test_an_item_at_the_root_stands_first() -> None:
    history = History()
    item = UserMessageItem(id="early", content=[InputTextContentPart(text="before all")])
    history.sent(ConversationItemCreate(item=item, previous_item_id="root"), 0.0)
    feed(history, [typed("u1", "one"), typed("early", "before all")])
    assert [found.id for found in history.items()] == ["early", "u1"]


# -- turns


def test_late_transcripts_reach_their_turns_with_three_in_flight() -> None:
    history = History()
    feed(history, [transcription_on()])
    news: list[ConversationEvent] = []
    for number in (1, 2, 3):
        news += feed(history, spoken(f"u{number}", f"a{number - 1}" if number > 1 else None))
        news += feed(history, [begins(f"r{number}"), *says(f"r{number}", f"a{number}", f"Answer {number}")])
        news += feed(history, [ends(f"r{number}", "cancelled" if number < 3 else "completed")])
    assert finished(news) == []
    assert [turn.caller_text for turn in history.turns()] == [None, None, None]

    late = feed(history, [transcribed("u2", "Two"), transcribed("u1", "One"), transcribed("u3", "Three")])

    said = [(found.item_id, found.turn_id, found.text) for found in late if isinstance(found, UserTranscript)]
    assert said == [("u2", "turn_2", "Two"), ("u1", "turn_1", "One"), ("u3", "turn_3", "Three")]
    assert [(t.caller_text, t.agent_text, t.status) for t in history.turns()] == [
        ("One", "Answer 1", "interrupted"),
        ("Two", "Answer 2", "interrupted"),
        ("Three", "Answer 3", "finished"),
    ]
    assert finished(late) == ["turn_1", "turn_2", "turn_3"]


def test_a_turn_waits_for_the_callers_transcript() -> None:
    history = History()
    events = [transcription_on(), *spoken("u1"), begins("r1"), *says("r1", "a1", "Yes."), ends("r1")]
    assert finished(feed(history, events)) == []
    assert history.turns()[0].status == "open"
    assert finished(feed(history, [transcribed("u1", "Hm?")])) == ["turn_1"]
    assert history.turns()[0].status == "finished"


def test_a_transcription_that_failed_is_not_waited_for() -> None:
    history = History()
    feed(history, [transcription_on(), *spoken("u1"), begins("r1"), ends("r1")])
    failed = event("conversation.item.input_audio_transcription.failed", item_id="u1", content_index=0, error={})
    assert finished(feed(history, [failed])) == ["turn_1"]
    assert [(item.transcription, item.text) for item in history.items()] == [("failed", None)]


def test_a_later_turn_releases_one_whose_transcript_never_came() -> None:
    history = History()
    feed(history, [transcription_on(), *spoken("u1"), begins("r1"), ends("r1")])
    later = feed(history, [*spoken("u2"), transcribed("u2", "Two"), begins("r2"), ends("r2")])
    assert finished(later) == ["turn_1", "turn_2"]


def test_a_transcript_is_not_waited_for_for_ever() -> None:
    history = History()
    feed(history, [transcription_on(), *spoken("u1"), begins("r1"), ends("r1")], now=5.0)
    due = 5.0 + TRANSCRIPT_WAIT_S
    assert history.due_at() == due
    assert history.settle(due - 0.1) == ()
    assert finished(list(history.settle(due))) == ["turn_1"]
    assert history.due_at() is None

    assert isinstance(feed(history, [transcribed("u1", "At last")])[0], UserTranscript)
    assert history.turns()[0].caller_text == "At last"


def test_the_end_of_a_session_releases_what_waits() -> None:
    history = History()
    feed(history, [transcription_on(), *spoken("u1"), begins("r1")])
    (told,) = history.end()
    assert isinstance(told, TurnFinished)
    assert told.turn.status == "interrupted"


def test_a_turn_that_waits_for_another_response_survives_a_second_loss() -> None:
    history = History()
    feed(history, [typed("u1", "Hello"), begins("r1")])
    assert history.connection_lost(1.0, again=True) == ("r1", ())
    assert history.connection_lost(2.0, again=False) is None, "the request was under way, and no response"
    assert history.settle(3.0) == ()

    news = feed(history, [begins("r2"), *says("r2", "a1", "Good morning."), ends("r2")], now=4.0)

    [turn] = [told.turn for told in news if isinstance(told, TurnFinished)]
    assert (turn.status, turn.agent_text) == ("finished", "Good morning.")


def test_a_turn_whose_results_nobody_spoke_about_is_interrupted_by_the_end_of_the_session() -> None:
    history = History()
    events = [typed("u1", "Look it up."), begins("r1"), *calls("r1", "c1", "call_1"), ends("r1")]
    news = [told for heard in events for told in history.receive(heard, 0.0, owed=True)]
    assert news == []

    (told,) = history.end(owed=True)

    assert isinstance(told, TurnFinished)
    assert told.turn.status == "interrupted"


def test_a_turn_spans_all_rounds_of_tool_calls() -> None:
    history = History()
    first = feed(history, [typed("u1", "Look it up"), begins("r1"), *calls("r1", "f1", "c1", "u1"), ends("r1")])
    second = feed(history, [result("o1", "c1", "42", "f1"), begins("r2"), *says("r2", "a1", "It is 42.", after="o1")])
    assert finished(first + second) == []
    assert finished(feed(history, [ends("r2")])) == ["turn_1"]

    (turn,) = history.turns()
    assert turn.response_ids == ("r1", "r2")
    assert [(call.name, call.arguments, call.output) for call in turn.tool_calls] == [("look_up", '{"q":1}', "42")]
    assert turn.agent_item_ids == ("f1", "o1", "a1")


def test_what_is_owed_decides_when_a_turn_with_calls_is_over() -> None:
    history = History()
    feed(history, [typed("u1", "Note it"), begins("r1"), *calls("r1", "f1", "c1")])
    assert history.receive(ends("r1"), 0.0, owed=True) == ()
    assert history.receive(result("o1", "c1", "noted"), 0.0, owed=True) == ()
    assert finished(list(history.settle(0.0, owed=False))) == ["turn_1"]


def test_a_call_that_was_cut_off_is_not_waited_for() -> None:
    history = History()
    call = {"id": "f1", "type": "function_call", "name": "look_up", "call_id": "c1", "status": "incomplete"}
    cut = event("response.output_item.done", response_id="r1", item=call)
    assert finished(feed(history, [typed("u1", "x"), begins("r1"), cut, ends("r1", "cancelled")])) == ["turn_1"]


def test_inputs_before_the_answer_are_one_turn() -> None:
    history = History()
    feed(history, [typed("u1", "One"), typed("u2", "Two", "u1"), begins("r1"), ends("r1"), typed("u3", "Three", "u2")])
    assert [turn.caller_text for turn in history.turns()] == ["One\nTwo", "Three"]


def test_a_greeting_is_a_turn_without_input() -> None:
    history = History()
    history.sent(ResponseCreate(), 1.0)
    news = [*history.receive(begins("r1"), 1.2), *feed(history, [*says("r1", "a1", "Welcome!"), ends("r1")], 2.0)]
    feed(history, [typed("u1", "Hi", "a1")])

    assert finished(news) == ["turn_1"]
    greeting, answer = history.turns()
    assert (greeting.caller_item_ids, greeting.caller_text, greeting.agent_text) == ((), None, "Welcome!")
    assert greeting.latency.measured_from == "sent"
    assert greeting.latency.response_created_ms == 200.0
    assert answer.caller_item_ids == ("u1",)


def test_restored_history_makes_turns_that_are_never_announced() -> None:
    history = History()
    seeded = message("a1", "assistant", {"type": "text", "text": "Hello Alice"})
    call = {"id": "f1", "type": "function_call", "name": "look_up", "call_id": "c1", "arguments": "{}"}
    events = [typed("u1", "I am Alice"), created({**call, "status": "completed"}, "u1"), result("o1", "c1", "7", "f1")]
    news = feed(history, [*events, created(seeded, "o1"), typed("u2", "Who am I?", "a1"), begins("r1"), ends("r1")])

    restored, live = history.turns()
    assert (restored.status, restored.caller_text, restored.agent_text) == ("finished", "I am Alice", "Hello Alice")
    assert [item.output for item in restored.tool_calls] == ["7"]
    assert live.caller_text == "Who am I?"
    assert finished(news) == ["turn_2"]


def test_an_item_that_a_response_claims_late_moves_to_its_turn() -> None:
    history = History()
    whole = message("a1", "assistant", {"type": "text", "text": "Hello"})
    feed(history, [typed("u1", "Hi"), created(whole, "u1"), typed("u2", "Hi again", "a1"), begins("r1")])
    assert [turn.agent_item_ids for turn in history.turns()] == [("a1",), ()]
    feed(history, [event("response.output_item.done", response_id="r1", output_index=0, item=whole)])
    assert [turn.agent_item_ids for turn in history.turns()] == [(), ("a1",)]


def test_a_failed_mcp_call_has_its_error_and_holds_nobody_up() -> None:
    history = History()
    call = {"id": "m1", "type": "mcp_call", "server_label": "crm", "name": "update", "arguments": "{}"}
    added = event("response.output_item.added", response_id="r1", item={**call, "arguments": "", "output": None})
    failed = event("response.output_item.done", response_id="r1", item={**call, "error": {"code": 7}})
    news = feed(history, [typed("u1", "Go"), begins("r1"), added, ends("r1"), failed, begins("r2"), added, ends("r2")])
    assert finished(news) == ["turn_1"]
    (made,) = history.turns()[0].tool_calls
    assert (made.kind, made.name, made.arguments, made.output, made.error) == (
        "mcp_call",
        "update",
        "{}",
        None,
        {"code": 7},
    )


def test_a_running_mcp_call_keeps_its_turn_open() -> None:
    history = History()
    call = {"id": "m1", "type": "mcp_call", "server_label": "crm", "name": "update", "arguments": "{}"}
    added = event("response.output_item.added", response_id="r1", item=call)
    feed(history, [typed("u1", "Go"), begins("r1"), added])
    assert history.receive(ends("r1"), 0.0, owed=False) == ()
    assert history.turns()[0].status == "open"


def test_the_services_copy_of_an_item_adds_what_is_not_known() -> None:
    history = History()
    parts = [{"type": "input_audio", "audio": "AAAA", "transcript": "Hm?"}, {"type": "smell", "note": "smoke"}]
    feed(history, spoken("u1"))
    feed(history, [event("conversation.item.retrieved", item=message("u1", "user", *parts))])
    (item,) = history.items()
    assert (item.text, item.transcription) == ("Hm?", "completed")
    assert [part.kind for part in item.parts] == ["input_audio", "smell"]
    assert item.parts[1].raw == {"type": "smell", "note": "smoke"}


def test_a_transcript_grows_with_its_pieces() -> None:
    history = History()
    feed(history, [transcription_on(), *spoken("u1")])
    for piece in ("Table ", "for four"):
        delta = event("conversation.item.input_audio_transcription.delta", item_id="u1", content_index=0, delta=piece)
        assert feed(history, [delta]) == []
    (item,) = history.items()
    assert (item.text, item.transcription) == ("Table for four", "pending")
    assert history.turns()[0].caller_text is None


def test_a_response_after_a_finished_turn_is_a_turn_of_its_own() -> None:
    history = History()
    feed(history, [typed("u1", "Hi"), begins("r1"), *says("r1", "a1", "Hello"), ends("r1")])
    news = feed(history, [begins("r2"), *says("r2", "a2", "Are you still there?"), ends("r2")])
    assert finished(news) == ["turn_2"]
    assert [turn.response_ids for turn in history.turns()] == [("r1",), ("r2",)]


def test_an_input_that_was_never_answered_is_no_finished_turn() -> None:
    history = History()
    feed(history, [typed("u1", "Hi")])
    assert history.end() == ()
    assert history.turns()[0].status == "open"


def test_a_deleted_input_is_not_waited_for() -> None:
    history = History()
    feed(history, [transcription_on(), *spoken("u1"), begins("r1"), ends("r1")])
    assert finished(feed(history, [event("conversation.item.deleted", item_id="u1")])) == ["turn_1"]


def test_a_response_that_ends_twice_is_counted_once() -> None:
    history = History()
    over = ends("r1", usage={"total_tokens": 5})
    assert finished(feed(history, [typed("u1", "Hi"), begins("r1"), over, over])) == ["turn_1"]
    assert len(history.turns()[0].usage) == 1


def test_patience_begins_when_no_response_runs() -> None:
    history = History()
    feed(history, [transcription_on(), *spoken("u1"), begins("r1"), begins("r2"), ends("r1")], now=5.0)
    assert history.due_at() is None
    feed(history, [ends("r2")], now=7.0)
    assert history.due_at() == 7.0 + TRANSCRIPT_WAIT_S


def test_inputs_are_read_in_the_order_of_the_conversation() -> None:
    history = History()
    feed(history, [typed("u2", "Two", "u1"), typed("u1", "One"), begins("r1")])
    assert history.turns()[0].caller_text == "One\nTwo"


def test_out_of_band_responses_are_no_part_of_the_conversation() -> None:
    history = History()
    history.set_aside("r9")
    news = feed(history, [typed("u1", "Hi"), begins("r9"), *says("r9", "a9", "Aside")[2:], ends("r9")])
    assert news == []
    assert [item.id for item in history.items()] == ["u1"]
    assert history.turns()[0].response_ids == ()


@pytest.mark.parametrize(
    ("status", "expected"),
    [("completed", "finished"), ("cancelled", "interrupted"), ("incomplete", "interrupted"), ("failed", "failed")],
)
def test_a_turn_ends_as_its_last_response_did(status: str, expected: str) -> None:
    history = History()
    feed(history, [typed("u1", "Hi"), begins("r1"), ends("r1", status)])
    assert history.turns()[0].status == expected


def test_citations_are_kept_as_they_came() -> None:
    history = History()
    note = {"type": "url_citation", "url": "https://example.org"}
    place = {"response_id": "r1", "item_id": "a1", "content_index": 0}
    cited = event("response.audio_transcript.annotation.added", **place, annotation_index=0, annotation=note)
    feed(history, [begins("r1"), cited, *says("r1", "a1", "See there."), ends("r1")])
    assert history.items()[0].citations == (note,)
    assert history.turns()[0].citations == (note,)


# -- heard, not generated


def answered(audio_ms: int = 1000) -> tuple[History, list[ConversationEvent]]:
    history = History()
    events = [typed("u1", "Go"), begins("r1"), *says("r1", "a1", "one two three four", audio_ms), ends("r1")]
    return history, feed(history, events)


def test_length_of_audio_is_counted_as_received() -> None:
    history, _ = answered(1500)
    item = history.item("a1")
    assert item is not None
    assert item.audio_ms == pytest.approx(1500)


def test_generated_and_heard_text_are_kept_apart() -> None:
    history, _ = answered()
    (told,) = history.heard("a1", 500, 1000, final=True, now=1.0)

    assert told == AgentTranscript("a1", "r1", "turn_1", "one two three four", heard_text="one two")
    (turn,) = history.turns()
    assert (turn.status, turn.agent_text, turn.agent_heard_text) == ("interrupted", "one two three four", "one two")
    item = history.item("a1")
    assert item is not None
    assert (item.heard_text, item.heard_ms, item.heard_is_estimate, item.interrupted) == ("one two", 500, True, True)


def test_times_of_words_make_the_heard_text_exact() -> None:
    history, _ = answered()
    for text, at in (("one", 0), ("two", 200), ("three", 600), ("four", 900)):
        place = {"response_id": "r1", "item_id": "a1", "content_index": 0, "timestamp_type": "word"}
        word = event("response.audio_timestamp.delta", **place, audio_offset_ms=at, audio_duration_ms=100, text=text)
        feed(history, [word])
    history.heard("a1", 850, 1000, final=True, now=1.0)
    item = history.item("a1")
    assert item is not None
    assert (item.heard_text, item.heard_is_estimate) == ("one two three", False)


def test_what_was_played_to_its_end_is_heard_in_full() -> None:
    history, _ = answered()
    assert history.heard("a1", 1000, 1000, final=True, now=2.0) == ()
    assert history.heard("a1", 10, 1000, final=True, now=3.0) == ()
    (turn,) = history.turns()
    assert (turn.status, turn.agent_heard_text) == ("finished", "one two three four")


def test_a_cut_before_the_text_is_whole_is_told_with_it() -> None:
    history = History()
    feed(history, [typed("u1", "Go"), begins("r1"), *says("r1", "a1", "one two three four")[:4]])
    assert history.heard("a1", 500, 1000, final=True, now=1.0) == ()
    news = feed(history, says("r1", "a1", "one two three four")[4:])
    assert news == [AgentTranscript("a1", "r1", "turn_1", "one two three four", heard_text="one two")]


def test_truncation_by_the_service_cuts_what_was_heard() -> None:
    history, _ = answered()
    cut = event("conversation.item.truncated", item_id="a1", content_index=0, audio_end_ms=500)
    (told,) = feed(history, [cut])
    assert isinstance(told, AgentTranscript)
    assert told.heard_text == "one two"
    item = history.item("a1")
    assert item is not None
    assert (item.truncated_at_ms, item.heard_ms, item.text) == (500, 500, "one two three four")


def test_where_nothing_tells_what_was_heard_the_item_says_so() -> None:
    history, _ = answered()
    item = history.item("a1")
    assert item is not None
    assert item.heard_text is None


def test_playback_takes_its_place_in_the_latency() -> None:
    history = History()
    history.sent(ConversationItemCreate(item=UserMessageItem(content=[InputTextContentPart(text="Go")])), 10.0)
    for number, found in enumerate([typed("u1", "Go"), begins("r1"), *says("r1", "a1", "one two"), ends("r1")]):
        history.receive(found, 10.1 + number / 10)
    history.heard("a1", 200, 1000, final=False, now=11.0)

    assert history.turns()[0].latency == TurnLatency("sent", None, 200.0, 500.0, 600.0, 800.0, 900.0)


def test_latency_does_not_count_from_what_was_sent_for_an_earlier_turn() -> None:
    history = History()
    history.sent(ConversationItemCreate(item=UserMessageItem(content=[InputTextContentPart(text="Go")])), 1.0)
    history.sent(ResponseCreate(), 1.0)
    feed(history, [typed("u1", "Go"), begins("r1"), ends("r1"), typed("u2", "On", "u1"), begins("r2"), ends("r2")], 2.0)
    feed(history, [begins("r3")], 3.0)
    measured = [turn.latency.measured_from for turn in history.turns()]
    assert measured == ["sent", "first_event", "first_event"]


def test_nothing_was_played_at_position_zero() -> None:
    history, _ = answered()
    history.heard("a1", 0, 1000, final=False, now=1.0)
    assert history.turns()[0].latency.first_played_ms is None


def test_a_cut_is_told_once() -> None:
    history = History()
    feed(history, [typed("u1", "Go"), begins("r1"), *says("r1", "a1", "one two three four")[:4]])
    history.heard("a1", 500, 1000, final=True, now=1.0)
    cut = event("conversation.item.truncated", item_id="a1", content_index=0, audio_end_ms=400)
    news = feed(history, [*says("r1", "a1", "one two three four")[4:], cut, ends("r1", "cancelled"), cut])
    assert [type(found) for found in news] == [AgentTranscript, TurnFinished]


def test_what_playback_knows_counts_before_the_services_estimate() -> None:
    history, _ = answered()
    feed(history, [event("conversation.item.truncated", item_id="a1", content_index=0, audio_end_ms=300)])
    history.heard("a1", 800, 1000, final=True, now=1.0)
    item = history.item("a1")
    assert item is not None
    assert (item.heard_ms, item.truncated_at_ms, item.heard_text) == (800, 300, "one two three")


def test_audio_that_came_after_the_cut_was_not_heard() -> None:
    history, _ = answered()
    history.heard("a1", 500, 500, final=True, now=1.0)
    item = history.item("a1")
    assert item is not None
    assert (item.interrupted, item.heard_text) == (True, "one two")


# -- the rest


def test_a_deleted_item_leaves_the_conversation_and_stays_in_its_turn() -> None:
    history, _ = answered()
    feed(history, [event("conversation.item.deleted", item_id="u1"), event("conversation.item.deleted", item_id="a1")])
    assert history.items() == ()
    (turn,) = history.turns()
    assert (turn.caller_text, turn.agent_text) == ("Go", "one two three four")


def test_an_unknown_output_format_makes_lengths_unknown() -> None:
    history = History()
    feed(history, [event("session.updated", session={"output_audio_format": "opus_48000hz"})])
    feed(history, [begins("r1"), *says("r1", "a1", "one two")])
    history.heard("a1", 500, None, final=False, now=1.0)
    (item,) = history.items()
    assert (item.audio_ms, item.heard_text) == (None, None)


def test_a_response_with_its_own_format_is_counted_in_it() -> None:
    history = History()
    own = event("response.created", response={"id": "r1", "output_audio_format": "pcm16_8000hz"})
    feed(history, [own, *says("r1", "a1", "one two", audio_ms=1000)])
    (item,) = history.items()
    assert item.audio_ms == pytest.approx(3000)


def test_no_text_shows_in_a_repr() -> None:
    history = History()
    events = [typed("u1", "secret"), begins("r1"), *calls("r1", "f1", "c1"), result("o1", "c1", "secret")]
    news = feed(history, [*events, begins("r2"), *says("r2", "a1", "secret"), ends("r2")])
    assert "secret" not in repr((history.items(), history.turns(), news))
    assert '"q"' not in repr((history.items(), history.turns(), news))

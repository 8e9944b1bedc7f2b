"""Barge-in: when playback is flushed, and what the service is told of the cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tests.support.histories import event

from voicelive.audio.playback import Cut, Heard
from voicelive.protocol.turns import Flush, InterruptionPolicy, Interruptions, Truncate, TurnEffect, interrupts
from voicelive.wire.codec import decode
from voicelive.wire.server.session import SessionUpdated

POLICY = InterruptionPolicy()
CUT = Cut("item_1", "r1", 0, Heard(340, 2000, exact=True))


def hear(turns: Interruptions, kind: str, now: float = 0.0, policy: InterruptionPolicy = POLICY, **fields: Any) -> Any:
    audible = fields.pop("audible", frozenset())
    return turns.receive(event(kind, **fields), now, policy, audible)


def speech(turns: Interruptions, now: float = 0.0, **given: Any) -> list[TurnEffect]:
    effects: list[TurnEffect] = hear(turns, "input_audio_buffer.speech_started", now, **given)
    return effects


def begins(turns: Interruptions, response_id: str = "r1") -> None:
    hear(turns, "response.created", response={"id": response_id})


def ends(turns: Interruptions, response_id: str = "r1") -> list[tuple[str, int]]:
    return cuts(hear(turns, "response.done", response={"id": response_id}))


def cuts(effects: Sequence[TurnEffect]) -> list[tuple[str, int]]:
    return [(effect.event.item_id, effect.event.audio_end_ms) for effect in effects if isinstance(effect, Truncate)]


def test_speech_silences_the_agent_at_once() -> None:
    assert speech(Interruptions()) == [Flush()]


def test_speech_changes_nothing_where_it_does_not_interrupt() -> None:
    assert speech(Interruptions(), policy=InterruptionPolicy(interrupts=False)) == []


@pytest.mark.parametrize(
    ("turn_detection", "policy"),
    [
        (None, InterruptionPolicy()),
        ({"type": "brand_new"}, InterruptionPolicy()),
        ({"type": "server_vad"}, InterruptionPolicy()),
        ({"type": "server_vad", "interrupt_response": False}, InterruptionPolicy(interrupts=False)),
        ({"type": "azure_semantic_vad", "auto_truncate": True}, InterruptionPolicy(service_truncates=True)),
    ],
)
def test_the_settings_say_what_speech_does(turn_detection: Any, policy: InterruptionPolicy) -> None:
    updated = event("session.updated", session={"turn_detection": turn_detection})

    assert isinstance(updated, SessionUpdated)
    assert interrupts(updated.session) == policy


# -- the cut


def test_the_cut_is_told_after_the_response_that_still_runs() -> None:
    turns = Interruptions()
    begins(turns)

    assert turns.flushed([CUT], POLICY) == []
    assert ends(turns, "other") == []
    assert ends(turns) == [("item_1", 340)]
    assert ends(turns) == []


def test_the_cut_of_a_response_that_is_done_is_told_at_once() -> None:
    turns = Interruptions()
    begins(turns)
    ends(turns)

    assert cuts(turns.flushed([CUT], POLICY)) == [("item_1", 340)]


def test_an_item_is_cut_once() -> None:
    turns = Interruptions()

    assert cuts(turns.flushed([CUT], POLICY)) == [("item_1", 340)]
    assert turns.flushed([CUT], POLICY) == []


def test_nothing_is_truncated_that_the_service_truncates() -> None:
    assert Interruptions().flushed([CUT], InterruptionPolicy(service_truncates=True)) == []


@pytest.mark.parametrize("when", ["before the cut", "before its response is done"])
def test_an_item_that_somebody_else_truncated_is_left_alone(when: str) -> None:
    turns = Interruptions()
    begins(turns)
    if when == "before its response is done":
        turns.flushed([CUT], POLICY)
    hear(turns, "conversation.item.truncated", item_id="item_1", content_index=0, audio_end_ms=300)

    assert turns.is_cut("item_1")
    assert turns.flushed([CUT], POLICY) == []
    assert ends(turns) == []


# -- what may not be interrupted


def test_a_protected_response_is_not_cut_while_it_runs_or_is_heard() -> None:
    turns = Interruptions()
    begins(turns)
    turns.protect("r1")

    assert speech(turns) == []
    ends(turns)
    assert speech(turns, audible={"r1"}) == []
    assert speech(turns, audible={"r2"}) == [Flush()]


# -- how long speech must last


def test_speech_counts_when_it_has_lasted_long_enough() -> None:
    turns = Interruptions(min_speech_ms=300)

    assert speech(turns, now=1.0) == []
    assert turns.due_at() == pytest.approx(1.3)
    assert turns.tick(1.29) == []
    assert turns.tick(1.31) == [Flush()]
    assert turns.tick(1.4) == []
    assert turns.due_at() is None


def test_speech_that_stops_before_does_not_count() -> None:
    turns = Interruptions(min_speech_ms=300)
    speech(turns, now=1.0)

    assert hear(turns, "input_audio_buffer.speech_stopped", now=1.2) == []
    assert turns.tick(2.0) == []


def test_speech_that_stops_long_after_counts_though_no_timer_came_before() -> None:
    turns = Interruptions(min_speech_ms=300)
    speech(turns, now=1.0)

    assert hear(turns, "input_audio_buffer.speech_stopped", now=1.5) == [Flush()]
    assert turns.tick(2.0) == []


def test_other_events_move_nothing() -> None:
    assert Interruptions().receive(decode('{"type":"brand.new"}'), 0.0, POLICY) == []

"""The default agent always has something fitting to say, in sentences that ship with a voice."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from voicelive.testing import small_talk
from voicelive.testing.script import Heard
from voicelive.testing.small_talk import default_script

TOOLS = frozenset({"get_weather"})


def said(text: str, **more: object) -> str | None:
    return small_talk.small_talk(Heard(text=text, **more)).reply  # type: ignore[arg-type]  # keywords of Heard


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("", small_talk.GREETING),
        ("Say a short greeting.", small_talk.GREETING),
        ("What is the weather in Lisbon today?", small_talk.SUNNY),
        ("What time is it?", small_talk.HALF_PAST_THREE),
        ("And the weather tomorrow?", small_talk.TOMORROW),
        ("Sing me a song.", small_talk.NOT_UNDERSTOOD),
    ],
)
def test_typed_questions_are_answered_by_their_words(text: str, reply: str) -> None:
    assert said(text) == reply


def test_spoken_turns_are_the_questions_of_the_example_recordings() -> None:
    turns = [small_talk.small_talk(Heard(spoken=True, voice_turns=number)) for number in (1, 2, 3, 4)]
    assert [turn.transcript for turn in turns] == [*small_talk.QUESTIONS, small_talk.QUESTIONS[0]]
    assert [turn.reply for turn in turns] == [
        small_talk.SUNNY,
        small_talk.HALF_PAST_THREE,
        small_talk.TOMORROW,
        small_talk.SUNNY,
    ]


@pytest.mark.parametrize(
    ("text", "city"),
    [
        ("Weather in Lisbon?", "Lisbon"),
        ("the weather in New York today", "New York"),
        ("What about the weather?", "Lisbon"),
    ],
)
def test_a_declared_weather_tool_is_asked(text: str, city: str) -> None:
    turn = small_talk.small_talk(Heard(text=text, tools=TOOLS))
    assert [(call.name, call.arguments) for call in turn.calls] == [("get_weather", {"city": city})]


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("It is foggy.", "It is foggy."),
        ('{"city": "Lisbon", "sky": "sunny", "degrees": 24}', "It is sunny in Lisbon, with 24 degrees."),
        ('{"sky": "sunny"}', "It is sunny in Lisbon."),
        ('{"celsius": 24.0}', "It is 24 degrees in Lisbon."),
        ('"All fine."', "All fine."),
        ("{}", "{}"),
        ("null", "null"),
    ],
)
def test_the_answer_of_the_tool_becomes_a_sentence(output: str, sentence: str) -> None:
    turn = small_talk.small_talk(Heard(text="weather in Lisbon", tools=TOOLS))
    follow_up = turn.after_calls([output])
    assert follow_up is not None
    assert follow_up.reply == sentence


def test_outputs_that_nobody_waits_for_are_read_out() -> None:
    assert said("weather", outputs=("one", "two")) == "one two"


def test_every_fixed_sentence_ships_as_a_recording() -> None:
    index = json.loads((resources.files("voicelive.testing") / "assets" / "voices.json").read_text(encoding="utf-8"))
    fixed = {
        small_talk.GREETING,
        small_talk.SUNNY,
        small_talk.HALF_PAST_THREE,
        small_talk.TOMORROW,
        small_talk.NOT_UNDERSTOOD,
    }
    assert fixed <= set(index)


def test_the_default_script_never_runs_dry() -> None:
    script = default_script()
    assert all(script.take(Heard(text="x")).reply for _ in range(100))

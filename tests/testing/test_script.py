"""Scripts: which turn is next, what follows calls, what was never used."""

from __future__ import annotations

import pytest

from voicelive.testing.script import Call, Heard, Script, ScriptExhausted, Turn, allowed


def test_turns_come_in_order_and_the_unused_stay_visible() -> None:
    script = Script("one", Turn("two"), lambda heard: Turn(f"three to {heard.text}"))
    assert [script.take(Heard()).reply, script.take(Heard()).reply] == ["one", "two"]
    assert len(script.remaining) == 1
    assert script.take(Heard(text="you")).reply == "three to you"
    assert not script.remaining


def test_an_empty_script_says_so() -> None:
    with pytest.raises(ScriptExhausted):
        Script().take(Heard())


def test_a_rule_takes_over_when_the_turns_are_used() -> None:
    script = Script("first", then=lambda heard: Turn("again"))
    assert [script.take(Heard()).reply for _ in range(3)] == ["first", "again", "again"]


def test_turns_can_be_added_later() -> None:
    script = Script()
    script.add("late")
    assert script.take(Heard()).reply == "late"


@pytest.mark.parametrize(
    "follow_up", ["42 it is", Turn("42 it is"), lambda outputs: f"{outputs[0]} it is", lambda outputs: Turn("42 it is")]
)
def test_what_follows_calls_is_text_turn_or_function(follow_up: object) -> None:
    turn = Turn(calls=[Call("f")], reply_after_calls=follow_up)  # type: ignore[arg-type]  # the parameter's four forms
    assert turn.after_calls(["42"]) == Turn("42 it is")


def test_nothing_follows_where_nothing_is_given() -> None:
    assert Turn(calls=[Call("f")]).after_calls(["42"]) is None


def test_a_follow_up_without_calls_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="calls is empty"):
        Turn("x", reply_after_calls="y")


def test_arguments_are_json_or_sent_verbatim() -> None:
    assert Call("f", {"city": "Málaga"}).arguments_json == '{"city": "Málaga"}'
    assert Call("f", "{ broken").arguments_json == "{ broken"
    assert Call("f").arguments_json == "{}"


def test_required_forces_some_declared_function() -> None:
    assert allowed(Turn("x"), tool_choice="required", tools=["f", "g"], parallel=True).calls == (Call("f"),)
    assert allowed(Turn("x"), tool_choice="required", tools=[], parallel=True).calls == ()


def test_forbidden_calls_leave_the_words() -> None:
    turn = Turn(calls=[Call("f")], reply_after_calls="Sunny.")
    assert allowed(turn, tool_choice="none", tools=["f"], parallel=True) == Turn("Sunny.")


def test_calls_one_by_one_still_share_their_follow_up() -> None:
    turn = Turn("Wait.", calls=[Call("a"), Call("b"), Call("c")], reply_after_calls=lambda outputs: "".join(outputs))
    names, outputs = [], iter("123")
    step: Turn | None = allowed(turn, tool_choice="auto", tools=["a", "b", "c"], parallel=False)
    while step is not None and step.calls:
        names.append(step.calls[0].name)
        step = step.after_calls([next(outputs)])
    assert names == ["a", "b", "c"]
    assert step == Turn("123")


def test_a_script_can_be_written_as_json() -> None:
    script = Script.from_json(
        """["Hello.", {"transcript": "Weather?", "calls": [{"name": "f", "arguments": {"a": 1}}],
            "reply_after_calls": {"reply": "Sunny."}}]"""
    )
    first, second = script.remaining
    assert first == Turn("Hello.")
    assert second == Turn(transcript="Weather?", calls=(Call("f", {"a": 1}),), reply_after_calls=Turn("Sunny."))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "list of turns"),
        ("[3]", "turn 1 is a int"),
        ('["a", {"replay": "b"}]', "turn 2 has the unknown field 'replay'"),
        ('[{"calls": ["f"]}]', "turn 1: calls"),
        ('[{"calls": 3}]', "turn 1: calls"),
        ('[{"reply": 3}]', "turn 1: reply is a int"),
        ('[{"calls": [{"name": "f"}], "reply_after_calls": 3}]', "turn 1, reply_after_calls is a int"),
    ],
)
def test_a_mistake_in_json_is_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Script.from_json(text)

"""Tool calls: each answered once, and one follow-up when all of a response are."""

from __future__ import annotations

import pytest
from tests.support.histories import event

from voicelive.protocol.calls import AnswerCall, CallEffect, Calls, CancelCall, FollowUp, Odd, OnBargeIn, RunCall


def said(effects: list[CallEffect]) -> list[str]:
    words = []
    for effect in effects:
        match effect:
            case RunCall(call=call):
                words.append(f"run {call.call_id}")
            case CancelCall(call_id=call_id):
                words.append(f"cancel {call_id}")
            case AnswerCall(call_id=call_id):
                words.append(f"answer {call_id}")
            case FollowUp(tools_allowed=tools_allowed):
                words.append("follow up" if tools_allowed else "follow up in words")
            case Odd(call_id=call_id, trouble=trouble):
                words.append(f"{trouble.value} {call_id}")
    return words


class Told:
    """Calls, and what they do, in short words."""

    def __init__(self, max_rounds: int = 8) -> None:
        self.calls = Calls(max_rounds)

    def hear(self, kind: str, **fields: object) -> list[str]:
        return said(self.calls.receive(event(kind, **fields)))

    def call(self, call_id: str, response_id: str = "r1", status: str = "completed") -> list[str]:
        item = {"id": f"item_{call_id}", "type": "function_call", "name": "f", "call_id": call_id, "arguments": "{}"}
        return self.hear("response.output_item.done", response_id=response_id, item={**item, "status": status})

    def arguments(self, call_id: str, name: str | None = "f") -> list[str]:
        place = {"response_id": "r1", "item_id": f"item_{call_id}", "call_id": call_id}
        return self.hear("response.function_call_arguments.done", **place, name=name, arguments="{}")

    def ends(self, response_id: str = "r1") -> list[str]:
        return self.hear("response.done", response={"id": response_id})

    def answer(self, call_id: str, *, silent: bool = False) -> list[str]:
        return said(self.calls.answer(call_id, "{}", silent=silent))


def test_a_call_runs_as_soon_as_its_arguments_are_whole() -> None:
    told = Told()

    assert told.arguments("a") == ["run a"]
    assert told.calls.owed
    assert told.call("a") == []


def test_the_added_item_tells_the_name_where_the_arguments_do_not() -> None:
    told = Told()
    item = {"id": "item_a", "type": "function_call", "name": "look", "call_id": "a", "arguments": ""}
    told.hear("response.output_item.added", response_id="r1", item=item)
    place = {"response_id": "r1", "item_id": "item_a", "call_id": "a"}
    effects = told.calls.receive(event("response.function_call_arguments.done", **place, arguments='{"x":1}'))

    assert isinstance(effects[0], RunCall)
    assert (effects[0].call.name, effects[0].call.arguments) == ("look", '{"x":1}')


def test_a_call_without_a_name_waits_for_its_finished_item() -> None:
    told = Told()

    assert told.arguments("a", name=None) == []
    assert told.call("a") == ["run a"]


def test_a_call_that_was_cut_off_is_not_run_and_not_owed() -> None:
    told = Told()

    assert told.call("a", status="incomplete") == []
    assert not told.calls.owed
    assert told.ends() == []


@pytest.mark.parametrize("order", ["abc", "cba", "bac"])
def test_parallel_calls_get_one_follow_up_after_the_last_answer(order: str) -> None:
    told = Told()
    for call_id in "abc":
        told.call(call_id)
    told.ends()

    first, second, last = list(order)
    assert told.answer(first) == [f"answer {first}"]
    assert told.answer(second) == [f"answer {second}"]
    assert told.answer(last) == [f"answer {last}", "follow up"]
    assert not told.calls.owed


def test_answers_before_the_end_of_the_response_wait_with_the_follow_up() -> None:
    told = Told()
    told.call("a")

    assert told.answer("a") == ["answer a"]
    assert told.ends() == ["follow up"]
    assert told.ends() == []


def test_calls_of_two_responses_get_a_follow_up_each() -> None:
    told = Told()
    told.call("a", "r1")
    told.ends("r1")
    told.call("b", "r2")
    told.ends("r2")

    assert told.answer("b") == ["answer b", "follow up"]
    assert told.calls.owed
    assert told.answer("a") == ["answer a", "follow up"]


def test_a_call_told_of_after_the_end_of_its_response_gets_its_follow_up() -> None:
    told = Told()
    told.ends()
    told.call("a")

    assert told.answer("a") == ["answer a", "follow up"]


def test_a_second_answer_and_an_unknown_call_are_told_and_not_sent() -> None:
    told = Told()
    told.call("a")
    told.answer("a")

    assert told.answer("a") == ["duplicate_answer a"]
    assert told.answer("x") == ["unknown_call x"]


def test_a_call_that_is_told_twice_runs_once() -> None:
    told = Told()
    told.arguments("a")

    assert told.arguments("a") == ["duplicate_call a"]
    told.answer("a")
    assert told.arguments("a") == ["duplicate_call a"]


def test_the_follow_up_names_the_outputs_that_are_not_confirmed() -> None:
    told = Told()
    told.call("a")
    told.call("b")
    told.ends()
    told.answer("a")
    told.hear("conversation.item.created", item={"id": "o", "type": "function_call_output", "call_id": "a"})

    assert told.calls.answer("b", "{}")[1] == FollowUp(tools_allowed=True, unseen=frozenset({"b"}))


# -- silence


def test_a_silent_result_needs_no_follow_up_and_any_other_does() -> None:
    told = Told()
    told.call("a")
    told.ends()
    assert told.answer("a", silent=True) == ["answer a"]

    told.call("b", "r2")
    told.call("c", "r2")
    told.ends("r2")
    told.answer("b", silent=True)
    assert told.answer("c") == ["answer c", "follow up"]


@pytest.mark.parametrize(
    ("policy", "at_once", "follow_up"),
    [("cancel", ["cancel a"], []), ("finish_silently", [], []), ("finish", [], ["follow up"])],
)
def test_barge_in_does_to_a_call_what_its_tool_says(
    policy: OnBargeIn, at_once: list[str], follow_up: list[str]
) -> None:
    told = Told()
    told.call("a")
    told.ends()

    assert said(told.calls.interrupted({"a": policy})) == at_once
    assert told.calls.owed
    assert told.answer("a") == ["answer a", *follow_up]


def test_barge_in_does_nothing_to_a_call_that_is_answered() -> None:
    told = Told()
    told.call("a")
    told.answer("a")

    assert said(told.calls.interrupted({"a": "cancel", "unknown": "cancel"})) == []


# -- by hand


def test_an_output_that_the_application_sends_stops_the_tool_and_asks_for_nothing() -> None:
    told = Told()
    told.call("a")
    told.ends()

    assert said(told.calls.answered_elsewhere("a")) == ["cancel a"]
    assert not told.calls.owed
    assert said(told.calls.answered_elsewhere("a")) == []
    assert said(told.calls.answered_elsewhere("unknown")) == []


def test_a_disowned_call_is_not_owed() -> None:
    told = Told()
    told.call("a")
    told.calls.disown("a")

    assert not told.calls.owed
    assert told.answer("a") == ["duplicate_answer a"]
    assert told.ends() == []


def test_the_application_that_answers_one_call_asks_for_the_response_to_all() -> None:
    told = Told()
    told.call("mine")
    told.call("tool")
    told.calls.disown("mine")
    told.ends()

    assert told.answer("tool") == ["answer tool"]


# -- rounds


def play_round(told: Told, number: int) -> list[str]:
    response_id = f"r{number}"
    began = told.call(f"c{number}", response_id)
    ended = told.ends(response_id)
    return [*began, *ended, *(told.answer(f"c{number}") if began[0].startswith("run") else [])]


def test_a_loop_of_tools_is_cut_off_and_the_model_must_speak() -> None:
    told = Told(max_rounds=2)

    assert play_round(told, 1) == ["run c1", "answer c1", "follow up"]
    assert play_round(told, 2) == ["run c2", "answer c2", "follow up"]
    assert play_round(told, 3) == ["too_many_rounds c3", "answer c3", "follow up in words"]
    assert play_round(told, 4) == ["too_many_rounds c4", "answer c4"]


@pytest.mark.parametrize("by", ["caller", "application"])
def test_rounds_count_anew_with_the_next_turn(by: str) -> None:
    told = Told(max_rounds=1)
    play_round(told, 1)
    if by == "caller":
        told.hear("input_audio_buffer.committed", item_id="i")
    else:
        told.calls.new_turn()

    assert play_round(told, 2) == ["run c2", "answer c2", "follow up"]


def test_arguments_and_outputs_stay_out_of_reprs() -> None:
    told = Told()
    given = event("response.function_call_arguments.done", response_id="r", call_id="a", name="f", arguments="secret")

    assert "secret" not in repr(told.calls.receive(given))
    assert "secret" not in repr(told.calls.answer("a", "secret"))


# -- a lost connection


def test_a_call_of_a_response_whose_end_never_comes_is_answered_and_spoken_about() -> None:
    told = Told()
    told.call("a")

    began, effects = told.calls.connection_lost()

    assert began == {"r1"}
    assert said(effects) == []
    assert told.calls.owed_ids == {"a"}
    assert told.answer("a") == ["answer a", "follow up"]


def test_where_all_calls_are_answered_already_the_loss_itself_asks_for_the_follow_up() -> None:
    told = Told()
    told.call("a")
    told.answer("a")

    _, effects = told.calls.connection_lost()

    (follow_up,) = effects
    assert follow_up == FollowUp(tools_allowed=True)
    assert not told.calls.owed


def test_responses_that_ended_before_the_loss_are_none_that_it_broke_off() -> None:
    told = Told()
    told.call("a")
    told.ends()

    assert told.calls.connection_lost() == (frozenset(), [])
    assert told.calls.begun_ids == {"a"}


def test_arguments_that_were_not_whole_are_forgotten() -> None:
    told = Told()
    item = {"id": "i", "type": "function_call", "name": "f", "call_id": "a", "arguments": "", "status": "in_progress"}
    told.hear("response.output_item.added", response_id="r1", item=item)

    assert told.calls.connection_lost() == (frozenset(), [])
    assert told.arguments("a", name=None) == [], "nobody knows its name any more"

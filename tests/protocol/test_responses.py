"""One response at a time: when a wish is asked for, what it waits for, and which response is its own."""

from __future__ import annotations

import pytest
from tests.support.histories import event

from voicelive.protocol.responses import Again, Ask, Began, Ended, Gate, GateEffect, Kind, Rejected, Wish, tagged
from voicelive.wire.responses import ResponseCreateParams
from voicelive.wire.server.session import ServerEventErrorDetails

PLAIN = ResponseCreateParams()
BESIDE = ResponseCreateParams(conversation="none")
ACTIVE = ServerEventErrorDetails(type="invalid_request_error", code="conversation_already_has_active_response")
INVALID = ServerEventErrorDetails(type="invalid_request_error", code="invalid_value")


class Told:
    """A gate under one set of circumstances, and what it does, in short words."""

    def __init__(self, *, answers: bool = True) -> None:
        self.gate = Gate()
        self.answers = answers
        self.owed = False
        self.now = 0.0

    def wish(self, name: str, params: ResponseCreateParams | None = None, kind: Kind = Kind.ANSWER) -> list[str]:
        return said(self.gate.wish(Wish(name, params, kind=kind), self.now, owed=self.owed))

    def follow_up(self, name: str, *unseen: str) -> list[str]:
        wish = Wish(name, kind=Kind.FOLLOW_UP, unseen=frozenset(unseen))
        return said(self.gate.wish(wish, self.now, owed=self.owed))

    def hear(self, kind: str, **fields: object) -> list[str]:
        given = event(kind, **fields)
        return said(self.gate.receive(given, self.now, answers=self.answers, owed=self.owed))

    def begins(self, response_id: str, tag: str | None = None, **fields: object) -> list[str]:
        metadata = {"metadata": {"voicelive": tag}} if tag is not None else {}
        return self.hear("response.created", response={"id": response_id, **metadata, **fields})

    def ends(self, response_id: str) -> list[str]:
        return self.hear("response.done", response={"id": response_id})

    def refuses(self, name: str, error: ServerEventErrorDetails = ACTIVE) -> list[str]:
        return said(self.gate.refused(name, error, self.now, owed=self.owed))

    def pump(self, now: float | None = None) -> list[str]:
        self.now = self.now if now is None else now
        return said(self.gate.pump(self.now, owed=self.owed))


def said(effects: list[GateEffect]) -> list[str]:
    words = []
    for effect in effects:
        match effect:
            case Ask(wish=wish):
                words.append(f"ask {wish.id}")
            case Began(response=response, wishes=wishes):
                words.append(" ".join(["began", str(response.id), *wishes]))
            case Ended(response=response):
                words.append(f"ended {response.id}")
            case Rejected(wishes=wishes):
                words.append(" ".join(["rejected", *wishes]))
    return words


# -- one at a time


def test_a_wish_is_asked_for_at_once_when_nothing_stands_in_its_way() -> None:
    assert Told().wish("a") == ["ask a"]


def test_a_wish_waits_for_the_active_response() -> None:
    told = Told()
    told.begins("r1")

    assert told.wish("a") == []
    assert told.ends("r1") == ["ended r1", "ask a"]


def test_a_wish_waits_for_one_that_was_asked_for() -> None:
    told = Told()
    told.wish("a")

    assert told.wish("b") == []
    assert told.begins("r1", "a") == ["began r1 a"]
    assert told.ends("r1") == ["ended r1", "ask b"]


def test_the_end_of_another_response_frees_nothing() -> None:
    told = Told()
    told.begins("r1")
    told.begins("r2")
    told.wish("a")

    assert told.ends("r1") == ["ended r1"]
    assert told.ends("r2") == ["ended r2", "ask a"]


def test_a_response_that_never_ends_is_over_when_the_next_one_is() -> None:
    told = Told()
    told.begins("lost")
    told.wish("a")
    told.begins("r2")

    assert told.ends("r2") == ["ended r2", "ask a"]


def test_a_response_that_is_told_twice_is_one() -> None:
    told = Told()
    told.wish("a")
    told.begins("r1")
    told.ends("other")
    told.wish("b")

    assert told.begins("r1") == []


def test_a_wish_that_replaces_cuts_the_active_response_off() -> None:
    told = Told()
    told.begins("r1")
    told.wish("later", PLAIN)

    assert told.wish("now", ResponseCreateParams(cancel_previous=True)) == ["ask now"]
    assert told.begins("r2", "now") == ["began r2 now"]
    assert told.ends("r1") == ["ended r1"]
    assert told.ends("r2") == ["ended r2", "ask later"]


def test_a_request_that_is_never_answered_is_given_up_after_30_s() -> None:
    told = Told()
    told.wish("a")
    told.wish("b")

    assert told.gate.due_at() == 30.0
    assert told.pump(29.9) == []
    assert told.pump(30.0) == ["rejected a", "ask b"]


# -- owed results


def test_a_wish_waits_for_owed_results_and_say_does_not() -> None:
    told = Told()
    told.owed = True

    assert told.wish("a", PLAIN) == []
    assert told.wish("say", PLAIN, Kind.SAY) == ["ask say"]
    told.begins("r1", "say")
    told.ends("r1")
    told.owed = False
    assert told.pump() == ["ask a"]


def test_say_waits_for_the_active_response() -> None:
    told = Told()
    told.begins("r1")

    assert told.wish("say", PLAIN, Kind.SAY) == []
    assert told.ends("r1") == ["ended r1", "ask say"]


# -- joining and order


def test_plain_wishes_are_joined_and_all_begin_with_one_response() -> None:
    told = Told()
    told.begins("r1")
    for name in ("a", "b", "c"):
        told.wish(name)

    assert told.ends("r1") == ["ended r1", "ask a"]
    assert told.begins("r2", "a") == ["began r2 a b c"]
    assert told.ends("r2") == ["ended r2"]


def test_wishes_with_settings_keep_their_order() -> None:
    told = Told()
    told.begins("r0")
    told.wish("a", PLAIN)
    told.wish("b")
    told.wish("c", PLAIN)
    asked = []
    for number in range(3):
        asked += told.ends(f"r{number}")
        told.begins(f"r{number + 1}")

    assert asked == ["ended r0", "ask a", "ended r1", "ask b", "ended r2", "ask c"]


@pytest.mark.parametrize(("gone", "left"), [("a", ["b", "c"]), ("b", ["a", "c"]), ("c", ["a", "b"])])
def test_a_joined_wish_can_be_taken_back(gone: str, left: list[str]) -> None:
    told = Told()
    told.begins("r1")
    for name in ("a", "b", "c"):
        told.wish(name)

    assert told.gate.withdraw(gone)
    assert told.ends("r1") == ["ended r1", f"ask {left[0]}"]
    assert told.begins("r2", left[0]) == ["began r2 " + " ".join(left)]


def test_a_wish_that_is_taken_back_is_not_asked_for() -> None:
    told = Told()
    told.begins("r1")
    told.wish("a")

    assert told.gate.withdraw("a")
    assert told.ends("r1") == ["ended r1"]
    assert told.gate.idle


def test_what_was_sent_cannot_be_taken_back_but_is_not_asked_for_again() -> None:
    told = Told()
    told.wish("a")

    assert not told.gate.withdraw("a")
    told.begins("auto", metadata={"voicelive": "unknown"})
    assert told.refuses("a") == []
    assert told.ends("auto") == ["ended auto"]


def test_taking_an_answer_back_leaves_a_joined_follow_up_what_it_is() -> None:
    told = Told()
    told.begins("r1")
    told.wish("answer")
    told.follow_up("follow")
    told.gate.withdraw("answer")

    assert told.gate.follow_up_pending
    assert told.begins("auto") == ["began auto follow"]


# -- the answer of turn detection


def test_speech_reserves_the_next_response_for_its_answer() -> None:
    told = Told()
    told.hear("input_audio_buffer.speech_started")

    assert told.wish("a") == []
    assert told.begins("auto") == ["began auto"]
    assert told.ends("auto") == ["ended auto", "ask a"]


def test_speech_reserves_nothing_where_turn_detection_does_not_answer() -> None:
    told = Told(answers=False)
    told.hear("input_audio_buffer.speech_started")
    told.hear("input_audio_buffer.committed", item_id="i")

    assert told.wish("a") == ["ask a"]


def test_a_commit_without_speech_reserves_nothing() -> None:
    told = Told()
    told.hear("input_audio_buffer.committed", item_id="i")

    assert told.wish("a") == ["ask a"]


def test_the_reservation_ends_5_s_after_the_commit() -> None:
    told = Told()
    told.hear("input_audio_buffer.speech_started")
    told.now = 2.0
    told.hear("input_audio_buffer.committed", item_id="i")
    told.wish("a")

    assert told.gate.due_at() == 7.0
    assert told.pump(6.99) == []
    assert told.pump(7.0) == ["ask a"]


def test_the_reservation_ends_30_s_after_the_last_speech() -> None:
    told = Told()
    told.hear("input_audio_buffer.speech_started")
    told.now = 4.0
    told.hear("input_audio_buffer.speech_started")
    told.wish("a")

    assert told.gate.due_at() == 34.0
    assert told.pump(33.99) == []
    assert told.pump(34.0) == ["ask a"]


def test_the_reservation_ends_when_the_audio_is_cleared() -> None:
    told = Told()
    told.hear("input_audio_buffer.speech_started")
    told.wish("a")

    assert told.hear("input_audio_buffer.cleared") == ["ask a"]


def test_the_reservation_runs_out_though_nobody_waits() -> None:
    told = Told()
    told.hear("input_audio_buffer.speech_started")

    assert told.gate.due_at() == 30.0
    told.pump(30.0)
    assert told.gate.idle


def test_a_response_of_ours_that_was_on_its_way_is_not_the_answer_to_the_caller() -> None:
    told = Told()
    told.wish("a")
    told.hear("input_audio_buffer.speech_started")
    told.wish("b")

    assert told.begins("r1", "a") == ["began r1 a"]
    assert told.ends("r1") == ["ended r1"]
    assert told.begins("auto") == ["began auto"]
    assert told.ends("auto") == ["ended auto", "ask b"]


# -- whose response it is


def test_the_tag_in_the_metadata_tells_ours_from_an_automatic_one() -> None:
    told = Told()
    told.wish("a")
    told.begins("r1", "a")
    told.ends("r1")
    told.wish("b")

    assert told.begins("auto") == ["began auto"]
    assert told.refuses("b") == []
    assert told.ends("auto") == ["ended auto", "ask b"]
    assert told.begins("r2", "b") == ["began r2 b"]


def test_where_tags_do_not_come_back_order_decides() -> None:
    told = Told()
    told.wish("a")

    assert told.begins("r1") == ["began r1 a"]


def test_order_decides_for_a_wish_whose_metadata_have_no_room_for_a_tag() -> None:
    told = Told()
    told.wish("a")
    told.begins("r1", "a")
    told.ends("r1")
    told.wish("full", ResponseCreateParams(metadata={str(number): "x" for number in range(16)}))

    assert told.begins("r2") == ["began r2 full"]
    assert told.ends("r2") == ["ended r2"]
    assert told.gate.idle


def test_a_wish_that_order_gave_an_automatic_response_is_asked_for_again_when_it_is_refused() -> None:
    told = Told()
    told.wish("say", PLAIN, Kind.SAY)

    assert told.begins("auto") == ["began auto say"]
    assert told.refuses("say") == []
    assert told.ends("auto") == ["ended auto", "ask say"]
    assert told.begins("r2") == ["began r2 say"]


def test_the_tag_joins_the_metadata_of_the_application() -> None:
    mine = ResponseCreateParams(metadata={"caller": "7"}, temperature=0.7)

    assert tagged(Wish("a", mine)).metadata == {"caller": "7", "voicelive": "a"}
    assert tagged(Wish("a", mine)).temperature == 0.7
    assert mine.metadata == {"caller": "7"}


# -- out of band


@pytest.mark.parametrize("obstacle", ["active", "reserved", "owed", "sent"])
def test_an_out_of_band_wish_waits_for_nothing_and_holds_nothing_up(obstacle: str) -> None:
    told = Told()
    told.owed = obstacle == "owed"
    match obstacle:
        case "active":
            told.begins("r0")
        case "reserved":
            told.hear("input_audio_buffer.speech_started")
        case "sent":
            told.wish("a")

    assert told.wish("beside", BESIDE) == ["ask beside"]
    assert told.begins("b1", "beside") == ["began b1 beside"]
    assert told.gate.is_beside("b1")
    assert told.gate.active_id == ("r0" if obstacle == "active" else None)
    assert told.gate.reserved == (obstacle == "reserved")
    told.owed = False
    assert told.ends("b1") == ["ended b1"]
    assert not told.gate.is_beside("b1")


def test_a_running_out_of_band_response_does_not_hold_a_wish_up() -> None:
    told = Told()
    told.wish("beside", BESIDE)
    told.begins("b1", "beside")

    assert told.wish("a") == ["ask a"]
    assert told.begins("b1", "beside") == []


def test_without_tags_a_response_outside_the_conversation_is_the_out_of_band_one() -> None:
    told = Told()
    told.wish("a")
    told.wish("beside", BESIDE)

    assert told.begins("b1", conversation_id=None) == ["began b1 beside"]
    assert told.begins("r1", conversation_id="conv") == ["began r1 a"]


def test_without_tags_and_conversations_the_order_of_sending_decides() -> None:
    told = Told()
    told.wish("beside", BESIDE)
    told.wish("a")

    assert told.begins("b1") == ["began b1 beside"]
    assert told.begins("r1") == ["began r1 a"]


def test_where_tags_come_back_an_untagged_response_is_automatic_whatever_its_conversation() -> None:
    told = Told()
    told.wish("a")
    told.begins("r1", "a")
    told.ends("r1")
    told.wish("beside", BESIDE)

    assert told.begins("auto", conversation_id=None) == ["began auto"]
    assert told.begins("b1", "beside", conversation_id=None) == ["began b1 beside"]


def test_a_refused_out_of_band_wish_is_rejected_alone() -> None:
    told = Told()
    told.wish("a")
    told.wish("beside", BESIDE)

    assert told.refuses("beside", INVALID) == ["rejected beside"]
    assert told.begins("r1") == ["began r1 a"]


# -- refusals


def test_another_refusal_rejects_all_that_were_joined_and_lets_the_next_one_go() -> None:
    told = Told()
    told.begins("r0")
    told.wish("a")
    told.wish("b")
    told.wish("c", PLAIN)
    told.ends("r0")

    assert told.refuses("a", INVALID) == ["rejected a b", "ask c"]


def test_a_refusal_that_names_another_request_moves_nothing() -> None:
    told = Told()
    told.wish("a")

    assert told.refuses("somebody") == []
    assert told.refuses("", INVALID) == []
    assert told.begins("r1", "a") == ["began r1 a"]


def test_the_code_alone_tells_a_refusal_that_names_no_request() -> None:
    told = Told()
    told.wish("a")

    assert told.refuses("") == []
    assert told.begins("auto", "tag of another client") == ["began auto"]
    assert told.ends("auto") == ["ended auto", "ask a"]


def test_a_wish_refused_for_a_response_that_nothing_tells_of_is_tried_again_after_5_s() -> None:
    told = Told()
    told.wish("a")
    told.now = 1.0

    assert told.refuses("a") == []
    assert told.gate.due_at() == 6.0
    assert told.pump(5.99) == []
    assert told.pump(6.0) == ["ask a"]


def test_a_wish_refused_comes_before_those_that_waited_and_joins_plain_ones() -> None:
    told = Told()
    told.wish("a")
    told.wish("b", PLAIN)
    told.wish("c")
    told.begins("auto", "tag of another client")
    told.refuses("a")

    assert told.ends("auto") == ["ended auto", "ask a"]
    assert told.begins("r1", "a") == ["began r1 a c"]
    assert told.ends("r1") == ["ended r1", "ask b"]


# -- follow-ups


def test_an_automatic_response_that_sees_the_results_is_the_follow_up() -> None:
    told = Told()
    told.hear("input_audio_buffer.speech_started")
    told.follow_up("follow", "call_1")
    told.hear("conversation.item.created", item={"id": "o", "type": "function_call_output", "call_id": "call_1"})

    assert told.begins("auto") == ["began auto follow"]
    assert told.ends("auto") == ["ended auto"]


def test_an_automatic_response_that_began_before_the_outputs_arrived_is_not_the_follow_up() -> None:
    told = Told()
    told.hear("input_audio_buffer.speech_started")
    told.follow_up("follow", "call_1")

    assert told.begins("auto") == ["began auto"]
    assert told.gate.follow_up_pending
    assert told.ends("auto") == ["ended auto", "ask follow"]


def test_an_automatic_response_does_not_answer_a_wish_of_the_application() -> None:
    told = Told()
    told.hear("input_audio_buffer.speech_started")
    told.follow_up("follow")
    told.wish("answer")

    assert told.begins("auto") == ["began auto"]
    assert told.ends("auto") == ["ended auto", "ask follow"]


def test_a_follow_up_that_loses_the_race_to_an_automatic_response_which_sees_the_results_is_over() -> None:
    told = Told()
    told.follow_up("follow")

    assert told.begins("auto", "tag of another client") == ["began auto"]
    assert told.refuses("follow") == ["began auto follow"]
    assert told.ends("auto") == ["ended auto"]
    assert not told.gate.follow_up_pending


# -- one connection after another


def lose(told: Told, *, answered: frozenset[str] = frozenset(), known: bool = True) -> tuple[bool, list[str]]:
    again, effects = told.gate.hold(answered_otherwise=answered, question_known=known, answer_id="automatic")
    return again, [
        f"again {effect.response_id} {' '.join(effect.wishes)}" for effect in effects if isinstance(effect, Again)
    ]


def resume(told: Told) -> list[str]:
    return said(told.gate.resume(told.now, owed=told.owed))


def test_without_a_connection_nothing_is_asked_for() -> None:
    told = Told()
    lose(told)

    assert told.wish("a") == []
    assert told.wish("b", BESIDE) == []
    assert told.pump(1000) == []
    assert resume(told) == ["ask b", "ask a"]


def test_a_running_response_of_ours_is_asked_for_again() -> None:
    told = Told()
    told.wish("a")
    told.begins("r1", "a")
    told.wish("b", PLAIN)

    assert lose(told) == (True, ["again r1 a"])
    assert resume(told) == ["ask a"]
    assert told.begins("r2", "a") == ["began r2 a"]
    assert told.ends("r2") == ["ended r2", "ask b"]


def test_one_that_had_not_begun_is_asked_for_again() -> None:
    told = Told()
    told.wish("a")

    assert lose(told) == (False, [])
    assert resume(told) == ["ask a"]


def test_an_answer_that_the_service_gave_by_itself_is_asked_for_in_its_place() -> None:
    told = Told()
    told.begins("r1")

    assert lose(told) == (True, [])
    assert resume(told) == ["ask automatic"]


def test_an_answer_that_was_about_to_begin_is_asked_for_in_its_place() -> None:
    told = Told()
    told.hear("input_audio_buffer.speech_started")
    told.hear("input_audio_buffer.committed")

    assert lose(told) == (True, [])
    assert resume(told) == ["ask automatic"]


@pytest.mark.parametrize("step", ["input_audio_buffer.speech_started", "input_audio_buffer.cleared"])
def test_a_turn_that_was_not_committed_is_owed_no_answer(step: str) -> None:
    told = Told()
    told.hear("input_audio_buffer.speech_started")
    told.hear(step)

    assert lose(told) == (False, [])
    assert resume(told) == []
    assert told.gate.idle


def test_an_answer_to_a_question_that_nobody_knows_is_not_asked_for() -> None:
    told = Told()
    told.begins("r1")

    assert lose(told, known=False) == (False, [])
    assert resume(told) == []


def test_a_cancelled_response_and_one_whose_calls_are_answered_are_not_asked_for_again() -> None:
    for cancelled in (True, False):
        told = Told()
        told.wish("a")
        told.begins("r1", "a")
        if cancelled:
            told.gate.cancelled(None)

        assert lose(told, answered=frozenset() if cancelled else frozenset({"r1"})) == (False, [])
        assert resume(told) == []


def test_cancelling_another_response_changes_nothing() -> None:
    told = Told()
    told.begins("r1")
    told.gate.cancelled("r7")

    assert lose(told)[0]


def test_responses_beside_the_conversation_are_asked_for_again_too() -> None:
    told = Told()
    told.wish("a", BESIDE)
    told.begins("r1", "a")
    told.wish("b", BESIDE)

    assert lose(told) == (False, ["again r1 a"])
    assert sorted(resume(told)) == ["ask a", "ask b"]


def test_a_reservation_ends_with_its_connection() -> None:
    told = Told()
    told.hear("input_audio_buffer.speech_started")
    told.wish("a")

    lose(told)

    assert resume(told) == ["ask a"]


def test_a_wish_that_was_taken_back_is_not_asked_for_again() -> None:
    told = Told()
    told.wish("a")
    told.gate.withdraw("a")

    lose(told)

    assert resume(told) == []


# -- the last responses of a call


def test_after_the_end_was_decided_only_the_last_wishes_are_asked_for() -> None:
    told = Told()
    told.begins("r1")
    told.wish("a", ResponseCreateParams(instructions="a"))
    told.wish("bye", ResponseCreateParams(instructions="bye"), Kind.SAY)

    assert said(told.gate.stop(frozenset({"bye"}))) == ["rejected a"]
    assert told.wish("late") == ["rejected late"]
    assert told.wish("beside", BESIDE) == ["rejected beside"]
    assert told.follow_up("results") == ["rejected results"]
    assert told.ends("r1") == ["ended r1", "ask bye"]
    told.begins("r2", "bye")
    told.ends("r2")
    assert told.gate.idle


def test_after_the_end_was_decided_speech_reserves_nothing() -> None:
    told = Told()
    told.hear("input_audio_buffer.speech_started", item_id="i1", audio_start_ms=0)

    told.gate.stop(frozenset())
    told.hear("input_audio_buffer.speech_started", item_id="i2", audio_start_ms=0)

    assert told.gate.idle


def test_what_raced_with_another_response_is_not_asked_for_again_after_the_end_was_decided() -> None:
    told = Told()
    told.wish("a")
    told.gate.stop(frozenset())

    told.begins("r1")
    told.refuses("a")

    assert told.ends("r1") == ["ended r1"]
    assert told.gate.idle


def test_what_waited_for_a_connection_as_the_end_was_decided_is_refused() -> None:
    told = Told()
    told.gate.hold(answered_otherwise=frozenset(), question_known=False, answer_id="again")
    told.wish("a")
    told.wish("beside", BESIDE)

    assert said(told.gate.stop(frozenset())) == ["rejected a", "rejected beside"]
    assert said(told.gate.resume(0.0, owed=False)) == []

"""Tools and responses of a WebRTC call, of which this socket may hear nothing but the calls themselves."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.histories import event

from voicelive.protocol.calls import AnswerCall, CallEffect, Calls, FollowUp, RunCall
from voicelive.protocol.core import SessionProtocol
from voicelive.protocol.effects import Effect, Send
from voicelive.protocol.ledger import Refused
from voicelive.protocol.mcp import AskApproval
from voicelive.protocol.responses import Ask, Rejected
from voicelive.wire.client_events import OutputAudioBufferClear, RtcCallSdpCreate
from voicelive.wire.server.session import ServerEventErrorDetails


class Told:
    """A sideband's protocol, and what it does, in short words."""

    def __init__(self, *, max_tool_rounds: int = 8) -> None:
        self.protocol = SessionProtocol(max_tool_rounds=max_tool_rounds, sideband=True)
        self.now = 100.0
        detection = {"type": "server_vad", "create_response": True}
        self.hear("session.created", session={"id": "sess_1", "turn_detection": detection})

    def hear(self, kind: str, *, forwarded: bool = False, **fields: Any) -> list[str]:
        return said(self.protocol.receive(event(kind, **fields), self.now, forwarded=forwarded))

    def page(self, kind: str, **fields: Any) -> list[str]:
        return self.hear(kind, forwarded=True, **fields)

    def arguments(self, call_id: str, response_id: str = "r1", name: str | None = "f") -> list[str]:
        named: dict[str, Any] = {} if name is None else {"name": name}
        place: dict[str, Any] = {"response_id": response_id, "item_id": f"item_{call_id}", "call_id": call_id}
        return self.hear("response.function_call_arguments.done", **place, **named, arguments="{}")

    def answer(self, call_id: str) -> list[str]:
        return said(self.protocol.answer(call_id, "{}", self.now))

    def wait(self, seconds: float) -> list[str]:
        words, ends_at = [], self.now + seconds
        while (due_at := self.protocol.due_at(self.now)) is not None and due_at <= ends_at:
            self.now = max(self.now, due_at)
            words += said(self.protocol.tick(self.now))
        self.now = ends_at
        return words

    def refuse(self, request: str) -> list[str]:
        error = {"type": "invalid_request_error", "code": "conversation_already_has_active_response"}
        return self.hear("error", error={**error, "message": "", "event_id": request})


def said(effects: tuple[Effect, ...]) -> list[str]:
    words = []
    for effect in effects:
        match effect:
            case RunCall(call=call):
                words.append(f"run {call.name} {call.call_id} {call.arguments}")
            case AnswerCall(call_id=call_id):
                words.append(f"answer {call_id}")
            case Ask(wish=wish):
                words.append(f"ask {wish.id}")
            case Rejected():
                words.append("rejected")
            case Send(event=sent):
                words.append(sent.type)
    return words


ASK_1, ASK_2 = "ask voicelive_response_1", "ask voicelive_response_2"


def test_where_nothing_is_forwarded_a_call_is_answered_and_one_response_is_asked_for() -> None:
    told = Told()
    assert told.arguments("c1") == ["run f c1 {}"]
    assert told.answer("c1") == ["answer c1"]
    assert told.wait(60) == [ASK_1]


def test_calls_of_one_untold_response_are_spoken_about_together() -> None:
    told = Told()
    told.arguments("c1")
    told.answer("c1")
    told.wait(0.2)
    assert told.arguments("c2") == ["run f c2 {}"]
    assert not told.wait(20), "the second call is owed"
    assert told.answer("c2") == ["answer c2"]
    assert told.wait(60) == [ASK_1]


def test_a_refusal_for_a_response_that_nobody_told_of_is_tried_again_soon() -> None:
    told = Told()
    told.arguments("c1")
    told.answer("c1")
    assert told.wait(0.5) == [ASK_1]
    assert not told.refuse("voicelive_response_1")
    assert told.wait(1.5) == [ASK_1]


def test_the_next_round_does_not_wait_for_a_beginning_that_nobody_tells_of() -> None:
    told = Told()
    told.arguments("c1")
    told.answer("c1")
    assert told.wait(2) == [ASK_1], "and not rejected as unanswered"
    told.arguments("c2", "r2")
    told.answer("c2")
    assert told.wait(2) == [ASK_2]


def test_rounds_are_not_limited_where_no_turn_is_told_of() -> None:
    told = Told(max_tool_rounds=1)
    for number in range(4):
        assert told.arguments(f"c{number}", f"r{number}") == [f"run f c{number} {{}}"]
        told.answer(f"c{number}")
        assert told.wait(2)


def test_rounds_are_limited_within_a_turn_that_was_told_of() -> None:
    told = Told(max_tool_rounds=1)
    told.page("input_audio_buffer.speech_started", item_id="item_1", audio_start_ms=0)
    for number in range(2):
        told.arguments(f"c{number}", f"r{number}")
        told.answer(f"c{number}")
        told.wait(2)
    assert told.arguments("c9", "r9") == ["answer c9"], "too many rounds"
    told.page("input_audio_buffer.speech_started", item_id="item_2", audio_start_ms=0)
    assert told.arguments("c10", "r10") == ["run f c10 {}"]


def test_where_the_page_forwards_all_is_as_in_any_session() -> None:
    told = Told()
    told.page("response.created", response={"id": "r1"})
    told.arguments("c1")
    assert told.answer("c1") == ["answer c1"]
    assert not told.wait(20), "the response still runs"
    assert told.page("response.done", response={"id": "r1"}) == [ASK_1]
    told.page("response.created", response={"id": "r2", "metadata": {"voicelive": "voicelive_response_1"}})
    assert not told.wait(60)


def test_a_beginning_that_the_page_tells_late_still_counts() -> None:
    told = Told()
    told.arguments("c1")
    told.page("response.created", response={"id": "r1"})
    assert told.answer("c1") == ["answer c1"]
    assert not told.wait(20)
    assert told.page("response.done", response={"id": "r1"}) == [ASK_1]


def test_speech_reserves_nothing_before_a_response_was_told_of() -> None:
    told = Told()
    told.page("input_audio_buffer.speech_started", item_id="item_1", audio_start_ms=0)
    told.arguments("c1")
    told.answer("c1")
    assert told.wait(2) == [ASK_1]


def call_item(name: str = "forged") -> dict[str, str]:
    return {"id": "item_c1", "type": "function_call", "call_id": "c1", "name": name, "arguments": '{"all":true}'}


def test_a_page_cannot_have_a_function_run() -> None:
    told = Told()
    assert not told.page("response.output_item.done", response_id="r1", item=call_item())
    assert told.arguments("c1") == ["run f c1 {}"], "the socket's own name and arguments count"


@pytest.mark.parametrize("kind", ["response.output_item.added", "response.output_item.done"])
@pytest.mark.parametrize("first", [True, False])
def test_a_page_may_tell_the_name_of_a_call_that_has_none(kind: str, first: bool) -> None:
    told = Told()
    words: list[str] = []
    for by_page in (first, not first):
        words += told.page(kind, response_id="r1", item=call_item("g")) if by_page else told.arguments("c1", name=None)
    assert words == ["run g c1 {}"]


def test_a_page_asks_for_no_approval() -> None:
    told = Told()
    item = {"id": "a1", "type": "mcp_approval_request", "server_label": "s", "name": "f", "arguments": "{}"}
    effects = told.protocol.receive(event("conversation.item.created", item=item), told.now)
    assert [effect for effect in effects if isinstance(effect, AskApproval)]
    forwarded = Told().protocol.receive(event("conversation.item.created", item=item), 1.0, forwarded=True)
    assert not [effect for effect in forwarded if isinstance(effect, AskApproval)]


def test_an_interruption_silences_the_service_and_a_barge_in_leaves_that_to_it() -> None:
    told = Told()
    assert Send(OutputAudioBufferClear()) in told.protocol.flush(told.now)
    assert not told.page("input_audio_buffer.speech_started", item_id="item_1", audio_start_ms=0)


@pytest.mark.parametrize("kind", ["rtc.call.error", "error"])
@pytest.mark.parametrize("named", [True, False])
def test_an_error_before_the_answer_refuses_the_call(kind: str, named: bool) -> None:
    told = Told()
    ledger = told.protocol.ledger
    ledger.enter("e1", RtcCallSdpCreate(sdp_offer="v=0"), "rtc.call.sdp.create")
    ledger.written("e1", told.now)
    error: dict[str, Any] = {"type": "invalid_request_error", "code": "missing_sdp", "message": "SDP offer is required"}
    if kind == "error":
        error["event_id"] = "e1" if named else None
    top = {"operation": "rtc.call.sdp.create", "rtc_call_id": "call_1"} if named and kind != "error" else {}

    (refused,) = told.protocol.receive(event(kind, error=error, **top), told.now)

    assert isinstance(refused, Refused)
    assert (refused.request_id, refused.error.code) == ("e1", "missing_sdp")
    assert isinstance(refused.error, ServerEventErrorDetails)
    assert not told.protocol.receive(event(kind, error=error, **top), told.now), "nothing is open any more"


def test_an_item_told_after_its_call_began_changes_nothing() -> None:
    told = Told()
    told.arguments("c1")
    for kind in ("response.output_item.added", "response.output_item.done"):
        assert not told.page(kind, response_id="r1", item=call_item())
    assert told.answer("c1") == ["answer c1"]
    assert told.wait(60) == [ASK_1]


def heard(calls: Calls, kind: str, **fields: Any) -> list[CallEffect]:
    return calls.receive(event(kind, **fields))


def arguments(calls: Calls, call_id: str) -> None:
    place = {"response_id": "r1", "item_id": f"item_{call_id}", "call_id": call_id}
    heard(calls, "response.function_call_arguments.done", **place, name="f", arguments="{}")


def test_a_late_beginning_makes_its_calls_wait_for_the_end() -> None:
    calls = Calls(sideband=True)
    arguments(calls, "c1")
    heard(calls, "response.created", response={"id": "r1"})
    assert calls.answer("c1", "{}") == [AnswerCall("c1", "{}")]
    assert heard(calls, "response.done", response={"id": "r1"}) == [FollowUp(True, frozenset({"c1"}))]


def test_further_calls_of_one_untold_response_are_of_one_round() -> None:
    calls = Calls(max_rounds=1, sideband=True)
    heard(calls, "input_audio_buffer.speech_started", item_id="item_1", audio_start_ms=0)
    for call_id in ("c1", "c2"):
        arguments(calls, call_id)
        follow_ups = [effect for effect in calls.answer(call_id, "{}") if isinstance(effect, FollowUp)]
        assert [follow_up.tools_allowed for follow_up in follow_ups] == [True]

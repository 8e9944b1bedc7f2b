"""One way in for everything the service says and everything the application wants."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.support.histories import begins, calls, ends, event, says, spoken, typed

from voicelive.events import BargeIn, ToolTrouble, TruncationRefused, TurnFinished
from voicelive.protocol.calls import AnswerCall, CancelCall, RunCall
from voicelive.protocol.connection import Phase
from voicelive.protocol.core import SessionProtocol
from voicelive.protocol.effects import Effect, Flushed, Send, Tell
from voicelive.protocol.ledger import Confirmed, Refused
from voicelive.protocol.responses import Ask, Began, Ended, Kind
from voicelive.wire.client_events import (
    ConversationItemCreate,
    ConversationItemTruncate,
    OutputAudioBufferClear,
    SessionUpdate,
)
from voicelive.wire.codec import decode
from voicelive.wire.items import FunctionCallOutputItem
from voicelive.wire.server.response import ResponseAudioDelta
from voicelive.wire.server.session import ErrorEvent, ServerEventErrorDetails, SessionCreated, SessionUpdated
from voicelive.wire.server_events import ServerEvent
from voicelive.wire.session import SessionConfig, SessionResource


def feed(protocol: SessionProtocol, *events: ServerEvent | list[ServerEvent], now: float = 0.0) -> list[Effect]:
    """Everything that must happen for these events."""
    effects: list[Effect] = []
    for one in events:
        for given_event in one if isinstance(one, list) else [one]:
            effects += protocol.receive(given_event, now)
    return effects


def ask(protocol: SessionProtocol, request_id: str, request: SessionUpdate) -> None:
    protocol.ledger.enter(request_id, request, request.type)
    protocol.ledger.written(request_id, 0.0)


def told(effects: list[Effect] | tuple[Effect, ...]) -> list[object]:
    return [effect.event for effect in effects if isinstance(effect, Tell)]


def speech() -> ServerEvent:
    return event("input_audio_buffer.speech_started", item_id="item_c", audio_start_ms=0)


# -- one event, several machines


def test_an_event_reaches_the_settings_and_the_requests() -> None:
    protocol = SessionProtocol()
    protocol.receive(SessionCreated(session=SessionResource(id="sess_1")), 0.0)
    ask(protocol, "r1", SessionUpdate(session=SessionConfig()))
    updated = SessionUpdated(session=SessionResource(id="sess_1", temperature=0.5))

    effects = protocol.receive(updated, 0.0)

    assert effects == (Confirmed("r1", updated),)
    assert protocol.connection.phase is Phase.CREATED
    assert protocol.connection.settings.temperature == 0.5


def test_a_refusal_is_an_effect() -> None:
    protocol = SessionProtocol()
    ask(protocol, "r1", SessionUpdate(session=SessionConfig()))
    error = ServerEventErrorDetails(type="invalid_request_error", code="bad", event_id="r1")

    assert protocol.receive(ErrorEvent(error=error), 0.0) == (Refused("r1", error),)


def test_an_event_that_settles_nothing_has_no_effect() -> None:
    protocol = SessionProtocol()
    ask(protocol, "r1", SessionUpdate(session=SessionConfig()))

    assert protocol.receive(SessionCreated(), 0.0) == ()
    assert protocol.receive(ResponseAudioDelta(delta=b"\x00\x00"), 0.0) == ()
    assert protocol.receive(decode('{"type":"brand.new"}'), 0.0) == ()
    assert protocol.receive(decode('{"type":"session.updated","session":7}'), 0.0) == ()


def test_what_is_told_comes_last() -> None:
    protocol = SessionProtocol()
    feed(protocol, typed("i1", "hello"), begins("r1"), says("r1", "m1", "hello"))
    protocol.wish(0.0)

    effects = feed(protocol, ends("r1"), now=5.0)

    assert [type(effect) for effect in effects][:2] == [Ended, Ask]
    assert all(isinstance(effect, Tell) for effect in effects[2:])
    assert [type(news) for news in told(effects)] == [TurnFinished]


# -- wishes


def test_wishes_are_named_in_order_and_asked_for_one_at_a_time() -> None:
    protocol = SessionProtocol()

    (first, now_due), (second, later) = protocol.wish(0.0), protocol.wish(0.0, kind=Kind.SAY)

    assert (first, second) == ("voicelive_response_1", "voicelive_response_2")
    assert [effect.wish.id for effect in now_due if isinstance(effect, Ask)] == [first]
    assert later == ()


# -- tool calls


def test_a_call_and_its_answer_lead_to_one_response() -> None:
    protocol = SessionProtocol()
    begun = feed(protocol, begins("r1"), calls("r1", "item_1", "call_1"))
    assert [effect.call.call_id for effect in begun if isinstance(effect, RunCall)] == ["call_1"]

    answered = protocol.answer("call_1", "42", 1.0)
    assert answered == (AnswerCall("call_1", "42"),)

    done = feed(protocol, ends("r1"), now=2.0)
    assert sum(isinstance(effect, Ask) for effect in done) == 1
    assert protocol.answer("call_1", "43", 3.0) == (Tell(ToolTrouble("call_1", "duplicate_answer")),)
    assert protocol.answer("call_9", "43", 3.0) == (Tell(ToolTrouble("call_9", "unknown_call")),)


def test_a_result_sent_by_hand_cancels_the_tool_whose_own_answer_is_no_trouble() -> None:
    protocol = SessionProtocol()
    feed(protocol, begins("r1"), calls("r1", "item_1", "call_1"))
    protocol.running("call_1", "finish")
    by_hand = ConversationItemCreate(item=FunctionCallOutputItem(call_id="call_1", output="by hand"))

    assert protocol.sent(by_hand, 1.0) == (CancelCall("call_1"),)
    assert protocol.answer("call_1", "too late", 2.0) == ()
    assert not any(isinstance(effect, Ask) for effect in feed(protocol, ends("r1"), now=3.0))


# -- barge-in


def test_barge_in_silences_at_once_and_truncates_after_the_response() -> None:
    protocol = SessionProtocol()
    feed(protocol, begins("r1"), says("r1", "m1", "a long story", audio_ms=1000))

    cut = feed(protocol, speech(), now=0.34)

    assert isinstance(cut[0], Flushed)
    assert not any(isinstance(effect, Send) for effect in cut)
    [barge_in, *_] = told(cut)
    assert barge_in == BargeIn("m1", "r1", 340, 1000, exact=False)
    done = feed(protocol, ends("r1", "cancelled"), now=0.5)
    assert [effect.event for effect in done if isinstance(effect, Send)] == [
        ConversationItemTruncate(item_id="m1", content_index=0, audio_end_ms=340, event_id="voicelive_cut_1")
    ]


def test_with_an_avatar_its_buffer_is_cleared_too() -> None:
    protocol = SessionProtocol()
    feed(protocol, event("session.updated", session={"id": "s", "avatar": {"character": "lisa"}}), begins("r1"))

    effects = feed(protocol, speech())

    assert Send(OutputAudioBufferClear()) in effects


def test_a_refused_truncation_is_told_of_once() -> None:
    protocol = SessionProtocol()
    error = {"type": "invalid_request_error", "code": "unsupported", "message": "no"}
    news = [
        told(feed(protocol, event("error", error={**error, "event_id": f"voicelive_cut_{number}"})))
        for number in (1, 2)
    ]

    assert news == [[TruncationRefused("unsupported")], []]


# -- time and the end


def test_time_alone_releases_a_wish() -> None:
    protocol = SessionProtocol()
    feed(protocol, event("session.updated", session={"id": "s", "turn_detection": {"type": "server_vad"}}), speech())
    protocol.wish(1.0)
    due_at = protocol.due_at(1.0)

    assert due_at is not None
    assert due_at == 30.0
    assert not any(isinstance(effect, Ask) for effect in protocol.tick(due_at - 0.01))
    assert any(isinstance(effect, Ask) for effect in protocol.tick(due_at))


def test_where_nothing_is_due_no_timer_is_needed() -> None:
    assert SessionProtocol().due_at(0.0) is None


def test_the_end_finishes_open_turns() -> None:
    protocol = SessionProtocol()
    feed(protocol, typed("i1", "hello"), begins("r1"))

    assert [type(news) for news in told(protocol.end(0.0))] == [TurnFinished]


COURSE: list[ServerEvent] = [
    *spoken("item_c"),
    begins("r1"),
    *says("r1", "m1", "hello"),
    *calls("r1", "item_1", "call_1"),
    ends("r1"),
    begins("r2"),
    *says("r2", "m2", "so it is"),
    ends("r2", "cancelled"),
    event("session.updated", session={"id": "s", "turn_detection": {"type": "server_vad"}}),
]


@given(st.permutations(COURSE), st.integers(0, 3))
def test_events_in_any_order_never_raise_and_a_call_runs_at_most_once(order: list[ServerEvent], wishes: int) -> None:
    protocol = SessionProtocol()
    effects: list[Effect] = []
    for step, one in enumerate(order):
        if step < wishes:
            effects += protocol.wish(float(step))[1]
        effects += protocol.receive(one, float(step))
        effects += protocol.tick(float(step))
    effects += protocol.end(0.0)

    assert sum(isinstance(effect, RunCall) for effect in effects) <= 1
    assert sum(isinstance(effect, Began) for effect in effects) == 2


def test_the_same_calls_give_the_same_answers() -> None:
    first, second = SessionProtocol(), SessionProtocol()

    assert feed(first, COURSE) == feed(second, COURSE)

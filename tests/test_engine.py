"""What the session does by itself: when it asks for responses, and that nothing of it waits, leaks or shows."""

import asyncio
import logging
from typing import Any

import pytest
from tests.conftest import OpenSession
from tests.support.peer import Peer
from tests.support.service import asked, begins, calls, ends, heard, nothing_more, says, speech_starts, wish
from tests.support.streams import settle, take

from voicelive.engine import Counts
from voicelive.errors import ConfirmationTimeoutError, ServiceError, SessionClosedError
from voicelive.events import TurnFinished
from voicelive.options import ClientOptions
from voicelive.session import Session
from voicelive.tools import ToolSet, tool
from voicelive.wire.client_events import ResponseCreate
from voicelive.wire.responses import ResponseCreateParams
from voicelive.wire.server.response import ResponseAudioDelta, ResponseCreated, ResponseDone

VAD = {"type": "server_vad"}
NO_ANSWER = {"type": "server_vad", "create_response": False}


def now() -> float:
    return asyncio.get_running_loop().time()


async def wishes(session: Session, *texts: str) -> None:
    """Responses that cannot be joined."""
    for text in texts:
        await session.create_response(additional_instructions=text, confirm=False)


async def next_instructions(peer: Peer) -> str:
    return str((await heard(peer, "response.create"))["additional_instructions"])


# -- one response at a time


async def test_a_response_is_asked_for_by_name_and_tag(open_session: OpenSession) -> None:
    session, peer = open_session()
    asking = asyncio.ensure_future(
        session.create_response(ResponseCreateParams(metadata={"mine": "x"}), additional_instructions="Be brief.")
    )

    assert await peer.hear_bare() == {
        "type": "response.create",
        "event_id": "voicelive_response_1",
        "response": {"metadata": {"mine": "x", "voicelive": "voicelive_response_1"}},
        "additional_instructions": "Be brief.",
    }
    await settle()
    assert not asking.done()
    await begins(peer, "resp_1", 1)
    assert (await asking).id == "resp_1"


async def test_metadata_that_leave_no_room_stay_as_they_are(open_session: OpenSession) -> None:
    session, peer = open_session()
    metadata = {str(number): "x" for number in range(16)}

    await session.create_response(ResponseCreateParams(metadata=metadata), confirm=False)

    assert (await heard(peer, "response.create"))["response"]["metadata"] == metadata


async def test_wishes_wait_behind_the_active_response_and_keep_their_order(open_session: OpenSession) -> None:
    session, peer = open_session()
    await begins(peer, "resp_0")
    await settle()
    await wishes(session, "first", "second")
    await nothing_more(peer)

    await ends(peer, "resp_0")
    assert await next_instructions(peer) == "first"
    await nothing_more(peer)
    await begins(peer, "resp_1", 1)
    await nothing_more(peer)
    await ends(peer, "resp_1")
    assert await next_instructions(peer) == "second"


async def test_wishes_without_settings_are_joined_into_one_response(open_session: OpenSession) -> None:
    session, peer = open_session()
    await begins(peer, "resp_0")
    await settle()
    asking = [asyncio.ensure_future(session.create_response()) for _ in range(3)]
    await settle()
    await ends(peer, "resp_0")

    assert (await heard(peer, "response.create"))["response"] == {"metadata": wish(1)["metadata"]}
    await begins(peer, "resp_1", 1)
    assert [handle.id for handle in await asyncio.gather(*asking)] == ["resp_1"] * 3
    await ends(peer, "resp_1")
    await nothing_more(peer)


async def test_the_refusal_of_joined_wishes_reaches_each(open_session: OpenSession) -> None:
    session, peer = open_session()
    await begins(peer, "resp_0")
    await settle()
    asking = [asyncio.ensure_future(session.create_response()) for _ in range(2)]
    await settle()
    await ends(peer, "resp_0")
    await peer.refuse((await peer.hear())["event_id"])

    for end in await asyncio.gather(*asking, return_exceptions=True):
        assert isinstance(end, ServiceError)
    again = asyncio.ensure_future(session.create_response())
    assert await asked(peer) == {}
    await begins(peer, "resp_1", 3)
    await again


@pytest.mark.parametrize("turn_detection", [VAD, {"type": "azure_semantic_vad", "create_response": True}])
async def test_a_wish_waits_behind_the_answer_that_turn_detection_is_about_to_start(
    open_session: OpenSession, turn_detection: dict[str, Any]
) -> None:
    session, peer = open_session()
    await peer.create(turn_detection=turn_detection)
    await speech_starts(peer)
    await settle()
    handle = await session.create_response(confirm=False)
    await peer.say("input_audio_buffer.committed", item_id="item_of_caller")
    await nothing_more(peer)

    await begins(peer, "resp_of_service")
    await nothing_more(peer)
    await ends(peer, "resp_of_service")

    assert await asked(peer) == {}
    await begins(peer, "resp_1", 1)
    assert (await handle.began()).id == "resp_1"


@pytest.mark.parametrize("turn_detection", [None, NO_ANSWER])
async def test_without_automatic_answers_speech_holds_nothing_up(
    open_session: OpenSession, turn_detection: dict[str, Any] | None
) -> None:
    session, peer = open_session()
    await peer.create(turn_detection=turn_detection)
    await speech_starts(peer)
    await settle()

    await session.create_response(confirm=False)

    assert await asked(peer) == {}


@pytest.mark.looptime
@pytest.mark.parametrize(("committed", "wait_s"), [(True, 5), (False, 30)])
async def test_an_answer_that_never_begins_holds_wishes_up_for_a_while_only(
    open_session: OpenSession, committed: bool, wait_s: float
) -> None:
    session, peer = open_session()
    await peer.create(turn_detection=VAD)
    await speech_starts(peer)
    if committed:
        await peer.say("input_audio_buffer.committed", item_id="item_of_caller")
    await settle()
    began = now()

    await session.create_response(confirm=False)
    await peer.hear()

    assert now() - began == pytest.approx(wait_s, abs=0.01)


async def test_a_cleared_buffer_ends_the_reservation(open_session: OpenSession) -> None:
    session, peer = open_session()
    await peer.create(turn_detection=VAD)
    await speech_starts(peer)
    await settle()
    await session.create_response(confirm=False)
    await nothing_more(peer)

    await peer.say("input_audio_buffer.cleared")

    assert await asked(peer) == {}


async def test_an_answer_that_turn_detection_started_first_sends_ours_behind_it(open_session: OpenSession) -> None:
    session, peer = open_session()
    await begins(peer, "resp_0", 0)  # the service echoes tags
    await ends(peer, "resp_0")
    await settle()
    handle = await session.create_response(confirm=False)
    event = await heard(peer, "response.create")
    await begins(peer, "resp_of_service")
    await peer.refuse(event["event_id"], "conversation_already_has_active_response", "in any words")
    await nothing_more(peer)

    await ends(peer, "resp_of_service")

    assert (await heard(peer, "response.create"))["event_id"] == event["event_id"]
    await begins(peer, "resp_1", 1)
    assert (await handle.began()).id == "resp_1"


@pytest.mark.looptime
async def test_a_refusal_for_a_response_that_nobody_told_of_is_tried_again_later(open_session: OpenSession) -> None:
    session, peer = open_session()
    await session.create_response(confirm=False)
    event = await heard(peer, "response.create")
    await peer.refuse(event["event_id"], "conversation_already_has_active_response")
    await settle()
    began = now()

    assert (await peer.hear())["event_id"] == event["event_id"]

    assert now() - began == pytest.approx(5, abs=0.01)


async def test_a_response_of_the_service_is_not_taken_for_ours(open_session: OpenSession) -> None:
    session, peer = open_session()
    first = await session.create_response(confirm=False)
    await begins(peer, "resp_1", 1)
    await ends(peer, "resp_1")
    await first
    second = await session.create_response(confirm=False)
    await begins(peer, "resp_of_service")
    await settle()
    assert second.id is None

    await ends(peer, "resp_of_service")
    await begins(peer, "resp_2", 2)

    assert (await second.began()).id == "resp_2"


async def test_a_service_that_echoes_no_metadata_is_understood_by_order(open_session: OpenSession) -> None:
    session, peer = open_session()
    handle = await session.create_response(confirm=False)
    await begins(peer, "resp_1")
    assert (await handle.began()).id == "resp_1"


async def test_owed_tool_results_go_first(open_session: OpenSession) -> None:
    session, peer = open_session()
    go_on = asyncio.Event()

    @tool
    async def look_up() -> str:
        """Look up."""
        await go_on.wait()
        return "found"

    session.use_tools(ToolSet(look_up))
    await begins(peer, "resp_1")
    await calls(peer, "resp_1", "call_1", "look_up")
    await ends(peer, "resp_1")
    await settle()
    await session.create_response(confirm=False)
    await wishes(session, "later")
    await nothing_more(peer)

    go_on.set()

    assert (await heard(peer, "conversation.item.create"))["item"]["output"] == "found"
    assert await asked(peer) == {}, "the wish, joined with the response that speaks about the result"
    await begins(peer, "resp_2", 1)
    await ends(peer, "resp_2")
    assert await next_instructions(peer) == "later"


# -- beside and instead


async def test_an_out_of_band_response_runs_beside_the_conversation(open_session: OpenSession) -> None:
    session, peer = open_session()
    await begins(peer, "resp_0")
    await settle()
    beside = await session.create_response(ResponseCreateParams(conversation="none"), confirm=False)
    assert await asked(peer) == {"conversation": "none"}
    waiting = await session.create_response(confirm=False)
    await begins(peer, "resp_beside", 1)
    await says(peer, "resp_beside", "a summary")
    await ends(peer, "resp_beside")

    assert (await beside).id == "resp_beside"
    assert beside.text == "a summary"
    await nothing_more(peer)
    await ends(peer, "resp_0")
    assert await asked(peer) == {}
    await begins(peer, "resp_1", 2)
    assert (await waiting.began()).id == "resp_1"


async def test_a_running_out_of_band_response_holds_nothing_up(open_session: OpenSession) -> None:
    session, peer = open_session()
    await session.create_response(ResponseCreateParams(conversation="none"), confirm=False)
    await begins(peer, "resp_beside", 1)
    await asked(peer)

    await session.create_response(confirm=False)

    assert await asked(peer) == {}


async def test_a_refused_out_of_band_response_raises_and_harms_no_other(open_session: OpenSession) -> None:
    session, peer = open_session()
    asking = asyncio.ensure_future(session.create_response(ResponseCreateParams(conversation="none")))
    await peer.refuse((await peer.hear())["event_id"])

    with pytest.raises(ServiceError):
        await asking


async def test_a_response_that_replaces_does_not_wait(open_session: OpenSession) -> None:
    session, peer = open_session()
    await begins(peer, "resp_0")
    await settle()

    await session.create_response(ResponseCreateParams(cancel_previous=True), confirm=False)

    assert await asked(peer) == {"cancel_previous": True}


# -- giving up


@pytest.mark.looptime
async def test_a_wish_that_waited_too_long_is_taken_back(open_session: OpenSession) -> None:
    session, peer = open_session()
    await begins(peer, "resp_0")
    await settle()

    with pytest.raises(ConfirmationTimeoutError):
        await session.create_response(timeout_s=2)
    await ends(peer, "resp_0")

    await nothing_more(peer)


async def test_a_cancelled_wish_is_taken_back_and_the_ones_joined_with_it_stay(open_session: OpenSession) -> None:
    session, peer = open_session()
    await begins(peer, "resp_0")
    await settle()
    cancelled, kept = (asyncio.ensure_future(session.create_response()) for _ in range(2))
    await settle()
    cancelled.cancel()
    await asyncio.wait([cancelled])
    await ends(peer, "resp_0")

    assert (await heard(peer, "response.create"))["event_id"] == "voicelive_response_2"
    await begins(peer, "resp_1", 2)
    assert (await kept).id == "resp_1"
    await ends(peer, "resp_1")
    await nothing_more(peer)


@pytest.mark.looptime
async def test_a_wish_that_was_asked_for_and_timed_out_still_counts_as_the_active_response(
    open_session: OpenSession,
) -> None:
    session, peer = open_session()
    with pytest.raises(ConfirmationTimeoutError):
        await session.create_response(timeout_s=1)
    await asked(peer)
    second = await session.create_response(confirm=False)
    await nothing_more(peer)

    await begins(peer, "resp_1", 1)
    await ends(peer, "resp_1")

    assert await asked(peer) == {}
    await begins(peer, "resp_2", 2)
    assert (await second.began()).id == "resp_2"


@pytest.mark.parametrize("how", ["drop", "close"])
async def test_wishes_that_wait_hear_of_the_end(open_session: OpenSession, how: str) -> None:
    session, peer = open_session()
    await begins(peer, "resp_0")
    await settle()
    asking = [asyncio.ensure_future(session.create_response()) for _ in range(2)]
    await settle()

    if how == "drop":
        peer.transport.drop()
    else:
        await session.close()

    first, second = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(first, SessionClosedError)
    assert isinstance(second, SessionClosedError)
    assert first is not second


# -- order, and what is told


async def test_effects_come_before_delivery_and_reports_behind_their_cause(open_session: OpenSession) -> None:
    session, peer = open_session()
    stream = session.subscribe(ResponseCreated, ResponseDone, TurnFinished)
    handle = await session.create_response(confirm=False)
    await begins(peer, "resp_1", 1)

    [created] = await take(stream, 1)
    assert handle.id == "resp_1", "known before the event is"
    await ends(peer, "resp_1")
    done, finished = await take(stream, 2)

    assert [type(event) for event in (created, done, finished)] == [ResponseCreated, ResponseDone, TurnFinished]


async def test_what_the_application_sends_itself_goes_out_untouched(open_session: OpenSession) -> None:
    session, peer = open_session()

    await session.send(ResponseCreate(event_id="mine"))

    assert await peer.hear_bare() == {"type": "response.create", "event_id": "mine"}


async def test_counts_begin_at_nothing(open_session: OpenSession) -> None:
    session, _ = open_session()

    assert session.counts == Counts(0, 0, 0)


async def test_audio_alone_is_delivered_to_its_handle_and_to_streams(open_session: OpenSession) -> None:
    session, peer = open_session()
    stream = session.subscribe(ResponseAudioDelta)
    handle = await session.create_response(confirm=False)
    await begins(peer, "resp_1", 1)
    await peer.speak("AQID")

    [delta] = await take(stream, 1)

    assert delta.delta == handle.audio == b"\x01\x02\x03"


async def test_neither_speech_nor_arguments_nor_results_reach_a_log(
    open_session: OpenSession, caplog: pytest.LogCaptureFixture
) -> None:
    @tool
    async def look_up(word: str) -> str:
        """Look up."""
        return f"MARKER result of {word}"

    @tool
    async def fail(word: str) -> str:
        """Fail."""
        raise ValueError(f"MARKER {word}")

    session, peer = open_session(ClientOptions(confirm_timeout_s=3))
    caplog.set_level(logging.DEBUG)
    session.use_tools(ToolSet(look_up, fail))
    await peer.create()
    await session.send_text("MARKER question")
    await session.create_response(confirm=False)
    await begins(peer, "resp_1", 1)
    await says(peer, "resp_1", "MARKER answer", audio_ms=20)
    for call_id, name, arguments in (
        ("call_1", "look_up", '{"word":"MARKER"}'),
        ("call_2", "fail", '{"word":"MARKER"}'),
        ("call_3", "look_up", '{"MARKER":1}'),
    ):
        await calls(peer, "resp_1", call_id, name, arguments)
    await ends(peer, "resp_1")
    answers = [await peer.hear() for _ in range(6)]
    events = await take(session, 20)

    assert sum(answer["type"] == "conversation.item.create" for answer in answers) == 4
    assert "call_2" in caplog.text, "something was logged"
    assert "MARKER" not in caplog.text
    assert "MARKER" not in repr([event for event in events if str(event.type).startswith("voicelive.")])


@pytest.mark.parametrize("odd", [{"response": {"id": "resp_1"}}, {"response": 5}, {"response_id": ["resp_1"]}])
async def test_an_event_that_no_class_fits_harms_no_running_response(
    open_session: OpenSession, odd: dict[str, Any]
) -> None:
    session, peer = open_session()
    handle = await session.create_response(confirm=False)
    await heard(peer, "response.create")
    await begins(peer, "resp_1", 1)
    await peer.say("nobody.knows", **odd)
    await says(peer, "resp_1", "Hello")
    await ends(peer, "resp_1")

    async with asyncio.timeout(5):
        assert (await handle).id == "resp_1"
    assert handle.text == "Hello"

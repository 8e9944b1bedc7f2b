"""The session: from the first event to the last, whatever the service sends in between."""

import asyncio
import gc
import json
import logging
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import OpenSession
from tests.support.peer import Peer
from tests.support.streams import rest_of, settle, take

from voicelive.continuity import Redial
from voicelive.errors import (
    ConfigurationError,
    ConnectionLostError,
    CredentialRejectedError,
    LocalProtocolError,
    ServiceError,
    SessionClosedError,
    SessionExpiredError,
    SlowConsumerError,
)
from voicelive.events import AudioDropped, TurnFinished, UndecodableFrame
from voicelive.options import ClientOptions
from voicelive.protocol.connection import CloseInfo
from voicelive.session import Session
from voicelive.taps import AnyEvent
from voicelive.transport.memory import MemoryTransport, memory_pair
from voicelive.wire.client_events import InputAudioBufferAppend, InputAudioBufferClear
from voicelive.wire.server.response import ResponseAudioDelta, ResponseCreated, ResponseDone
from voicelive.wire.server.session import ErrorEvent, SessionCreated, SessionUpdated, WarningEvent
from voicelive.wire.server_events import UnknownServerEvent
from voicelive.wire.session import SessionConfig

SMALL = ClientOptions(inbox_bytes=4096)


def kinds(events: list[Any]) -> list[type[Any]]:
    return [type(event) for event in events]


# -- the start


async def test_prepare_waits_for_session_created(open_session: OpenSession) -> None:
    session, peer = open_session()
    ready = asyncio.ensure_future(session.prepare(1))
    await settle()
    assert not ready.done()

    await peer.create("sess_7", model="gpt-realtime")

    await ready
    assert (session.id, session.config.model) == ("sess_7", "gpt-realtime")


@pytest.mark.parametrize("first", [{"id": "sess_1"}, {"id": None}, {}])
async def test_prepare_knows_a_session_that_was_created_before(
    open_session: OpenSession, first: dict[str, Any]
) -> None:
    session, peer = open_session()
    await peer.say("session.created", session=first)
    await settle()

    await asyncio.wait_for(session.prepare(1), 1)


async def test_prepare_puts_the_requested_settings_in_effect(open_session: OpenSession) -> None:
    session, peer = open_session(requested=SessionConfig(temperature=0.5))
    ready = asyncio.ensure_future(session.prepare(1))
    await settle()
    await peer.create()

    update = await peer.hear()
    assert update == {"type": "session.update", "event_id": update["event_id"], "session": {"temperature": 0.5}}
    assert not ready.done()
    await peer.say("session.updated", session={"id": "sess_1", "temperature": 0.5, "model": "gpt-realtime"})
    await ready

    assert session.requested == SessionConfig(temperature=0.5)
    assert (session.config.temperature, session.config.model) == (0.5, "gpt-realtime")


async def test_the_events_of_the_start_still_reach_the_iterator(open_session: OpenSession) -> None:
    session, peer = open_session(requested=SessionConfig(temperature=0.5))
    ready = asyncio.ensure_future(session.prepare(1))
    await peer.create()
    await peer.hear()
    await peer.say("session.updated", session={"id": "sess_1"})
    await ready

    assert kinds(await take(session, 2)) == [SessionCreated, SessionUpdated]


async def test_settings_that_the_service_refuses_raise_out_of_prepare(open_session: OpenSession) -> None:
    session, peer = open_session(requested=SessionConfig(temperature=0.5))
    ready = asyncio.ensure_future(session.prepare(1))
    await peer.create()
    await peer.refuse((await peer.hear())["event_id"], "bad_temperature", param="session.temperature")

    with pytest.raises(ServiceError) as caught:
        await ready
    assert (caught.value.code, caught.value.param) == ("bad_temperature", "session.temperature")


@pytest.mark.parametrize("code", [1000, 1011])
async def test_a_session_that_ends_before_it_began_raises_out_of_prepare(open_session: OpenSession, code: int) -> None:
    session, peer = open_session()
    ready = asyncio.ensure_future(session.prepare(1))
    await settle()

    await peer.transport.close(code, "no room")

    with pytest.raises(SessionClosedError) as caught:
        await ready
    assert (caught.value.code, caught.value.reason) == (code, "no room")


async def test_the_formats_follow_the_settings_in_effect(open_session: OpenSession) -> None:
    session, peer = open_session()
    assert (session.input_format.rate_hz, session.output_format.rate_hz) == (24_000, 24_000)

    await peer.create(
        input_audio_sampling_rate=16_000,
        output_audio_format="pcm16-8000hz",
        input_audio_echo_cancellation={"type": "server_echo_cancellation", "reference_source": "client", "channels": 2},
    )
    await session.prepare(1)

    assert (session.input_format.rate_hz, session.input_format.channels) == (16_000, 2)
    assert session.output_format.rate_hz == 8_000


async def test_a_verb_is_settled_before_the_event_that_settles_it_is_delivered(open_session: OpenSession) -> None:
    session, peer = open_session()
    stream, order = session.subscribe(SessionUpdated), []

    async def update() -> None:
        await session.update(SessionConfig(temperature=0.5))
        order.append("verb")

    async def listen() -> None:
        await anext(stream)
        order.append("event")

    tasks = [asyncio.ensure_future(listen()), asyncio.ensure_future(update())]
    await peer.hear()
    await peer.say("session.updated", session={"id": "sess_1"})
    await asyncio.gather(*tasks)

    assert order == ["verb", "event"]


# -- iteration


async def test_iteration_gives_everything_in_order_and_ends_with_the_services_1000(open_session: OpenSession) -> None:
    session, peer = open_session()
    stream = aiter(session)
    await peer.create()
    await peer.say("response.created", response={"id": "resp_1"})
    await peer.speak()
    await peer.say("response.done", response={"id": "resp_1"})
    await peer.transport.close(1000, "bye")

    heard = kinds(await rest_of(stream))
    assert heard == [SessionCreated, ResponseCreated, ResponseAudioDelta, ResponseDone, TurnFinished]
    assert session.close_info == CloseInfo(1000, "bye", "service", normal=True)


async def test_a_second_loop_at_the_same_time_is_refused_and_told_of_subscribe(open_session: OpenSession) -> None:
    session, peer = open_session()
    await peer.create()

    async for _ in session:
        with pytest.raises(LocalProtocolError, match=r"session\.subscribe\(\)"):
            await rest_of(session)
        break


async def test_a_later_loop_goes_on_after_break(open_session: OpenSession) -> None:
    session, peer = open_session()
    await peer.create()
    await peer.say("response.created")
    await peer.say("response.done")

    first = await take(session, 1)
    rest = await take(session, 2)

    assert kinds(first + rest) == [SessionCreated, ResponseCreated, ResponseDone]


async def test_media_is_kept_out_until_iteration_begins_and_the_rest_is_there(open_session: OpenSession) -> None:
    session, peer = open_session(SMALL)
    await peer.create()
    for _ in range(20):
        await peer.speak("A" * 1024)
    await peer.say("response.done")
    await settle()

    stream = aiter(session)
    await peer.speak()

    assert kinds(await take(stream, 3)) == [SessionCreated, ResponseDone, ResponseAudioDelta]


async def test_a_stream_that_falls_behind_fails_alone(open_session: OpenSession) -> None:
    session, peer = open_session(SMALL)
    main, slow, only_ends = aiter(session), session.subscribe(), session.subscribe(ResponseDone)
    heard = []
    await peer.create()
    for _ in range(5):
        await peer.speak("A" * 1024)
        heard.append(await anext(main))
    await peer.say("response.done")

    with pytest.raises(SlowConsumerError, match="a subscription left"):
        await rest_of(slow)
    assert kinds(heard) == [SessionCreated, *[ResponseAudioDelta] * 4]
    assert kinds(await take(main, 2)) == [ResponseAudioDelta, ResponseDone]
    assert kinds(await take(only_ends, 1)) == [ResponseDone]
    await session.send_text("the session goes on")
    assert (await peer.hear())["type"] == "conversation.item.create"


async def test_a_stream_may_drop_audio_instead(open_session: OpenSession) -> None:
    session, peer = open_session()
    stream = session.subscribe(overflow="drop_audio", limit_bytes=3000)
    await peer.create()
    for number in range(4):
        await peer.speak("A" * 1024, output_index=number)
    await peer.say("response.done")
    await settle()

    told, *kept = await take(stream, 5)

    assert isinstance(told, AudioDropped)
    assert told.events == 2
    assert told.dropped_bytes > 2 * 1024
    assert kinds(kept) == [SessionCreated, ResponseAudioDelta, ResponseAudioDelta, ResponseDone]
    assert [event.output_index for event in kept if isinstance(event, ResponseAudioDelta)] == [2, 3]


async def test_subscriptions_are_filtered_and_independent(open_session: OpenSession) -> None:
    session, peer = open_session()
    everything, voice = session.subscribe(), session.subscribe(ResponseAudioDelta)
    both = session.subscribe(ResponseCreated, ResponseDone)
    await peer.create()
    await peer.say("response.created")
    await peer.speak()
    await peer.say("response.done")

    assert kinds(await take(voice, 1)) == [ResponseAudioDelta]
    assert kinds(await take(both, 2)) == [ResponseCreated, ResponseDone]
    assert kinds(await take(everything, 4)) == [SessionCreated, ResponseCreated, ResponseAudioDelta, ResponseDone]
    assert kinds(await take(session, 3)) == [SessionCreated, ResponseCreated, ResponseDone]


@pytest.mark.parametrize("wrong", ["response.done", test_subscriptions_are_filtered_and_independent])
async def test_what_is_no_event_class_is_refused_where_it_is_passed(open_session: OpenSession, wrong: Any) -> None:
    session, peer = open_session()

    with pytest.raises(ConfigurationError, match="event classes"):
        session.subscribe(wrong)
    with pytest.raises(ConfigurationError, match="event classes"):
        session.on(wrong)
    with pytest.raises(ConfigurationError, match="event classes"):
        await session.wait_for(wrong)
    await peer.create()
    assert kinds(await take(session, 1)) == [SessionCreated]


# -- wait_for


async def test_wait_for_returns_the_next_event_that_fits(open_session: OpenSession) -> None:
    session, peer = open_session()
    await peer.say("response.done", response={"id": "resp_0"})
    await settle()
    waiter = asyncio.ensure_future(session.wait_for(ResponseDone, lambda event: event.response.id == "resp_2"))
    await settle()
    for number in (1, 2, 3):
        await peer.say("response.created", response={"id": f"resp_{number}"})
        await peer.say("response.done", response={"id": f"resp_{number}"})

    assert (await waiter).response.id == "resp_2"
    again = asyncio.ensure_future(session.wait_for(ResponseDone))
    await settle()
    await peer.say("response.done", response={"id": "resp_4"})
    assert (await again).response.id == "resp_4"


@pytest.mark.looptime
async def test_wait_for_raises_when_its_time_is_over(open_session: OpenSession) -> None:
    session, _ = open_session()
    began = asyncio.get_running_loop().time()

    with pytest.raises(TimeoutError):
        await session.wait_for(ResponseDone, timeout_s=2.5)
    assert asyncio.get_running_loop().time() - began == pytest.approx(2.5)


@pytest.mark.parametrize(("code", "error"), [(1000, SessionClosedError), (1011, ConnectionLostError)])
async def test_wait_for_raises_when_the_session_ends(
    open_session: OpenSession, code: int, error: type[SessionClosedError]
) -> None:
    session, peer = open_session()
    waiter = asyncio.ensure_future(session.wait_for(ResponseDone))
    await settle()

    await peer.transport.close(code)

    with pytest.raises(SessionClosedError) as caught:
        await waiter
    assert (type(caught.value), caught.value.code) == (error, code)


async def test_a_failing_predicate_raises_where_it_was_passed(open_session: OpenSession) -> None:
    session, peer = open_session()
    waiter = asyncio.ensure_future(session.wait_for(ResponseDone, lambda event: bool(1 / 0)))
    await settle()
    await peer.say("response.done")

    with pytest.raises(ZeroDivisionError):
        await waiter
    assert kinds(await take(session, 1)) == [ResponseDone]


# -- saying anything


async def test_send_writes_an_event_as_it_stands(open_session: OpenSession) -> None:
    session, peer = open_session()

    await session.send(InputAudioBufferClear(event_id="mine"))
    await session.send(InputAudioBufferAppend(audio=b"\x01\x02"))

    assert await peer.hear_bare() == {"type": "input_audio_buffer.clear", "event_id": "mine"}
    assert await peer.hear_audio() == b"\x01\x02"


async def test_send_raw_writes_any_json_object_with_a_type(open_session: OpenSession) -> None:
    session, peer = open_session()
    event = {"type": "brand.new", "deep": {"null": None, "text": "ä\ud800"}, "number": 1.5}

    await session.send_raw(event)

    assert await peer.hear_bare() == event


@pytest.mark.parametrize("event", [{}, {"type": None}, {"type": 5}, {"kind": "x"}])
async def test_send_raw_refuses_an_event_without_a_type(open_session: OpenSession, event: dict[str, Any]) -> None:
    session, _ = open_session()

    with pytest.raises(ConfigurationError, match="type is missing"):
        await session.send_raw(event)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"bytes", {1, 2}])
async def test_send_raw_refuses_what_is_not_json_and_repeats_nothing_of_it(
    open_session: OpenSession, value: object
) -> None:
    session, _ = open_session()

    with pytest.raises(ConfigurationError, match=r"'brand\.new' is not JSON") as caught:
        await session.send_raw({"type": "brand.new", "value": value})
    assert "bytes" not in str(caught.value)
    assert caught.value.__cause__ is None


# -- what is odd about the traffic


async def test_an_unknown_event_is_delivered_whole_and_counted(open_session: OpenSession) -> None:
    session, peer = open_session()
    await peer.say("brand.new", deep={"x": [1, None]})

    [event] = await take(session, 1)

    assert isinstance(event, UnknownServerEvent)
    assert event.raw == {"type": "brand.new", "deep": {"x": [1, None]}}
    assert (session.counts.unknown_events, session.counts.malformed_events, session.counts.undecodable_frames) == (
        1,
        0,
        0,
    )


async def test_a_known_event_with_odd_fields_is_delivered_whole_counted_and_logged_by_type_only(
    open_session: OpenSession, caplog: pytest.LogCaptureFixture
) -> None:
    session, peer = open_session()
    with caplog.at_level(logging.DEBUG):
        await peer.say("response.text.delta", delta={"secret": "MARKER"})
        [event] = await take(session, 1)

    assert isinstance(event, UnknownServerEvent)
    assert event.raw["delta"] == {"secret": "MARKER"}
    assert (session.counts.unknown_events, session.counts.malformed_events) == (0, 1)
    assert "response.text.delta" in caplog.text
    assert "MARKER" not in caplog.text


async def test_a_frame_that_is_no_object_is_one_counted_event_that_repeats_nothing_of_it(
    open_session: OpenSession, caplog: pytest.LogCaptureFixture
) -> None:
    session, peer = open_session()
    with caplog.at_level(logging.DEBUG):
        await peer.transport.send('{"secret": "MARKER"')
        await peer.transport.send('["MARKER"]')
        events = await take(session, 2)

    assert [
        (type(event), event.count, event.frame_bytes) for event in events if isinstance(event, UndecodableFrame)
    ] == [
        (UndecodableFrame, 1, 19),
        (UndecodableFrame, 2, 10),
    ]
    assert session.counts.undecodable_frames == 2
    assert "MARKER" not in caplog.text + repr(events)


TEMPLATES = [
    {"type": "session.created", "session": {"id": "sess_1", "voice": {"type": "azure-standard", "name": "x"}}},
    {"type": "response.audio.delta", "item_id": "i", "delta": "AAAA", "content_index": 0},
    {"type": "conversation.item.created", "item": {"type": "message", "id": "i", "role": "user", "content": []}},
    {"type": "error", "error": {"type": "x", "code": None, "message": "m", "event_id": "voicelive_1"}},
    {"type": "response.done", "response": {"id": "r", "usage": {"total_tokens": 1}, "output": [{"type": "message"}]}},
]
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def mutated_events(draw: st.DrawFn) -> bytes:
    event: dict[str, Any] = json.loads(json.dumps(draw(st.sampled_from(TEMPLATES))))
    owner = event
    while True:
        key = draw(st.sampled_from([*owner, "brand_new"]))
        if isinstance(owner.get(key), dict) and draw(st.booleans()):
            owner = owner[key]
            continue
        owner[key] = draw(json_values)
        return json.dumps(event).encode()


@given(st.lists(st.binary(max_size=40) | json_values.map(lambda v: json.dumps(v).encode()) | mutated_events()))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_any_frame_is_one_event_and_the_next_one_arrives(frames: list[bytes]) -> None:
    async def hold() -> None:
        ours, theirs = memory_pair()
        session = Session(ours)
        peer = Peer(theirs)
        stream = (event async for event in session if not _is_report(event))
        waiting = asyncio.ensure_future(session.create_response())
        await peer.hear()
        for count, frame in enumerate(frames, 1):
            await peer.transport.send(frame)
            event = await asyncio.wait_for(anext(stream), 5)
            counts = session.counts
            told = counts.undecodable_frames + counts.unknown_events + counts.malformed_events
            assert told <= count
            if isinstance(event, UndecodableFrame):
                assert event.count == counts.undecodable_frames
                assert not _is_object(frame)
            else:
                assert _is_object(frame)
        await peer.say("response.done", response={"id": "the next frame"})
        assert isinstance(await asyncio.wait_for(anext(stream), 5), ResponseDone)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await session.close()

    asyncio.run(hold())


def _is_report(event: AnyEvent) -> bool:
    """Whether the session tells it by itself, after what the service said."""
    return str(event.type).startswith("voicelive.") and not isinstance(event, UndecodableFrame)


def _is_object(frame: bytes) -> bool:
    try:
        return isinstance(json.loads(frame), dict)
    except ValueError:
        return False


# -- the end


@pytest.mark.parametrize("code", [1001, 1006, 1008, 1009, 1011, 3000, 4000])
async def test_an_end_with_another_code_is_an_error_with_all_facts(open_session: OpenSession, code: int) -> None:
    session, peer = open_session()
    await peer.create("sess_7")
    peer.transport._end(code, "boom")

    with pytest.raises(ConnectionLostError) as caught:
        await rest_of(session)
    assert (caught.value.code, caught.value.reason, caught.value.session_id) == (code, "boom", "sess_7")
    assert session.close_info == CloseInfo(code, "boom", "service", normal=False)


async def test_a_drop_is_an_error_without_a_code_and_never_a_quiet_end(open_session: OpenSession) -> None:
    session, peer = open_session()
    await peer.create("sess_7")
    subscription = session.subscribe()
    await settle()
    peer.transport.drop("connection reset")

    for stream in (session, session, subscription):
        with pytest.raises(ConnectionLostError) as caught:
            await rest_of(stream)
        assert (caught.value.code, caught.value.reason, caught.value.session_id) == (None, "connection reset", "sess_7")
    assert (await session.wait_closed()).normal is False


async def test_an_expired_session_says_so(open_session: OpenSession) -> None:
    session, peer = open_session()
    await peer.create("sess_7")
    await peer.refuse(None, "session_expired")
    await peer.transport.close(1001)

    assert kinds(await take(session, 2)) == [SessionCreated, ErrorEvent]
    with pytest.raises(SessionExpiredError, match="sess_7"):
        await rest_of(session)


async def test_a_request_that_waits_hears_of_the_end(open_session: OpenSession) -> None:
    session, peer = open_session()
    waiters = [asyncio.ensure_future(session.create_response()), asyncio.ensure_future(session.delete_item("i1"))]
    await settle()

    peer.transport.drop("reset")
    first, second = await asyncio.gather(*waiters, return_exceptions=True)

    assert type(first) is ConnectionLostError
    assert type(second) is ConnectionLostError
    assert first is not second
    assert first.reason == "reset"


async def test_what_waits_for_a_congested_line_hears_of_the_end(
    open_session: OpenSession, loop_complaints: list[dict[str, Any]]
) -> None:
    session, peer = open_session(max_pending_bytes=1)
    await session.send_raw({"type": "fills the line"})
    calls = [
        session.create_response(),
        session.delete_item("i1"),
        session.send_audio(bytes(960)),
        session.clear_audio(),
    ]
    waiters = [asyncio.ensure_future(call) for call in calls]
    await settle()

    peer.transport.drop("reset")

    assert [type(end) for end in await asyncio.gather(*waiters, return_exceptions=True)] == [ConnectionLostError] * 4
    del waiters
    gc.collect()
    assert loop_complaints == [], "such as an exception that was never retrieved"


@pytest.mark.parametrize("how", ["server 1000", "drop", "close"])
async def test_everything_after_the_end_raises_at_once(open_session: OpenSession, how: str) -> None:
    session, peer = open_session()
    await peer.create("sess_7")
    await take(session, 1)
    match how:
        case "server 1000":
            await peer.transport.close(1000, "bye")
        case "drop":
            peer.transport.drop()
        case _:
            await session.close()
    info = await session.wait_closed()

    calls = [
        session.send_audio(bytes(960)),
        session.flush_audio(),
        session.clear_audio(),
        session.commit_audio(),
        session.send_text("hello"),
        session.create_response(),
        session.create_response(confirm=False),
        session.cancel_response(),
        session.update(SessionConfig()),
        session.delete_item("i1"),
        session.retrieve_item("i1"),
        session.truncate("i1", 5),
        session.send(InputAudioBufferClear()),
        session.send_raw({"type": "x"}),
        session.wait_for(ResponseDone),
    ]
    for call in calls:
        with pytest.raises(SessionClosedError) as caught:
            await call
        assert (caught.value.code, caught.value.session_id) == (info.code, "sess_7")
    with pytest.raises(SessionClosedError):
        session.subscribe()
    with pytest.raises(SessionClosedError):
        session.on(ResponseDone)


async def test_close_tells_the_service_and_ends_iteration_normally(open_session: OpenSession) -> None:
    session, peer = open_session()
    await peer.create()
    await peer.say("response.done")
    await settle()

    await session.close(1001, "going home")

    assert kinds(await rest_of(session)) == [SessionCreated, ResponseDone], "what had come stays readable"
    assert session.close_info == CloseInfo(1001, "going home", "application", normal=True)
    with pytest.raises(Exception, match="going home"):
        await peer.hear()


async def test_a_loop_that_waits_ends_quietly_when_the_session_is_closed(open_session: OpenSession) -> None:
    session, _ = open_session()
    loop = asyncio.ensure_future(rest_of(session))
    await settle()

    await session.close()

    assert await loop == []


async def test_close_may_be_called_again_and_by_many(open_session: OpenSession) -> None:
    session, _ = open_session()

    await asyncio.gather(session.close(1000, "first"), session.close(1001, "second"), session.close())
    await session.close(1011)

    assert session.close_info == CloseInfo(1000, "first", "application", normal=True)


async def test_close_after_the_services_end_changes_nothing(open_session: OpenSession) -> None:
    session, peer = open_session()
    await peer.transport.close(1011, "boom")
    await session.wait_closed()

    await session.close()

    assert session.close_info == CloseInfo(1011, "boom", "service", normal=False)
    with pytest.raises(ConnectionLostError):
        await rest_of(session)


async def test_a_close_code_that_must_not_be_sent_leaves_the_session_open(open_session: OpenSession) -> None:
    session, peer = open_session()

    with pytest.raises(ConfigurationError, match="close code is 1005"):
        await session.close(1005)
    await session.send_text("still here")
    assert (await peer.hear())["type"] == "conversation.item.create"
    await session.close()
    assert session.close_info == CloseInfo(1000, "", "application", normal=True)


async def test_leaving_the_context_closes(open_session: OpenSession) -> None:
    session, _ = open_session()

    async with session as same:
        assert same is session

    assert session.close_info == CloseInfo(1000, "", "application", normal=True)


async def test_verbs_during_close_raise_instead_of_sending(open_session: OpenSession) -> None:
    session, _ = open_session()
    go_on, close = asyncio.Event(), session._transport.close

    async def slow_close(code: int = 1000, reason: str = "") -> None:
        await go_on.wait()
        await close(code, reason)

    session._transport.close = slow_close  # type: ignore[method-assign]  # a peer that takes its time
    closing = asyncio.ensure_future(session.close())
    await settle()

    with pytest.raises(SessionClosedError, match=re.escape("close() was called")):
        await session.send_text("too late")
    with pytest.raises(SessionClosedError):
        await session.create_response()
    go_on.set()
    await closing


async def test_a_closed_session_leaves_nothing_behind(
    open_session: OpenSession, loop_complaints: list[dict[str, Any]]
) -> None:
    session, peer = open_session()
    before = asyncio.all_tasks()
    session.on(ResponseDone)(lambda event: None)
    await peer.create()
    await session.prepare(1)
    waiting = asyncio.ensure_future(session.create_response())
    await session.send_audio(bytes(10))
    await settle()
    await session.close()
    await asyncio.gather(waiting, return_exceptions=True)

    assert asyncio.all_tasks() <= before
    del waiting
    gc.collect()
    assert loop_complaints == [], "such as an exception that was never retrieved"


async def test_a_fault_in_the_reader_ends_the_session_and_quotes_no_event(
    open_session: OpenSession, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, peer = open_session()
    said = "what was said"

    def broken(event: object, now: float, *, forwarded: bool) -> None:
        raise LookupError(said)

    monkeypatch.setattr(session._protocol, "receive", broken)
    await peer.create()

    with pytest.raises(SessionClosedError, match="internal error: LookupError"):
        await rest_of(session)
    assert "LookupError" in caplog.text
    assert said not in caplog.text
    with pytest.raises(Exception, match="1011"):
        await peer.hear()


@pytest.mark.parametrize("expires_at", [10**400, -(10**400)], ids=["late", "early"])
async def test_a_lifetime_beyond_all_bounds_only_means_that_nothing_is_renewed(
    expires_at: int, loop_complaints: list[dict[str, Any]]
) -> None:
    ours, theirs = memory_pair()
    peer = Peer(theirs)

    async def dial(_: str | None) -> MemoryTransport:
        raise AssertionError("there is nothing to go over to")

    await peer.create(expires_at=expires_at)
    async with Session(ours, redial=Redial(dial, keeps_conversation=False)) as session:
        await session.prepare(1)
        await peer.say("warning", event_id="event_1", warning={"message": "still there"})

        assert (await session.wait_for(WarningEvent, timeout_s=1)).event_id == "event_1"
    assert not loop_complaints


async def test_a_response_that_is_lost_and_never_asked_for_again_stays_in_the_ledger(
    loop_complaints: list[dict[str, Any]],
) -> None:
    ours, theirs = memory_pair()
    peer = Peer(theirs)

    async def dial(_: str | None) -> MemoryTransport:
        raise CredentialRejectedError("not any more", 401)

    await peer.create()
    async with Session(ours, redial=Redial(dial, keeps_conversation=False)) as session:
        await session.prepare(1)
        await session.create_response(confirm=False)
        await peer.hear()
        peer.transport.drop()
        await session.wait_closed()

        assert [(entry.type, entry.status) for entry in session.ledger] == [("response.create", "lost")]
    assert not loop_complaints

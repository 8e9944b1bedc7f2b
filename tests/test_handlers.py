"""Functions of the application that are called with events."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import OpenSession
from tests.support.streams import rest_of, settle, take

from voicelive.errors import ConfigurationError, ServiceError, SessionClosedError, SlowConsumerError
from voicelive.events import HandlerFailed
from voicelive.options import ClientOptions
from voicelive.protocol.connection import CloseInfo
from voicelive.wire.server.response import ResponseAudioDelta, ResponseCreated, ResponseDone
from voicelive.wire.server.session import ErrorEvent, SessionCreated

END = ClientOptions(handler_errors="end")
SAID = "what the caller said"


# -- who is called with what


async def test_sync_and_async_handlers_are_called_in_order_of_events_and_of_registration(
    open_session: OpenSession,
) -> None:
    session, peer = open_session()
    called: list[tuple[str, str]] = []

    @session.on(ResponseCreated, ResponseDone)
    async def slow(event: ResponseCreated | ResponseDone) -> None:
        await asyncio.sleep(0)
        called.append(("slow", event.type))

    @session.on(ResponseDone)
    def quick(event: ResponseDone) -> None:
        called.append(("quick", event.type))

    await peer.say("response.created")
    await peer.say("response.done")
    await peer.say("response.created")
    await settle()

    assert called == [
        ("slow", "response.created"),
        ("slow", "response.done"),
        ("quick", "response.done"),
        ("slow", "response.created"),
    ]


async def test_a_handler_of_no_class_in_particular_hears_all_from_now_on(open_session: OpenSession) -> None:
    session, peer = open_session()
    await peer.create()
    await settle()
    called: list[type[Any]] = []
    session.on()(lambda event: called.append(type(event)))

    await peer.say("response.created")
    await peer.speak()
    await peer.transport.send("no json")
    await settle()

    assert [cls.__name__ for cls in called] == ["ResponseCreated", "ResponseAudioDelta", "UndecodableFrame"]


async def test_the_decorator_leaves_the_function_as_it_is(open_session: OpenSession) -> None:
    session, _ = open_session()

    def handler(event: ResponseDone) -> None: ...

    assert session.on(ResponseDone)(handler) is handler


async def test_what_cannot_be_called_is_refused(open_session: OpenSession) -> None:
    session, _ = open_session()

    with pytest.raises(ConfigurationError, match="handler is a int"):
        session.on(ResponseDone)(5)  # type: ignore[type-var]  # the point of the test


async def test_an_object_that_can_be_called_and_returns_an_awaitable_is_awaited(open_session: OpenSession) -> None:
    session, peer = open_session()
    done = asyncio.Event()

    class Work:
        def __await__(self) -> Iterator[None]:
            done.set()
            yield

    class Handler:
        def __call__(self, event: ResponseDone) -> Work:
            return Work()

    session.on(ResponseDone)(Handler())
    await peer.say("response.done")
    await asyncio.wait_for(done.wait(), 1)


async def test_off_ends_all_registrations_of_one_handler(open_session: OpenSession) -> None:
    session, peer = open_session()
    called: list[str] = []

    def first(event: object) -> None:
        called.append("first")

    def second(event: object) -> None:
        called.append("second")

    session.off(first)
    session.on(ResponseDone)(first)
    session.on(ResponseDone)(second)
    session.on(ResponseCreated)(first)
    session.off(first)
    session.off(first)
    await peer.say("response.created")
    await peer.say("response.done")
    await settle()

    assert called == ["second"]


async def test_a_handler_may_take_itself_out_while_it_runs(open_session: OpenSession) -> None:
    session, peer = open_session()
    called: list[str] = []

    def once(event: object) -> None:
        called.append("once")
        session.off(once)

    session.on(ResponseDone)(once)
    session.on(ResponseDone)(lambda event: called.append("always"))
    await peer.say("response.done")
    await peer.say("response.done")
    await settle()

    assert called == ["once", "always", "always"]


async def test_a_handler_that_is_added_by_another_begins_with_the_next_event(open_session: OpenSession) -> None:
    session, peer = open_session()
    called: list[str] = []

    @session.on(ResponseCreated)
    def adds(event: ResponseCreated) -> None:
        session.on(ResponseCreated, ResponseDone)(lambda event: called.append(event.type))

    await peer.say("response.created")
    await peer.say("response.done")
    await settle()

    assert called == ["response.done"]


# -- off the reader


async def test_a_handler_that_is_busy_holds_up_nobody_but_handlers(open_session: OpenSession) -> None:
    session, peer = open_session()
    go_on, called = asyncio.Event(), []
    stream = aiter(session)

    @session.on()
    async def busy(event: Any) -> None:
        called.append(event.type)
        await go_on.wait()

    await peer.create()
    for _ in range(50):
        await peer.speak()
    verb = asyncio.ensure_future(session.create_response())
    await peer.hear()
    await peer.say("response.created")

    assert (await verb) is not None
    assert [type(event) for event in await take(stream, 52)] == [
        SessionCreated,
        *[ResponseAudioDelta] * 50,
        ResponseCreated,
    ]
    assert called == ["session.created"]
    go_on.set()
    for _ in range(5):
        await settle()
    assert len(called) == 52


async def test_a_handler_may_await_any_verb(open_session: OpenSession) -> None:
    session, peer = open_session()
    result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    @session.on(ResponseDone)
    async def ask_again(event: ResponseDone) -> None:
        await session.send_text("And then?")
        try:
            await session.delete_item("i1")
        except ServiceError as refused:
            result.set_result((refused.code, await session.create_response()))

    await peer.say("response.done")
    assert (await peer.hear())["type"] == "conversation.item.create"
    await peer.refuse((await peer.hear())["event_id"], "no_such_item")
    await peer.hear()
    await peer.say("response.created", response={"id": "resp_2"})

    code, response = await result
    assert (code, response.id) == ("no_such_item", "resp_2")


async def test_handlers_that_fall_behind_their_bound_are_told_of_and_the_session_goes_on(
    open_session: OpenSession, caplog: pytest.LogCaptureFixture
) -> None:
    session, peer = open_session(ClientOptions(inbox_bytes=4096))
    go_on, failures = asyncio.Event(), session.subscribe(HandlerFailed)

    @session.on(ResponseAudioDelta)
    async def busy(event: ResponseAudioDelta) -> None:
        await go_on.wait()

    for _ in range(6):
        await peer.speak("A" * 1024)
    await settle()
    go_on.set()

    [failed] = await take(failures, 1)
    assert isinstance(failed.error, SlowConsumerError)
    assert "the queue of handlers left" in str(failed.error)
    assert "no handler runs any more" in caplog.text
    await peer.say("response.done")
    assert [type(event) for event in await take(session, 2)] == [HandlerFailed, ResponseDone]


# -- failures


async def test_a_failing_handler_is_told_of_by_event_and_log_without_the_words_of_its_exception(
    open_session: OpenSession, caplog: pytest.LogCaptureFixture
) -> None:
    session, peer = open_session()
    called: list[str] = []
    raised = ValueError(SAID)

    @session.on(ResponseDone)
    async def fails(event: ResponseDone) -> None:
        raise raised

    session.on(ResponseDone)(lambda event: called.append(event.type))
    with caplog.at_level(logging.DEBUG):
        await peer.say("response.done")
        done, failed = await take(session, 2)
        await peer.say("response.done")
        await settle()

    assert isinstance(done, ResponseDone)
    assert isinstance(failed, HandlerFailed)
    assert failed.error is raised
    assert (failed.handler, failed.event_type) == (fails.__qualname__, "response.done")
    assert called == ["response.done", "response.done"], "neither later handlers nor later events are affected"
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 2
    assert "fails" in errors[0].getMessage()
    assert "ValueError" in errors[0].getMessage()
    assert "response.done" in errors[0].getMessage()
    line = fails.__code__.co_firstlineno + 2
    assert f"line {line}" in errors[0].getMessage()
    assert SAID not in caplog.text + repr(failed)


async def test_the_failure_on_an_unknown_event_names_the_services_type(open_session: OpenSession) -> None:
    session, peer = open_session()
    session.on()(lambda event: 1 / 0)

    await peer.say("brand.new")

    _, failed = await take(session, 2)
    assert isinstance(failed, HandlerFailed)
    assert failed.event_type == "brand.new"


async def test_a_cancellation_inside_a_handler_is_a_failure_and_not_the_end_of_all_handlers(
    open_session: OpenSession,
) -> None:
    session, peer = open_session()
    called = []

    @session.on(ResponseDone)
    async def awaits_what_was_cancelled(event: ResponseDone) -> None:
        called.append(event.type)
        inner = asyncio.ensure_future(asyncio.sleep(0))
        inner.cancel()
        await inner

    await peer.say("response.done")
    await peer.say("response.done")

    failures = await take(session.subscribe(HandlerFailed), 2)
    assert [type(failed.error) for failed in failures] == [asyncio.CancelledError, asyncio.CancelledError]
    assert len(called) == 2


async def test_a_handler_of_failures_that_fails_goes_round_no_more(
    open_session: OpenSession, caplog: pytest.LogCaptureFixture
) -> None:
    session, peer = open_session()
    called: list[str] = []

    @session.on(HandlerFailed)
    def fails_too(event: HandlerFailed) -> None:
        called.append(event.handler)
        raise ValueError(SAID)

    session.on(ResponseDone)(lambda event: 1 / 0)
    await peer.say("response.done")
    await settle()

    assert len(called) == 1
    events = await take(session, 2)
    assert [type(event) for event in events] == [ResponseDone, HandlerFailed]
    assert [record.levelno for record in caplog.records].count(logging.ERROR) == 2
    assert SAID not in caplog.text


async def test_a_failure_may_be_made_to_end_the_session_with_an_error_that_names_the_handler(
    open_session: OpenSession,
) -> None:
    session, peer = open_session(END)

    @session.on(ResponseDone)
    def fails(event: ResponseDone) -> None:
        raise ValueError(SAID)

    await peer.say("response.done")

    assert [type(event) for event in await take(session, 2)] == [ResponseDone, HandlerFailed]
    with pytest.raises(SessionClosedError, match="fails") as caught:
        await rest_of(session)
    assert SAID not in str(caught.value)
    assert session.close_info is not None
    assert (session.close_info.code, session.close_info.by, session.close_info.normal) == (1011, "application", False)
    with pytest.raises(Exception, match="1011"):
        await peer.hear()
    with pytest.raises(SessionClosedError, match="fails"):
        await session.send_text("too late")


@pytest.mark.looptime
async def test_two_failures_on_one_event_end_the_session_once_and_without_delay(open_session: OpenSession) -> None:
    session, peer = open_session(END)
    began = asyncio.get_running_loop().time()
    session.on(ResponseDone)(lambda event: 1 / 0)
    session.on(ResponseDone)(lambda event: 2 / 0)

    await peer.say("response.done")
    info = await session.wait_closed()
    await session.close()

    assert "<lambda>" in info.reason
    assert asyncio.get_running_loop().time() == began


async def test_without_the_option_failures_leave_the_session_open(open_session: OpenSession) -> None:
    session, peer = open_session()
    session.on(ResponseDone)(lambda event: 1 / 0)

    await peer.say("response.done")
    await take(session, 2)

    assert session.close_info is None


# -- the end


async def test_handlers_get_what_had_come_before_the_end(open_session: OpenSession) -> None:
    session, peer = open_session()
    called: list[str] = []

    @session.on(ResponseDone, ErrorEvent)
    async def slow(event: Any) -> None:
        await asyncio.sleep(0)
        called.append(event.type)

    for _ in range(5):
        await peer.say("response.done")
    await peer.refuse(None)
    peer.transport.drop()
    await session.wait_closed()
    await session.close()

    assert called == ["response.done"] * 5 + ["error"]


@pytest.mark.looptime
@pytest.mark.parametrize("closers", [1, 3])
async def test_close_is_bounded_with_a_handler_that_is_stuck(open_session: OpenSession, closers: int) -> None:
    session, peer = open_session(ClientOptions(close_timeout_s=0.7))
    stuck, cancelled = asyncio.Event(), asyncio.Event()

    @session.on(ResponseDone)
    async def handler(event: ResponseDone) -> None:
        stuck.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    await peer.say("response.done")
    await peer.say("response.done")
    await stuck.wait()
    began = asyncio.get_running_loop().time()

    await asyncio.gather(*(session.close() for _ in range(closers)))

    assert asyncio.get_running_loop().time() - began == pytest.approx(0.7)
    assert cancelled.is_set()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.looptime
async def test_close_from_a_handler_does_not_wait_for_that_handler(open_session: OpenSession) -> None:
    session, peer = open_session()
    after: asyncio.Future[CloseInfo | None] = asyncio.get_running_loop().create_future()

    @session.on(ResponseDone)
    async def hang_up(event: ResponseDone) -> None:
        await session.close(1000, "goodbye")
        after.set_result(session.close_info)

    await peer.say("response.done")

    assert await after == CloseInfo(1000, "goodbye", "application", normal=True)
    assert [type(event) for event in await rest_of(session)] == [ResponseDone]
    await session.close()
    assert asyncio.get_running_loop().time() == 0


@pytest.mark.looptime
async def test_a_handler_and_the_application_may_close_at_the_same_time(open_session: OpenSession) -> None:
    session, peer = open_session()
    began_closing = asyncio.Event()

    @session.on(ResponseDone)
    async def hang_up(event: ResponseDone) -> None:
        began_closing.set()
        await session.close()

    await peer.say("response.done")
    await began_closing.wait()
    await session.close()

    assert asyncio.get_running_loop().time() == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}

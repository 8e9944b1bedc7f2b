from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import threading
from collections.abc import Awaitable
from typing import Annotated, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator

from voicelive.session import Session
from voicelive.tools import (
    LocalTool,
    ToolCall,
    ToolContext,
    ToolError,
    ToolOptions,
    ToolResult,
    ToolRunner,
    ToolSet,
    cancelled_result,
    tool,
    tool_from_schema,
)
from voicelive.wire.tools import FunctionTool

WHO = contextvars.ContextVar[str]("WHO")


def call_of(name: str, arguments: object = None) -> ToolCall:
    """``arguments``: text as it is, anything else as JSON, nothing as an empty object."""
    text = arguments if isinstance(arguments, str) else json.dumps({} if arguments is None else arguments)
    return ToolCall(name, text, f"call_{name}")


def context_of(call: ToolCall) -> ToolContext:
    return ToolContext(cast("Session", object()), call.call_id, call.name, response_id="resp_1", item_id="item_1")


async def run(tools: LocalTool | ToolRunner, arguments: object = None, name: str | None = None) -> ToolResult:
    runner = tools if isinstance(tools, ToolRunner) else ToolRunner(ToolSet(tools))
    call = call_of(name or runner.toolset.names[0], arguments)
    return await runner.run(call, context_of(call))


def kind(result: ToolResult) -> str:
    """The failure, once it is sure that the model and the application are told the same."""
    assert result.failure is not None
    assert json.loads(result.output)["error"]["type"] == result.failure.kind
    return result.failure.kind


def message(result: ToolResult) -> str:
    text: str = json.loads(result.output)["error"]["message"]
    return text


# --- results ---


async def test_a_coroutine_function_answers_on_the_event_loop() -> None:
    @tool
    async def where(city: str) -> dict[str, Any]:
        return {"city": city, "main": threading.current_thread() is threading.main_thread()}

    result = await run(where, {"city": "Rome"})

    assert (result.call_id, result.name, result.failure) == ("call_where", "where", None)
    assert result.output == '{"city":"Rome","main":true}'


async def test_a_plain_function_answers_in_a_thread_with_the_callers_context_variables() -> None:
    @tool
    def where(city: str) -> str:
        return f"{city} {WHO.get()} {threading.current_thread().name}"

    WHO.set("caller")

    assert (await run(where, {"city": "Rome"})).output == "Rome caller voicelive tool where"


async def test_the_context_reaches_the_tool() -> None:
    @tool
    async def tell(context: ToolContext) -> str:
        return f"{context.call_id} {context.name} {context.response_id} {context.item_id}"

    assert (await run(tell)).output == "call_tell tell resp_1 item_1"


async def test_a_tool_that_finishes_can_notice_the_barge_in() -> None:
    @tool(on_barge_in="finish")
    async def search(context: ToolContext) -> str:
        await context.interrupted.wait()
        return "what was found so far"

    call = call_of("search")
    context = context_of(call)
    running = asyncio.create_task(ToolRunner(ToolSet(search)).run(call, context))
    await asyncio.sleep(0)
    context.interrupted.set()

    assert (await running).output == "what was found so far"


async def test_a_plain_schema_tool_gets_one_dict() -> None:
    definition = FunctionTool(name="seen", parameters={"type": "object"})

    async def later(arguments: dict[str, Any]) -> list[str]:
        return [*arguments]

    def spawns(arguments: dict[str, Any]) -> Awaitable[list[str]]:
        return later(arguments)

    for function in (later, spawns, lambda arguments: [*arguments]):
        assert (await run(tool_from_schema(definition, function), {"a": 1})).output == '["a"]'


async def test_a_dispatcher_gets_the_call_as_it_came() -> None:
    seen: list[ToolCall] = []

    async def dispatch(call: ToolCall) -> str:
        seen.append(call)
        return "done"

    runner = ToolRunner(ToolSet(dispatcher=dispatch).with_dispatcher([FunctionTool(name="far")], dispatch))

    for name in ("far", "never declared"):
        assert (await run(runner, "not even JSON", name)).output == "done"
    assert [(call.name, call.arguments_json) for call in seen] == [
        ("far", "not even JSON"),
        ("never declared", "not even JSON"),
    ]


@pytest.mark.looptime
async def test_the_duration_is_told() -> None:
    @tool
    async def slow() -> None:
        await asyncio.sleep(2.5)

    assert (await run(slow)).duration_s == pytest.approx(2.5)


# --- failures ---


async def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    @tool
    def known() -> None: ...

    result = await run(known, name="unheard_of")

    assert kind(result) == "unknown_tool"
    assert message(result) == "There is no function of that name. There are: known."
    assert message(await run(ToolRunner(ToolSet()), name="any")) == "There are no functions to call."


async def test_wrong_arguments_are_answered_with_the_problems_and_nothing_runs() -> None:
    @tool
    async def never(city: str, days: int) -> None:
        raise AssertionError("it ran")

    result = await run(never, {"days": "2"})

    assert kind(result) == "invalid_arguments"
    assert json.loads(result.output)["error"]["problems"] == [
        {"argument": "city", "problem": "is required"},
        {"argument": "days", "problem": "should be a valid integer"},
    ]
    assert result.failure is not None
    assert [problem.argument for problem in result.failure.problems] == ["city", "days"]


@pytest.mark.parametrize("arguments", ["{", "[]", '{"a":' * 200 + "1" + "}" * 200, '"' + "x" * 2**20 + '"'])
async def test_arguments_that_are_no_proper_object_are_answered(arguments: str) -> None:
    @tool
    async def never() -> None:
        raise AssertionError("it ran")

    assert kind(await run(never, arguments)) == "invalid_arguments"


@given(st.text())
async def test_whatever_the_model_writes_there_is_a_result(arguments: str) -> None:
    assert (await run(echo, arguments)).output


@tool
async def echo(city: str, days: int = 1) -> str:
    return f"{city} {days}"


def fail(_: int) -> int:
    raise KeyError("secret")


async def test_an_exception_is_kept_from_the_model_and_given_to_the_application() -> None:
    error = ConnectionError("password secret")

    @tool
    async def fails() -> None:
        raise error

    @tool
    def fails_in_thread() -> None:
        raise error

    for failing in (fails, fails_in_thread):
        result = await run(failing)

        assert kind(result) == "raised"
        assert result.failure is not None
        assert result.failure.exception is error
        assert "secret" not in result.output + repr(result)


async def test_an_exception_in_the_applications_validator_is_one_of_the_tool() -> None:
    @tool
    async def never(count: Annotated[int, AfterValidator(fail)]) -> None: ...

    assert kind(await run(never, {"count": 1})) == "raised"


async def test_the_words_of_a_tool_error_are_for_the_model() -> None:
    @tool
    def book() -> None:
        raise ToolError("No seats are left; offer the next train. \ud800")

    result = await run(book)

    assert kind(result) == "raised"
    assert message(result) == "No seats are left; offer the next train. ?"


async def test_a_result_without_a_json_form_is_a_failure() -> None:
    @tool
    def picture() -> bytes:
        return b"\x89PNG"

    result = await run(picture)

    assert kind(result) == "unserialisable_result"
    assert result.failure is not None
    assert "bytes cannot be a result" in str(result.failure.exception)


# --- timeouts and cancellation ---


@pytest.mark.looptime
async def test_a_slow_coroutine_is_stopped_by_its_timeout() -> None:
    stopped: list[float] = []

    @tool(timeout_s=2)
    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            stopped.append(asyncio.get_running_loop().time())

    result = await run(slow)

    assert kind(result) == "timeout"
    assert message(result) == "The function did not answer within 2 seconds."
    assert [result.duration_s, *stopped] == pytest.approx([2, 2])


@pytest.mark.looptime
async def test_a_slow_thread_is_left_behind_and_told_so() -> None:
    left = threading.Event()

    @tool(timeout_s=2)
    def slow(context: ToolContext) -> None:
        context.abandoned.wait()
        left.set()

    assert kind(await run(slow)) == "timeout"
    left.wait()


async def test_a_timeout_of_the_tools_own_is_an_exception_like_others() -> None:
    @tool
    async def gives_up() -> None:
        raise TimeoutError("upstream")

    assert kind(await run(gives_up)) == "raised"


@pytest.mark.looptime
async def test_without_a_timeout_a_tool_may_take_a_day() -> None:
    @tool(timeout_s=None)
    async def slow() -> str:
        await asyncio.sleep(86_400)
        return "done"

    assert (await run(slow)).output == "done"


async def test_cancelling_stops_a_coroutine_and_is_the_one_thing_that_is_raised() -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    @tool
    async def slow() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    call = call_of("slow")
    context = context_of(call)
    running = asyncio.create_task(ToolRunner(ToolSet(slow)).run(call, context))
    await begun.wait()
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert stopped.is_set()
    assert context.abandoned.is_set()


async def test_a_tool_that_gives_itself_up_is_a_failure() -> None:
    @tool
    async def gives_up() -> None:
        raise asyncio.CancelledError

    assert kind(await run(gives_up)) == "cancelled"


def test_a_call_that_was_cancelled_from_outside_can_still_be_answered() -> None:
    result = cancelled_result(call_of("slow"), 1.5)

    assert kind(result) == "cancelled"
    assert (result.call_id, result.name, result.duration_s) == ("call_slow", "slow", 1.5)


# --- concurrency ---


class Gauge:
    """How many runs there were at the same time."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def hold(self) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(1)
        self.now -= 1


@pytest.mark.looptime
@pytest.mark.parametrize(("concurrency", "most", "took_s"), [(1, 1, 6), (2, 2, 3), (None, 6, 1)])
async def test_a_tool_runs_as_often_at_a_time_as_it_may(concurrency: int | None, most: int, took_s: float) -> None:
    gauge = Gauge()

    @tool(concurrency=concurrency)
    async def held() -> None:
        await gauge.hold()

    runner = ToolRunner(ToolSet(held))
    results = await asyncio.gather(*(run(runner) for _ in range(6)))

    assert gauge.most == most
    assert max(result.duration_s for result in results) == pytest.approx(took_s)
    assert all(result.failure is None for result in results)


@pytest.mark.looptime
async def test_one_tools_limit_is_not_anothers() -> None:
    gauge = Gauge()

    @tool(concurrency=1)
    async def one() -> None:
        await gauge.hold()

    @tool(concurrency=1)
    async def other() -> None:
        await gauge.hold()

    runner = ToolRunner(ToolSet(one, other))
    await asyncio.gather(run(runner, name="one"), run(runner, name="other"))

    assert gauge.most == 2


@pytest.mark.looptime
async def test_a_dispatchers_limit_counts_all_undeclared_names_together() -> None:
    gauge = Gauge()

    async def dispatch(_: ToolCall) -> None:
        await gauge.hold()

    runner = ToolRunner(ToolSet(dispatcher=dispatch, dispatcher_options=ToolOptions(concurrency=1)))
    await asyncio.gather(run(runner, name="one"), run(runner, name="other"))

    assert gauge.most == 1


@pytest.mark.looptime
async def test_waiting_for_a_slot_counts_towards_the_timeout() -> None:
    @tool(concurrency=1, timeout_s=2)
    async def slow() -> None:
        await asyncio.sleep(1.5)

    runner = ToolRunner(ToolSet(slow))
    first, second = await asyncio.gather(run(runner), run(runner))

    assert first.failure is None
    assert kind(second) == "timeout"
    assert second.duration_s == pytest.approx(2)


@pytest.mark.looptime
async def test_an_abandoned_thread_keeps_its_slot_until_it_ends() -> None:
    release, begun = threading.Event(), threading.Semaphore(0)
    threads: list[threading.Thread] = []

    @tool(concurrency=1, timeout_s=1)
    def stuck() -> None:
        threads.append(threading.current_thread())
        begun.release()
        release.wait()

    runner = ToolRunner(ToolSet(stuck))
    await run(runner)
    assert begun.acquire(timeout=5)
    assert kind(await run(runner)) == "timeout"
    assert not begun.acquire(blocking=False)

    release.set()
    threads[0].join()
    await asyncio.sleep(0)  # takes note of the end
    await run(runner)  # virtual time may overtake the thread, so its beginning counts rather than its result
    assert begun.acquire(timeout=5)


async def test_cancelling_while_waiting_for_a_slot_leaves_the_slot_to_others() -> None:
    gate = asyncio.Event()

    @tool(concurrency=1)
    async def held() -> str:
        await gate.wait()
        return "done"

    runner = ToolRunner(ToolSet(held))
    running, waiting, last = (asyncio.create_task(run(runner)) for _ in range(3))
    await asyncio.sleep(0)
    waiting.cancel()
    gate.set()

    assert (await running).output == (await last).output == "done"
    assert waiting.cancelled()


# --- logs ---


async def test_logs_tell_names_ids_and_durations_and_neither_arguments_nor_results(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @tool
    async def tell(word: str) -> str:
        if word == "secret fault":
            raise ValueError(word)
        return word

    caplog.set_level(logging.DEBUG, "voicelive")
    await run(tell, {"word": "secret"})
    await run(tell, {"word": "secret fault"})
    await run(tell, {"secret": 1})

    answered, raised, refused = caplog.messages
    assert answered.startswith("= tool tell answered call call_tell in 0.")
    assert raised.startswith("= tool tell failed call call_tell after 0.")
    assert "s: raised (ValueError at test_running.py:" in raised
    assert refused.endswith("s: invalid_arguments")
    assert "secret" not in caplog.text

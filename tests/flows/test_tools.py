"""Tools that run side by side: each call is answered once, whatever becomes of it, and one response speaks of all."""

from __future__ import annotations

import asyncio
import json

import pytest
from tests.flows.scene import emulated

from voicelive.events import ToolCallFinished, ToolCallStarted, ToolTrouble
from voicelive.testing import Call, EmulatedSession, Pace, Script, Turn
from voicelive.tools import tool
from voicelive.wire.client_events import ConversationItemCreate, ResponseCreate
from voicelive.wire.items import FunctionCallOutputItem
from voicelive.wire.server.response import ResponseCreated, ResponseDone
from voicelive.wire.server.session import ErrorEvent


@tool
async def quick(city: str) -> str:
    """Answer after 0.2 s."""
    await asyncio.sleep(0.2)
    return f"{city} is sunny"


@tool
async def slow(city: str) -> str:
    """Answer after 2 s."""
    await asyncio.sleep(2)
    return f"{city} is far"


@tool
async def broken(city: str) -> str:
    """Fail."""
    raise ValueError(city)


@tool(timeout_s=1)
async def stuck() -> str:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError("nothing sets it")


TOOLS = (quick, slow, broken, stuck)
CALLS = (
    Call("quick", {"city": "Lisbon"}),
    Call("slow", {"city": "Porto"}),
    Call("broken", {"city": "Faro"}),
    Call("quick", {"town": "Braga"}),
    Call("stuck"),
)


def outputs_by_call(service: EmulatedSession) -> list[tuple[str, str]]:
    """Call ids and outputs in the order in which the service got them."""
    items = [event.item for event in service.received_of(ConversationItemCreate)]
    return [(item.call_id, item.output) for item in items if isinstance(item, FunctionCallOutputItem)]


def call_ids(service: EmulatedSession) -> list[str]:
    """Of the first response, in its order."""
    return [
        item.call_id for item in service.sent_of(ResponseDone)[0].response.output or () if item.type == "function_call"
    ]


@pytest.mark.looptime
async def test_parallel_calls_are_all_answered_once_whatever_becomes_of_them() -> None:
    script = Script(Turn(calls=CALLS, reply_after_calls="Lisbon is sunny, the rest I do not know."))
    async with emulated(script, pace=Pace.measured(), tools=TOOLS) as (session, service):
        finished = session.subscribe(ToolCallFinished, ToolTrouble)
        reply = await session.ask("How is the weather?")
        told = [await anext(finished) for _ in CALLS]
        ids = call_ids(service)
        outputs = outputs_by_call(service)

    assert sorted(call_id for call_id, _ in outputs) == sorted(ids)
    by_call = dict(outputs)
    assert by_call[ids[0]] == "Lisbon is sunny"
    assert by_call[ids[1]] == "Porto is far"
    kinds = [json.loads(by_call[call_id])["error"]["type"] for call_id in ids[2:]]
    assert kinds == ["raised", "invalid_arguments", "timeout"]
    assert [event.call_id for event in told if isinstance(event, ToolCallFinished)] == [call for call, _ in outputs]
    assert reply.text == "Lisbon is sunny, the rest I do not know."
    assert [call.output for call in reply.tool_calls] == [by_call[call_id] for call_id in ids]
    assert len(reply.usage) == 2


@pytest.mark.looptime
async def test_parallel_calls_take_as_long_as_the_slowest() -> None:
    clock = asyncio.get_running_loop().time
    script = Script(Turn(calls=CALLS, reply_after_calls="Done."))
    async with emulated(script, pace=Pace.measured(), tools=TOOLS) as (session, _):
        started = session.subscribe(ToolCallStarted)
        answered = session.subscribe(ResponseCreated)
        asking = asyncio.create_task(session.ask("How is the weather?"))
        began_s: dict[str, float] = {}
        for _call in CALLS:
            event = await anext(started)
            began_s.setdefault(event.name, clock())
        await anext(answered)
        await anext(answered)
        waited_s = clock() - began_s["slow"]
        await asking

    assert waited_s == pytest.approx(2 + Pace.measured().response_created_s, abs=0.05)


@pytest.mark.looptime
async def test_one_response_follows_the_calls_after_the_end_of_the_first() -> None:
    script = Script(Turn("One moment.", calls=CALLS, reply_after_calls="Done."))
    async with emulated(script, pace=Pace.measured(), tools=TOOLS) as (session, service):
        await session.ask("How is the weather?")
        await asyncio.sleep(60)  # time for anything superfluous
        creates, outputs = service.received_of(ResponseCreate), outputs_by_call(service)
        ends = [event.response.status for event in service.sent_of(ResponseDone)]
        errors = service.sent_of(ErrorEvent)

    assert len(creates) == 2  # the question's, and the one that speaks of all results
    assert len(outputs) == len(CALLS)
    assert (ends, errors) == (["completed", "completed"], [])  # asked for too early it would have been refused


@pytest.mark.looptime
async def test_a_result_that_is_there_before_the_response_is_done_waits_for_its_end() -> None:
    @tool
    async def instant() -> str:
        """Answer at once."""
        return "here"

    @tool
    async def count(text: str) -> int:
        """Count letters."""
        return len(text)

    long_to_write = Call("count", {"text": "word " * 50})  # still being written when the other one is answered
    script = Script(Turn(calls=[Call("instant"), long_to_write], reply_after_calls="Done."))
    async with emulated(script, pace=Pace.measured(), tools=[instant, count]) as (session, service):
        order = session.subscribe(ToolCallFinished, ResponseDone)
        reply = await session.ask("Go")
        first, second, third = [type(await anext(order)) for _ in range(3)]
        errors = service.sent_of(ErrorEvent)

    assert first is ToolCallFinished
    assert {second, third} == {ToolCallFinished, ResponseDone}
    assert [call.output for call in reply.tool_calls] == ["here", "250"]
    assert errors == []

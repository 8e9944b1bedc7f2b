"""Tool calls in a session: each is answered once, whatever becomes of it, and then one response speaks of all."""

import asyncio
import gc
import json
import threading
from typing import Any

import pytest
from tests.conftest import OpenSession
from tests.support.peer import JsonObject, Peer
from tests.support.service import asked, begins, calls, ends, heard, nothing_more, speech_starts
from tests.support.streams import settle, take

from voicelive.errors import ServiceError
from voicelive.events import ToolCallFinished, ToolCallStarted, ToolTrouble
from voicelive.options import ClientOptions
from voicelive.tools import ToolContext, ToolSet, tool
from voicelive.wire.client_events import ConversationItemCreate
from voicelive.wire.items import FunctionCallOutputItem
from voicelive.wire.session import SessionConfig
from voicelive.wire.tools import FunctionTool


class Gates:
    """Tools that go on when the test says so."""

    def __init__(self) -> None:
        self.open: dict[str, asyncio.Event] = {}
        self.began: list[str] = []
        self.stopped: list[str] = []
        self.contexts: dict[str, ToolContext] = {}

    async def run(self, name: str, context: ToolContext) -> str:
        self.began.append(name)
        self.contexts[name] = context
        self.open.setdefault(name, asyncio.Event())
        try:
            await self.open[name].wait()
        except asyncio.CancelledError:
            self.stopped.append(name)
            raise
        return f"result of {name}"

    def tool(self, name: str, **options: Any) -> Any:
        async def wait(context: ToolContext) -> str:
            """Wait for the test."""
            return await self.run(name, context)

        return tool(name=name, **options)(wait)


@pytest.fixture
def gates() -> Gates:
    return Gates()


async def output(peer: Peer) -> tuple[str, str]:
    """Which call the session answers next, and how."""
    item = (await heard(peer, "conversation.item.create"))["item"]
    assert item.keys() == {"type", "call_id", "output"}
    assert item["type"] == "function_call_output"
    return item["call_id"], item["output"]


def error_type(text: str) -> str:
    return str(json.loads(text)["error"]["type"])


async def one_call(peer: Peer, name: str, arguments: str = "{}", *, response: str = "resp_1") -> None:
    """A whole response that calls one function."""
    await begins(peer, response)
    await calls(peer, response, f"call_of_{response}", name, arguments)
    await ends(peer, response)
    await settle()


# -- running and answering


async def test_a_call_is_run_and_answered_and_then_spoken_of(open_session: OpenSession) -> None:
    @tool
    async def add(one: int, other: int) -> int:
        """Add."""
        return one + other

    session, peer = open_session()
    session.use_tools(ToolSet(add))
    stream = session.subscribe(ToolCallStarted, ToolCallFinished)

    await one_call(peer, "add", '{"one":2,"other":3}')

    assert await output(peer) == ("call_of_resp_1", "5")
    assert await asked(peer) == {}
    await nothing_more(peer)
    started, finished = await take(stream, 2)
    assert started == ToolCallStarted("call_of_resp_1", "add", "resp_1")
    assert isinstance(finished, ToolCallFinished)
    assert (finished.call_id, finished.name, finished.output, finished.failure) == ("call_of_resp_1", "add", "5", None)


async def test_parallel_calls_run_side_by_side_and_one_response_follows_the_last(
    open_session: OpenSession, gates: Gates
) -> None:
    session, peer = open_session()
    session.use_tools(ToolSet(gates.tool("one"), gates.tool("two"), gates.tool("three")))
    await begins(peer, "resp_1")
    for name in ("one", "two", "three"):
        await calls(peer, "resp_1", f"call_{name}", name)
    await ends(peer, "resp_1")
    await settle()
    assert gates.began == ["one", "two", "three"]

    for name in ("three", "one"):
        gates.open[name].set()
        assert await output(peer) == (f"call_{name}", f"result of {name}")
    await nothing_more(peer)
    gates.open["two"].set()

    assert await output(peer) == ("call_two", "result of two")
    assert await asked(peer) == {}
    await begins(peer, "resp_2", 1)
    await ends(peer, "resp_2")
    await nothing_more(peer)


async def test_the_response_about_results_waits_for_the_end_of_the_one_that_called(
    open_session: OpenSession, gates: Gates
) -> None:
    session, peer = open_session()
    session.use_tools(ToolSet(gates.tool("one")))
    await begins(peer, "resp_1")
    await calls(peer, "resp_1", "call_1", "one")
    await settle()
    gates.open["one"].set()
    assert await output(peer) == ("call_1", "result of one")
    await nothing_more(peer)

    await ends(peer, "resp_1")

    assert await asked(peer) == {}


async def test_failures_are_answered_as_errors_and_told(open_session: OpenSession) -> None:
    @tool
    async def fail(word: str) -> str:
        """Fail."""
        raise ValueError(f"secret {word}")

    session, peer = open_session()
    session.use_tools(ToolSet(fail))
    stream = session.subscribe(ToolCallFinished)
    await begins(peer, "resp_1")
    await calls(peer, "resp_1", "call_1", "fail", '{"word":"x"}')
    await calls(peer, "resp_1", "call_2", "fail", '{"word":7}')
    await calls(peer, "resp_1", "call_3", "fail", "no json")
    await calls(peer, "resp_1", "call_4", "unheard_of")
    await ends(peer, "resp_1")

    answers = dict([await output(peer) for _ in range(4)])
    assert {call_id: error_type(answer) for call_id, answer in answers.items()} == {
        "call_1": "raised",
        "call_2": "invalid_arguments",
        "call_3": "invalid_arguments",
        "call_4": "unknown_tool",
    }
    assert "secret" not in str(answers)
    assert await asked(peer) == {}
    kinds = [event.failure.kind for event in await take(stream, 4) if event.failure is not None]
    assert sorted(kinds) == ["invalid_arguments", "invalid_arguments", "raised", "unknown_tool"]


@pytest.mark.looptime
async def test_a_call_that_takes_too_long_is_answered_in_time(open_session: OpenSession, gates: Gates) -> None:
    session, peer = open_session()
    session.use_tools(ToolSet(gates.tool("one", timeout_s=2)))
    began = asyncio.get_running_loop().time()
    await one_call(peer, "one")

    _, answer = await output(peer)

    assert error_type(answer) == "timeout"
    assert asyncio.get_running_loop().time() - began == pytest.approx(2, abs=0.01)
    assert await asked(peer) == {}


async def test_a_synchronous_tool_runs_in_a_thread_and_is_answered(open_session: OpenSession) -> None:
    names = []

    @tool
    def block() -> str:
        """Block."""
        names.append(threading.current_thread().name)
        return "done"

    session, peer = open_session()
    session.use_tools(ToolSet(block))
    await one_call(peer, "block")

    assert await output(peer) == ("call_of_resp_1", "done")
    assert names == ["voicelive tool block"]


async def test_a_tool_may_use_the_session(open_session: OpenSession) -> None:
    @tool
    async def note(context: ToolContext) -> str:
        """Take a note."""
        await context.session.send_text("noted", role="system")
        return context.call_id

    session, peer = open_session()
    session.use_tools(ToolSet(note))
    await one_call(peer, "note")

    assert (await heard(peer, "conversation.item.create"))["item"]["role"] == "system"
    assert await output(peer) == ("call_of_resp_1", "call_of_resp_1")


async def test_a_tool_may_hang_up(open_session: OpenSession) -> None:
    @tool
    async def hang_up(context: ToolContext) -> None:
        """Hang up."""
        await context.session.close(1000, "bye")

    session, peer = open_session()
    session.use_tools(ToolSet(hang_up))
    await one_call(peer, "hang_up")

    info = await asyncio.wait_for(session.wait_closed(), 1)
    assert (info.reason, info.by, info.normal) == ("bye", "application", True)


# -- oddities


async def test_a_call_told_twice_runs_once(open_session: OpenSession, gates: Gates) -> None:
    session, peer = open_session()
    session.use_tools(ToolSet(gates.tool("one")))
    stream = session.subscribe(ToolTrouble)
    await begins(peer, "resp_1")
    await calls(peer, "resp_1", "call_1", "one")
    await calls(peer, "resp_1", "call_1", "one")
    await ends(peer, "resp_1")
    await settle()
    gates.open["one"].set()

    assert await output(peer) == ("call_1", "result of one")
    assert await asked(peer) == {}
    await nothing_more(peer)
    assert gates.began == ["one"]
    assert await take(stream, 1) == [ToolTrouble("call_1", "duplicate_call")]


@pytest.mark.parametrize(("call_id", "trouble"), [("call_of_resp_1", "duplicate_answer"), ("call_9", "unknown_call")])
async def test_a_result_that_is_not_owed_is_told_and_not_sent(
    open_session: OpenSession, gates: Gates, call_id: str, trouble: str
) -> None:
    session, peer = open_session()
    session.use_tools(ToolSet(gates.tool("one")))
    stream = session.subscribe(ToolTrouble)
    await one_call(peer, "one")
    gates.open["one"].set()
    await output(peer)
    await asked(peer)

    session._engine.perform(session._protocol.answer(call_id, "late", 0.0))

    assert await take(stream, 1) == [ToolTrouble(call_id, trouble)]
    await nothing_more(peer)


async def test_a_call_whose_arguments_were_cut_off_is_not_run(open_session: OpenSession, gates: Gates) -> None:
    session, peer = open_session()
    session.use_tools(ToolSet(gates.tool("one")))
    item = {"id": "i1", "type": "function_call", "name": "one", "call_id": "call_1", "arguments": '{"a'}
    await begins(peer, "resp_1")
    await peer.say("response.output_item.done", response_id="resp_1", item={**item, "status": "incomplete"})
    await ends(peer, "resp_1", "cancelled")

    await nothing_more(peer)
    assert gates.began == []


# -- what is the application's


async def test_without_tools_of_the_session_calls_are_the_applications(open_session: OpenSession) -> None:
    session, peer = open_session()
    await one_call(peer, "mine")
    await nothing_more(peer)

    await session.add_item(FunctionCallOutputItem(call_id="call_of_resp_1", output="by hand"))
    await session.create_response(confirm=False)

    assert (await heard(peer, "conversation.item.create"))["item"]["output"] == "by hand"
    assert await asked(peer) == {}, "the application asked for it, and nobody else"
    await nothing_more(peer)


async def test_tools_declared_by_hand_are_left_to_the_application(open_session: OpenSession, gates: Gates) -> None:
    session, peer = open_session(requested=SessionConfig(tools=[FunctionTool(name="mine")]))
    session.use_tools(ToolSet(gates.tool("one")))
    stream = session.subscribe(ToolCallStarted)
    await begins(peer, "resp_1")
    await calls(peer, "resp_1", "call_1", "one")
    await calls(peer, "resp_1", "call_2", "mine")
    await ends(peer, "resp_1")
    await settle()
    gates.open["one"].set()

    assert await output(peer) == ("call_1", "result of one")
    assert [event.call_id for event in await take(stream, 1)] == ["call_1"]
    await nothing_more(peer)
    await session.send(ConversationItemCreate(item=FunctionCallOutputItem(call_id="call_2", output="by hand")))
    assert await output(peer) == ("call_2", "by hand")
    await nothing_more(peer)
    await session.create_response(confirm=False)
    assert await asked(peer) == {}, "who answers last asks"


async def test_an_answer_by_hand_stops_the_tool_and_is_the_only_one(open_session: OpenSession, gates: Gates) -> None:
    session, peer = open_session()
    session.use_tools(ToolSet(gates.tool("one")))
    trouble, finished = session.subscribe(ToolTrouble), session.subscribe(ToolCallFinished)
    await one_call(peer, "one")

    await session.add_item(FunctionCallOutputItem(call_id="call_of_resp_1", output="by hand"))

    assert (await heard(peer, "conversation.item.create"))["item"]["output"] == "by hand"
    await nothing_more(peer)
    assert gates.stopped == ["one"]
    [event] = await take(finished, 1)
    assert event.failure is not None
    assert event.failure.kind == "cancelled"
    await session.close()
    assert [event async for event in trouble] == [], "it is what the application wanted"


# -- barge-in


@pytest.mark.parametrize("policy", ["cancel", "finish", "finish_silently"])
@pytest.mark.parametrize("by", ["caller", "application"])
async def test_barge_in_does_to_a_call_what_its_tool_says(
    open_session: OpenSession, gates: Gates, policy: str, by: str
) -> None:
    session, peer = open_session()
    session.use_tools(ToolSet(gates.tool("one", on_barge_in=policy)))
    await one_call(peer, "one")
    await (speech_starts(peer) if by == "caller" else session.interrupt())
    await settle()
    assert gates.contexts["one"].interrupted.is_set()

    if policy == "cancel":
        assert gates.stopped == ["one"]
        assert gates.contexts["one"].abandoned.is_set()
        assert error_type((await output(peer))[1]) == "cancelled"
    else:
        assert gates.stopped == []
        gates.open["one"].set()
        assert await output(peer) == ("call_of_resp_1", "result of one")
    if policy == "finish":
        assert await asked(peer) == {}
    await nothing_more(peer)


async def test_one_call_that_wants_to_be_spoken_of_is_enough(open_session: OpenSession, gates: Gates) -> None:
    session, peer = open_session()
    session.use_tools(ToolSet(gates.tool("one", on_barge_in="cancel"), gates.tool("two")))
    await begins(peer, "resp_1")
    await calls(peer, "resp_1", "call_1", "one")
    await calls(peer, "resp_1", "call_2", "two")
    await ends(peer, "resp_1")
    await settle()

    await session.interrupt()
    gates.open["two"].set()

    assert {(await output(peer))[0] for _ in range(2)} == {"call_1", "call_2"}
    assert await asked(peer) == {}


async def test_a_call_that_is_cancelled_before_its_first_step_is_answered_too(
    open_session: OpenSession, gates: Gates
) -> None:
    session, peer = open_session()
    session.use_tools(ToolSet(gates.tool("one", on_barge_in="cancel")))
    await peer.create()
    await settle()
    await one_call_at_once(peer, "one")
    await speech_starts(peer)  # the reader takes all of it before any other task gets its turn

    assert error_type((await output(peer))[1]) == "cancelled"
    assert gates.began == [], "nobody wants it"
    await nothing_more(peer)


async def one_call_at_once(peer: Peer, name: str) -> None:
    await begins(peer, "resp_1")
    await calls(peer, "resp_1", "call_1", name)
    await ends(peer, "resp_1")


# -- phrases of slow tools


@pytest.mark.looptime
async def test_a_slow_tool_says_its_phrase_meanwhile(open_session: OpenSession, gates: Gates) -> None:
    session, peer = open_session()
    session.use_tools(ToolSet(gates.tool("one", say="One moment.", say_after_s=1.5)))
    began = asyncio.get_running_loop().time()
    await one_call(peer, "one")

    assert (await asked(peer))["pre_generated_assistant_message"]["content"] == [
        {"type": "text", "text": "One moment."}
    ]
    assert asyncio.get_running_loop().time() - began == pytest.approx(1.5, abs=0.01)
    gates.open["one"].set()
    assert await output(peer) == ("call_of_resp_1", "result of one")
    await begins(peer, "resp_say", 1)
    await nothing_more(peer)
    await ends(peer, "resp_say")
    assert await asked(peer) == {}


@pytest.mark.looptime
async def test_a_fast_tool_says_nothing(open_session: OpenSession, gates: Gates) -> None:
    session, peer = open_session()
    session.use_tools(ToolSet(gates.tool("one", say="One moment.", say_after_s=1.5)))
    await one_call(peer, "one")
    gates.open["one"].set()
    await output(peer)
    await asked(peer)
    await begins(peer, "resp_2", 1)
    await ends(peer, "resp_2")

    await asyncio.sleep(10)

    await nothing_more(peer)


@pytest.mark.looptime
async def test_a_phrase_that_could_not_be_said_in_time_is_not_said_any_more(
    open_session: OpenSession, gates: Gates
) -> None:
    session, peer = open_session()
    session.use_tools(ToolSet(gates.tool("one", say="One moment.", say_after_s=1)))
    await begins(peer, "resp_1")
    await calls(peer, "resp_1", "call_1", "one")
    await asyncio.sleep(2)
    gates.open["one"].set()
    assert (await output(peer))[0] == "call_1"
    await settle()

    await ends(peer, "resp_1")

    assert await asked(peer) == {}, "the result, at once"


@pytest.mark.looptime
async def test_a_phrase_is_left_out_where_the_service_bridges_waits_itself(
    open_session: OpenSession, gates: Gates
) -> None:
    session, peer = open_session()
    session.use_tools(ToolSet(gates.tool("one", say="One moment.", say_after_s=1)))
    await peer.create(interim_response={"type": "static_interim_response", "texts": ["Hold on."]})
    await one_call(peer, "one")

    await asyncio.sleep(3)

    await nothing_more(peer)
    gates.open["one"].set()
    assert (await output(peer))[0] == "call_of_resp_1"


@pytest.mark.looptime
async def test_a_phrase_is_left_out_with_a_voice_that_cannot_say_it(open_session: OpenSession, gates: Gates) -> None:
    session, peer = open_session()
    session.use_tools(ToolSet(gates.tool("one", say="One moment.", say_after_s=1)))
    await peer.create(voice={"type": "openai", "name": "alloy"})
    await one_call(peer, "one")

    await asyncio.sleep(3)

    await nothing_more(peer)


# -- swapping, limits, the end


async def test_tools_change_with_calls_in_flight(open_session: OpenSession, gates: Gates) -> None:
    session, peer = open_session()
    session.use_tools(ToolSet(gates.tool("old")))
    await one_call(peer, "old")
    changing = asyncio.ensure_future(session.change(SessionConfig(), tools=ToolSet(gates.tool("new"))))
    update = await heard(peer, "session.update")
    assert [entry["name"] for entry in update["session"]["tools"]] == ["new"]
    await peer.say("session.updated", session={"id": "sess_1"})
    await changing
    gates.open["old"].set()

    assert await output(peer) == ("call_of_resp_1", "result of old")
    await asked(peer)
    await begins(peer, "resp_2", 1)
    await calls(peer, "resp_2", "call_2", "new")
    await calls(peer, "resp_2", "call_3", "old")
    await ends(peer, "resp_2")
    call_id, answer = await output(peer)
    assert (call_id, error_type(answer)) == ("call_3", "unknown_tool")
    gates.open["new"].set()
    assert await output(peer) == ("call_2", "result of new")


async def test_a_refused_change_leaves_the_tools_as_they_were(open_session: OpenSession, gates: Gates) -> None:
    session, peer = open_session()
    session.use_tools(ToolSet(gates.tool("old")))
    changing = asyncio.ensure_future(session.change(SessionConfig(), tools=ToolSet(gates.tool("new"))))
    await peer.refuse((await peer.hear())["event_id"])
    with pytest.raises(ServiceError):
        await changing

    await one_call(peer, "old")
    gates.open["old"].set()

    assert await output(peer) == ("call_of_resp_1", "result of old")


async def test_a_loop_of_tool_rounds_ends_in_words(open_session: OpenSession) -> None:
    @tool
    async def again() -> str:
        """Again."""
        return "again"

    session, peer = open_session(ClientOptions(max_tool_rounds=2))
    session.use_tools(ToolSet(again))
    stream = session.subscribe(ToolTrouble)
    asks: list[JsonObject] = []
    answer = ""
    for round_ in range(1, 4):
        await begins(peer, f"resp_{round_}", round_ - 1 or None)
        await calls(peer, f"resp_{round_}", f"call_{round_}", "again")
        await ends(peer, f"resp_{round_}")
        call_id, answer = await output(peer)
        assert call_id == f"call_{round_}"
        asks.append(await asked(peer))

    assert asks == [{}, {}, {"tool_choice": "none"}]
    assert error_type(answer) == "too_many_rounds"
    assert await take(stream, 1) == [ToolTrouble("call_3", "too_many_rounds")]
    await begins(peer, "resp_4", 3)
    await calls(peer, "resp_4", "call_4", "again")
    await ends(peer, "resp_4")
    assert error_type((await output(peer))[1]) == "too_many_rounds"
    await nothing_more(peer)


async def test_a_new_question_counts_rounds_anew(open_session: OpenSession) -> None:
    @tool
    async def again() -> str:
        """Again."""
        return "again"

    session, peer = open_session(ClientOptions(max_tool_rounds=1))
    session.use_tools(ToolSet(again))
    for number in range(3):
        await session.create_response(confirm=False)
        await asked(peer)
        await begins(peer, f"resp_{number}", 2 * number + 1)
        await calls(peer, f"resp_{number}", f"call_{number}", "again")
        await ends(peer, f"resp_{number}")
        assert await output(peer) == (f"call_{number}", "again")
        assert await asked(peer) == {}
        await begins(peer, f"follow_{number}", 2 * number + 2)
        await ends(peer, f"follow_{number}")
        await settle()


@pytest.mark.looptime
@pytest.mark.parametrize("how", ["drop", "close"])
@pytest.mark.parametrize("begun", [True, False])
async def test_the_end_of_the_session_cancels_what_runs_and_leaves_no_task(
    open_session: OpenSession, gates: Gates, loop_complaints: list[dict[str, Any]], how: str, begun: bool
) -> None:
    before = asyncio.all_tasks()
    session, peer = open_session()
    session.use_tools(ToolSet(gates.tool("one")))
    await settle()
    await one_call_at_once(peer, "one")
    if begun:
        await settle()
        assert gates.began == ["one"]
    began = asyncio.get_running_loop().time()
    if how == "drop":
        peer.transport.drop()
        await session.wait_closed()
    await session.close()
    gc.collect()

    assert asyncio.get_running_loop().time() - began < 0.1, "at once"

    assert gates.stopped == gates.began
    assert asyncio.all_tasks() <= before
    assert loop_complaints == []


async def test_definitions_alone_are_no_tools_of_the_session(open_session: OpenSession) -> None:
    session, _ = open_session(requested=SessionConfig(tools=[FunctionTool(name="mine")]))

    assert session._engine.toolset is None

"""A barge-in stops tools at any moment of theirs: each call is answered, and the session goes on."""

from __future__ import annotations

import threading

import pytest
from tests.cancellation.service import Service
from tests.cancellation.stepping import tool_threads, until_none_is_left
from tests.cancellation.test_verbs import OPTIONS, ends, works
from tests.support.sockets import turns, until
from tests.support.streams import settle

from voicelive.tools.declaring import tool
from voicelive.tools.toolset import ToolSet

PASSES = range(30)


@pytest.mark.looptime
async def test_a_barge_in_at_any_moment_of_a_tool_leaves_a_session_that_works() -> None:
    for passes in PASSES:
        release = threading.Event()

        @tool(on_barge_in="cancel")
        async def on_the_loop() -> str:
            """Takes a while."""
            await turns(10)
            return "done"

        @tool(on_barge_in="cancel")
        def in_a_thread() -> str:
            """Takes until it is released."""
            release.wait(10)  # noqa: B023 - has ended before the next pass
            return "done"

        async with Service(options=OPTIONS) as service:
            session = await service.session()
            session.use_tools(ToolSet(on_the_loop, in_a_thread))
            service.calls = ["on_the_loop", "in_a_thread"]
            await session.create_response()
            await turns(passes)
            await session.interrupt()
            release.set()
            await until(lambda: not tool_threads())
            await settle()
            await works(session, service)
            answered = [
                event["item"]["call_id"]
                for event in service.heard
                if event.get("item", {}).get("type") == "function_call_output"
            ]
            assert len(answered) == len(set(answered)) == 2
            await ends(session, service)
        await until_none_is_left(tool_threads)

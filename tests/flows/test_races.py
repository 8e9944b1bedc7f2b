"""Events that cross on the way, in both orders: never two responses, nothing lost, nothing left hanging."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from tests.flows.scene import Stage, staged
from tests.support.streams import settle

from voicelive.errors import ServiceError
from voicelive.events import ToolCallFinished
from voicelive.response import ResponseHandle
from voicelive.session import Session
from voicelive.tools import tool
from voicelive.tools.declaring import OnBargeIn
from voicelive.wire.server.session import ErrorEvent

ACTIVE = "conversation_already_has_active_response"
NOT_ACTIVE = "response_cancel_not_active"
VOICE = b"\x01" * 4800


async def automatic(stage: Stage, number: int = 1, after: str | None = None) -> None:
    """Turn detection answers the caller: up to ``response.created``."""
    await stage.speech_starts(f"u{number}")
    await stage.speech_ends(f"u{number}", after)
    await stage.begins(f"auto{number}")


async def until(happened: Callable[[], object]) -> None:
    while not happened():
        await settle()


async def asked(stage: Stage, count: int = 1) -> None:
    """The session has asked for so many responses."""
    await until(lambda: len(stage.creates) >= count)


async def later(work: Awaitable[ResponseHandle | None]) -> asyncio.Future[ResponseHandle | None]:
    """Begin a verb that waits for the service."""
    waiting = asyncio.ensure_future(work)
    await settle()
    return waiting


async def tags_come_back(session: Session, stage: Stage) -> None:
    """One response of ours has shown that the service returns its tag, so that others can be told apart."""
    first = await later(session.create_response())
    await asked(stage)
    await stage.begins("r0", stage.creates[0])
    await stage.ends("r0")
    await stage.meet()
    await first


# -- the automatic response against one of ours


async def test_a_wish_after_speech_began_waits_for_the_automatic_response_and_its_end() -> None:
    async with staged() as (session, stage):
        await stage.speech_starts("u1")
        await stage.meet()
        wanted = await later(session.create_response())
        await stage.meet()
        before = list(stage.creates)
        await stage.speech_ends("u1")
        await stage.begins("auto1")
        await stage.meet()
        during = list(stage.creates)
        await stage.answers("auto1", "a1", "Yes.", VOICE, "u1")
        await asked(stage)
        await stage.begins("r1", stage.creates[0])
        handle = await wanted

    assert before == during == []
    assert handle is not None
    assert handle.id == "r1"


@pytest.mark.parametrize("echoes", [True, False], ids=["tags come back", "first response of the session"])
async def test_a_wish_that_crossed_with_the_automatic_response_is_asked_for_again(echoes: bool) -> None:
    async with staged() as (session, stage):
        if echoes:
            await tags_come_back(session, stage)
        count = len(stage.creates)
        wanted = await later(session.say("Your call is recorded."))
        await asked(stage, count + 1)  # it left before the session knew of any speech
        await automatic(stage)
        await stage.refuses(stage.creates[-1]["event_id"], ACTIVE)
        await stage.meet()
        during = len(stage.creates)
        await stage.answers("auto1", "a1", "Yes.", VOICE, "u1")
        await asked(stage, count + 2)
        await stage.begins("r1", stage.creates[-1])
        handle = await wanted
        await stage.answers("r1", "a2", "Your call is recorded.", VOICE, "a1")
        await stage.meet()
        texts = [message["response"]["pre_generated_assistant_message"] for message in stage.creates[count:]]
        in_the_end = len(stage.creates)

    assert during == count + 1
    assert in_the_end == count + 2
    assert texts[0] == texts[1], "the phrase is asked for again, word for word"
    if echoes:
        assert handle is not None
        assert handle.id == "r1"


async def test_an_automatic_response_that_was_refused_leaves_ours_alone() -> None:
    async with staged() as (session, stage):
        errors = session.subscribe(ErrorEvent)
        wanted = await later(session.create_response())
        await asked(stage)
        await stage.begins("r1", stage.creates[0])
        handle = await wanted
        assert handle is not None
        await stage.speech_starts("u1")
        await stage.speech_ends("u1")
        await stage.refuses(None, ACTIVE)  # the service's own attempt
        error = await anext(errors)
        await stage.answers("r1", "a1", "Yes.", VOICE)
        response = await handle
        await stage.meet()
        creates = len(stage.creates)

    assert error.error.code == ACTIVE
    assert (response.status, creates) == ("completed", 1)


# -- cancel against done


async def test_a_cancel_that_comes_in_time_ends_the_response() -> None:
    async with staged() as (session, stage):
        wanted = await later(session.create_response())
        await asked(stage)
        await stage.begins("r1", stage.creates[0])
        handle = await wanted
        assert handle is not None
        await handle.cancel()
        await until(lambda: stage.heard_of("response.cancel"))
        await stage.ends("r1", "cancelled", "client_cancelled")
        response = await handle

    assert (response.status, handle.reason) == ("cancelled", "client_cancelled")


async def test_a_cancel_that_comes_too_late_harms_nothing() -> None:
    async with staged() as (session, stage):
        errors = session.subscribe(ErrorEvent)
        wanted = await later(session.create_response())
        await asked(stage)
        await stage.begins("r1", stage.creates[0])
        handle = await wanted
        assert handle is not None
        await stage.ends("r1")  # on its way, and not read yet
        await handle.cancel()
        await until(lambda: stage.heard_of("response.cancel"))
        await stage.refuses(None, NOT_ACTIVE)
        error = await anext(errors)
        response = await handle
        again = await later(session.create_response())
        await asked(stage, 2)
        await stage.begins("r2", stage.creates[1])
        second = await again

    assert error.error.code == NOT_ACTIVE
    assert response.status == "completed"
    assert second is not None
    assert second.id == "r2"


async def test_cancelling_what_is_known_to_be_done_sends_nothing() -> None:
    async with staged() as (session, stage):
        wanted = await later(session.create_response())
        await asked(stage)
        await stage.begins("r1", stage.creates[0])
        await stage.ends("r1")
        handle = await wanted
        assert handle is not None
        await handle
        await handle.cancel()
        await stage.meet()
        cancels = stage.heard_of("response.cancel")

    assert cancels == []


# -- a tool's result against barge-in


class Errand:
    """A tool whose end the test decides on."""

    def __init__(self) -> None:
        self.done = asyncio.Event()

        @tool
        async def errand() -> str:
            """Wait for the test."""
            await self.done.wait()
            return "fetched"

        self.tool = errand


async def called(stage: Stage) -> None:
    """The caller asked, and the agent calls the tool; its response is done."""
    await automatic(stage)
    await stage.calls("auto1", "c1", "errand")
    await stage.ends("auto1")
    await stage.meet()


async def test_a_result_before_speech_is_spoken_of_once() -> None:
    errand = Errand()
    async with staged(tools=[errand.tool]) as (_, stage):
        await called(stage)
        errand.done.set()
        await asked(stage)  # the follow-up has left when the caller speaks
        await automatic(stage, 2)
        await stage.refuses(stage.creates[0]["event_id"], ACTIVE)
        await stage.answers("auto2", "a2", "Go on.", VOICE)
        await asked(stage, 2)
        await stage.begins("r2", stage.creates[1])
        await stage.answers("r2", "a3", "It is fetched.", VOICE)
        await stage.meet()
        outputs, creates = stage.outputs, len(stage.creates)

    assert [output["call_id"] for output in outputs] == ["c1"]
    assert creates == 2  # the refused one, and the same again


async def test_a_result_that_the_service_has_is_spoken_of_by_the_response_that_won() -> None:
    errand = Errand()
    async with staged(tools=[errand.tool]) as (session, stage):
        await tags_come_back(session, stage)
        await called(stage)
        errand.done.set()
        await asked(stage, 2)
        await stage.adds({"id": "o1", "type": "function_call_output", "call_id": "c1", "output": "fetched"})
        await automatic(stage, 2)
        await stage.refuses(stage.creates[1]["event_id"], ACTIVE)
        await stage.answers("auto2", "a2", "It is fetched.", VOICE)
        await stage.meet()
        outputs, creates = stage.outputs, len(stage.creates)

    assert (len(outputs), creates) == (1, 2)


async def test_a_follow_up_that_the_service_began_before_speech_is_cut_off_by_it() -> None:
    errand = Errand()
    async with staged(tools=[errand.tool]) as (_, stage):
        await called(stage)
        errand.done.set()
        await asked(stage)
        await stage.begins("r2", stage.creates[0])
        await stage.speech_starts("u2")
        await stage.ends("r2", "cancelled", "turn_detected")
        await stage.speech_ends("u2")
        await stage.begins("auto2")
        await stage.answers("auto2", "a2", "It is fetched.", VOICE)
        await stage.meet()
        outputs, creates = stage.outputs, len(stage.creates)

    assert (len(outputs), creates) == (1, 1)  # the service has the result, and its own response can speak of it


async def test_a_result_during_speech_is_spoken_of_by_the_automatic_response() -> None:
    errand = Errand()
    async with staged(tools=[errand.tool]) as (_, stage):
        await called(stage)
        await stage.speech_starts("u2")
        await stage.meet()
        errand.done.set()
        await until(lambda: stage.outputs)
        await stage.adds({"id": "o1", "type": "function_call_output", "call_id": "c1", "output": "fetched"})
        await stage.speech_ends("u2")
        await stage.begins("auto2")
        await stage.answers("auto2", "a2", "It is fetched.", VOICE)
        await stage.meet()
        outputs, creates = stage.outputs, stage.creates

    assert len(outputs) == 1
    assert creates == []


async def test_a_result_after_the_automatic_response_began_is_spoken_of_after_it() -> None:
    errand = Errand()
    async with staged(tools=[errand.tool]) as (_, stage):
        await called(stage)
        await automatic(stage, 2)  # it began before there was a result
        await stage.meet()
        errand.done.set()
        await until(lambda: stage.outputs)
        await stage.adds({"id": "o1", "type": "function_call_output", "call_id": "c1", "output": "fetched"})
        await stage.meet()
        during = list(stage.creates)
        await stage.answers("auto2", "a2", "I am still waiting.", VOICE)
        await asked(stage)
        await stage.begins("r3", stage.creates[0])
        await stage.answers("r3", "a3", "It is fetched.", VOICE)
        await stage.meet()
        outputs, creates = stage.outputs, len(stage.creates)

    assert during == []
    assert (len(outputs), creates) == (1, 1)


async def test_a_result_on_its_way_while_the_automatic_response_begins_is_still_spoken_of() -> None:
    errand = Errand()
    async with staged(tools=[errand.tool]) as (session, stage):
        await called(stage)
        finished = session.subscribe(ToolCallFinished)
        await stage.speech_starts("u2")
        await stage.meet()
        errand.done.set()
        await anext(finished)  # sent, and not confirmed: the service may begin without it
        await stage.speech_ends("u2")
        await stage.begins("auto2")
        await stage.adds({"id": "o1", "type": "function_call_output", "call_id": "c1", "output": "fetched"})
        await stage.answers("auto2", "a2", "I am still waiting.", VOICE)
        await stage.meet()
        creates = len(stage.creates)

    assert creates == 1


@pytest.mark.parametrize("policy", ["cancel", "finish_silently"])
async def test_a_tool_that_the_caller_talked_away_is_answered_and_not_spoken_of(policy: OnBargeIn) -> None:
    done = asyncio.Event()

    @tool(on_barge_in=policy)
    async def errand() -> str:
        """Wait for the test."""
        await done.wait()
        return "fetched"

    async with staged(tools=[errand]) as (_, stage):
        await called(stage)
        await stage.speech_starts("u2")
        await stage.meet()
        done.set()
        await until(lambda: stage.outputs)
        await stage.speech_ends("u2")
        await stage.begins("auto2")
        await stage.answers("auto2", "a2", "As you like.", VOICE)
        await stage.meet()
        outputs, creates = stage.outputs, stage.creates

    assert len(outputs) == 1
    assert ("fetched" in outputs[0]["output"]) == (policy == "finish_silently")
    assert creates == []


# -- the greeting against speech


async def test_a_caller_who_was_first_is_not_greeted() -> None:
    async with staged() as (session, stage):
        await stage.speech_starts("u1")
        await stage.meet()
        during = await session.greet("Hello!")
        await stage.speech_ends("u1")
        await stage.begins("auto1")
        await stage.answers("auto1", "a1", "Yes.", VOICE, "u1")
        await stage.meet()
        after = await session.greet(instructions="Greet the caller.")
        await stage.meet()
        creates = stage.creates

    assert during is None
    assert after is None
    assert creates == []


async def test_a_caller_who_speaks_into_the_greeting_cuts_it_off() -> None:
    async with staged() as (session, stage):
        greeting = await later(session.greet("Hello, how can I help you?"))
        await asked(stage)
        await stage.begins("r1", stage.creates[0])
        handle = await greeting
        assert handle is not None
        await stage.opens("r1", "a1")
        await stage.voice("r1", "a1", VOICE)
        await stage.speech_starts("u1")
        await stage.meet()
        playing = session.playback.playing
        await stage.voice("r1", "a1", VOICE)
        await stage.closes("r1", "a1", "Hello, how can I help you?")
        await stage.ends("r1", "cancelled", "turn_detected")
        await stage.speech_ends("u1", "a1")
        await stage.begins("auto1")
        response = await handle
        await stage.meet()
        creates = len(stage.creates)

    assert not playing
    assert (response.status, handle.reason) == ("cancelled", "turn_detected")
    assert creates == 1


async def test_a_greeting_that_crossed_with_speech_leaves_the_word_to_the_caller() -> None:
    async with staged() as (session, stage):
        greeting = await later(session.greet("Hello!"))
        await asked(stage)
        await stage.speech_starts("u1")  # on its way when the greeting was asked for
        await stage.begins("r1", stage.creates[0])
        handle = await greeting
        assert handle is not None
        more = await later(session.create_response())
        await stage.ends("r1", "cancelled", "turn_detected")
        await stage.meet()
        while_speaking = len(stage.creates)
        await stage.speech_ends("u1")
        await stage.begins("auto1")
        await stage.answers("auto1", "a1", "Yes.", VOICE, "u1")
        await asked(stage, 2)
        await stage.begins("r2", stage.creates[1])
        second = await more

    assert while_speaking == 1, "turn detection is still to answer"
    assert second is not None
    assert second.id == "r2"


# -- commit against turn detection


async def test_a_commit_before_turn_detection_is_confirmed_by_its_item() -> None:
    async with staged() as (session, stage):
        committing = asyncio.ensure_future(session.commit_audio())
        await until(lambda: stage.heard_of("input_audio_buffer.commit"))
        await stage.commits("u1")
        item_id = await committing
        wanted = await later(session.create_response())
        await asked(stage)
        await stage.begins("r1", stage.creates[0])
        await wanted
        (turn,) = session.conversation.turns

    assert item_id == "u1"
    assert (turn.caller_item_ids, turn.response_ids) == (("u1",), ("r1",))


async def test_a_commit_after_turn_detection_finds_the_item_that_it_made() -> None:
    async with staged() as (session, stage):
        errors = session.subscribe(ErrorEvent)
        await stage.speech_starts("u1")
        await stage.meet()
        committing = asyncio.ensure_future(session.commit_audio())
        await until(lambda: stage.heard_of("input_audio_buffer.commit"))
        await stage.speech_ends("u1")  # turn detection was faster
        request_id = stage.heard_of("input_audio_buffer.commit")[0]["event_id"]
        await stage.refuses(request_id, "input_audio_buffer_commit_empty")
        item_id = None
        with suppress(ServiceError):
            item_id = await committing
        await anext(errors)
        await stage.begins("auto1")
        await stage.answers("auto1", "a1", "Yes.", VOICE, "u1")
        await stage.meet()
        creates = stage.creates
        (turn,) = session.conversation.turns

    assert item_id == "u1"
    assert (turn.caller_item_ids, turn.response_ids, creates) == (("u1",), ("auto1",), [])


async def test_a_commit_in_the_middle_of_speech_is_answered_once() -> None:
    async with staged() as (session, stage):
        await stage.speech_starts("u1")
        await stage.meet()
        committing = asyncio.ensure_future(session.commit_audio())
        await until(lambda: stage.heard_of("input_audio_buffer.commit"))
        await stage.commits("u1")
        await committing
        wanted = await later(session.create_response())
        await stage.begins("auto1")  # a service that answers such a commit by itself
        await stage.answers("auto1", "a1", "Yes.", VOICE, "u1")
        await asked(stage)
        await stage.begins("r1", stage.creates[0])
        await wanted
        await stage.meet()
        creates = len(stage.creates)

    assert creates == 1

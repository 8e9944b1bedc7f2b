"""Verbs of several steps: what goes over the wire, when each returns, and with what."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.conftest import OpenSession
from tests.support.peer import JsonObject, Peer
from tests.support.service import asked, begins, calls, ends, heard, nothing_more, says, speech_starts, wish
from tests.support.streams import settle, take

from voicelive.dialogue import Reply
from voicelive.errors import (
    ConfigurationError,
    ConfirmationTimeoutError,
    ConnectionLostError,
    ServiceError,
    SessionClosedError,
)
from voicelive.events import BargeIn, NoInput
from voicelive.response import ResponseHandle
from voicelive.session import Session
from voicelive.tools import ToolSet, tool
from voicelive.wire.session import SessionConfig
from voicelive.wire.tools import FunctionTool

Call = Callable[[Session], Awaitable[Any]]

AZURE = {"type": "azure-standard", "name": "en-US-AvaNeural"}
OPENAI_VOICES = [{"type": "openai", "name": "alloy"}, "alloy"]
VAD = {"type": "server_vad", "silence_duration_ms": 200}


def now() -> float:
    return asyncio.get_running_loop().time()


def verbatim(text: str) -> JsonObject:
    message = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": text}]}
    return {"pre_generated_assistant_message": message}


async def ready(peer: Peer, **settings: Any) -> None:
    await peer.create(**{"voice": AZURE, **settings})
    await settle()


# -- say


async def test_say_sends_the_text_to_be_spoken_as_it_stands_and_returns_as_it_begins(
    open_session: OpenSession,
) -> None:
    session, peer = open_session()
    await ready(peer)
    saying = asyncio.ensure_future(session.say("Grüß Gott."))

    assert await peer.hear_bare() == {
        "type": "response.create",
        "event_id": "voicelive_response_1",
        "response": {**verbatim("Grüß Gott."), "metadata": wish(1)["metadata"]},
    }
    await settle()
    assert not saying.done()
    await begins(peer, "resp_1", 1)
    handle = await saying
    assert isinstance(handle, ResponseHandle)
    assert handle.id == "resp_1"


async def test_say_waits_behind_a_response_but_not_behind_tool_results(open_session: OpenSession) -> None:
    go_on = asyncio.Event()

    @tool
    async def wait() -> str:
        """Wait."""
        await go_on.wait()
        return "found"

    session, peer = open_session()
    await ready(peer)
    session.use_tools(ToolSet(wait))
    await begins(peer, "resp_1")
    await calls(peer, "resp_1", "call_1", "wait")
    await settle()
    saying = asyncio.ensure_future(session.say("One moment."))
    await nothing_more(peer)

    await ends(peer, "resp_1")

    assert await asked(peer) == verbatim("One moment.")
    await begins(peer, "resp_2", 1)
    await saying
    go_on.set()
    await heard(peer, "conversation.item.create")
    await nothing_more(peer)
    await ends(peer, "resp_2")
    assert await asked(peer) == {}


async def test_two_texts_are_said_one_after_the_other(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    saying = [asyncio.ensure_future(session.say(text)) for text in ("one", "two")]

    assert await asked(peer) == verbatim("one")
    await begins(peer, "resp_1", 1)
    await ends(peer, "resp_1")
    assert await asked(peer) == verbatim("two")
    await begins(peer, "resp_2", 2)
    assert [handle.id for handle in await asyncio.gather(*saying)] == ["resp_1", "resp_2"]


@pytest.mark.parametrize("interruptible", [True, False])
async def test_speech_cuts_a_text_unless_it_may_not(open_session: OpenSession, interruptible: bool) -> None:
    session, peer = open_session()
    await ready(peer, turn_detection={"type": "server_vad", "create_response": False})
    stream = session.subscribe(BargeIn)
    saying = asyncio.ensure_future(session.say("By law, you must hear this.", interruptible=interruptible))
    await begins(peer, "resp_1", 1)
    await says(peer, "resp_1", "By law, you must hear this.", audio_ms=1000)
    await saying

    await speech_starts(peer)
    await settle()

    assert session.playback.playing is not interruptible
    await session.close()
    assert [event.response_id async for event in stream] == (["resp_1"] if interruptible else [])


@pytest.mark.parametrize("voice", OPENAI_VOICES)
@pytest.mark.parametrize("call", [lambda session: session.say("hello"), lambda session: session.greet("hello")])
async def test_an_openai_voice_says_no_ready_text(open_session: OpenSession, voice: Any, call: Call) -> None:
    session, peer = open_session()
    await ready(peer, voice=voice)

    with pytest.raises(ConfigurationError, match="OpenAI voice 'alloy'"):
        await call(session)
    await nothing_more(peer)


async def test_a_refused_text_raises(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    saying = asyncio.ensure_future(session.say("hello"))
    await peer.refuse((await peer.hear())["event_id"], "bad")

    with pytest.raises(ServiceError):
        await saying


@pytest.mark.looptime
async def test_a_text_whose_turn_does_not_come_in_time_is_not_said_any_more(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    await begins(peer, "resp_0")
    await settle()

    with pytest.raises(ConfirmationTimeoutError):
        await session.say("too late", timeout_s=1)
    await ends(peer, "resp_0")

    await nothing_more(peer)


# -- greet


@pytest.mark.parametrize(
    ("call", "params", "instructions"),
    [
        (lambda session: session.greet("Welcome."), verbatim("Welcome."), None),
        (lambda session: session.greet(instructions="Greet the caller."), {}, "Greet the caller."),
    ],
)
async def test_greet_has_the_agent_speak_first(
    open_session: OpenSession, call: Call, params: JsonObject, instructions: str | None
) -> None:
    session, peer = open_session()
    await ready(peer)
    greeting = asyncio.ensure_future(call(session))

    event = await heard(peer, "response.create")
    assert event["response"] == {**params, "metadata": wish(1)["metadata"]}
    assert event.get("additional_instructions") == instructions
    await begins(peer, "resp_1", 1)
    assert (await greeting).id == "resp_1"


WRITTEN = {"id": "i1", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}


@pytest.mark.parametrize("how", ["speaks", "has spoken", "has written"])
async def test_a_caller_who_was_first_has_the_word(open_session: OpenSession, how: str) -> None:
    session, peer = open_session()
    await ready(peer, turn_detection={"type": "server_vad"})
    if how == "has written":
        await peer.say("conversation.item.created", item=WRITTEN)
    else:
        await speech_starts(peer)
    if how != "speaks":
        await peer.say("input_audio_buffer.committed", item_id="item_of_caller")
        await begins(peer, "resp_1")
        await ends(peer, "resp_1")
    await settle()

    assert await session.greet("Welcome.") is None
    await nothing_more(peer)


async def test_history_that_nobody_answered_yet_does_not_keep_the_agent_from_greeting(
    open_session: OpenSession,
) -> None:
    session, peer = open_session()
    await ready(peer)
    await peer.say("conversation.item.created", item=WRITTEN)
    await settle()
    greeting = asyncio.ensure_future(session.greet("Welcome back."))

    assert await asked(peer) == verbatim("Welcome back.")
    await begins(peer, "resp_1", 1)
    assert await greeting is not None


@pytest.mark.parametrize("given", [{}, {"text": "hello", "instructions": "Greet."}])
async def test_a_greeting_is_a_text_or_instructions(open_session: OpenSession, given: dict[str, Any]) -> None:
    session, _ = open_session()

    with pytest.raises(ConfigurationError, match="either text"):
        await session.greet(**given)


# -- interrupt


async def test_interrupt_silences_cancels_and_tells_what_was_heard(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    stream = session.subscribe(BargeIn)
    await begins(peer, "resp_1")
    await says(peer, "resp_1", "a long story", audio_ms=1000)
    await settle()
    session.playback.played("item_of_resp_1", 340)

    await session.interrupt()

    assert await peer.hear_bare() == {"type": "response.cancel", "response_id": "resp_1"}
    assert not session.playback.playing
    assert await take(stream, 1) == [BargeIn("item_of_resp_1", "resp_1", 340, 1000, exact=True)]
    await nothing_more(peer)
    await ends(peer, "resp_1", "cancelled")
    cut = await heard(peer, "conversation.item.truncate")
    assert (cut["item_id"], cut["content_index"], cut["audio_end_ms"]) == ("item_of_resp_1", 0, 340)


async def test_interrupt_while_the_agent_is_silent_says_nothing(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)

    await session.interrupt()

    await nothing_more(peer)


# -- change


async def test_change_sends_settings_and_tools_as_one_and_returns_the_settings_in_effect(
    open_session: OpenSession,
) -> None:
    @tool
    async def book(day: str) -> str:
        """Book a day."""
        return f"booked {day}"

    session, peer = open_session()
    await ready(peer)
    changing = asyncio.ensure_future(session.change(SessionConfig(instructions="Book."), tools=ToolSet(book)))
    update = await heard(peer, "session.update")
    assert update["session"].keys() == {"instructions", "tools"}
    assert [entry["name"] for entry in update["session"]["tools"]] == ["book"]
    await peer.say("session.updated", session={"id": "sess_1", "instructions": "Book.", "temperature": 0.5})

    settings = await changing
    assert (settings.instructions, settings.temperature) == ("Book.", 0.5)
    await begins(peer, "resp_1")
    await calls(peer, "resp_1", "call_1", "book", '{"day":"Monday"}')
    assert (await heard(peer, "conversation.item.create"))["item"]["output"] == "booked Monday"


async def test_change_without_tools_leaves_them_alone(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    changing = asyncio.ensure_future(session.change(SessionConfig(temperature=0.5)))

    assert (await heard(peer, "session.update"))["session"] == {"temperature": 0.5}
    await peer.say("session.updated", session={"id": "sess_1"})
    await changing
    assert session._engine.toolset is None


async def test_no_tools_at_all_is_a_change_too(open_session: OpenSession) -> None:
    session, peer = open_session()
    changing = asyncio.ensure_future(session.change(SessionConfig(), tools=ToolSet()))

    assert (await heard(peer, "session.update"))["session"] == {"tools": []}
    await peer.say("session.updated", session={"id": "sess_1"})
    await changing


async def test_tools_given_twice_are_refused_before_the_wire(open_session: OpenSession) -> None:
    session, peer = open_session()

    with pytest.raises(ConfigurationError, match="given twice"):
        await session.change(SessionConfig(tools=[FunctionTool(name="x")]), tools=ToolSet())
    await nothing_more(peer)


# -- ask


async def answer_in_two_rounds(peer: Peer) -> None:
    """The service's part: a call, then the spoken answer about it."""
    await begins(peer, "resp_1", 1)
    await calls(peer, "resp_1", "call_1", "look_up")
    await ends(peer, "resp_1", usage={"total_tokens": 3})
    output = (await heard(peer, "conversation.item.create"))["item"]
    await peer.say("conversation.item.created", item={**output, "id": "item_out"})
    assert await asked(peer) == {}
    await begins(peer, "resp_2", 2)
    await says(peer, "resp_2", "It is sunny.", audio_ms=100)
    await ends(peer, "resp_2", usage={"total_tokens": 4})


@tool
async def look_up() -> str:
    """Look up."""
    return "sunny"


def check(reply: Reply) -> None:
    assert (reply.text, len(reply.audio), reply.status) == ("It is sunny.", 4800, "finished")
    assert [(call.name, call.output) for call in reply.tool_calls] == [("look_up", "sunny")]
    assert [usage.total_tokens for usage in reply.usage] == [3, 4]
    assert reply.turn.response_ids == ("resp_1", "resp_2")


async def test_ask_by_text_gives_the_whole_answer_through_all_tool_rounds(open_session: OpenSession) -> None:
    session, peer = open_session()
    session.use_tools(ToolSet(look_up))
    await ready(peer)
    asking = asyncio.ensure_future(session.ask("How is the weather?"))

    item = (await heard(peer, "conversation.item.create"))["item"]
    assert (item["role"], item["content"]) == ("user", [{"type": "input_text", "text": "How is the weather?"}])
    await peer.say("conversation.item.created", item=item)
    assert await asked(peer) == {}
    await answer_in_two_rounds(peer)

    check(await asking)


async def test_ask_by_voice_without_turn_detection_commits_and_asks(open_session: OpenSession) -> None:
    session, peer = open_session()
    session.use_tools(ToolSet(look_up))
    await ready(peer, turn_detection=None)
    asking = asyncio.ensure_future(session.ask(b"\x01\x02" * 2405))

    assert await peer.hear_audio() + await peer.hear_audio() == b"\x01\x02" * 2405
    await heard(peer, "input_audio_buffer.commit")
    await peer.say("input_audio_buffer.committed", item_id="item_q")
    assert await asked(peer) == {}
    await answer_in_two_rounds(peer)

    check(await asking)


@pytest.mark.parametrize("answers", [True, False])
async def test_ask_by_voice_with_turn_detection_sends_silence_until_the_turn_is_closed(
    open_session: OpenSession, answers: bool
) -> None:
    session, peer = open_session()
    session.use_tools(ToolSet(look_up))
    await ready(peer, turn_detection={**VAD, "create_response": answers})
    asking = asyncio.ensure_future(session.ask(b"\x01\x02" * 2400))

    assert await peer.hear_audio() == b"\x01\x02" * 2400
    silence = [await peer.hear_audio() for _ in range(17)]
    assert b"".join(silence) == bytes(17 * 4800), "200 ms, and as much again as detection may take"
    await speech_starts(peer, "item_q")
    await peer.say("input_audio_buffer.committed", item_id="item_q")
    if answers:
        await nothing_more(peer)
        await begins(peer, "resp_1")
        await says(peer, "resp_1", "Sunny.", audio_ms=100)
        await ends(peer, "resp_1")
        reply = await asking
        assert (reply.text, len(reply.audio)) == ("Sunny.", 4800)
    else:
        assert await asked(peer) == {}
        await answer_in_two_rounds(peer)
        check(await asking)


async def test_a_turn_that_is_closed_while_the_question_is_still_sent_is_answered(open_session: OpenSession) -> None:
    session, peer = open_session(max_pending_bytes=1)
    await ready(peer, turn_detection=VAD)
    asking = asyncio.ensure_future(session.ask(bytes(3 * 4800)))
    await peer.hear_audio()
    await peer.say("input_audio_buffer.committed", item_id="item_q")
    await settle()
    for _ in range(2 + 17):
        await peer.hear_audio()
    await begins(peer, "resp_1")
    await says(peer, "resp_1", "Yes?")
    await ends(peer, "resp_1")

    assert (await asyncio.wait_for(asking, 1)).text == "Yes?"


async def test_the_answer_to_another_question_is_not_taken(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    other = {"id": "other", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]}
    await peer.say("conversation.item.created", item=other)
    await begins(peer, "resp_0")
    await settle()
    asking = asyncio.ensure_future(session.ask("mine?"))
    item = (await heard(peer, "conversation.item.create"))["item"]
    await says(peer, "resp_0", "to the other")
    await peer.say("conversation.item.created", item=item)
    await ends(peer, "resp_0")
    await settle()
    assert not asking.done()
    assert await asked(peer) == {}
    await begins(peer, "resp_1", 1)
    await says(peer, "resp_1", "to you")
    await ends(peer, "resp_1")

    assert (await asking).text == "to you"


@pytest.mark.looptime
@pytest.mark.parametrize("question", ["anyone?", b"\x01\x02" * 2400])
@pytest.mark.parametrize("turn_detection", [None, VAD])
async def test_ask_ends_in_time(open_session: OpenSession, question: Any, turn_detection: Any) -> None:
    session, peer = open_session()
    await ready(peer, turn_detection=turn_detection)
    began = now()

    with pytest.raises(TimeoutError):
        await session.ask(question, timeout_s=7)
    assert now() - began == pytest.approx(7, abs=0.01)


@pytest.mark.parametrize("refused", ["conversation.item.create", "response.create"])
async def test_a_refused_question_raises(open_session: OpenSession, refused: str) -> None:
    session, peer = open_session()
    await ready(peer)
    asking = asyncio.ensure_future(session.ask("hello?"))
    event = await heard(peer, "conversation.item.create")
    if refused == "response.create":
        await peer.say("conversation.item.created", item=event["item"])
        event = await heard(peer, "response.create")

    await peer.refuse(event["event_id"], "no")

    with pytest.raises(ServiceError):
        await asking


@pytest.mark.parametrize("question", ["anyone?", bytes(4800)])
@pytest.mark.parametrize("turn_detection", [None, VAD])
@pytest.mark.parametrize(
    ("end", "error"),
    [("drop", ConnectionLostError), ("1000", SessionClosedError), ("close", SessionClosedError)],
)
async def test_a_session_that_ends_meanwhile_raises(
    open_session: OpenSession, question: Any, turn_detection: Any, end: str, error: type[Exception]
) -> None:
    session, peer = open_session()
    await ready(peer, turn_detection=turn_detection)
    asking = asyncio.ensure_future(session.ask(question))
    await settle()
    match end:
        case "drop":
            peer.transport.drop()
        case "1000":
            await peer.transport.close(1000)
        case _:
            await session.close()

    with pytest.raises(error):
        await asking


async def test_a_session_that_ends_during_the_answer_raises(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    asking = asyncio.ensure_future(session.ask("hello?"))
    await peer.say("conversation.item.created", item=(await peer.hear())["item"])
    await begins(peer, "resp_1", 1)
    await settle()
    await peer.transport.close(1000)

    with pytest.raises(SessionClosedError):
        await asking


def test_a_reply_shows_nothing_that_was_said() -> None:
    reply = Reply("MARKER", b"MARKER", (), (), "finished", turn=None)  # type: ignore[arg-type]  # not what is tested

    assert "MARKER" not in repr(reply)


# -- silence, and history


@pytest.mark.looptime
async def test_a_silent_caller_is_prompted_until_the_prompts_run_out(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    stream = session.subscribe(NoInput)
    session.prompt_on_silence(4, say="Are you there?", times=2)
    for number in (1, 2):
        began = now()
        assert await asked(peer) == verbatim("Are you there?")
        assert now() - began == pytest.approx(4, abs=0.01)
        await begins(peer, f"resp_{number}", number)
        await ends(peer, f"resp_{number}")
        await settle()

    await asyncio.sleep(60)

    await nothing_more(peer)
    assert await take(stream, 2) == [NoInput(1, last=False), NoInput(2, last=True)]


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"after_s": 0}, "after_s is 0"),
        ({"after_s": float("nan")}, "after_s is nan"),
        ({"after_s": 1, "times": 0}, "times is 0"),
        ({"after_s": 1, "say": "x", "instructions": "y"}, "either say"),
    ],
)
async def test_a_prompt_that_makes_no_sense_is_refused(
    open_session: OpenSession, given: dict[str, Any], match: str
) -> None:
    session, _ = open_session()

    with pytest.raises(ConfigurationError, match=match):
        session.prompt_on_silence(**given)


async def test_restore_gives_a_new_session_the_history_of_another(open_session: OpenSession) -> None:
    old, old_peer = open_session()
    content = [{"type": "input_text", "text": "hello"}]
    item = {"id": "i1", "type": "message", "role": "user", "content": content}
    await old_peer.say("conversation.item.created", item=item)
    await settle()
    session, peer = open_session()

    assert await session.restore(old.conversation) == ()

    restored = (await heard(peer, "conversation.item.create"))["item"]
    assert (restored["role"], restored["content"]) == ("user", content)
    await nothing_more(peer)


async def test_compact_deletes_old_turns_and_gives_their_items(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    for number in (1, 2):
        content = [{"type": "input_text", "text": "hello"}]
        item = {"id": f"i{number}", "type": "message", "role": "user", "content": content}
        await peer.say("conversation.item.created", item=item)
        await begins(peer, f"resp_{number}")
        await says(peer, f"resp_{number}", "hello")
        await ends(peer, f"resp_{number}")
    await settle()
    compacting = asyncio.ensure_future(session.compact(keep_last=1))
    gone = []
    for _ in range(2):
        gone.append((await heard(peer, "conversation.item.delete"))["item_id"])
        await peer.say("conversation.item.deleted", item_id=gone[-1])

    assert set(await compacting) == set(gone) == {"i1", "item_of_resp_1"}


# -- hanging up


@pytest.mark.looptime
async def test_hanging_up_after_playback_waits_until_the_farewell_was_heard(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    saying = asyncio.ensure_future(session.say("Goodbye."))
    await begins(peer, "resp_1", 1)
    await saying
    began = now()
    closing = asyncio.ensure_future(session.close(after_playback=True))
    await asyncio.sleep(1)
    await says(peer, "resp_1", "Goodbye.", audio_ms=2000)
    await asyncio.sleep(0.5)
    await ends(peer, "resp_1")
    await closing

    assert now() - began == pytest.approx(3, abs=0.05)
    assert session.close_info is not None
    assert session.close_info.normal


@pytest.mark.looptime
async def test_hanging_up_waits_for_the_line_that_plays(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    await begins(peer, "resp_1")
    await says(peer, "resp_1", "Goodbye.", audio_ms=2000)
    await ends(peer, "resp_1")
    await settle()
    session.playback.played("item_of_resp_1", 100)
    closing = asyncio.ensure_future(session.close(after_playback=True))
    await asyncio.sleep(10)
    assert session.close_info is None

    session.playback.played("item_of_resp_1", 2000)

    await asyncio.wait_for(closing, 1)


@pytest.mark.looptime
async def test_hanging_up_after_playback_has_a_bound(open_session: OpenSession) -> None:
    session, peer = open_session()
    await begins(peer, "resp_1")
    await settle()
    began = now()

    await session.close(after_playback=True, playback_timeout_s=4)

    assert now() - began == pytest.approx(4, abs=0.01)


async def test_hanging_up_while_nobody_speaks_takes_no_time(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)

    await asyncio.wait_for(session.close(1001, "bye", after_playback=True), 1)

    assert session.close_info is not None
    assert (session.close_info.code, session.close_info.reason) == (1001, "bye")


@pytest.mark.looptime
async def test_hanging_up_on_a_caller_who_is_gone_already_ends_at_once(open_session: OpenSession) -> None:
    session, peer = open_session()
    await begins(peer, "resp_1")
    await settle()
    closing = asyncio.ensure_future(session.close(after_playback=True))
    await settle()
    peer.transport.drop()

    await asyncio.wait_for(closing, 1)


@pytest.mark.parametrize(
    "call",
    [
        lambda session: session.say("x"),
        lambda session: session.greet("x"),
        lambda session: session.interrupt(),
        lambda session: session.change(SessionConfig()),
        lambda session: session.ask("x"),
        lambda session: session.ask(bytes(960)),
    ],
)
async def test_after_the_end_every_verb_raises(open_session: OpenSession, call: Call) -> None:
    session, peer = open_session()
    await ready(peer)
    await session.close()

    with pytest.raises(SessionClosedError):
        await call(session)


# -- what stands in the way of others


AVATAR = {"type": "video-avatar", "character": "lisa", "customized": False}


async def test_greet_waits_for_an_avatar_that_is_still_connecting(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer, avatar=AVATAR)
    greeting = asyncio.ensure_future(session.greet("Hello."))
    await nothing_more(peer)

    await peer.say("session.avatar.connecting", server_sdp="answer")
    assert await asked(peer) == verbatim("Hello.")
    await begins(peer, "resp_1", 1)
    assert (await greeting) is not None


@pytest.mark.looptime
async def test_an_avatar_that_never_connects_is_not_greeted(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer, avatar=AVATAR)

    with pytest.raises(TimeoutError):
        await session.greet("Hello.", timeout_s=3)
    await nothing_more(peer)


async def test_greet_does_not_wait_for_an_avatar_over_the_socket(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer, avatar={**AVATAR, "output_protocol": "websocket"})
    greeting = asyncio.ensure_future(session.greet("Hello."))

    assert await asked(peer) == verbatim("Hello.")
    await begins(peer, "resp_1", 1)
    await greeting


async def test_what_is_said_after_a_wish_does_not_overtake_it(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)

    await session.create_response(confirm=False)
    await session.send_text("after it")

    assert [(await peer.hear())["type"] for _ in range(2)] == ["response.create", "conversation.item.create"]


async def test_a_cancelled_verb_behind_a_wish_is_not_sent(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)

    await session.create_response(confirm=False)
    saying = asyncio.ensure_future(session.send_text("never"))
    await asyncio.sleep(0)
    saying.cancel()
    await asyncio.wait([saying])
    await session.send_text("sent")

    await heard(peer, "response.create")
    told = await heard(peer, "conversation.item.create")
    assert told["item"]["content"][0]["text"] in {"never", "sent"}, "whole or nothing"


async def test_verbs_behind_a_wish_hear_of_the_end(open_session: OpenSession) -> None:
    session, peer = open_session(max_pending_bytes=1)
    await peer.create(voice=AZURE)
    await settle()
    await session.send_text("fills the line")
    await session.create_response(confirm=False)
    waiting = asyncio.ensure_future(session.send_text("behind it"))
    await settle()

    peer.transport.drop()
    with pytest.raises(SessionClosedError):
        await waiting


async def test_wait_quiet_returns_when_the_agent_was_heard_to_the_end(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    await session.wait_quiet()
    await begins(peer, "resp_1")
    await settle()
    with pytest.raises(TimeoutError):
        await session.wait_quiet(timeout_s=0.001)
    await ends(peer, "resp_1")
    await settle()

    await session.wait_quiet()
    assert not session.playback.playing

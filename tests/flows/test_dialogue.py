"""Verbs of several steps, with the emulated service at its measured pace: ask, greet, change, close."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

import pytest
from tests.flows.scene import emulated, speak, wav
from tests.flows.test_barge_in import Loudspeaker

from voicelive.errors import ConfigurationError, ServiceError, SessionClosedError
from voicelive.events import TurnFinished
from voicelive.testing import Call, Pace, Script, Turn
from voicelive.testing.script import Heard
from voicelive.testing.voice import speech_duration_ms
from voicelive.tools import ToolSet, tool
from voicelive.wire.audio import AudioInputTranscriptionOptions
from voicelive.wire.client_events import InputAudioBufferCommit, ResponseCreate, SessionUpdate
from voicelive.wire.items import AssistantMessageItem
from voicelive.wire.server.conversation import InputAudioBufferCommitted
from voicelive.wire.session import SessionConfig
from voicelive.wire.tools import FunctionTool
from voicelive.wire.turn_detection import AzureSemanticVad, ServerVad
from voicelive.wire.voices import AzureStandardVoice, OpenAIVoice

WHISPER = AudioInputTranscriptionOptions(model="whisper-1")
AVA = AzureStandardVoice(name="en-US-AvaNeural")  # an Azure voice says a given text word for word
SPOKEN = SessionConfig(voice=AVA, turn_detection=ServerVad(), input_audio_transcription=WHISPER)
BY_HAND = SessionConfig(turn_detection=None, input_audio_transcription=WHISPER)
VERBATIM = SessionConfig(voice=AVA)

FAREWELL = "Thank you for calling, and have a very nice day."


@tool
async def get_weather(city: str) -> str:
    """Look up the weather."""
    return f"It is sunny in {city}."


@tool
async def get_time(city: str) -> str:
    """Look up the time."""
    return f"It is noon in {city}."


# -- ask


@pytest.mark.looptime
async def test_a_typed_question_gets_its_whole_answer() -> None:
    async with emulated(Script("It is noon."), pace=Pace.measured()) as (session, _):
        reply = await session.ask("What time is it?")
        format_ms = session.output_format.duration_ms(len(reply.audio))

    assert (reply.text, reply.status, reply.tool_calls) == ("It is noon.", "finished", ())
    assert format_ms == speech_duration_ms("It is noon.")
    assert len(reply.usage) == 1
    assert reply.turn.caller_text == "What time is it?"


@pytest.mark.looptime
async def test_an_answer_holds_all_rounds_of_tools() -> None:
    script = Script(
        Turn(
            calls=[Call("get_weather", {"city": "Lisbon"})],
            reply_after_calls=Turn(calls=[Call("get_time", {"city": "Lisbon"})], reply_after_calls="Sunny, at noon."),
        )
    )
    async with emulated(script, pace=Pace.measured(), tools=[get_weather, get_time]) as (session, service):
        reply = await session.ask("How is Lisbon?")
        creates = service.received_of(ResponseCreate)

    assert reply.text == "Sunny, at noon."
    assert [(call.name, call.output) for call in reply.tool_calls] == [
        ("get_weather", "It is sunny in Lisbon."),
        ("get_time", "It is noon in Lisbon."),
    ]
    assert len(reply.usage) == len(creates) == 3


@pytest.mark.looptime
@pytest.mark.parametrize("detection", [ServerVad(), AzureSemanticVad(silence_duration_ms=800)], ids=lambda d: d.type)
async def test_a_spoken_question_ends_by_turn_detection(detection: ServerVad | AzureSemanticVad) -> None:
    config = SessionConfig(turn_detection=detection, input_audio_transcription=WHISPER)
    script = Script(Turn("It is sunny.", transcript="What is the weather?"))
    async with emulated(script, pace=Pace.measured(), config=config) as (session, service):
        reply = await session.ask(wav("question.wav"))
        creates, commits = service.received_of(ResponseCreate), service.received_of(InputAudioBufferCommit)
        committed = service.sent_of(InputAudioBufferCommitted)

    assert (reply.text, reply.turn.caller_text) == ("It is sunny.", "What is the weather?")
    assert reply.audio
    assert (creates, commits, len(committed)) == ([], [], 1), "the service ended the turn, and answered by itself"


@pytest.mark.looptime
async def test_a_spoken_question_is_asked_to_be_answered_where_turn_detection_does_not() -> None:
    config = SessionConfig(turn_detection=ServerVad(create_response=False), input_audio_transcription=WHISPER)
    script = Script(Turn("It is sunny.", transcript="What is the weather?"))
    async with emulated(script, pace=Pace.measured(), config=config) as (session, service):
        reply = await session.ask(wav("question.wav"))
        creates = service.received_of(ResponseCreate)

    assert (reply.text, len(creates)) == ("It is sunny.", 1)


@pytest.mark.looptime
async def test_a_spoken_question_is_committed_where_there_is_no_turn_detection() -> None:
    heard: list[Heard] = []

    def answer(question: Heard) -> Turn:
        heard.append(question)
        return Turn("It is sunny.", transcript="What is the weather?")

    async with emulated(Script(then=answer), pace=Pace.measured(), config=BY_HAND) as (session, service):
        reply = await session.ask(wav("question.wav"))
        commits, creates = service.received_of(InputAudioBufferCommit), service.received_of(ResponseCreate)

    assert (reply.text, reply.turn.caller_text) == ("It is sunny.", "What is the weather?")
    assert (len(commits), len(creates)) == (1, 1)
    assert [question.audio for question in heard] == [wav("question.wav")], "every sample, and nothing else"


@pytest.mark.looptime
async def test_questions_one_after_the_other_get_their_own_answers() -> None:
    script = Script(*(Turn(f"Answer {n}.", transcript=f"Question {n}.") for n in (1, 2, 3)))
    async with emulated(script, pace=Pace.measured(), config=SPOKEN) as (session, _):
        replies = [await session.ask(wav(name)) for name in ("question.wav", "followup.wav", "stop.wav")]

    assert [(reply.turn.caller_text, reply.text) for reply in replies] == [
        (f"Question {n}.", f"Answer {n}.") for n in (1, 2, 3)
    ]


@pytest.mark.looptime
async def test_an_answer_that_does_not_come_in_time_is_not_waited_for() -> None:
    async with emulated(Script("A" * 150), pace=Pace.measured()) as (session, _):
        with pytest.raises(TimeoutError):
            await session.ask("Say much", timeout_s=2)


# -- greet


@pytest.mark.looptime
async def test_a_greeting_is_said_word_for_word() -> None:
    async with emulated(Script(), pace=Pace.measured(), config=VERBATIM) as (session, service):
        handle = await session.greet("Welcome to Contoso.")
        assert handle is not None
        response = await handle
        (create,) = service.received_of(ResponseCreate)
        (turn,) = session.conversation.turns

    assert create.response is not None
    assert isinstance(create.response.pre_generated_assistant_message, AssistantMessageItem)
    assert response.status == "completed"
    assert handle.text == turn.agent_text == "Welcome to Contoso."
    assert turn.caller_item_ids == ()


@pytest.mark.looptime
async def test_a_greeting_by_instructions_is_the_models() -> None:
    def greeting(heard: Heard) -> Turn:
        return Turn("Hello, Alice!") if "Greet Alice" in heard.instructions else Turn("What?")

    config = SessionConfig(voice=OpenAIVoice(name="alloy"))
    async with emulated(Script(then=greeting), pace=Pace.measured(), config=config) as (session, _):
        with pytest.raises(ConfigurationError, match="alloy"):
            await session.greet("Hello!")
        handle = await session.greet(instructions="Greet Alice by name.")
        assert handle is not None
        await handle

    assert handle.text == "Hello, Alice!"


@pytest.mark.looptime
async def test_a_caller_is_answered_after_the_greeting() -> None:
    script = Script(Turn("It is sunny.", transcript="What is the weather?"))
    async with emulated(script, pace=Pace.measured(), config=SPOKEN) as (session, _):
        handle = await session.greet("Welcome!")
        assert handle is not None
        await handle
        await asyncio.sleep(2)
        await speak(session, wav("question.wav"))
        await asyncio.sleep(3)
        turns = session.conversation.turns

    assert [(turn.caller_text, turn.agent_text) for turn in turns] == [
        (None, "Welcome!"),
        ("What is the weather?", "It is sunny."),
    ]


# -- the next phase of a call


@pytest.mark.looptime
async def test_a_change_that_is_refused_leaves_the_old_tools() -> None:
    script = Script("Hello.", Turn(calls=[Call("get_weather", {"city": "Faro"})], reply_after_calls="Sunny."))
    async with emulated(script, pace=Pace.measured(), config=VERBATIM, tools=[get_weather]) as (session, _):
        await session.ask("Hello?")
        before = session.config
        other_voice = SessionConfig(instructions="Be brief.", voice=AzureStandardVoice(name="en-US-AndrewNeural"))
        with pytest.raises(ServiceError) as refused:
            await session.change(other_voice, tools=ToolSet(get_time))
        after = session.config
        reply = await session.ask("How is Faro?")

    assert refused.value.code == "cannot_update_voice", "the agent has spoken with the old one"
    assert after == before
    assert [call.output for call in reply.tool_calls] == ["It is sunny in Faro."]


@pytest.mark.looptime
async def test_a_change_swaps_settings_and_tools_together() -> None:
    script = Script(Turn(calls=[Call("get_time", {"city": "Faro"})], reply_after_calls="Noon."))
    async with emulated(script, pace=Pace.measured(), tools=[get_weather]) as (session, service):
        settings = await session.change(SessionConfig(instructions="Be brief."), tools=ToolSet(get_time))
        reply = await session.ask("What time is it in Faro?")
        updates = service.received_of(SessionUpdate)

    assert settings.instructions == "Be brief."
    assert [one.name for one in settings.tools or () if isinstance(one, FunctionTool)] == ["get_time"]
    assert [call.output for call in reply.tool_calls] == ["It is noon in Faro."]
    assert len(updates) == 2, "the first settings, and one change"


@pytest.mark.looptime
async def test_a_call_that_runs_while_tools_change_is_answered_by_the_old_ones() -> None:
    going = asyncio.Event()

    @tool
    async def slow() -> str:
        """Take a while."""
        going.set()
        await asyncio.sleep(2)
        return "done by the old one"

    script = Script(Turn(calls=[Call("slow")], reply_after_calls="There."))
    async with emulated(script, pace=Pace.measured(), tools=[slow]) as (session, _):
        asking = asyncio.create_task(session.ask("Go"))
        await going.wait()
        await session.change(SessionConfig(instructions="Be brief."), tools=ToolSet(get_time))
        reply = await asking

    assert [call.output for call in reply.tool_calls] == ["done by the old one"]


# -- the farewell


@pytest.mark.looptime
async def test_the_call_ends_after_the_farewell_was_heard() -> None:
    sink = Loudspeaker()
    clock = asyncio.get_running_loop().time
    async with emulated(Script(), pace=Pace.measured(), config=VERBATIM) as (session, _):
        playing = asyncio.create_task(session.playback.play_to(sink))
        await session.say(FAREWELL)
        began_s = clock()
        await session.close(after_playback=True)
        took_s = clock() - began_s
        with suppress(SessionClosedError):
            await playing

    spoken_s = speech_duration_ms(FAREWELL) / 1000
    assert sum(frame.duration_ms for frame in sink.played) == pytest.approx(spoken_s * 1000)
    assert took_s == pytest.approx(0.7 + spoken_s, abs=0.1)  # until its first audio, and then its length


@pytest.mark.looptime
async def test_without_a_sink_the_farewell_is_given_its_time() -> None:
    clock = asyncio.get_running_loop().time
    async with emulated(Script(), pace=Pace.measured(), config=VERBATIM) as (session, _):
        await session.say(FAREWELL)
        began_s = clock()
        await session.close(after_playback=True)
        took_s = clock() - began_s

    assert took_s == pytest.approx(0.7 + speech_duration_ms(FAREWELL) / 1000, abs=0.1)


@pytest.mark.looptime
async def test_a_farewell_that_nobody_plays_does_not_hold_the_line_for_ever() -> None:
    clock = asyncio.get_running_loop().time
    async with emulated(Script(), pace=Pace.measured(), config=VERBATIM) as (session, _):
        frames = session.playback.frames(20, acknowledge=False)
        first = asyncio.ensure_future(anext(frames))
        await session.say(FAREWELL)
        await first
        began_s = clock()
        await session.close(after_playback=True, playback_timeout_s=8)
        took_s = clock() - began_s
        await frames.aclose()

    assert took_s == pytest.approx(8, abs=0.1)


@pytest.mark.looptime
async def test_a_wish_that_waits_is_part_of_the_farewell() -> None:
    clock = asyncio.get_running_loop().time
    async with emulated(Script("Well."), pace=Pace.measured(), config=VERBATIM) as (session, service):
        await session.create_response()
        saying = asyncio.create_task(session.say(FAREWELL))
        await asyncio.sleep(0)
        began_s = clock()
        await session.close(after_playback=True)
        took_s = clock() - began_s
        await saying
        ends = [event.response.status for event in service.sent if event.type == "response.done"]

    assert ends == ["completed", "completed"]
    assert took_s > speech_duration_ms(FAREWELL) / 1000


# -- latencies


@pytest.mark.looptime
@pytest.mark.parametrize("with_sink", [True, False], ids=["sink", "estimate"])
async def test_the_latencies_of_a_spoken_turn_are_complete_and_in_order(with_sink: bool) -> None:
    pace = Pace.measured()
    script = Script(Turn("It is sunny in Lisbon, with 24 degrees.", transcript="What is the weather?"))
    async with emulated(script, pace=pace, config=SPOKEN) as (session, _):
        playing = asyncio.create_task(session.playback.play_to(Loudspeaker())) if with_sink else None
        with session.subscribe(TurnFinished) as finished:
            await speak(session, wav("question.wav"))
            told = (await anext(finished)).turn
        await asyncio.sleep(10)
        (turn,) = session.conversation.turns
        if playing is not None:
            playing.cancel()
            with suppress(asyncio.CancelledError):
                await playing

    latency = turn.latency
    assert latency.measured_from == "speech_stopped"
    steps = {
        "committed": latency.committed_ms,
        "response_created": latency.response_created_ms,
        "first_transcript": latency.first_transcript_ms,
        "first_audio": latency.first_audio_ms,
        "first_played": latency.first_played_ms,
        "done": latency.done_ms,
    }
    assert None not in steps.values(), json.dumps(steps)
    expected = [pace.committed_s, pace.response_created_s, pace.first_text_s, pace.first_audio_s, pace.first_audio_s]
    got = [value for value in steps.values() if value is not None]
    assert got == sorted(got)
    assert got[:5] == pytest.approx([seconds * 1000 for seconds in expected], abs=25)
    assert told.latency.done_ms == latency.done_ms

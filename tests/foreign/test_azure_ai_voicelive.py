"""The service's own SDK for Python holds whole conversations with the emulator.

Only what that SDK's classes say is looked at; ``caller`` makes sure that each event has a class of its own.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence

import pytest
from azure.ai.voicelive import models
from azure.ai.voicelive.aio import ConnectionClosed, connect
from azure.ai.voicelive.aio import ConnectionError as HandshakeError
from azure.core.credentials import AzureKeyCredential
from tests.foreign.caller import Caller, call, user_text
from tests.foreign.reading import PCM16_24K, QUESTION, SENTENCE, SILENCE, names, only, sound, the, transcript

from voicelive.testing import Call, Emulator, Pace, Script, Turn

# Slow enough to be talked over in the first tenth of a second, and over soon where nobody does.
UNHURRIED = Pace(audio_delta_ms=100, audio_speedup=2, interrupt_s=0.02)

WEATHER = models.FunctionTool(name="get_weather", description="The weather.", parameters={"type": "object"})
CLOCK = models.FunctionTool(name="get_time", description="The time.", parameters={"type": "object"})


def calls(events: Iterable[object]) -> list[models.ResponseFunctionCallItem]:
    return only(models.ResponseFunctionCallItem, the(models.ServerEventResponseDone, events).response.output or [])


async def answer(caller: Caller, asked: models.ResponseFunctionCallItem, output: str) -> None:
    item = models.FunctionCallOutputItem(call_id=asked.call_id, output=output)
    await caller.connection.conversation.item.create(item=item)
    created = (await caller.one(models.ServerEventConversationItemCreated)).item
    assert the(models.ResponseFunctionCallOutputItem, [created]).output == output


async def test_a_typed_question_is_answered_in_text() -> None:
    async with Emulator(Script("Good morning.")) as emulator, call(emulator, modalities=["text"]) as caller:
        item = await caller.write("Hello!", id="mine")
        await caller.connection.response.create()
        events = await caller.until(models.ServerEventResponseDone)

    assert (item.id, item.role) == ("mine", models.MessageRole.USER)
    assert the(models.RequestTextContentPart, item.content).text == "Hello!"
    assert names(events) == [
        "ResponseCreated",
        "ResponseOutputItemAdded",
        "ConversationItemCreated",
        "ResponseContentPartAdded",
        "ResponseTextDelta",
        "ResponseTextDone",
        "ResponseContentPartDone",
        "ResponseOutputItemDone",
        "ResponseDone",
    ]
    assert "".join(event.delta for event in only(models.ServerEventResponseTextDelta, events)) == "Good morning."
    assert the(models.ServerEventResponseTextDone, events).text == "Good morning."
    done = the(models.ServerEventResponseDone, events).response
    assert done.status == models.ResponseStatus.COMPLETED
    said = the(models.ResponseMessageItem, done.output or [])
    assert the(models.ResponseTextContentPart, said.content).text == "Good morning."


async def test_a_typed_question_is_answered_by_voice() -> None:
    async with Emulator(Script(SENTENCE)) as emulator, call(emulator, modalities=["text", "audio"]) as caller:
        events = await caller.ask("What is the weather in Lisbon?")

    assert PCM16_24K.duration_ms(len(sound(events))) == pytest.approx(3058, abs=1)
    spoken = [event.delta for event in only(models.ServerEventResponseAudioTranscriptDelta, events)]
    assert "".join(spoken) == the(models.ServerEventResponseAudioTranscriptDone, events).transcript == SENTENCE
    assert names(events)[-5:] == [
        "ResponseAudioDone",
        "ResponseAudioTranscriptDone",
        "ResponseContentPartDone",
        "ResponseOutputItemDone",
        "ResponseDone",
    ]


async def test_a_spoken_question_is_heard_transcribed_answered_and_counted() -> None:
    async with (
        Emulator() as emulator,
        call(emulator, input_audio_transcription=models.AudioInputTranscriptionOptions(model="whisper-1")) as caller,
    ):
        await caller.say(QUESTION + SILENCE)
        events = await caller.until(models.ServerEventResponseDone)
        heard = only(models.ServerEventConversationItemInputAudioTranscriptionCompleted, events) or [
            await caller.one(models.ServerEventConversationItemInputAudioTranscriptionCompleted)
        ]

    started = the(models.ServerEventInputAudioBufferSpeechStarted, events)
    stopped = the(models.ServerEventInputAudioBufferSpeechStopped, events)
    committed = the(models.ServerEventInputAudioBufferCommitted, events)
    assert {started.item_id, stopped.item_id, committed.item_id} == {heard[0].item_id}
    assert 1_500 < stopped.audio_end_ms - started.audio_start_ms < 3_500
    assert heard[0].transcript == "What is the weather in Lisbon today?"
    order = [name for name in names(events) if name.startswith(("InputAudioBuffer", "ResponseC", "ResponseDone"))]
    assert order == [
        "InputAudioBufferSpeechStarted",
        "InputAudioBufferSpeechStopped",
        "InputAudioBufferCommitted",
        "ResponseCreated",
        "ResponseContentPartAdded",
        "ResponseContentPartDone",
        "ResponseDone",
    ]
    done = events[-1]
    assert isinstance(done, models.ServerEventResponseDone)
    assert [transcript(item) for item in done.response.output or []] == [SENTENCE]
    assert PCM16_24K.duration_ms(len(sound(events))) == pytest.approx(3058, abs=1)
    usage = done.response.usage
    assert usage is not None
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert usage.input_token_details.audio_tokens == pytest.approx(25, abs=10)  # 10 a second
    assert usage.output_token_details.audio_tokens == pytest.approx(61, abs=2)  # 20 a second


async def test_a_function_is_called_and_its_output_is_told() -> None:
    script = Script(Turn(calls=[Call("get_weather", {"city": "Lisbon"})], reply_after_calls=SENTENCE))
    async with Emulator(script) as emulator, call(emulator, modalities=["text"], tools=[WEATHER]) as caller:
        events = await caller.ask("What is the weather in Lisbon?")
        [asked] = calls(events)
        await answer(caller, asked, '{"sky": "sunny", "degrees": 24}')
        await caller.connection.response.create()
        told = await caller.until(models.ServerEventResponseDone)

    done = the(models.ServerEventResponseFunctionCallArgumentsDone, events)
    deltas = only(models.ServerEventResponseFunctionCallArgumentsDelta, events)
    assert (asked.name, json.loads(asked.arguments)) == ("get_weather", {"city": "Lisbon"})
    assert "".join(event.delta for event in deltas) == done.arguments == asked.arguments
    assert (done.call_id, done.item_id, done.name) == (asked.call_id, asked.id, asked.name)
    assert the(models.ServerEventResponseTextDone, told).text == SENTENCE


async def test_parallel_calls_come_in_one_response_and_get_one_answer() -> None:
    def tell(outputs: Sequence[str]) -> str:
        return " and ".join(outputs)

    wanted = [Call("get_weather", {"city": "Lisbon"}), Call("get_time", {"city": "Lisbon"})]
    script = Script(Turn("One moment.", calls=wanted, reply_after_calls=tell))
    async with Emulator(script) as emulator, call(emulator, modalities=["text"], tools=[WEATHER, CLOCK]) as caller:
        events = await caller.ask("What is the weather in Lisbon, and what time is it?")
        weather, clock = calls(events)
        await answer(caller, clock, "noon")
        await answer(caller, weather, "sunny")
        await caller.connection.response.create()
        told = await caller.until(models.ServerEventResponseDone)

    assert [weather.name, clock.name] == ["get_weather", "get_time"]
    assert weather.call_id != clock.call_id
    ended = only(models.ServerEventResponseFunctionCallArgumentsDone, events)
    assert [event.output_index for event in ended] == [1, 2]  # the spoken message comes first
    assert the(models.ServerEventResponseTextDone, told).text == "sunny and noon"
    assert script.remaining == ()


async def test_talking_over_the_agent_ends_its_reply_and_a_truncation_settles_what_was_heard() -> None:
    script = Script(SENTENCE, Turn("Yes?", transcript="Wait!"))
    async with Emulator(script, pace=UNHURRIED) as emulator, call(emulator) as caller:
        await caller.write("What is the weather in Lisbon?")
        await caller.connection.response.create()
        old = (await caller.one(models.ServerEventResponseAudioDelta)).response_id
        await caller.say(QUESTION + SILENCE)
        await caller.until(models.ServerEventInputAudioBufferSpeechStarted)
        late = [event for event in await caller.until(models.ServerEventResponseDone) if _belongs(event, old)]
        done = the(models.ServerEventResponseDone, late).response
        [item] = done.output or []
        await caller.connection.conversation.item.truncate(item_id=item.id or "", content_index=0, audio_end_ms=100)
        cut = await caller.one(models.ServerEventConversationItemTruncated)
        followed = caller.events + await caller.until(
            models.ServerEventResponseDone, lambda event: not _belongs(event, old)
        )
        await caller.connection.conversation.item.retrieve(item_id=item.id or "")
        stored = (await caller.one(models.ServerEventConversationItemRetrieved)).item

    assert [type(event).__name__.removeprefix("ServerEvent") for event in late] == [
        "ResponseAudioDelta",  # exactly one, as measured
        "ResponseAudioDone",
        "ResponseAudioTranscriptDone",
        "ResponseContentPartDone",
        "ResponseOutputItemDone",
        "ResponseDone",
    ]
    assert done.status == models.ResponseStatus.CANCELLED
    assert the(models.ResponseCancelledDetails, [done.status_details]).reason == "turn_detected"
    assert done.usage is not None
    assert the(models.ResponseMessageItem, [item]).status == models.ResponseItemStatus.COMPLETED
    assert transcript(item)
    assert (cut.item_id, cut.content_index, cut.audio_end_ms) == (item.id, 0, 100)
    assert stored is not None
    assert transcript(stored) is None
    second = only(models.ServerEventResponseDone, followed)[-1].response
    assert [transcript(item) for item in second.output or []] == ["Yes?"]


def _belongs(event: models.ServerEvent, response_id: str) -> bool:
    response = getattr(event, "response", None)
    return response_id == (response.id if response is not None else getattr(event, "response_id", None))


async def test_without_turn_detection_the_client_commits_and_asks() -> None:
    async with (
        Emulator(Script(Turn("Sunny.", transcript="And Lisbon?"))) as emulator,
        call(emulator, modalities=["text"], turn_detection=None) as caller,
    ):
        assert (await caller.configure(turn_detection=None)).turn_detection is None
        await caller.say(QUESTION)
        await caller.connection.input_audio_buffer.commit()
        turn = await caller.until(models.ServerEventConversationItemCreated)
        await caller.connection.response.cancel(event_id="nothing runs")
        unasked = await caller.until(models.ServerEventError)
        await caller.connection.response.create()
        told = await caller.until(models.ServerEventResponseDone)

    assert names(turn) == ["InputAudioBufferCommitted", "ConversationItemCreated"]
    assert only(models.ServerEventResponseCreated, unasked) == []
    assert the(models.ServerEventResponseTextDone, told).text == "Sunny."


async def test_an_empty_or_cleared_buffer_cannot_be_committed() -> None:
    async with Emulator() as emulator, call(emulator, turn_detection=None) as caller:
        await caller.connection.input_audio_buffer.commit(event_id="first")
        first = await caller.refusal()
        await caller.say(QUESTION)
        await caller.connection.input_audio_buffer.clear()
        await caller.one(models.ServerEventInputAudioBufferCleared)
        await caller.connection.input_audio_buffer.commit(event_id="second")
        second = await caller.refusal()
        await caller.connection.output_audio_buffer.clear()
        await caller.one(models.ServerEventOutputAudioBufferCleared)

    assert (first.code, first.event_id) == ("input_audio_buffer_commit_empty", "first")
    assert (second.code, second.event_id) == ("input_audio_buffer_commit_empty", "second")


async def test_items_are_created_in_place_retrieved_and_deleted() -> None:
    items = [
        models.SystemMessageItem(id="rules", content=[models.InputTextContentPart(text="Be brief.")]),
        models.AssistantMessageItem(id="said", content=[models.OutputTextContentPart(text="Hello.")]),
    ]
    async with Emulator() as emulator, call(emulator) as caller:
        api = caller.connection.conversation.item
        for item in items:
            await api.create(item=item)
            await caller.one(models.ServerEventConversationItemCreated)
        await api.create(item=user_text("Hi!", id="asked"), previous_item_id="rules")
        placed = await caller.one(models.ServerEventConversationItemCreated)
        await api.retrieve(item_id="said")
        said = the(models.ResponseMessageItem, [(await caller.one(models.ServerEventConversationItemRetrieved)).item])
        await api.delete(item_id="said")
        deleted = await caller.one(models.ServerEventConversationItemDeleted)
        await api.retrieve(item_id="said", event_id="gone")
        gone = await caller.refusal()

    assert placed.previous_item_id == "rules"
    assert (said.role, the(models.ResponseTextContentPart, said.content).text) == (
        models.MessageRole.ASSISTANT,
        "Hello.",
    )
    assert deleted.item_id == "said"
    assert gone.event_id == "gone"


async def test_a_reply_is_cut_where_it_was_heard_but_never_beyond_its_end() -> None:
    async with Emulator(Script(SENTENCE)) as emulator, call(emulator) as caller:
        events = await caller.ask("What is the weather in Lisbon?")
        item_id = the(models.ServerEventResponseAudioDone, events).item_id
        truncate = caller.connection.conversation.item.truncate
        await truncate(item_id=item_id, content_index=0, audio_end_ms=60_000)
        beyond = await caller.refusal()
        await truncate(item_id=item_id, content_index=0, audio_end_ms=1_000)
        cut = await caller.one(models.ServerEventConversationItemTruncated)

    assert beyond.type == "invalid_request_error"
    assert cut.audio_end_ms == 1_000


async def test_a_cancelled_response_says_that_the_client_did_it() -> None:
    async with Emulator(Script(SENTENCE), pace=UNHURRIED) as emulator, call(emulator) as caller:
        await caller.write("What is the weather in Lisbon?")
        await caller.connection.response.create()
        await caller.one(models.ServerEventResponseAudioDelta)
        await caller.connection.response.cancel()
        done = (await caller.one(models.ServerEventResponseDone)).response
        await caller.connection.response.cancel(event_id="again")
        error = await caller.refusal()

    assert done.status == models.ResponseStatus.CANCELLED
    assert the(models.ResponseCancelledDetails, [done.status_details]).reason == "client_cancelled"
    assert (error.code, error.event_id) == ("response_cancel_not_active", "again")


async def test_a_second_response_is_refused_or_replaces_the_first() -> None:
    async with Emulator(Script(SENTENCE, "Hm."), pace=UNHURRIED) as emulator, call(emulator) as caller:
        await caller.write("What is the weather in Lisbon?")
        await caller.connection.response.create()
        first = (await caller.one(models.ServerEventResponseAudioDelta)).response_id
        await caller.connection.response.create(event_id="too early")
        error = await caller.refusal()
        await caller.connection.response.create(response=models.ResponseCreateParams(cancel_previous=True))
        ended = (await caller.one(models.ServerEventResponseDone)).response
        replaced = (await caller.one(models.ServerEventResponseDone)).response

    assert (error.code, error.event_id) == ("conversation_already_has_active_response", "too early")
    assert (ended.id, ended.status) == (first, models.ResponseStatus.CANCELLED)
    assert [transcript(item) for item in replaced.output or []] == ["Hm."]


async def test_a_greeting_is_spoken_word_for_word() -> None:
    greeting = models.AssistantMessageItem(content=[models.OutputTextContentPart(text="Welcome to the bank.")])
    async with Emulator(Script()) as emulator, call(emulator) as caller:
        params = models.ResponseCreateParams(pre_generated_assistant_message=greeting)
        await caller.connection.response.create(response=params)
        events = await caller.until(models.ServerEventResponseDone)

    assert the(models.ServerEventResponseAudioTranscriptDone, events).transcript == "Welcome to the bank."
    assert sound(events)


async def test_a_reply_that_is_too_long_ends_incomplete_and_one_without_a_script_fails() -> None:
    async with Emulator(Script(SENTENCE)) as emulator, call(emulator, modalities=["text"]) as caller:
        await caller.connection.response.create(response=models.ResponseCreateParams(max_output_tokens=4))
        cut = (await caller.one(models.ServerEventResponseDone)).response
        await caller.connection.response.create()
        failed = (await caller.one(models.ServerEventResponseDone)).response

    assert cut.status == models.ResponseStatus.INCOMPLETE
    assert the(models.ResponseIncompleteDetails, [cut.status_details]).reason == "max_output_tokens"
    assert failed.status == models.ResponseStatus.FAILED
    assert the(models.ResponseFailedDetails, [failed.status_details]).error["code"] == "script_exhausted"


async def test_the_words_of_an_azure_voice_are_timed() -> None:
    voice = models.AzureStandardVoice(name="en-US-AvaMultilingualNeural")
    timed = [models.AudioTimestampType.WORD]
    async with (
        Emulator(Script(SENTENCE)) as emulator,
        call(emulator, voice=voice, output_audio_timestamp_types=timed) as caller,
    ):
        events = await caller.ask("What is the weather in Lisbon?")

    words = only(models.ServerEventResponseAudioTimestampDelta, events)
    assert [word.text for word in words] == SENTENCE.split()
    assert words[0].audio_offset_ms == 0
    assert words[-1].audio_offset_ms + words[-1].audio_duration_ms == pytest.approx(3058, abs=2)
    the(models.ServerEventResponseAudioTimestampDone, events)


async def test_streamed_text_becomes_part_of_its_item() -> None:
    script = Script(lambda heard: Turn(heard.text[::-1]))
    async with Emulator(script) as emulator, call(emulator, modalities=["text"]) as caller:
        await caller.write("ab", id="mine")
        for piece in "cd", "ef":
            await caller.connection.send(models.ClientEventInputTextDelta(id="mine", delta=piece))
        await caller.connection.send(models.ClientEventInputTextDone(id="mine"))
        await caller.connection.response.create()
        events = await caller.until(models.ServerEventResponseDone)

    assert the(models.ServerEventResponseTextDone, events).text == "fedcba"


async def test_the_session_says_who_it_is_and_when_it_ends() -> None:
    async with Emulator() as emulator, call(emulator) as caller:
        created = the(models.ServerEventSessionCreated, caller.events).session

    assert created.id
    assert created.model
    assert created.model.startswith("gpt-realtime")
    assert created.expires_at is not None
    assert created.expires_at.tzinfo is not None


async def test_a_wrong_key_is_refused_at_the_door() -> None:
    async with Emulator(api_key="right") as emulator:
        dialling = connect(endpoint=emulator.endpoint, credential=AzureKeyCredential("wrong"), model="gpt-realtime")
        with pytest.raises(HandshakeError, match="401"):
            await dialling.__aenter__()


async def test_a_closing_emulator_ends_the_connection() -> None:
    emulator = Emulator()
    await emulator.start()
    async with call(emulator) as caller, asyncio.TaskGroup() as tasks:
        tasks.create_task(emulator.close())
        with pytest.raises(ConnectionClosed) as ended:
            await caller.receive()

    assert ended.value.code == 1001


async def test_a_client_that_does_not_read_holds_up_the_end_by_a_second_at_most() -> None:
    emulator = Emulator()
    await emulator.start()
    async with call(emulator), asyncio.timeout(5):  # websockets would wait 10 s for the answer to its close frame
        await emulator.close()

"""The OpenAI SDK holds conversations with the emulator, as it does with Voice Live: another dialect, the same socket.

Events that Voice Live names differently (``response.audio.delta`` for ``response.output_audio.delta``) have no class
in that SDK; they are known by their type string.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import (
    ConversationItemInputAudioTranscriptionCompletedEvent,
    InputAudioBufferSpeechStartedEvent,
    RealtimeConversationItemFunctionCall,
    RealtimeErrorEvent,
    RealtimeServerEvent,
    ResponseDoneEvent,
    ResponseFunctionCallArgumentsDoneEvent,
    SessionCreatedEvent,
)

from voicelive.audio import AudioFormat
from voicelive.testing import Call, Emulator, Script, Turn

PCM16_24K = AudioFormat("pcm16", 24_000)
SENTENCE = "It is sunny in Lisbon, with 24 degrees."
TOOL = {"type": "function", "name": "get_weather", "description": "The weather.", "parameters": {"type": "object"}}


@asynccontextmanager
async def call(emulator: Emulator, **settings: Any) -> AsyncIterator[AsyncRealtimeConnection]:
    client = AsyncOpenAI(api_key="any", websocket_base_url=emulator.endpoint.replace("http", "ws") + "/voice-live")
    async with (
        client,
        client.realtime.connect(
            model="gpt-realtime",
            extra_query={"api-version": "2026-07-15"},
            extra_headers={"api-key": "any"},
        ) as connection,
    ):
        assert isinstance(await connection.recv(), SessionCreatedEvent)
        await connection.session.update(session=settings)  # type: ignore[arg-type]  # Voice Live's own settings
        await until(connection, "session.updated")
        yield connection


async def until(connection: AsyncRealtimeConnection, kind: str) -> list[RealtimeServerEvent]:
    """Everything up to the first event of a type; an error fails."""
    events: list[RealtimeServerEvent] = []
    while not events or events[-1].type != kind:
        async with asyncio.timeout(10):
            events.append(await connection.recv())
        assert not isinstance(events[-1], RealtimeErrorEvent), events[-1].error.message
    return events


async def ask(connection: AsyncRealtimeConnection, item: Mapping[str, Any]) -> list[RealtimeServerEvent]:
    await connection.conversation.item.create(item=item)  # type: ignore[arg-type]  # a plain mapping will do
    await connection.response.create()
    return await until(connection, "response.done")


def user(text: str) -> Mapping[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def deltas(events: list[RealtimeServerEvent], kind: str) -> list[str]:
    return [getattr(event, "delta", "") for event in events if event.type == kind]


def joined(events: list[RealtimeServerEvent], kind: str) -> str:
    return "".join(deltas(events, kind))


async def test_a_typed_question_is_answered_in_text() -> None:
    async with Emulator(Script("Good morning.")) as emulator, call(emulator, modalities=["text"]) as connection:
        events = await ask(connection, user("Hello!"))

    done = events[-1]
    assert isinstance(done, ResponseDoneEvent)
    assert done.response.status == "completed"
    assert joined(events, "response.text.delta") == "Good morning."


async def test_a_spoken_question_is_answered_by_voice(question: bytes) -> None:
    settings = {"modalities": ["text", "audio"], "input_audio_transcription": {"model": "whisper-1"}}
    async with Emulator() as emulator, call(emulator, **settings) as connection:
        for start in range(0, len(question), 4_800):
            chunk = base64.b64encode(question[start : start + 4_800]).decode("ascii")
            await connection.input_audio_buffer.append(audio=chunk)
        events = await until(connection, "response.done")

    assert [type(event) for event in events[:1]] == [InputAudioBufferSpeechStartedEvent]
    [heard] = [event for event in events if isinstance(event, ConversationItemInputAudioTranscriptionCompletedEvent)]
    assert heard.transcript == "What is the weather in Lisbon today?"
    assert joined(events, "response.audio_transcript.delta") == SENTENCE
    sound = b"".join(base64.b64decode(delta) for delta in deltas(events, "response.audio.delta"))
    assert 3_000 < PCM16_24K.duration_ms(len(sound)) < 3_200
    done = events[-1]
    assert isinstance(done, ResponseDoneEvent)
    assert done.response.usage is not None
    assert done.response.usage.total_tokens


async def test_a_function_is_called_and_its_output_is_told() -> None:
    script = Script(Turn(calls=[Call("get_weather", {"city": "Lisbon"})], reply_after_calls=SENTENCE))
    async with Emulator(script) as emulator, call(emulator, modalities=["text"], tools=[TOOL]) as connection:
        events = await ask(connection, user("What is the weather in Lisbon?"))
        [asked] = [event for event in events if isinstance(event, ResponseFunctionCallArgumentsDoneEvent)]
        told = await ask(connection, {"type": "function_call_output", "call_id": asked.call_id, "output": "sunny"})

    assert json.loads(asked.arguments) == {"city": "Lisbon"}
    done = events[-1]
    assert isinstance(done, ResponseDoneEvent)
    assert [type(item) for item in done.response.output or []] == [RealtimeConversationItemFunctionCall]
    assert joined(told, "response.text.delta") == SENTENCE

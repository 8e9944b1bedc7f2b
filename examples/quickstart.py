"""A first conversation: ask by voice, let a tool help, see both sides, keep the spoken answer.

Talks to the service when AZURE_VOICELIVE_ENDPOINT is set (with AZURE_VOICELIVE_API_KEY, or signed in with Azure),
otherwise to the emulator that comes with the package.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from voicelive import AzureStandardVoice, FunctionTool, ServerVad, Session, SessionConfig, VoiceLiveClient, wire
from voicelive.audio import WavSource, WavWriter, paced
from voicelive.testing import Emulator, Pace

QUESTION = Path(__file__).parent / "audio" / "question.wav"
REPLY = Path("demo-reply.wav")

CONFIG = SessionConfig(
    instructions="Answer in one short sentence. Use get_weather for questions about the weather.",
    voice=AzureStandardVoice(name="en-US-AvaMultilingualNeural"),
    turn_detection=ServerVad(silence_duration_ms=500),
    input_audio_transcription=wire.AudioInputTranscriptionOptions(model="whisper-1"),
    tools=[
        FunctionTool(
            name="get_weather",
            description="Today's weather in a city.",
            parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        )
    ],
)


def get_weather(city: str) -> str:
    return json.dumps({"city": city, "sky": "sunny", "celsius": 24})


async def ask(session: Session) -> None:
    """Speak the question at the speed of speech; the silence after it lets turn detection close the turn."""
    question = WavSource(QUESTION, silence_after_ms=2000)
    async for frame in paced(question.frames(session.input_format), session.input_format):
        await session.send_audio(frame)


async def listen(session: Session) -> None:
    """Print both sides, answer the tool call, and keep the agent's voice."""
    now = asyncio.get_running_loop().time
    stopped_s = latency_s = 0.0
    turns = tokens = 0
    with WavWriter(REPLY, session.output_format) as reply:
        async for event in session:
            match event:
                case wire.InputAudioBufferSpeechStopped():
                    turns, stopped_s = turns + 1, now()
                case wire.ConversationItemInputAudioTranscriptionCompleted():
                    print(f"caller: {event.transcript}")
                case wire.ResponseFunctionCallArgumentsDone():
                    output = get_weather(**json.loads(event.arguments))
                    print(f"  tool: {event.name} {event.arguments} -> {output}")
                    await session.add_item(wire.FunctionCallOutputItem(call_id=event.call_id, output=output))
                case wire.ResponseContentPartAdded():
                    print(" agent: ", end="")
                case wire.ResponseAudioTranscriptDelta():
                    print(event.delta, end="", flush=True)
                case wire.ResponseAudioDelta():
                    latency_s = latency_s or now() - stopped_s
                    reply.write(event.delta)
                case wire.ResponseDone(response=response):
                    tokens += (response.usage.total_tokens or 0) if response.usage else 0
                    if not any(item.type == "function_call" for item in response.output or ()):
                        break
                    await session.create_response()
                case wire.ErrorEvent():
                    print(f" error: {event.error.code}: {event.error.message}")
    print(f"\n\nThe answer is in {REPLY}: {reply.duration_ms / 1000:.1f} s of speech.")
    print(f"{turns} turn, first audio {1000 * latency_s:.0f} ms after the question, {tokens} tokens.")


@asynccontextmanager
async def service() -> AsyncIterator[VoiceLiveClient]:
    """The service of the environment, or an emulated one."""
    if os.environ.get("AZURE_VOICELIVE_ENDPOINT"):
        async with VoiceLiveClient.from_env() as client:
            yield client
    else:
        print("AZURE_VOICELIVE_ENDPOINT is not set: talking to the emulator on this machine.\n")
        async with Emulator(pace=Pace.measured()) as emulator, VoiceLiveClient(emulator.endpoint, "any-key") as client:
            yield client


async def main() -> None:
    async with (
        service() as client,
        client.connect("gpt-realtime", config=CONFIG) as session,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(ask(session))
        await listen(session)


if __name__ == "__main__":
    asyncio.run(main())

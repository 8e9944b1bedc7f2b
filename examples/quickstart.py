"""A first conversation: ask by voice, let a tool help, see both sides, keep the spoken answer.

Talks to the service when AZURE_VOICELIVE_ENDPOINT is set (with AZURE_VOICELIVE_API_KEY, or signed in with Azure),
otherwise to the emulator that comes with the package.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from voicelive import AzureStandardVoice, ServerVad, Session, SessionConfig, VoiceLiveClient, events, tool, wire
from voicelive.audio import WavSource, WavWriter, paced
from voicelive.testing import Emulator, Pace

QUESTION = Path(__file__).parent / "audio" / "question.wav"
REPLY = Path("demo-reply.wav")

CONFIG = SessionConfig(
    instructions="Answer in one short sentence. Use get_weather for questions about the weather.",
    voice=AzureStandardVoice(name="en-US-AvaMultilingualNeural"),
    turn_detection=ServerVad(silence_duration_ms=500),
    input_audio_transcription=wire.AudioInputTranscriptionOptions(model="whisper-1"),
)


@tool
async def get_weather(city: str) -> dict[str, str | int]:
    """Today's weather in a city."""
    return {"city": city, "sky": "sunny", "celsius": 24}


async def ask(session: Session) -> None:
    """Speak the question at the speed of speech; the silence after it lets turn detection close the turn."""
    question = WavSource(QUESTION, silence_after_ms=2000)
    async for frame in paced(question.frames(session.input_format), session.input_format):
        await session.send_audio(frame)


async def listen(session: Session) -> None:
    """Print both sides as they come, and keep the agent's voice, until the turn is over."""
    with WavWriter(REPLY, session.output_format) as reply:
        async for event in session:
            match event:
                case events.UserTranscript():
                    print(f"caller: {event.text}")
                case events.ToolCallFinished():
                    print(f"  tool: {event.name} -> {event.output}")
                case wire.ResponseContentPartAdded():
                    print(" agent: ", end="")
                case wire.ResponseAudioTranscriptDelta():
                    print(event.delta, end="", flush=True)
                case wire.ResponseAudioTranscriptDone():
                    print()
                case wire.ResponseAudioDelta():
                    reply.write(event.delta)
                case wire.ErrorEvent():
                    print(f" error: {event.error.code}: {event.error.message}")
                case events.TurnFinished():
                    break
    turns = session.conversation.turns
    tokens = sum(usage.total_tokens or 0 for turn in turns for usage in turn.usage)
    latency_ms = turns[-1].latency.first_audio_ms or 0
    print(f"\nThe answer is in {REPLY}: {reply.duration_ms / 1000:.1f} s of speech.")
    print(f"{len(turns)} turn, first audio {latency_ms:.0f} ms after the question, {tokens} tokens.")


async def talk(client: VoiceLiveClient) -> None:
    async with (
        client,
        client.connect("gpt-realtime", config=CONFIG, tools=[get_weather]) as session,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(ask(session))
        await listen(session)


async def main() -> None:
    if os.environ.get("AZURE_VOICELIVE_ENDPOINT"):
        await talk(VoiceLiveClient.from_env())
    else:
        print("AZURE_VOICELIVE_ENDPOINT is not set: talking to the emulator on this machine, at the service's pace.\n")
        async with Emulator(pace=Pace.measured()) as emulator:
            await talk(VoiceLiveClient(emulator.endpoint, "any-key"))


if __name__ == "__main__":
    asyncio.run(main())

"""A call: greeting, spoken questions, two tools, a barge-in. No AZURE_VOICELIVE_ENDPOINT: it is with the emulator."""

import asyncio
import os
from pathlib import Path

from voicelive import AzureStandardVoice, ServerVad, Session, SessionConfig, VoiceLiveClient, events, tool, wire
from voicelive.audio import WavSource, paced
from voicelive.testing import Emulator, Pace, Script

HERE = Path(__file__).parent
VOICE = AzureStandardVoice(name="en-US-AvaMultilingualNeural")
EARS = wire.AudioInputTranscriptionOptions(model="whisper-1")
CONFIG = SessionConfig(voice=VOICE, turn_detection=ServerVad(), input_audio_transcription=EARS)


@tool
async def get_weather(city: str) -> dict[str, str | int]:
    """Today's weather in a city."""
    return {"sky": "sunny", "celsius": 24}


@tool
def get_time(city: str) -> str:
    """The local time in a city."""
    return "15:30"


async def speak(session: Session) -> None:
    await session.greet("Hello, how can I help you?")
    for name, pause_s in ("question.wav", 3.5), ("followup.wav", 4.5), ("stop.wav", 1.5):  # the last one is a barge-in
        await asyncio.sleep(pause_s)
        wav = WavSource(HERE / "audio" / name, silence_after_ms=800)
        async for frame in paced(wav.frames(session.input_format), session.input_format):
            await session.send_audio(frame)
    await session.close(after_playback=True)


async def play(session: Session) -> None:
    async for frame in session.playback.frames():  # a loudspeaker or a telephone line would take them
        await asyncio.sleep(frame.duration_ms / 1000)  # asking for the next frame says that this one was heard


async def main() -> None:
    async with Emulator(Script.from_json((HERE / "assistant.json").read_text()), pace=Pace.measured()) as emulator:
        local = not os.environ.get("AZURE_VOICELIVE_ENDPOINT")
        client = VoiceLiveClient(emulator.endpoint, "any-key") if local else VoiceLiveClient.from_env()
        async with client, client.connect("gpt-realtime", config=CONFIG, tools=[get_weather, get_time]) as session:
            session.on(events.UserTranscript)(lambda said: print("caller:", said.text))
            session.on(events.AgentTranscript)(lambda said: print(" agent:", said.heard_text or said.text))
            session.on(events.ToolCallFinished)(lambda call: print("  tool:", call.name, call.output))
            session.on(events.BargeIn)(lambda cut: print(f"   cut: {cut.heard_ms} of {cut.total_ms} ms were heard"))
            await asyncio.gather(speak(session), play(session))
        for turn in session.conversation.turns:
            ms = turn.latency
            print(f"{turn.id}, {turn.status}: audio after {ms.first_audio_ms} ms, heard after {ms.first_played_ms} ms")


asyncio.run(main())

"""Talk with the agent by this machine's microphone and loudspeaker; interrupt it as you like. Ctrl+C hangs up.

    pip install 'voicelive[mic]'       # and PortAudio: apt-get install libportaudio2, or brew install portaudio
    python examples/microphone.py

With --self-test nothing is needed: a recorded caller talks to the emulator, over the same lines of code. Use a headset:
without one the agent hears itself, and server echo cancellation (set below) can only do so much.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from voicelive import AzureStandardVoice, ServerVad, Session, SessionConfig, VoiceLiveClient, events, wire
from voicelive.audio import AudioSource, MemorySink, Microphone, PacedSink, Speaker, SwitchedSource, WavSource
from voicelive.playback import PlaybackSink
from voicelive.testing import Emulator, Pace

AUDIO = Path(__file__).parent / "audio"

CONFIG = SessionConfig(
    instructions="You are a friendly assistant. Answer in one or two short sentences.",
    voice=AzureStandardVoice(name="en-US-AvaMultilingualNeural"),
    turn_detection=ServerVad(silence_duration_ms=500),
    input_audio_transcription=wire.AudioInputTranscriptionOptions(model="whisper-1"),
    input_audio_echo_cancellation=wire.AudioEchoCancellation(),
)


async def call(session: Session, source: AudioSource, sink: PlaybackSink) -> None:
    """The whole call; ``SwitchedSource`` is where a mute button would go."""

    @session.on(events.UserTranscript, events.AgentTranscript, events.BargeIn, events.SessionInterrupted)
    def show(event: events.SessionEvent) -> None:
        match event:
            case events.UserTranscript():
                print("  you:", event.text)
            case events.AgentTranscript(heard_text=None):
                print("agent:", event.text)
            case events.BargeIn():
                print(f"       (cut off after {event.heard_ms / 1000:.1f} s)")
            case events.SessionInterrupted():
                print("       (the connection was lost; connecting again)")

    await session.converse(SwitchedSource(source), sink)


async def talk() -> None:
    async with (
        VoiceLiveClient.from_env() as client,
        client.connect("gpt-realtime", config=CONFIG) as session,
        Speaker(session.output_format) as speaker,
    ):
        print("Talk; Ctrl+C hangs up.")
        await call(session, Microphone(), speaker)


async def self_test() -> None:
    heard = MemorySink()
    async with (
        Emulator(pace=Pace.measured()) as emulator,
        VoiceLiveClient(emulator.endpoint, "any-key") as client,
        client.connect("gpt-realtime", config=CONFIG) as session,
    ):
        line = PacedSink(heard.write, session.output_format, flush=heard.flush)
        await call(session, WavSource(AUDIO / "question.wav"), line)
        seconds = session.output_format.duration_ms(len(heard.audio)) / 1000
    print(f"The self-test heard {seconds:.1f} s of the agent's voice.")


def main() -> None:
    parser = argparse.ArgumentParser(description="Talk with the agent by microphone and loudspeaker.")
    parser.add_argument("--self-test", action="store_true", help="a recorded caller and the emulator instead")
    try:
        asyncio.run(self_test() if parser.parse_args().self_test else talk())
    except KeyboardInterrupt:
        print("Good-bye.")


if __name__ == "__main__":
    main()

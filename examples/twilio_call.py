"""Answer telephone calls of Twilio: greeting, spoken questions, keys, and the end of the call.

With AZURE_VOICELIVE_ENDPOINT set it listens on port 8080 for Media Streams, and checks their signature if
TWILIO_AUTH_TOKEN and PUBLIC_URL (``wss://...``, as in your TwiML) are set. Otherwise it calls itself once: a simulated
caller, with the emulator behind.
"""

from __future__ import annotations

import asyncio
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from voicelive import CallRefusedError, ServerVad, VoiceLiveClient
from voicelive.audio import AudioFormat, WavSource, paced
from voicelive.bridges import Call, CallLimit, Dtmf, TwilioSignature, twilio
from voicelive.testing import Emulator, Pace, Script, Turn

QUESTION = Path(__file__).parent / "audio" / "question.wav"
LINE = AudioFormat("g711_ulaw", 8000)
LIMIT = CallLimit(max_calls=50, max_duration_s=1800)


async def watch_keys(call: Call[twilio.Start]) -> None:
    """The caller hangs up by key 0, say, to be connected elsewhere by the TwiML that follows."""
    async for event in call:
        if isinstance(event, Dtmf):
            print("   key:", event.digit)
            if event.digit == "0":
                call.hang_up()


async def answer(client: VoiceLiveClient, websocket: ServerConnection, signed: TwilioSignature | None) -> None:
    """One call, from its start message to its end."""
    async with twilio.accept(websocket, authenticate=signed, limit=LIMIT) as call:
        print("  call:", call.start.parameters)
        config = twilio.session_config(
            instructions=f"You answer the telephone. Speak {call.start.parameters.get('language', 'English')}.",
            turn_detection=ServerVad(silence_duration_ms=500),
        )
        async with client.connect("gpt-realtime", config=config) as session, asyncio.TaskGroup() as tasks:
            tasks.create_task(watch_keys(call))
            tasks.create_task(session.greet(instructions="Say hello, and ask how you can help."))
            end = await call.run(session)
        for turn in session.conversation.turns:
            print(" agent:", turn.agent_heard_text)
        print(f" ended: {end.how}")


def answering(client: VoiceLiveClient) -> Callable[[ServerConnection], Awaitable[None]]:
    token, url = os.environ.get("TWILIO_AUTH_TOKEN"), os.environ.get("PUBLIC_URL")
    signed = TwilioSignature(token, url) if token and url else None

    async def handle(websocket: ServerConnection) -> None:
        try:
            await answer(client, websocket, signed)
        except CallRefusedError as refusal:
            print("no call:", refusal)

    return handle


# -- a caller, for want of a telephone


async def tell(line: ClientConnection, event: str, **content: Any) -> None:
    await line.send(json.dumps({"event": event, "streamSid": "MZ1", event: content}))


async def hear(line: ClientConnection, greeted: asyncio.Event) -> None:
    """Play what comes, as a telephone does, and send marks back when they are reached."""
    async for data in line:
        message = json.loads(data)
        if message["event"] == "media":
            await asyncio.sleep(LINE.duration_ms(len(b64decode(message["media"]["payload"]))) / 1000)
        elif message["event"] == "mark":
            await tell(line, "mark", **message["mark"])
            greeted.set()


async def call_up(url: str) -> None:
    """Wait for the greeting, ask a question over it, hear a part of the answer, and press 0."""
    async with connect(url, proxy=None) as line, asyncio.TaskGroup() as tasks:
        greeted = asyncio.Event()
        tasks.create_task(hear(line, greeted))
        await tell(line, "start", streamSid="MZ1", callSid="CA1", customParameters={"language": "English"})
        await greeted.wait()
        frames = WavSource(QUESTION, silence_after_ms=4000).frames(LINE)
        async for frame in paced(frames, LINE):
            await tell(line, "media", payload=b64encode(frame).decode())
        await tell(line, "dtmf", digit="0")


async def main() -> None:
    if os.environ.get("AZURE_VOICELIVE_ENDPOINT"):
        async with VoiceLiveClient.from_env() as client, serve(answering(client), "0.0.0.0", 8080) as server:  # noqa: S104 - a server for others
            print("waiting for calls on port 8080")
            await server.serve_forever()
    print("AZURE_VOICELIVE_ENDPOINT is not set: a simulated call, with the emulator on this machine.\n")
    script = Script(
        "Good morning, this is the weather line, what would you like to know?", Turn("It is sunny in Lisbon.")
    )
    async with (
        Emulator(script, pace=Pace.measured()) as emulator,
        VoiceLiveClient(emulator.endpoint, "any-key") as client,
        serve(answering(client), "127.0.0.1", 0) as server,
    ):
        await call_up(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}")


if __name__ == "__main__":
    asyncio.run(main())

"""Answer telephone calls of Azure Communication Services, by bidirectional audio streaming.

With AZURE_VOICELIVE_ENDPOINT set it listens on port 8080, and lets in who brings a token for ACS_RESOURCE_ID, which
needs PyJWT. Otherwise it calls itself once: a simulated caller, with the emulator behind.
"""

from __future__ import annotations

import asyncio
import json
import os
from base64 import b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from voicelive import CallRefusedError, ServerVad, VoiceLiveClient, events
from voicelive.audio import AudioFormat, WavSource, paced
from voicelive.bridges import AcsToken, CallLimit, acs
from voicelive.testing import Emulator, Pace, Script, Turn

QUESTION = Path(__file__).parent / "audio" / "question.wav"
LINE = AudioFormat("pcm16", 24_000)
LIMIT = CallLimit(max_calls=50, max_duration_s=1800)
ISSUER = "https://acscallautomation.communication.azure.com"


def token_of(resource_id: str) -> AcsToken:
    """Lets in the service's tokens for this resource (its immutable id, not its name)."""
    import jwt  # pip install 'pyjwt[crypto]'

    keys = jwt.PyJWKClient(f"{ISSUER}/calling/keys")

    def claims(token: str) -> dict[str, Any]:
        found: dict[str, Any] = jwt.decode(
            token, keys.get_signing_key_from_jwt(token).key, ["RS256"], audience=resource_id, issuer=ISSUER
        )
        return found

    return AcsToken(lambda token: asyncio.to_thread(claims, token))


async def answer(client: VoiceLiveClient, websocket: ServerConnection, token: AcsToken | None) -> None:
    """One call, from its metadata to its end. The agent hangs up after its first answer."""
    async with acs.accept(websocket, authenticate=token, limit=LIMIT) as call:
        print("  call: PCM at", call.start.rate_hz, "Hz")
        config = acs.session_config(
            rate_hz=call.start.rate_hz,
            instructions="You answer the telephone. Answer one question, and say good bye.",
            turn_detection=ServerVad(silence_duration_ms=500),
        )
        async with client.connect("gpt-realtime", config=config) as session:

            @session.on(events.TurnFinished)
            async def hang_up(_: events.TurnFinished) -> None:
                await session.close(after_playback=True)

            end = await call.run(session)
        for turn in session.conversation.turns:
            print(" agent:", turn.agent_heard_text)
        print(f" ended: {end.how}")


def answering(client: VoiceLiveClient, token: AcsToken | None) -> Callable[[ServerConnection], Awaitable[None]]:
    async def handle(websocket: ServerConnection) -> None:
        try:
            await answer(client, websocket, token)
        except CallRefusedError as refusal:
            print("no call:", refusal)

    return handle


# -- a caller, for want of a telephone


async def speak(line: ClientConnection) -> None:
    """Ask a question, and stay silent on the line until it is closed."""
    metadata = {"subscriptionId": "1", "encoding": "PCM", "sampleRate": LINE.rate_hz, "channels": 1, "length": 960}
    await line.send(json.dumps({"kind": "AudioMetadata", "audioMetadata": metadata}))
    async for frame in paced(WavSource(QUESTION, silence_after_ms=30_000).frames(LINE), LINE):
        audio = {"timestamp": "2026-11-22T09:15:31.204Z", "data": b64encode(frame).decode(), "silent": not any(frame)}
        await line.send(json.dumps({"kind": "AudioData", "audioData": audio}))


async def call_up(url: str) -> None:
    async with connect(url, proxy=None) as line:
        speaking = asyncio.create_task(speak(line))
        heard = [json.loads(data)["Kind"] async for data in line]
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
    print(f"caller: heard {len(heard) * 20 / 1000:.1f} s")


async def main() -> None:
    if os.environ.get("AZURE_VOICELIVE_ENDPOINT"):
        token = token_of(os.environ["ACS_RESOURCE_ID"])
        async with (
            VoiceLiveClient.from_env() as client,
            serve(answering(client, token), "0.0.0.0", 8080) as server,  # noqa: S104 - a server for others
        ):
            print("waiting for calls on port 8080")
            await server.serve_forever()
    print("AZURE_VOICELIVE_ENDPOINT is not set: a simulated call, with the emulator on this machine.\n")
    async with (
        Emulator(Script(Turn("It is sunny in Lisbon. Good bye!")), pace=Pace.measured()) as emulator,
        VoiceLiveClient(emulator.endpoint, "any-key") as client,
        serve(answering(client, None), "127.0.0.1", 0) as server,
    ):
        await call_up(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}")


if __name__ == "__main__":
    asyncio.run(main())

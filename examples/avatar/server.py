"""Serve a web page that shows the agent and talks with it. Open http://127.0.0.1:8080, and click Call.

    pip install 'voicelive[testing,avatar]' starlette 'uvicorn[standard]'
    python examples/avatar/server.py

Without AZURE_VOICELIVE_ENDPOINT the emulator answers, with a drawn face. With --self-test a simulated page calls once:
it looks at the picture, listens, and needs no browser. The voice comes with the picture, straight from the service to
the page; this server passes on what the caller says, and what is needed to link the two.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.responses import FileResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from voicelive import AvatarBusyError, CallRefusedError, ServerVad, VideoAvatar, VoiceLiveClient, wire
from voicelive.audio import AudioFormat, WavSource, paced
from voicelive.bridges import CallLimit, Upgrade, browser
from voicelive.session import Session
from voicelive.testing import Emulator, Pace, Script, Turn

PAGE = Path(__file__).parent / "page"
VOICE_PAGE = Path(__file__).parent.parent / "browser" / "page"  # client.js and worklet.js, which carry the voice
QUESTION = Path(__file__).parent.parent / "audio" / "question.wav"
LINE = AudioFormat("pcm16", 24_000)
LIMIT = CallLimit(max_calls=5, max_duration_s=1800)  # more avatars at once a resource does not show


def is_ours(upgrade: Upgrade) -> bool:
    """Pages of others may open a WebSocket to here, too; a browser says whose page it is. Check your login here."""
    return urlsplit(upgrade.headers.get("origin", "")).netloc == upgrade.headers.get("host")


async def answer(client: VoiceLiveClient, websocket: WebSocket) -> None:
    """One call, from its start message to its end."""
    async with browser.accept(websocket, authenticate=is_ours, limit=LIMIT) as call:
        config = browser.session_config(
            rate_hz=call.start.rate_hz,
            instructions="You are a friendly assistant.",
            voice=wire.AzureStandardVoice(name="en-US-AvaMultilingualNeural"),
            avatar=VideoAvatar(character="lisa", style="casual-sitting"),
            turn_detection=ServerVad(silence_duration_ms=500),
            input_audio_transcription=wire.AudioInputTranscriptionOptions(model="azure-speech"),
        )
        async with client.connect("gpt-4.1", config=config) as session:
            greeting = asyncio.create_task(greet(session))
            try:
                end = await call.run(session)
            finally:
                greeting.cancel()
        print(f" ended: {end.how}")


async def greet(session: Session) -> None:
    """Say hello as soon as there is somebody to be seen."""
    try:
        await session.greet("Hello! What would you like to know?", timeout_s=30)
    except TimeoutError:
        print("no picture within 30 s: no greeting")


@asynccontextmanager
async def serving(client: VoiceLiveClient, port: int) -> AsyncIterator[uvicorn.Server]:
    """A server on this machine; port 0 is any that is free."""

    async def call(websocket: WebSocket) -> None:
        try:
            await answer(client, websocket)
        except CallRefusedError as refusal:
            print("no call:", refusal)

    shared = [Route(f"/{name}", lambda _, name=name: FileResponse(VOICE_PAGE / name)) for name in VOICE_FILES]
    app = Starlette(routes=[WebSocketRoute("/call", call), *shared, Mount("/", StaticFiles(directory=PAGE, html=True))])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", ws="websockets-sansio", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started and not task.done():  # noqa: ASYNC110 - it tells in no other way
        await asyncio.sleep(0.01)
    try:
        yield server
        await task
    finally:
        server.should_exit = True
        await task


VOICE_FILES = ("client.js", "worklet.js")

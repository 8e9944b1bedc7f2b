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

from voicelive import CallRefusedError, ServerVad, VideoAvatar, VoiceLiveClient, wire
from voicelive.audio import AudioFormat, WavSource, level_of, paced
from voicelive.avatar.media import AvatarMedia, receive
from voicelive.bridges import CallLimit, Upgrade, browser
from voicelive.session import Session
from voicelive.testing import AvatarPicture, Emulator, Pace, Script, Turn

PAGE = Path(__file__).parent / "page"
VOICE_PAGE = Path(__file__).parent.parent / "browser" / "page"  # client.js and worklet.js, which carry the voice
QUESTION = Path(__file__).parent.parent / "audio" / "question.wav"
VOICE_FILES = ("client.js", "worklet.js")
GREETING = "Hello! What would you like to know?"
FORECAST = "It is sunny in Lisbon, with 21 degrees and a light wind from the sea."
SILENCE_DBFS = -50
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
        await session.greet(GREETING, timeout_s=30)
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


@asynccontextmanager
async def some_client() -> AsyncIterator[VoiceLiveClient]:
    """Of the service in the environment, or of an emulator."""
    async with AsyncExitStack() as stack:
        if os.environ.get("AZURE_VOICELIVE_ENDPOINT"):
            yield await stack.enter_async_context(VoiceLiveClient.from_env())
            return
        print("AZURE_VOICELIVE_ENDPOINT is not set: the emulator answers.")
        weather = Turn(FORECAST, transcript="What is the weather in Lisbon today?")
        emulator = Emulator(
            Script(then=lambda _: weather), pace=Pace.measured(), avatar_picture=AvatarPicture(scale=0.5)
        )
        await stack.enter_async_context(emulator)
        yield await stack.enter_async_context(VoiceLiveClient(emulator.endpoint, "any-key"))


# -- a page, for want of a browser


class Page:
    """Says what client.js and avatar.js say, and links the avatar as ``session.avatar`` would."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line
        self._told: dict[str, asyncio.Queue[Any]] = {}

    async def listen(self) -> None:
        """Take in what the server says, as it comes."""
        async for data in self._line:
            if isinstance(data, str):
                message = json.loads(data)
                self._of(message["type"]).put_nowait(message)

    async def say(self, kind: str, **content: Any) -> None:
        await self._line.send(json.dumps({"type": kind, **content}))

    async def told(self, kind: str) -> Any:
        """The next message of a type."""
        return await self._of(kind).get()

    async def ice_servers_ready(self, *, timeout_s: float | None = None) -> list[Mapping[str, Any]]:
        async with asyncio.timeout(timeout_s):
            servers: list[Mapping[str, Any]] = (await self.told("avatar.ice_servers"))["servers"]
            return servers

    async def connect(self, offer: Mapping[str, str], *, timeout_s: float | None = None) -> Mapping[str, str]:
        async with asyncio.timeout(timeout_s):
            await self.say("avatar.offer", sdp=offer["sdp"])
            return {"type": "answer", "sdp": (await self.told("avatar.answer"))["sdp"]}

    def _of(self, kind: str) -> asyncio.Queue[Any]:
        return self._told.setdefault(kind, asyncio.Queue())


async def call_up(address: str) -> None:
    """Look at the agent while it says hello, ask it a question, cut the answer off, and hang up."""
    websocket = connect(f"ws://{address}/call", proxy=None, origin=Origin(f"http://{address}"))
    async with websocket as line, asyncio.TaskGroup() as tasks:
        page = Page(line)
        tasks.create_task(page.listen())
        await page.say("start", version=1, rate_hz=LINE.rate_hz)
        async with receive(page) as media:
            print("  page:", await seen(media))
            async for frame in paced(WavSource(QUESTION, silence_after_ms=1000).frames(LINE), LINE):
                await line.send(frame)
            print("  page:", await heard(media))
            await page.say("interrupt")
        await page.say("stop")


async def seen(media: AvatarMedia) -> str:
    """What there is to be seen."""
    async for picture in media.video():
        return f"a picture of {picture.width} x {picture.height}"
    return "no picture"


async def heard(media: AvatarMedia) -> str:
    """Listen until the agent has spoken for a second."""
    spoken_s = 0.0
    async for sound in media.audio():
        if level_of(sound.pcm).rms_dbfs > SILENCE_DBFS:
            spoken_s += sound.samples / sound.rate_hz
        if spoken_s >= 1:
            return "the agent was heard for a second"
    return f"the agent was heard for {spoken_s:.1f} s"


async def main(port: int, self_test: bool) -> None:
    async with some_client() as client, serving(client, 0 if self_test else port) as server:
        host, found = server.servers[0].sockets[0].getsockname()[:2]
        print("serving" if self_test else f"open http://{host}:{found}")
        if self_test:
            await call_up(f"{host}:{found}")
            server.should_exit = True


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serve a web page that shows the agent and talks with it.")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--self-test", action="store_true", help="a simulated page calls once")
    options = parser.parse_args()
    asyncio.run(main(options.port, options.self_test))

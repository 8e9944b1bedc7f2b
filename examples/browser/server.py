"""Serve a web page that talks with the agent. Open http://127.0.0.1:8080, and click Call.

    pip install voicelive starlette 'uvicorn[standard]'
    python examples/browser/server.py

Without AZURE_VOICELIVE_ENDPOINT the emulator answers. With --self-test a simulated page calls once, and no browser is
needed. Anywhere but on this machine a page gets a microphone over https only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from voicelive import CallRefusedError, ServerVad, VoiceLiveClient, tool, wire
from voicelive.audio import AudioFormat, WavSource, paced
from voicelive.bridges import CallLimit, Upgrade, browser
from voicelive.testing import Call, Emulator, Pace, Script, Turn

PAGE = Path(__file__).parent / "page"
QUESTION = Path(__file__).parent.parent / "audio" / "question.wav"
LINE = AudioFormat("pcm16", 24_000)
LIMIT = CallLimit(max_calls=20, max_duration_s=1800)


@tool
async def get_weather(city: str) -> dict[str, object]:
    """The weather of a city, now.

    Args:
        city: Its name.
    """
    return {"city": city, "sky": "sunny", "celsius": 21}


def is_ours(upgrade: Upgrade) -> bool:
    """Pages of others may open a WebSocket to here, too; a browser says whose page it is. Check your login here."""
    return urlsplit(upgrade.headers.get("origin", "")).netloc == upgrade.headers.get("host")


async def answer(client: VoiceLiveClient, websocket: WebSocket) -> None:
    """One call, from its start message to its end."""
    async with browser.accept(websocket, authenticate=is_ours, limit=LIMIT) as call:
        config = browser.session_config(
            rate_hz=call.start.rate_hz,
            instructions=f"You are a friendly assistant. Speak {call.start.parameters.get('language', 'English')}.",
            turn_detection=ServerVad(silence_duration_ms=500),
            input_audio_transcription=wire.AudioInputTranscriptionOptions(model="whisper-1"),
        )
        async with client.connect("gpt-realtime", config=config, tools=[get_weather]) as session:
            end = await call.run(session)
        for turn in session.conversation.turns:
            print(f"caller: {turn.caller_text}\n agent: {turn.agent_heard_text}")
        print(f" ended: {end.how}")


@asynccontextmanager
async def serving(client: VoiceLiveClient, port: int) -> AsyncIterator[uvicorn.Server]:
    """A server on this machine; port 0 is any that is free."""

    async def call(websocket: WebSocket) -> None:
        try:
            await answer(client, websocket)
        except CallRefusedError as refusal:
            print("no call:", refusal)

    app = Starlette(routes=[WebSocketRoute("/call", call), Mount("/", StaticFiles(directory=PAGE, html=True))])
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
        weather = Turn(
            transcript="What is the weather in Lisbon today?",
            calls=[Call("get_weather", {"city": "Lisbon"})],
            reply_after_calls="It is sunny in Lisbon, with 21 degrees and a light wind from the sea.",
        )
        emulator = Emulator(Script(weather, then=lambda _: weather), pace=Pace.measured())
        await stack.enter_async_context(emulator)
        yield await stack.enter_async_context(VoiceLiveClient(emulator.endpoint, "any-key"))


# -- a page, for want of a browser


class Ear:
    """Hears the agent as fast as speech is, and acknowledges it, as client.js does."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line
        self._waiting: asyncio.Queue[tuple[str, float, float]] = asyncio.Queue()
        self.heard_a_second, self.cut = asyncio.Event(), asyncio.Event()

    async def listen(self) -> None:
        """Take in what comes, as it comes."""
        item_id, place_ms = "", 0.0
        async for data in self._line:
            if isinstance(data, bytes):
                length_ms = LINE.duration_ms(len(data))
                place_ms += length_ms
                self._waiting.put_nowait((item_id, place_ms, length_ms))
                continue
            message = json.loads(data)
            match message["type"]:
                case "audio":
                    item_id, place_ms = message["item_id"], message["start_ms"]
                case "flush":
                    self._waiting = asyncio.Queue()
                    self.cut.set()
                case "tool":
                    print("  tool:", message["name"], message["state"])

    async def play(self) -> None:
        while True:
            item_id, ends_ms, length_ms = await self._waiting.get()
            await asyncio.sleep(length_ms / 1000)
            await self._line.send(json.dumps({"type": "played", "item_id": item_id, "ms": ends_ms}))
            if ends_ms >= 1000:
                self.heard_a_second.set()


async def call_up(address: str) -> None:
    """Ask a question, cut the answer off after a second, and hang up."""
    page = connect(f"ws://{address}/call", proxy=None, origin=Origin(f"http://{address}"))
    async with page as line, asyncio.TaskGroup() as tasks:
        ear = Ear(line)
        tasks.create_task(ear.listen())
        playing = tasks.create_task(ear.play())
        await line.send(json.dumps({"type": "start", "version": 1, "rate_hz": LINE.rate_hz}))
        async for frame in paced(WavSource(QUESTION, silence_after_ms=1000).frames(LINE), LINE):
            await line.send(frame)
        await ear.heard_a_second.wait()
        await line.send(json.dumps({"type": "interrupt"}))
        await ear.cut.wait()
        playing.cancel()
        await line.send(json.dumps({"type": "stop"}))


async def main(port: int, self_test: bool) -> None:
    async with some_client() as client, serving(client, 0 if self_test else port) as server:
        host, found = server.servers[0].sockets[0].getsockname()[:2]
        print("serving" if self_test else f"open http://{host}:{found}")
        if self_test:
            await call_up(f"{host}:{found}")
            server.should_exit = True


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serve a web page that talks with the agent.")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--self-test", action="store_true", help="a simulated page calls once")
    options = parser.parse_args()
    asyncio.run(main(options.port, options.self_test))

"""A plain WebSocket client that speaks JSON, and sound for it to send: nothing of the SDK's own session is used."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any, Protocol

import pytest
from websockets.asyncio.client import ClientConnection, connect

from voicelive.testing import Emulator, default_voice

JsonObject = dict[str, Any]

QUERY = "api-version=2026-07-15&model=gpt-realtime"


class Peer:
    """One client of an emulator."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.events: list[JsonObject] = []

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def receive(self) -> JsonObject:
        event: JsonObject = json.loads(await self.socket.recv())
        self.events.append(event)
        return event

    async def until(self, kind: str, **fields: Any) -> list[JsonObject]:
        """Everything up to the first event of a type whose fields are these."""
        events: list[JsonObject] = []
        while True:
            event = await self.receive()
            events.append(event)
            if event["type"] == kind and all(event.get(name) == value for name, value in fields.items()):
                return events

    async def one(self, kind: str, **fields: Any) -> JsonObject:
        return (await self.until(kind, **fields))[-1]

    async def ask(self, text: str, **response: Any) -> list[JsonObject]:
        """One turn in writing: all events up to ``response.done``."""
        await self.write(text)
        await self.send("response.create", **({"response": response} if response else {}))
        return await self.until("response.done")

    async def write(self, text: str, **fields: Any) -> None:
        part = {"type": "input_text", "text": text}
        await self.send(
            "conversation.item.create", item={"type": "message", "role": "user", "content": [part], **fields}
        )

    async def update(self, **settings: Any) -> JsonObject:
        """The settings in effect afterwards."""
        await self.send("session.update", session=settings)
        session: JsonObject = (await self.one("session.updated"))["session"]
        return session

    async def say(self, audio: bytes, chunk_bytes: int = 4800) -> None:
        for start in range(0, len(audio), chunk_bytes):
            piece = base64.b64encode(audio[start : start + chunk_bytes]).decode()
            await self.send("input_audio_buffer.append", audio=piece)

    async def no_more(self) -> None:
        """Nothing is under way: an error provoked now is the next event."""
        await self.send("response.cancel", event_id="nothing more")
        event = await self.receive()
        assert event["type"] == "error", event
        assert event["error"]["event_id"] == "nothing more"


class Connect(Protocol):
    async def __call__(self, emulator: Emulator, *, query: str = QUERY, skip_created: bool = True) -> Peer: ...


@pytest.fixture
async def dial() -> AsyncIterator[Connect]:
    """Connects peers to emulators; they hang up at the end of the test."""
    async with AsyncExitStack() as stack:

        async def connect_peer(emulator: Emulator, *, query: str = QUERY, skip_created: bool = True) -> Peer:
            url = emulator.endpoint.replace("http", "ws", 1) + "/voice-live/realtime?" + query
            socket = await stack.enter_async_context(
                connect(url, additional_headers={"api-key": "any"}, proxy=None, max_size=None, compression=None)
            )
            peer = Peer(socket)
            if skip_created:
                await peer.one("session.created")
            return peer

        yield connect_peer


@pytest.fixture
def speech() -> Callable[[int], bytes]:
    """A spoken sentence with a second of silence around it, as pcm16 at the rate asked for."""

    def render(rate_hz: int = 24_000) -> bytes:
        silence = bytes(2 * rate_hz)
        return silence + default_voice().speak("Hello, how can I help you?", rate_hz) + silence

    return render

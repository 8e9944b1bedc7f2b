"""A service in memory that answers whatever a session asks for, one step of the event loop after the other."""

from __future__ import annotations

import asyncio
import contextlib
import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Self

from tests.support import service as telling
from tests.support.peer import JsonObject, Peer
from tests.support.sockets import turns

from voicelive.continuity import Redial
from voicelive.errors import ServiceBusyError
from voicelive.options import ClientOptions
from voicelive.session import Session
from voicelive.transport.base import Transport, TransportClosed
from voicelive.transport.memory import MemoryTransport, memory_pair
from voicelive.wire.session import SessionConfig

__all__ = ["Service"]

VOICE_MS = 200


class _SlowToClose:
    """A transport that takes some steps to close, and none when the closing is cancelled; satisfies ``Transport``."""

    def __init__(self, transport: MemoryTransport) -> None:
        self._transport = transport
        self.send, self.receive = transport.send, transport.receive

    @property
    def closed(self) -> bool:
        return self._transport.closed

    async def close(self, code: int = 1000, reason: str = "") -> None:
        try:
            await turns(3)
        finally:
            await self._transport.close(code, reason)


class _Buffered(Peer):
    """Says without waiting for the session to listen, as a service does that has buffers."""

    def __init__(self, transport: MemoryTransport) -> None:
        super().__init__(transport)
        self._unsaid: asyncio.Queue[str] = asyncio.Queue()

    async def say(self, kind: str, **fields: Any) -> None:
        self._unsaid.put_nowait(json.dumps({"type": kind, **fields}))

    async def pump(self) -> None:
        with contextlib.suppress(TransportClosed):
            while True:
                await self.transport.send(await self._unsaid.get())


class Service:
    """``async with Service() as service``; ``service.session()`` opens a session with it, which goes on after a loss.

    Attributes:
        heard: What all connections were told, in order.
        committed: The items that it made of the caller's audio.
        calls: Functions that the next response calls, instead of speaking.
        quiet: Whether it answers nothing for the time being, and reads on.
        refusals: How many of the next connections it refuses.
        at_end: What to call when the test is over.
    """

    def __init__(self, *, limit_bytes: int | None = None, options: ClientOptions | None = None) -> None:
        self.heard: list[JsonObject] = []
        self.committed: list[str] = []
        self.calls: list[str] = []
        self.quiet = False
        self.refusals = 0
        self.dials = 0
        self._limit_bytes, self._options = limit_bytes, options
        self._settings: JsonObject = {"turn_detection": None}
        self._lines: list[MemoryTransport] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._responses = 0
        self._unfinished: list[str] = []
        self.at_end: list[Callable[[], object]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for done in self.at_end:
            done()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def session(self, **settings: Any) -> Session:
        """A session in use, with these settings of its own."""
        requested = SessionConfig(temperature=0.5, turn_detection=None, **settings)
        session = Session(self.open(), self._options, requested, Redial(self.dial, keeps_conversation=False))
        await session.prepare(5)
        return session

    def open(self) -> Transport:
        """Another connection."""
        ours, theirs = memory_pair(max_pending_bytes=self._limit_bytes)
        self._lines.append(theirs)
        peer = self._peer = _Buffered(theirs)
        for work in (self._serve(peer, len(self._lines)), peer.pump()):
            task = asyncio.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return _SlowToClose(ours)

    async def dial(self, _: str | None) -> Transport:
        """The same by a handshake, which takes its time."""
        self.dials += 1
        await turns(3)
        if self.refusals:
            self.refusals -= 1
            raise ServiceBusyError("no room", 503)
        return self.open()

    def drop(self) -> None:
        """The newest connection vanishes without a word."""
        self._lines[-1].drop()

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        """Its own, which are no session's."""
        return self._tasks

    @property
    def open_lines(self) -> int:
        """Connections that nobody has closed."""
        return sum(not line.closed for line in self._lines)

    # -- what it says

    async def _serve(self, peer: Peer, number: int) -> None:
        with contextlib.suppress(TransportClosed):
            await peer.create(f"sess_{number}", **self._settings)
            while True:
                event = await peer.hear()
                self.heard.append(event)
                await asyncio.sleep(0)
                if not self.quiet:
                    await self._answer(peer, event)

    async def _answer(self, peer: Peer, event: JsonObject) -> None:
        item_id = event.get("item_id")
        match event["type"]:
            case "session.update":
                self._settings = {**self._settings, **event["session"]}
                await peer.say("session.updated", session={"id": "sess", **self._settings})
            case "conversation.item.create":
                await peer.say("conversation.item.created", previous_item_id=None, item=event["item"])
            case "conversation.item.retrieve":
                await peer.say("conversation.item.retrieved", item={"id": item_id, "type": "message", "role": "user"})
            case "conversation.item.delete":
                await peer.say("conversation.item.deleted", item_id=item_id)
            case "conversation.item.truncate":
                place = {"content_index": 0, "audio_end_ms": event["audio_end_ms"]}
                await peer.say("conversation.item.truncated", item_id=item_id, **place)
            case "input_audio_buffer.commit":
                await self._commit(peer)
            case "input_audio_buffer.clear":
                await peer.say("input_audio_buffer.cleared")
            case "response.create":
                await self._respond(peer, event)
            case "response.cancel":
                await self.hush("cancelled")

    async def _commit(self, peer: Peer) -> None:
        name = f"item_spoken_{len(self.committed)}"
        self.committed.append(name)
        await peer.say("input_audio_buffer.committed", item_id=name)
        item = {"id": name, "type": "message", "role": "user", "content": [{"type": "input_audio", "transcript": None}]}
        await peer.say("conversation.item.created", previous_item_id=None, item=item)

    async def _respond(self, peer: Peer, event: JsonObject) -> None:
        self._responses += 1
        name = f"resp_{self._responses}"
        begun = {"id": name, "status": "in_progress", "output": [], "metadata": event["response"]["metadata"]}
        await peer.say("response.created", response=begun)
        await asyncio.sleep(0)
        calls, self.calls = self.calls, []
        for function in calls:
            await telling.calls(peer, name, f"call_{self._responses}_{function}", function)
        if not calls:
            await telling.says(peer, name, "Good morning.", audio_ms=VOICE_MS)
        await telling.ends(peer, name)

    async def speak(self) -> None:
        """Begin a response that nobody asked for, and leave it unfinished; not over a line that is gone."""
        if self._lines[-1].closed:
            return
        self._responses += 1
        name = f"resp_{self._responses}"
        self._unfinished.append(name)
        peer = self._peer
        await telling.begins(peer, name)
        place = {"response_id": name, "item_id": f"item_of_{name}", "output_index": 0, "content_index": 0}
        await peer.say("response.audio.delta", **place, delta=b64encode(bytes(48 * VOICE_MS)).decode())

    async def hush(self, status: str = "completed") -> None:
        """End what ``speak`` began."""
        while self._unfinished and not self._lines[-1].closed:
            await telling.ends(self._peer, self._unfinished.pop(), status)

"""The service's end of a session, played by a test: it says what the test tells it to, and shows what it heard."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from typing import Any

from voicelive.transport.memory import MemoryTransport

__all__ = ["JsonObject", "Peer"]

_GIVEN = re.compile(r"voicelive_\d+")

JsonObject = dict[str, Any]


class Peer:
    """Speaks JSON over one end of ``memory_pair``; the session holds the other end."""

    def __init__(self, transport: MemoryTransport) -> None:
        self.transport = transport

    async def say(self, kind: str, **fields: Any) -> None:
        """Send one event."""
        await self.transport.send(json.dumps({"type": kind, **fields}))

    async def create(self, session_id: str = "sess_1", **settings: Any) -> None:
        """Begin the session with these settings in effect."""
        await self.say("session.created", session={"id": session_id, **settings})

    async def refuse(self, event_id: str | None, code: str = "bad_value", message: str = "no", **details: Any) -> None:
        """Send an error about a client event."""
        error = {"type": "invalid_request_error", "code": code, "message": message, "event_id": event_id, **details}
        await self.say("error", error=error)

    async def speak(self, delta: str = "AAAA", **fields: Any) -> None:
        """Send a slice of the agent's voice, base64."""
        await self.say("response.audio.delta", response_id="resp_1", item_id="item_1", delta=delta, **fields)

    async def hear(self) -> JsonObject:
        """The next frame of the session."""
        event: JsonObject = json.loads(await self.transport.receive())
        return event

    async def hear_bare(self) -> JsonObject:
        """The same without the event id that the session gives to what has none."""
        event = await self.hear()
        if _GIVEN.fullmatch(event.get("event_id") or ""):
            del event["event_id"]
        return event

    async def hear_audio(self) -> bytes:
        """The audio of the next frame, which holds audio and nothing else."""
        event = await self.hear()
        assert event.keys() == {"type", "audio"}, event
        assert event["type"] == "input_audio_buffer.append"
        return b64decode(event["audio"], validate=True)

"""Whole conversations over sockets of this machine: a session with the emulator, or with a service that a test plays.

Everything is opened inside the test, because virtual time begins there.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from tests.support.server import JsonObject, Line, Server
from tests.support.streams import settle

from voicelive.audio.formats import AudioFormat
from voicelive.audio.sources import PcmSource, paced
from voicelive.audio.wav import WavFile
from voicelive.client import VoiceLiveClient
from voicelive.options import ClientOptions
from voicelive.session import Session
from voicelive.testing import EmulatedSession, Emulator, Pace, Script, ToneVoice, Voice
from voicelive.tools.declaring import LocalTool
from voicelive.wire.server_events import UnknownServerEvent
from voicelive.wire.session import SessionConfig

__all__ = ["AUDIO", "QUIET", "Stage", "emulated", "speak", "staged", "wav"]

QUIET: Final = ClientOptions(ping_interval_s=None)  # virtual time passes in leaps; pings would only cost
AUDIO: Final = Path(__file__).parents[2] / "examples" / "audio"

_MARK: Final = "test.mark"
_PCM: Final = AudioFormat.of_output(None)


def wav(name: str) -> bytes:
    """A spoken question in the default input format."""
    return WavFile(AUDIO / name).read(_PCM)


async def speak(session: Session, audio: bytes, *, silence_ms: int = 700) -> None:
    """Talk as a microphone does, in real time of the loop's clock, and be silent long enough to end the turn."""
    frames = PcmSource(audio, silence_after_ms=silence_ms).frames(_PCM, frame_ms=100)
    async for frame in paced(frames, _PCM):
        await session.send_audio(frame)


@asynccontextmanager
async def emulated(
    script: Script,
    *,
    pace: Pace | None = None,
    config: SessionConfig | None = None,
    tools: Sequence[LocalTool] = (),
    options: ClientOptions = QUIET,
    voice: Voice | None = None,
) -> AsyncIterator[tuple[Session, EmulatedSession]]:
    """A session with the emulator, and what the emulator saw of it."""
    async with Emulator(script, pace=pace, voice=voice or ToneVoice(), ping_interval_s=None) as emulator:
        client = VoiceLiveClient(emulator.endpoint, "any-key", options=options)
        async with client.connect("gpt-realtime", config=config, tools=tools) as session:
            yield session, emulator.sessions[0]


class Stage:
    """The service's end of a session, played by the test: it says events in any order, and shows what it heard."""

    def __init__(self, session: Session, line: Line) -> None:
        self.session, self._line = session, line
        self._marks = session.subscribe(UnknownServerEvent)
        self._marked = 0

    @property
    def heard(self) -> list[JsonObject]:
        """What the session said so far, the first update and marks apart."""
        return [event for event in self._line.heard if event["type"] not in (_MARK, "session.update")]

    def heard_of(self, kind: str) -> list[JsonObject]:
        """Of one type."""
        return [event for event in self.heard if event["type"] == kind]

    @property
    def creates(self) -> list[JsonObject]:
        """Every ``response.create`` so far."""
        return self.heard_of("response.create")

    @property
    def outputs(self) -> list[JsonObject]:
        """Every result of a tool so far."""
        items = [event["item"] for event in self.heard_of("conversation.item.create")]
        return [item for item in items if item["type"] == "function_call_output"]

    async def say(self, kind: str, **fields: Any) -> None:
        """One event, as if it were on its way; ``meet`` waits until everything has arrived."""
        await self._line.say(kind, **fields)

    async def meet(self) -> None:
        """Everything said before has arrived, both ways, and everything it led to has been said."""
        self._marked += 1
        await self.say(_MARK, number=self._marked)
        async for event in self._marks:
            if event.kind == _MARK:
                break
        await settle()
        await self.session.send_raw({"type": _MARK, "number": self._marked})
        while not any(event.get("number") == self._marked for event in self._line.heard):
            await settle()

    # -- the caller

    async def speech_starts(self, item_id: str) -> None:
        await self.say("input_audio_buffer.speech_started", item_id=item_id, audio_start_ms=0)

    async def speech_ends(self, item_id: str, after: str | None = None) -> None:
        await self.say("input_audio_buffer.speech_stopped", item_id=item_id, audio_end_ms=900)
        await self.commits(item_id, after)

    async def commits(self, item_id: str, after: str | None = None) -> None:
        await self.say("input_audio_buffer.committed", item_id=item_id, previous_item_id=after)
        await self.adds(_message(item_id, "user", {"type": "input_audio", "transcript": None}), after)

    async def transcribes(self, item_id: str, text: str) -> None:
        kind = "conversation.item.input_audio_transcription.completed"
        await self.say(kind, item_id=item_id, content_index=0, transcript=text)

    async def adds(self, item: JsonObject, after: str | None = None) -> None:
        await self.say("conversation.item.created", previous_item_id=after, item=item)

    # -- the agent

    async def begins(self, response_id: str, asked_by: JsonObject | None = None) -> None:
        """A response begins: one that was asked for, or by itself."""
        metadata = asked_by["response"]["metadata"] if asked_by is not None else None
        await self.say(
            "response.created",
            response={
                "id": response_id,
                "status": "in_progress",
                "conversation_id": "conv_1",
                "output": [],
                "metadata": metadata,
            },
        )

    async def opens(self, response_id: str, item_id: str, after: str | None = None) -> None:
        item = _message(item_id, "assistant", status="in_progress")
        await self.say("response.output_item.added", response_id=response_id, output_index=0, item=item)
        await self.adds(item, after)

    async def words(self, response_id: str, item_id: str, text: str) -> None:
        await self.say("response.audio_transcript.delta", **_place(response_id, item_id), delta=text)

    async def voice(self, response_id: str, item_id: str, audio: bytes) -> None:
        delta = b64encode(audio).decode()
        await self.say("response.audio.delta", **_place(response_id, item_id), delta=delta)

    async def closes(self, response_id: str, item_id: str, text: str) -> None:
        """The item is complete, whether its response was cut off or not: as measured."""
        place = _place(response_id, item_id)
        await self.say("response.audio.done", **place)
        await self.say("response.audio_transcript.done", **place, transcript=text)
        await self.say("response.content_part.done", **place, part={"type": "audio", "transcript": text})
        item = _message(item_id, "assistant", {"type": "audio", "transcript": text})
        await self.say("response.output_item.done", response_id=response_id, output_index=0, item=item)

    async def ends(self, response_id: str, status: str = "completed", reason: str | None = None) -> None:
        details = None if reason is None else {"type": status, "reason": reason}
        response: JsonObject = {"id": response_id, "status": status, "status_details": details, "output": []}
        await self.say("response.done", response=response)

    async def answers(self, response_id: str, item_id: str, text: str, audio: bytes, after: str | None = None) -> None:
        """A whole spoken answer, from the first event behind ``response.created`` on."""
        await self.opens(response_id, item_id, after)
        await self.words(response_id, item_id, text)
        await self.voice(response_id, item_id, audio)
        await self.closes(response_id, item_id, text)
        await self.ends(response_id)

    async def calls(self, response_id: str, call_id: str, name: str, arguments: str = "{}") -> None:
        """The agent calls a function; the response is not done by that."""
        call = {"id": f"item_{call_id}", "type": "function_call", "name": name, "call_id": call_id, "arguments": ""}
        await self.say("response.output_item.added", response_id=response_id, item={**call, "status": "in_progress"})
        await self.adds({**call, "status": "in_progress"})
        done = {**call, "arguments": arguments, "status": "completed"}
        await self.say("response.output_item.done", response_id=response_id, item=done)

    async def refuses(self, event_id: str | None, code: str) -> None:
        error = {"type": "invalid_request_error", "code": code, "message": "no", "event_id": event_id}
        await self.say("error", error=error)


@asynccontextmanager
async def staged(
    config: SessionConfig | None = None, *, tools: Sequence[LocalTool] = (), options: ClientOptions = QUIET
) -> AsyncIterator[tuple[Session, Stage]]:
    """A session whose service the test plays; turn detection and transcription are on unless settings differ."""
    defaults: JsonObject = {"turn_detection": {"type": "server_vad"}, "input_audio_transcription": {"model": "any"}}

    async def play(line: Line) -> None:
        await line.create(**defaults)
        if config is not None or tools:
            wanted = (await line.hear())["session"]
            await line.say("session.updated", session={"id": "sess_1", **defaults, **wanted})
        await line.stay()

    async with Server(play) as server:
        client = VoiceLiveClient(server.endpoint, "any-key", options=options)
        async with client.connect("gpt-realtime", config=config, tools=tools) as session:
            yield session, Stage(session, server.lines[0])


def _message(item_id: str, role: str, *parts: JsonObject, status: str = "completed") -> JsonObject:
    return {"id": item_id, "type": "message", "role": role, "status": status, "content": list(parts)}


def _place(response_id: str, item_id: str) -> JsonObject:
    return {"response_id": response_id, "item_id": item_id, "output_index": 0, "content_index": 0}

"""A server whose calls are held with the emulator, and what it and the service have of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.flows.scene import AUDIO, QUIET
from tests.support.callers import Caller, answered

from voicelive import wire
from voicelive.audio.wav import WavFile
from voicelive.bridges import Call, CallEnd
from voicelive.client import VoiceLiveClient
from voicelive.errors import VoiceLiveError
from voicelive.options import ClientOptions
from voicelive.session import Session
from voicelive.testing import EmulatedSession, Emulator, Script, ToneVoice, Turn
from voicelive.tools.declaring import LocalTool
from voicelive.wire.session import SessionConfig
from voicelive.wire.turn_detection import ServerVad

__all__ = ["VAD", "Answered", "answering", "cuts", "spoken", "wav"]

VAD: Final = ServerVad(silence_duration_ms=500)


@dataclass
class Answered:
    """What a server has of its calls."""

    emulator: Emulator
    url: str = ""
    calls: list[Call[Any]] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    ends: list[CallEnd] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    @property
    def service(self) -> EmulatedSession:
        return self.emulator.sessions[0]

    async def running(self) -> tuple[Call[Any], Session]:
        await self._until(lambda: self.sessions)
        return self.calls[0], self.sessions[0]

    async def ended(self) -> CallEnd:
        await self._until(lambda: self.ends)
        return self.ends[0]

    async def failed(self) -> Exception:
        await self._until(lambda: self.failures)
        return self.failures[0]

    async def _until(self, happened: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not happened():  # noqa: ASYNC110 - of another task, at an unknown time
                await asyncio.sleep(0.02)


@asynccontextmanager
async def answering(
    accept: Callable[[Any], AbstractAsyncContextManager[Call[Any]]],
    config: SessionConfig,
    *replies: str | Turn,
    tools: Sequence[LocalTool] = (),
    options: ClientOptions = QUIET,
    before: Callable[[Session], Awaitable[object]] | None = None,
) -> AsyncIterator[Answered]:
    """A server whose calls are held with the emulator; ``before`` comes before a call is run."""
    async with Emulator(Script(*replies), voice=ToneVoice(), ping_interval_s=None) as emulator:
        client = VoiceLiveClient(emulator.endpoint, "any-key", options=options)
        place = Answered(emulator)

        async def answer(socket: Any) -> None:
            try:
                async with (
                    accept(socket) as call,
                    client.connect("gpt-realtime", config=config, tools=tools) as session,
                ):
                    place.calls.append(call)
                    place.sessions.append(session)
                    if before is not None:
                        await before(session)
                    place.ends.append(await call.run(session))
            except VoiceLiveError as error:
                place.failures.append(error)

        async with answered(answer) as url:
            place.url = url
            yield place


def wav(name: str, caller: Caller) -> bytes:
    return WavFile(Path(AUDIO / name)).read(caller.format)


def spoken(service: EmulatedSession) -> dict[str, bytes]:
    """What the agent said, item by item."""
    voices: dict[str, bytes] = {}
    for delta in service.sent_of(wire.ResponseAudioDelta):
        voices[delta.item_id] = voices.get(delta.item_id, b"") + delta.delta
    return voices


def cuts(service: EmulatedSession) -> list[tuple[str, int]]:
    return [(event.item_id, event.audio_end_ms) for event in service.received_of(wire.ConversationItemTruncate)]

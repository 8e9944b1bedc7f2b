"""A client and an emulated service with a broken network between them, over real sockets and on a virtual clock.

The clock leaps over waits only (``looptime``), so that the client's own timeouts are the ones that applications use,
and bounds in seconds can be checked without waiting for them.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import trustme

from voicelive import ClientOptions, Resume, ServerVad, Session, SessionConfig, VoiceLiveClient, events, tool, wire
from voicelive.audio import WavFile
from voicelive.audio.formats import AudioFormat
from voicelive.response import ResponseHandle
from voicelive.testing import (
    Call,
    Double,
    Drop,
    EmulatedSession,
    Emulator,
    FaultProxy,
    Heard,
    Pace,
    ProxiedConnection,
    Script,
    Swap,
    Turn,
)

__all__ = ["CHUNK_MS", "LONG_REPLY", "OPTIONS", "QUESTION", "SUNNY", "Scene", "opened"]

CHUNK_MS: Final = 100
QUESTION: Final = "What is the weather in Lisbon today?"
LONG_REPLY: Final = "We open at nine, and we close at half past six in the evening."
SUNNY: Final = "It is sunny."

OPTIONS: Final = ClientOptions(connections_per_minute=None, resume=Resume(first_wait_s=0))
"""The timeouts are the defaults: what the matrix finds is what an application gets."""

_PACE: Final = Pace(text_delta_s=0.01, audio_delta_ms=200, audio_speedup=1.0)
_WAV: Final = Path(__file__).parents[2] / "examples" / "audio" / "question.wav"
_PCM: Final = AudioFormat.of_output(None)
_CONFIG: Final = SessionConfig(
    turn_detection=ServerVad(silence_duration_ms=500),
    input_audio_transcription=wire.AudioInputTranscriptionOptions(model="whisper-1"),
)
_TOLD: Final = (
    events.SessionInterrupted,
    events.SessionResumed,
    events.UndecodableFrame,
)


class _Hum:
    """A voice that costs nothing: a second of silence for any text."""

    def speak(self, text: str, rate_hz: int) -> bytes:
        return bytes(2 * rate_hz)


class _Inline(ThreadPoolExecutor):
    """Runs everything at once: a thread would take time that the virtual clock does not know of."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


@functools.cache
def _question() -> tuple[bytes, ...]:
    """The spoken question in chunks, with the silence that ends it."""
    audio = WavFile(_WAV).read(_PCM) + _PCM.silence(700)
    size = _PCM.byte_count(CHUNK_MS)
    return tuple(audio[start : start + size] for start in range(0, len(audio), size))


@functools.cache
def _certificates() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of the server and of the client; made once, for keys are slow to make."""
    authority, server = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


def _answer(heard: Heard) -> Turn:
    if heard.outputs:
        return Turn(SUNNY)
    if heard.spoken:
        return Turn(LONG_REPLY, transcript=QUESTION)
    if heard.text == "weather":
        return Turn(calls=[Call("look_up")])
    return Turn(LONG_REPLY if heard.text == "hours" else f"You said: {heard.text}")


@dataclass(frozen=True, slots=True)
class Probe:
    """What one small event and the answer to it went through.

    Attributes:
        took_s: Both ways together.
        up_steps: How many bytes were delivered at a time to the service.
        down_steps: How many to the client.
    """

    took_s: float
    up_steps: tuple[int, ...]
    down_steps: tuple[int, ...]


@dataclass(slots=True, eq=False)
class Scene:
    """Everything that a row of the matrix may look at, or do something to."""

    emulator: Emulator
    proxy: FaultProxy
    client: VoiceLiveClient
    stack: AsyncExitStack
    told: list[events.SessionInterrupted | events.SessionResumed | events.UndecodableFrame] = field(
        default_factory=list
    )
    session_or_none: Session | None = None
    handle: ResponseHandle | None = None
    closing: asyncio.Task[None] | None = None
    tool_may_end: asyncio.Event = field(default_factory=asyncio.Event)
    resumed: asyncio.Event = field(default_factory=asyncio.Event)
    probe: Probe | None = None
    probes_pieces: bool | None = None
    marks: tuple[int, int] | None = None
    tamper: Drop | Double | Swap | None = None
    sent_before: int | None = None
    done: list[str] = field(default_factory=list)
    spoken: int = 0

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def session(self) -> Session:
        assert self.session_or_none is not None, "the phase has connected"
        return self.session_or_none

    @property
    def service(self) -> EmulatedSession:
        """The service's newest session."""
        return self.emulator.sessions[-1]

    @property
    def first(self) -> EmulatedSession:
        """The service's first session, in which the fault happens."""
        return self.emulator.sessions[0]

    @property
    def line(self) -> ProxiedConnection:
        """The newest connection through the network."""
        return self.proxy.connections[-1]

    @property
    def first_line(self) -> ProxiedConnection:
        """The connection in which the fault happens."""
        return self.proxy.connections[0]

    @property
    def statuses(self) -> list[int | None]:
        """What became of the upgrade requests."""
        return [upgrade.status for upgrade in self.emulator.upgrades]

    async def connect(self) -> None:
        @tool
        async def look_up() -> str:
            """The weather."""
            await self.tool_may_end.wait()
            return "sunny"

        context = self.client.connect("gpt-realtime", config=_CONFIG, tools=[look_up])
        self.session_or_none = session = await self.stack.enter_async_context(context)
        for kind in _TOLD:
            session.on(kind)(self._hear)

    def _hear(self, told: events.SessionInterrupted | events.SessionResumed | events.UndecodableFrame) -> None:
        self.told.append(told)
        if isinstance(told, events.SessionResumed):
            self.resumed.set()

    async def test_the_line(self, *, pieces: bool) -> None:
        """Send a small event that the service refuses, and look how long that takes, or in which ``pieces`` it goes."""
        steps: tuple[list[int], list[int]] = [], []
        began_s, before = self.now, (self.line.up_bytes, self.line.down_bytes)
        with self.session.subscribe(wire.ErrorEvent) as refused:
            await self.session.send_raw({"type": "matrix.probe", "event_id": "probe"})
            answer = asyncio.create_task(anext(refused))
            while pieces and not answer.done():
                await asyncio.sleep(0)  # no time passes meanwhile
                after = self.line.up_bytes, self.line.down_bytes
                for way in (0, 1):
                    steps[way].append(after[way] - before[way])
                before = after
            await answer
        self.probe = Probe(self.now - began_s, *(tuple(filter(None, way)) for way in steps))

    async def ask(self) -> None:
        """One more question, and its answer: the conversation goes on."""
        async with asyncio.timeout(50):
            assert (await self.session.ask("And now?")).text == "You said: And now?"

    async def speak(self, chunks: int | None = None) -> None:
        """Say the next part of the question at its pace; ``None``: all that is left, and the silence behind it."""
        until = len(_question()) if chunks is None else self.spoken + chunks
        for chunk in _question()[self.spoken : until]:
            await self.session.send_audio(chunk)
            await asyncio.sleep(CHUNK_MS / 1000)
        self.spoken = until


@asynccontextmanager
async def opened(*, resumes: bool, tls: bool = False, limit_s: float = 300) -> AsyncIterator[Scene]:
    """A service, a network and a client that is not connected yet."""
    server, trusting = _certificates() if tls else (None, None)
    resume = OPTIONS.resume if resumes else None
    options = ClientOptions(connections_per_minute=None, resume=resume, ssl=trusting)
    script = Script(then=_answer)
    asyncio.get_running_loop().set_default_executor(_Inline())
    async with (
        asyncio.timeout(limit_s),
        Emulator(script, pace=_PACE, voice=_Hum(), ssl=server, ping_interval_s=None) as emulator,
        FaultProxy(emulator.endpoint, seed=1) as proxy,
        VoiceLiveClient(proxy.endpoint, "any-key", options=options) as client,
        AsyncExitStack() as stack,
    ):
        yield Scene(emulator, proxy, client, stack)

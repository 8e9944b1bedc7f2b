"""Over real sockets: connecting, keeping connections ready and whole conversations, cancelled at every suspension.

Whatever happens, no socket stays open on either side, and the client connects again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple, TypeAlias

import pytest
from tests.cancellation.stepping import Cut, Ending, at_every_step, cut, open_sockets, tool_threads, until_none_is_left
from tests.cancellation.test_verbs import EARLY_AND_LATE

from voicelive.client import VoiceLiveClient
from voicelive.options import ClientOptions, HandshakeRetry
from voicelive.testing import Call, Emulator, Script, ToneVoice, Turn
from voicelive.tools.declaring import tool
from voicelive.transport.auth import Credential
from voicelive.wire.session import SessionConfig

Work: TypeAlias = Callable[[VoiceLiveClient, Emulator], Awaitable[object]]

OPTIONS: Final = ClientOptions(
    connections_per_minute=None,
    ping_interval_s=None,
    handshake_retry=HandshakeRetry(first_wait_s=0.01, max_wait_s=0.01),
)
TEXT: Final = SessionConfig(modalities=["text"], temperature=0.5)


class Token(NamedTuple):
    token: str


class Sync:
    def get_token(self, *_: str) -> Token:
        return Token("a-token")


class Async:
    async def get_token(self, *_: str) -> Token:
        await asyncio.sleep(0)
        return Token("a-token")


@tool
async def look_up(word: str) -> str:
    """Look a word up."""
    await asyncio.sleep(0)
    return word


@tool
def look_up_slowly(word: str) -> str:
    """Look a word up."""
    return word


async def connect(client: VoiceLiveClient, _: Emulator) -> None:
    async with client.connect("gpt-realtime"):
        pass


async def connect_with_settings(client: VoiceLiveClient, _: Emulator) -> None:
    async with client.connect("gpt-realtime", config=TEXT, tools=[look_up]):
        pass


async def connect_at_the_second_try(client: VoiceLiveClient, emulator: Emulator) -> None:
    emulator.recover()
    emulator.refuse(503)
    async with client.connect("gpt-realtime", config=TEXT):
        pass


async def prewarm(client: VoiceLiveClient, _: Emulator) -> None:
    await client.prewarm(2, "gpt-realtime")


async def connect_prewarmed(client: VoiceLiveClient, _: Emulator) -> None:
    await client.prewarm(1, "gpt-realtime")
    async with client.connect("gpt-realtime", config=TEXT):
        pass


async def prewarm_and_close(client: VoiceLiveClient, _: Emulator) -> None:
    await client.prewarm(2, "gpt-realtime")
    await client.prewarm(1, "gpt-realtime")
    await asyncio.sleep(0)
    await client.close()


async def converse(client: VoiceLiveClient, _: Emulator) -> None:
    async with client.connect("gpt-realtime", config=TEXT, tools=[look_up, look_up_slowly]) as session:
        await session.send_audio(bytes(48 * 1000))
        await session.clear_audio()
        reply = await session.ask("What does it mean?")
        assert reply.text == "It means nothing."


WORKS: Final[tuple[tuple[Work, Credential], ...]] = (
    (connect, "any-key"),
    (connect, Sync()),
    (connect, Async()),
    (connect_with_settings, "any-key"),
    (connect_at_the_second_try, "any-key"),
    (prewarm, "any-key"),
    (connect_prewarmed, "any-key"),
    (prewarm_and_close, "any-key"),
    (converse, "any-key"),
)


@asynccontextmanager
async def emulated() -> AsyncIterator[Emulator]:
    turn = Turn(
        calls=[Call("look_up", {"word": "a"}), Call("look_up_slowly", {"word": "b"})],
        reply_after_calls="It means nothing.",
    )
    async with Emulator(Script(then=lambda _: turn), voice=ToneVoice(), ping_interval_s=None) as emulator:
        yield emulator


@pytest.mark.parametrize(
    ("work", "credential"), WORKS, ids=[f"{w.__name__}-{type(c).__name__.lower()}" for w, c in WORKS]
)
@EARLY_AND_LATE
async def test_cancelled_anywhere_no_socket_and_no_task_is_left(work: Work, credential: Credential, late: bool) -> None:
    async with emulated() as emulator:
        before = open_sockets()

        async def attempt(where: Cut) -> Ending:
            client = VoiceLiveClient(emulator.endpoint, credential, options=OPTIONS)
            ending = await cut(_run(work, client, emulator), where, within_s=5)
            assert ending.error is None, where
            await client.close()
            await until_none_is_left(lambda: open_sockets() > before, passes=2000)
            return ending

        assert await at_every_step(attempt, late=late)
        await until_none_is_left(tool_threads, passes=20_000)  # threads end in real time
        async with VoiceLiveClient(emulator.endpoint, credential, options=OPTIONS) as client:
            await connect(client, emulator)


async def _run(work: Work, client: VoiceLiveClient, emulator: Emulator) -> None:
    await work(client, emulator)

"""Sockets of every server that is known, with a call over each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from aiohttp import web
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from tests.flows.scene import QUIET
from tests.support.callers import AudioHookCaller, TwilioCaller, answered
from websockets.exceptions import InvalidStatus

from voicelive.bridges import CallEnd, Upgrade, audiohook, twilio
from voicelive.bridges.socket import adapt
from voicelive.client import VoiceLiveClient
from voicelive.errors import CallRefusedError, ConfigurationError
from voicelive.testing import Emulator, Script, ToneVoice

pytestmark = pytest.mark.timeout(6)

Answer = Callable[[Any, Upgrade | None], Awaitable[None]]


@asynccontextmanager
async def on_starlette(answer: Answer) -> AsyncIterator[str]:
    async def call(socket: WebSocket) -> None:
        await answer(socket, None)

    app = Starlette(routes=[WebSocketRoute("/call", call)])
    config = uvicorn.Config(app, port=0, log_level="critical", ws="websockets-sansio", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())  # without its handlers of signals
    while not server.started:  # noqa: ASYNC110 - it tells in no other way
        await asyncio.sleep(0.005)
    yield f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/call"
    server.should_exit = True
    await serving


@asynccontextmanager
async def on_aiohttp(answer: Answer) -> AsyncIterator[str]:
    async def call(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await answer(socket, Upgrade.of(request))
        return socket

    app = web.Application()
    app.router.add_get("/call", call)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"ws://127.0.0.1:{runner.addresses[0][1]}/call"
    await runner.cleanup()


@asynccontextmanager
async def on_websockets(answer: Answer) -> AsyncIterator[str]:
    async with answered(lambda socket: answer(socket, None)) as url:
        yield url


SERVERS = pytest.mark.parametrize("serve", [on_starlette, on_aiohttp, on_websockets])


@SERVERS
async def test_a_greeting_is_heard_through(serve: Any) -> None:
    seen: list[str] = []
    ends: list[CallEnd] = []

    def signed(upgrade: Upgrade) -> bool:
        seen.append(upgrade.target)
        return upgrade.headers["x-secret"] == "word"

    async with Emulator(Script("Good morning."), voice=ToneVoice()) as emulator:
        client = VoiceLiveClient(emulator.endpoint, "any-key", options=QUIET)

        async def answer(socket: Any, upgrade: Upgrade | None) -> None:
            async with (
                twilio.accept(socket, authenticate=signed, upgrade=upgrade) as call,
                client.connect("gpt-realtime", config=twilio.session_config()) as session,
            ):
                running = asyncio.create_task(call.run(session))
                await session.create_response()
                ends.append(await running)

        async with serve(answer) as url, TwilioCaller(f"{url}?a=b", headers={"x-secret": "word"}) as caller:
            await caller.start()
            while len(caller.heard) < 800:  # noqa: ASYNC110 - of another task
                await asyncio.sleep(0.01)
            await caller.hang_up()
            while not ends:  # noqa: ASYNC110 - of another task
                await asyncio.sleep(0.01)

    assert ends[0].how == "caller"
    assert seen == ["/call?a=b"]


@SERVERS
async def test_binary_frames_pass_and_a_caller_who_vanishes_ends_the_call(serve: Any) -> None:
    ends: list[CallEnd] = []
    async with Emulator(Script(), voice=ToneVoice()) as emulator:
        client = VoiceLiveClient(emulator.endpoint, "any-key", options=QUIET)

        async def answer(socket: Any, _: Upgrade | None) -> None:
            async with (
                audiohook.accept(socket) as call,
                client.connect("gpt-realtime", config=audiohook.session_config()) as session,
            ):
                ends.append(await call.run(session))

        async with serve(answer) as url:
            async with AudioHookCaller(url) as caller:
                await caller.start()
                await caller.send_audio(bytes(800))
                while not emulator.sessions or not emulator.sessions[0].received[1:]:  # noqa: ASYNC110 - of the service
                    await asyncio.sleep(0.01)
                caller.socket.transport.abort()
            while not ends:  # noqa: ASYNC110 - of another task
                await asyncio.sleep(0.01)

    assert ends[0].how == "line_lost"


async def test_an_unaccepted_socket_of_starlette_is_refused_with_403() -> None:
    refusals: list[CallRefusedError] = []

    async def answer(socket: Any, _: Upgrade | None) -> None:
        try:
            async with twilio.accept(socket, authenticate=lambda _: False):
                pass
        except CallRefusedError as refusal:
            refusals.append(refusal)

    async with on_starlette(answer) as url:
        with pytest.raises(InvalidStatus) as refused:
            await TwilioCaller(url).__aenter__()

    assert refused.value.response.status_code == 403
    assert refusals[0].reason == "unauthorized"


@SERVERS
async def test_a_closed_socket_tells_who_writes(serve: Any) -> None:
    failures: list[Exception] = []
    ended: list[object] = []

    async def answer(socket: Any, _: Upgrade | None) -> None:
        adapted = adapt(socket)
        ended.append(await adapted.receive())
        ended.append(await adapted.receive())
        await adapted.close(1000, "")
        await adapted.close(1000, "again")
        for send in (adapted.send_text("x"), adapted.send_bytes(b"x")):
            try:
                await send
            except ConnectionError as error:
                failures.append(error)

    async with serve(answer) as url:
        async with TwilioCaller(url) as caller:
            await caller.socket.send("hello")
            await caller.socket.close()
        while len(failures) < 2:  # noqa: ASYNC110 - of another task
            await asyncio.sleep(0.01)

    assert ended == ["hello", None]


class Own:
    """A socket of somebody's own."""

    async def receive(self) -> str | bytes | None:
        return None

    async def send_text(self, text: str, /) -> None:
        pass

    async def send_bytes(self, data: bytes, /) -> None:
        pass

    async def close(self, code: int, reason: str, /) -> None:
        pass


def test_a_socket_with_the_four_methods_is_taken_as_it_is() -> None:
    own = Own()

    assert adapt(own) is own


def test_anything_else_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="socket is a int; allowed: a WebSocket of Starlette or FastAPI"):
        adapt(5)


class _Mistaken:
    """Shaped like a ServerConnection, and broken."""

    async def recv(self) -> str:
        raise TypeError("a mistake")

    async def send(self, data: object) -> None:
        raise TypeError("a mistake")

    async def close(self, code: int, reason: str) -> None:
        raise TypeError("a mistake")


async def test_a_mistake_is_not_taken_for_a_closed_socket() -> None:
    adapted = adapt(_Mistaken())

    for work in (adapted.receive(), adapted.send_text(""), adapted.close(1000, "")):
        with pytest.raises(TypeError, match="a mistake"):
            await work

"""A WebSocket server on this machine that plays the service by a function: raw JSON, nothing of the SDK."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Self

from websockets.asyncio.server import Server as WebSocketServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

__all__ = ["Line", "Server", "only_created"]

JsonObject = dict[str, Any]


class Line:
    """One connection of a client."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.heard: list[JsonObject] = []

    async def say(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def hear(self) -> JsonObject:
        event: JsonObject = json.loads(await self.socket.recv())
        self.heard.append(event)
        return event

    async def create(self, **settings: Any) -> None:
        await self.say("session.created", session={"id": "sess_1", **settings})

    async def accept_update(self) -> JsonObject:
        """Put what the client asks for in effect, and return it."""
        wanted: JsonObject = (await self.hear())["session"]
        await self.say("session.updated", session={"id": "sess_1", **wanted})
        return wanted

    async def stay(self) -> None:
        """Listen until the client is gone."""
        while True:
            await self.hear()


async def only_created(line: Line) -> None:
    """The shortest service: a session begins, and nothing else happens."""
    await line.create()
    await line.stay()


class Server:
    """``async with Server(play) as server``: connections are played by ``play`` until it returns."""

    def __init__(self, play: Callable[[Line], Awaitable[None]] = only_created, **options: Any) -> None:
        self._play, self._options = play, options
        self.requests: list[Request] = []
        self.lines: list[Line] = []
        self.refuse_with: HTTPStatus | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def path(self) -> str:
        """Path and query of the newest handshake."""
        return self.requests[-1].path

    async def until(self, happened: Callable[[], object]) -> None:
        """Wait for something that a client will do, such as to connect."""
        while not happened():  # noqa: ASYNC110 - what is waited for is no event of ours
            await asyncio.sleep(0)

    async def all_gone(self) -> None:
        """Wait until every client has closed its socket."""
        await asyncio.gather(*(line.socket.wait_closed() for line in self.lines))

    async def __aenter__(self) -> Self:
        options = {"ping_interval": None, "open_timeout": None, "close_timeout": 1, "compression": None}
        self._server: WebSocketServer = await serve(
            self._serve, "127.0.0.1", 0, process_request=self._look_at, **{**options, **self._options}
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    def _look_at(self, socket: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        return None if self.refuse_with is None else socket.respond(self.refuse_with, "no\n")

    async def _serve(self, socket: ServerConnection) -> None:
        line = Line(socket)
        self.lines.append(line)
        with contextlib.suppress(ConnectionClosed):  # the client is free to go at any time
            await self._play(line)

"""Plain TCP on this machine: a server, a client, and the time that bytes take between them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

__all__ = ["dial", "echo", "passes", "served", "turns", "unused_port", "until"]


async def passes(end: tuple[asyncio.StreamWriter, asyncio.StreamReader], data: bytes = b"ping") -> bool:
    writer, reader = end
    writer.write(data)
    return await reader.readexactly(len(data)) == data


async def turns(count: int = 50) -> None:
    """Give everything that is ready the time to happen."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(happened: Callable[[], object]) -> None:
    while not happened():  # noqa: ASYNC110 - what is waited for is no event of ours
        await asyncio.sleep(0)


@asynccontextmanager
async def served(
    play: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    server = await asyncio.start_server(play, "127.0.0.1", 0, backlog=1000)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"{host}:{port}"
    finally:
        server.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def dial(endpoint: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = endpoint.partition(":")
    return await asyncio.open_connection(host, int(port))


def unused_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port

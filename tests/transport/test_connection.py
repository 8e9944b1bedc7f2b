"""What is cut by hand and what is left to the package make one stream, and any sign of life counts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from voicelive.options import ClientOptions
from voicelive.transport import TransportClosed
from voicelive.transport.websocket import WebSocketTransport, open_websocket

Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[None]]

NO_PINGS = ClientOptions(ping_interval_s=None, close_timeout_s=0.05)


def frame(opcode: Opcode, payload: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin=fin).serialize(mask=False)


HELLO, BYE = frame(Opcode.TEXT, b"hello"), frame(Opcode.CLOSE, b"\x03\xe8")


@contextlib.asynccontextmanager
async def peer(play: Play, options: ClientOptions = NO_PINGS) -> AsyncIterator[WebSocketTransport]:
    """A connection to a server that writes bytes as ``play`` likes, the answer to the handshake included."""
    tasks: set[asyncio.Task[object]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        protocol = ServerProtocol()
        protocol.receive_data(await reader.readuntil(b"\r\n\r\n"))
        (request,) = protocol.events_received()
        assert isinstance(request, Request)
        protocol.send_response(protocol.accept(request))
        try:
            await play(reader, writer, b"".join(protocol.data_to_send()))
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport = await open_websocket(f"ws://127.0.0.1:{port}/", {}, options)
    try:
        yield transport
    finally:
        await transport.close()
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def everything(transport: WebSocketTransport) -> list[bytes]:
    found = []
    with contextlib.suppress(TransportClosed):
        while True:
            found.append(await transport.receive())
    return found


@pytest.mark.parametrize("step", [1, 7, 1000])
async def test_frames_right_behind_the_handshake_arrive_however_the_stream_is_split(step: int) -> None:
    sent = [b"one", b"x" * 200, b"in parts", b"y" * 700]
    stream = (
        frame(Opcode.TEXT, sent[0])
        + frame(Opcode.PING, b"are you there")
        + frame(Opcode.BINARY, sent[1])
        + frame(Opcode.TEXT, b"in ", fin=False)
        + frame(Opcode.PING, b"still")
        + frame(Opcode.CONT, b"parts")
        + frame(Opcode.TEXT, sent[3])
        + BYE
    )

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes) -> None:
        whole = answer + stream
        for start in range(0, len(whole), step):
            writer.write(whole[start : start + step])
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()

    async with peer(drip) as transport:
        assert await everything(transport) == sent


async def test_pings_of_the_server_are_answered() -> None:
    answered = asyncio.get_running_loop().create_future()

    async def ping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes) -> None:
        writer.write(answer + HELLO + frame(Opcode.PING, b"mark"))
        answered.set_result((await reader.readexactly(10))[:2])
        await reader.read()

    async with peer(ping) as transport:
        assert await transport.receive() == b"hello"
        assert await answered == b"\x8a\x84", "a masked pong of four bytes"


async def test_a_message_inside_a_fragmented_one_ends_the_connection() -> None:
    async def confuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes) -> None:
        writer.write(answer + HELLO + frame(Opcode.TEXT, b"begun", fin=False) + HELLO)
        await reader.read()

    async with peer(confuse) as transport:
        assert await transport.receive() == b"hello"
        with pytest.raises(TransportClosed) as caught:
            await transport.receive()
        assert caught.value.code == 1002


async def test_what_comes_after_our_close_frame_is_still_read_until_the_peers() -> None:
    async def say_more(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes) -> None:
        writer.write(answer + HELLO[:3])
        await reader.readexactly(8)  # the close frame
        writer.write(HELLO[3:] + HELLO + BYE)
        await reader.read()

    async with peer(say_more) as transport:
        closing = asyncio.create_task(transport.close())
        assert await everything(transport) == [b"hello", b"hello"]
        await closing


@pytest.mark.looptime
async def test_any_frame_tells_that_the_peer_is_alive() -> None:
    options = ClientOptions(ping_interval_s=10, ping_timeout_s=4, close_timeout_s=1)
    loop = asyncio.get_running_loop()

    async def talk_without_pongs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes) -> None:
        writer.write(answer)
        for _ in range(20):
            await asyncio.sleep(3)
            writer.write(HELLO)
        await asyncio.Event().wait()

    async with peer(talk_without_pongs, options) as transport:
        began = loop.time()
        assert await everything(transport) == [b"hello"] * 20
        assert 60 < loop.time() - began <= 60 + 15, "silence was noticed within interval and timeout"


@pytest.mark.looptime
async def test_a_timeout_longer_than_the_interval_holds_too() -> None:
    options = ClientOptions(ping_interval_s=2, ping_timeout_s=9, close_timeout_s=1)
    loop = asyncio.get_running_loop()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes) -> None:
        writer.write(answer)
        await asyncio.Event().wait()

    async with peer(say_nothing, options) as transport:
        began = loop.time()
        assert await everything(transport) == []
        assert 10.9 <= loop.time() - began <= 11.1

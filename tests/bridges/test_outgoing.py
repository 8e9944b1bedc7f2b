"""What has to be said overtakes the agent's voice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.support.streams import settle

from voicelive.bridges.outgoing import Outgoing

pytestmark = pytest.mark.timeout(5)


class Narrow:
    """A socket that writes when it is let."""

    def __init__(self) -> None:
        self.written: list[str | bytes] = []
        self.open = asyncio.Event()
        self.open.set()
        self.gone = False

    async def receive(self) -> None:
        return None

    async def send_text(self, text: str, /) -> None:
        await self._send(text)

    async def send_bytes(self, data: bytes, /) -> None:
        await self._send(data)

    async def close(self, code: int, reason: str, /) -> None:
        pass

    async def _send(self, frame: str | bytes) -> None:
        await self.open.wait()
        if self.gone:
            raise ConnectionResetError
        self.written.append(frame)


@asynccontextmanager
async def writing() -> AsyncIterator[tuple[Outgoing, Narrow]]:
    socket = Narrow()
    outgoing = Outgoing(socket)
    task = asyncio.create_task(outgoing.run())
    yield outgoing, socket
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_frames_leave_in_turn_and_audio_last() -> None:
    async with writing() as (outgoing, socket):
        socket.open.clear()
        outgoing.push("first")
        await settle()
        audio = asyncio.create_task(outgoing.write(lambda: (b"audio", "mark")))
        await settle()
        outgoing.push("second")
        outgoing.push("third")
        socket.open.set()
        await audio
        await outgoing.drained()

    assert socket.written == ["first", "second", "third", b"audio", "mark"]


async def test_audio_that_waits_can_be_dropped() -> None:
    made: list[int] = []

    def make() -> tuple[bytes]:
        made.append(1)
        return (b"audio",)

    async with writing() as (outgoing, socket):
        socket.open.clear()
        outgoing.push("first")
        await settle()
        audio = asyncio.create_task(outgoing.write(make))
        await settle()
        outgoing.drop()
        await audio
        socket.open.set()
        await outgoing.drained()

    assert socket.written == ["first"]
    assert not made


async def test_audio_of_a_writer_that_was_cancelled_is_not_written() -> None:
    async with writing() as (outgoing, socket):
        socket.open.clear()
        outgoing.push("first")
        await settle()
        audio = asyncio.create_task(outgoing.write(lambda: (b"audio",)))
        await settle()
        audio.cancel()
        await asyncio.wait([audio])
        socket.open.set()
        await outgoing.drained()

    assert socket.written == ["first"]


async def test_on_a_line_that_is_gone_nothing_waits() -> None:
    async with writing() as (outgoing, socket):
        socket.gone = True
        await outgoing.write(lambda: (b"audio",))
        await outgoing.write(lambda: (b"audio",))
        outgoing.push("late")
        await outgoing.drained()

    assert socket.written == []


async def test_audio_is_written_by_whoever_brings_it_where_nothing_else_is_under_way() -> None:
    socket = Narrow()
    outgoing = Outgoing(socket)  # nobody runs it

    await outgoing.write(lambda: (b"audio", "mark"))

    assert socket.written == [b"audio", "mark"]
    await outgoing.drained()


async def test_what_is_said_meanwhile_comes_after_the_piece() -> None:
    async with writing() as (outgoing, socket):
        await settle()
        socket.open.clear()
        audio = asyncio.create_task(outgoing.write(lambda: (b"audio", "mark")))
        await settle()
        outgoing.push("clear")
        more = asyncio.create_task(outgoing.write(lambda: (b"more",)))
        await settle()
        socket.open.set()
        await asyncio.gather(audio, more)
        await outgoing.drained()

    assert socket.written == [b"audio", "mark", "clear", b"more"]


async def test_a_piece_that_was_begun_goes_out_whole() -> None:
    async with writing() as (outgoing, socket):
        await settle()
        socket.open.clear()
        audio = asyncio.create_task(outgoing.write(lambda: (b"audio", "mark", "end")))
        await settle()
        audio.cancel()
        await settle()
        outgoing.push("clear")
        socket.open.set()
        await outgoing.drained()

    assert socket.written == ["mark", "end", "clear"]


async def test_a_failure_is_the_writers_to_raise() -> None:
    class Broken(Narrow):
        async def send_bytes(self, data: bytes, /) -> None:
            raise ZeroDivisionError

    outgoing = Outgoing(Broken())
    running = asyncio.create_task(outgoing.run())
    await settle()

    await outgoing.write(lambda: (b"audio", "mark"))

    with pytest.raises(ZeroDivisionError):
        await running
    await outgoing.write(lambda: (b"more",))
    await outgoing.drained()


async def test_a_line_that_is_gone_takes_no_audio() -> None:
    async with writing() as (outgoing, socket):
        await settle()
        socket.gone = True
        await outgoing.write(lambda: (b"audio", "mark"))
        await settle()
        await outgoing.write(lambda: (b"more",))
        await outgoing.drained()

    assert socket.written == []

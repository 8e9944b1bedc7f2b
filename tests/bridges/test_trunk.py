"""A line that stumbles: what waits for it, and what is told when it goes away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.bridges.test_outgoing import Narrow
from tests.support.line_samples import samples
from tests.support.streams import settle

from voicelive.audio.playback import PlaybackFrame
from voicelive.bridges.call import Call
from voicelive.bridges.trunk import Trunk
from voicelive.bridges.twilio import Start, TwilioLine

pytestmark = pytest.mark.timeout(5)

FRAME = PlaybackFrame.of(b"\xff" * 160, "a1", 0, 20)


class Scripted(Narrow):
    """Receives what the test gives it."""

    def __init__(self) -> None:
        super().__init__()
        self.coming: asyncio.Queue[str | None] = asyncio.Queue()

    async def receive(self) -> str | bytes | None:  # type: ignore[override]  # the other one never has anything
        return await self.coming.get()


@asynccontextmanager
async def line() -> AsyncIterator[tuple[Trunk[Start], Scripted]]:
    socket = Scripted()
    trunk = Trunk(socket, TwilioLine())
    for message in samples("twilio", "in")[:2]:
        socket.coming.put_nowait(json.dumps(message))
    await trunk.started(5)
    yield trunk, socket
    await trunk.wind_up("hung_up")


async def test_a_frame_that_waits_for_a_slow_socket_is_dropped_as_the_caller_speaks() -> None:
    async with line() as (trunk, socket):
        call = Call(trunk)
        socket.open.clear()
        first = asyncio.create_task(call.write(FRAME))
        await settle()
        second = asyncio.create_task(call.write(FRAME))
        await settle()
        call.flush()
        await second
        socket.open.set()
        await first
        await trunk.outgoing.drained()

    assert [json.loads(frame)["event"] for frame in socket.written] == ["media", "mark", "clear"]


async def test_a_goodbye_counts_although_writing_has_failed_before_it_was_read() -> None:
    async with line() as (trunk, socket):
        socket.gone = True
        await Call(trunk).write(FRAME)
        await settle()
        socket.coming.put_nowait(json.dumps(samples("twilio", "in")[-1]))
        await trunk.over.wait()

    assert trunk.end is not None
    assert trunk.end.how == "caller"


async def test_nothing_is_played_after_the_end() -> None:
    async with line() as (trunk, socket):
        call = Call(trunk)
        call.hang_up()
        await call.write(FRAME)
        await trunk.outgoing.drained()

    assert socket.written == []


async def test_a_socket_that_breaks_while_writing_is_a_lost_line(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Scripted):
        async def send_text(self, text: str, /) -> None:
            raise LookupError("a mistake of the adapter")

    socket = Broken()
    trunk = Trunk(socket, TwilioLine())
    for message in samples("twilio", "in")[:2]:
        socket.coming.put_nowait(json.dumps(message))
    await trunk.started(5)
    await Call(trunk).write(FRAME)
    await trunk.over.wait()
    end = await trunk.wind_up("hung_up")

    assert (end.how, end.detail) == ("line_lost", "LookupError")
    assert "could not write to its socket: LookupError" in caplog.text


async def test_the_callers_voice_makes_no_room_and_everything_else_may() -> None:
    async with line() as (trunk, socket):
        trunk.moved.clear()
        await socket.coming.put(json.dumps({"event": "media", "media": {"payload": "//8="}}))
        await settle()
        assert trunk.caller is not None
        assert await trunk.caller.get() == b"\xff\xff"
        assert not trunk.moved.is_set()

        await socket.coming.put(json.dumps({"event": "dtmf", "dtmf": {"digit": "1"}}))
        await settle()
        assert trunk.moved.is_set()


async def test_waiting_for_room_ends_by_itself_or_when_something_moves() -> None:
    async with line() as (trunk, _):
        async with asyncio.timeout(1):
            await trunk.move_on(0.001)

        waiting = asyncio.create_task(trunk.move_on(1e9))
        await settle()
        assert not waiting.done()
        trunk.moved.set()
        await waiting

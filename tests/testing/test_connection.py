"""One socket of the emulator: nothing queued is lost, and nobody is flooded."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from voicelive import wire
from voicelive.testing import Emulator, Pace, Script, Turn


class Lecturer:
    """A voice that needs five minutes for everything."""

    def speak(self, text: str, rate_hz: int) -> bytes:
        return bytes(2 * rate_hz * 300)


async def test_a_client_that_does_not_read_holds_back_its_responses(dial: Any) -> None:
    async with Emulator(Script("Listen."), voice=Lecturer()) as emulator:
        peer = await dial(emulator)
        peer.socket.transport.pause_reading()
        await peer.send("response.create")
        while not emulator.sessions[0].sent_of(wire.ResponseAudioDelta):  # noqa: ASYNC110 - a list, nothing to await
            await asyncio.sleep(0)
        for _ in range(5000):  # an event takes a turn or two of the loop
            await asyncio.sleep(0)
        held_back = len(emulator.sessions[0].sent)
        peer.socket.transport.resume_reading()
        events = await peer.until("response.done")

    assert held_back < len(events) / 2
    assert sum(event["type"] == "response.audio.delta" for event in events) == 600


async def test_what_was_said_before_a_failure_still_arrives(dial: Any) -> None:
    def broken(heard: object) -> Turn:
        raise LookupError

    emulator = Emulator(Script(broken))
    await emulator.start()
    peer = await dial(emulator)
    for number in range(50):
        await peer.write(str(number))
    await peer.send("response.create")
    events = await peer.until("response.created")
    await peer.socket.wait_closed()
    with pytest.raises(LookupError):
        await emulator.close()

    assert len(events) == 51
    assert peer.socket.close_code == 1011


@pytest.mark.looptime
async def test_a_client_that_hangs_up_during_its_update_breaks_nothing(dial: Any) -> None:
    async with Emulator(pace=Pace(session_updated_s=60)) as emulator:
        peer = await dial(emulator)
        [session] = emulator.sessions
        await peer.send("session.update", session={})
        while not session.received:  # noqa: ASYNC110 - a list, nothing to await
            await asyncio.sleep(0)
        peer.socket.transport.abort()
        await peer.socket.wait_closed()
        await asyncio.sleep(1)
        session.flood(100, 10)
        await asyncio.sleep(90)

    assert session.close_code == 1006
    assert [event.type for event in session.sent] == ["session.created"]

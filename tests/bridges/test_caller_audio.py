"""The caller's audio waits for the session, within a bound."""

from __future__ import annotations

import asyncio

from tests.support.streams import settle

from voicelive.audio.formats import AudioFormat
from voicelive.bridges.caller_audio import CallerAudio

ULAW = AudioFormat("g711_ulaw", 8000)


async def test_audio_comes_in_order_as_much_at_once_as_an_event_holds() -> None:
    caller = CallerAudio(ULAW)
    for number in range(7):
        caller.put(bytes([number]) * 160)

    assert [len(await caller.get()) for _ in range(2)] == [800, 320]


async def test_a_piece_that_waits_alone_is_the_same_object() -> None:
    caller, piece = CallerAudio(ULAW), bytes(160)
    caller.put(piece)

    assert await caller.get() is piece


async def test_a_long_piece_comes_as_it_is() -> None:
    caller = CallerAudio(ULAW)
    caller.put(bytes(8000))

    assert len(await caller.get()) == 8000


async def test_who_asks_early_waits() -> None:
    caller = CallerAudio(ULAW)
    getting = asyncio.create_task(caller.get())
    await settle()
    assert not getting.done()
    caller.put(b"\1")

    assert await getting == b"\1"


async def test_the_oldest_is_dropped_where_too_much_waits() -> None:
    caller = CallerAudio(ULAW)
    dropped = [caller.put(bytes([second]) * 8000) for second in range(12)]

    assert dropped == [0] * 10 + [8000, 8000]
    assert (await caller.get())[0] == 2

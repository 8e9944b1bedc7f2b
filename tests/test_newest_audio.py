"""Where nobody may wait, the newest audio is kept and every drop is counted."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.support.peer import Peer
from tests.support.streams import settle

from voicelive.events import InputAudioDropped
from voicelive.newest_audio import NewestAudio
from voicelive.options import ClientOptions
from voicelive.session import Session
from voicelive.transport import memory_pair

CHUNK = 960  # 20 ms at 24 kHz


class Line:
    """Takes a chunk each time it is told to."""

    def __init__(self, limit_bytes: int) -> None:
        self.taken: list[bytes] = []
        self.dropped: list[int] = []
        self.relieved = 0
        self._turn = asyncio.Semaphore(0)
        self._tasks: set[asyncio.Task[None]] = set()
        self.audio = NewestAudio(self._write, self._start, limit_bytes, self.dropped.append, self._relieve)

    def open(self, chunks: int) -> None:
        for _ in range(chunks):
            self._turn.release()

    async def _write(self, chunk: bytes) -> None:
        await self._turn.acquire()
        self.taken.append(chunk)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _relieve(self) -> None:
        self.relieved += 1


@given(st.lists(st.integers(1, 30), max_size=30), st.integers(1, 60))
def test_what_is_not_dropped_arrives_in_order_and_nothing_vanishes(sizes: list[int], limit_bytes: int) -> None:
    async def run() -> None:
        line = Line(limit_bytes)
        given_chunks = [bytes([number]) * size for number, size in enumerate(sizes)]
        for chunk in given_chunks:
            await line.audio.offer(chunk)
            await asyncio.sleep(0)
        line.open(len(sizes))
        await line.audio.written()

        assert sum(map(len, line.taken)) + sum(line.dropped) == sum(sizes)
        assert line.taken == [chunk for chunk in given_chunks if chunk in line.taken]
        assert given_chunks[-1:] == line.taken[-1:], "the newest is never the one that is dropped"
        assert line.relieved == (1 if line.dropped else 0)

    asyncio.run(run())


async def test_cleared_audio_is_neither_written_nor_counted() -> None:
    line = Line(100)
    await line.audio.offer(b"1")
    await settle()
    await line.audio.offer(b"2")
    line.audio.clear()
    line.open(2)
    await line.audio.written()

    assert line.taken == [b"1"]
    assert line.dropped == []


async def test_a_session_told_so_never_waits_and_tells_what_was_dropped() -> None:
    here, there = memory_pair(max_pending_bytes=1)
    session = Session(here, ClientOptions(audio_overflow="drop_oldest", outbox_bytes=4 * CHUNK))
    peer = Peer(there)
    await peer.create()
    await settle()
    dropped = session.subscribe(InputAudioDropped)

    for number in range(10):
        await asyncio.wait_for(session.send_audio(bytes([number]) * CHUNK), 1)
        await settle()

    heard = [(await peer.hear_audio())[0] for _ in range(6)]
    await session.flush_audio()
    assert heard == [0, 1, 6, 7, 8, 9], "the line holds two, four wait, the others were dropped"
    told = await anext(dropped)
    assert (told.dropped_ms, told.total_ms, session.audio_dropped_ms) == (80, 80, 80)
    assert session.audio_sent_ms == 120
    await session.close()


async def test_a_commit_follows_the_audio_before_it() -> None:
    here, there = memory_pair(max_pending_bytes=1)
    session = Session(here, ClientOptions(audio_overflow="drop_oldest"))
    peer = Peer(there)
    await peer.create()
    await settle()
    for number in range(3):
        await session.send_audio(bytes([number]) * CHUNK)
    committing = asyncio.create_task(session.commit_audio(confirm=False))

    heard = [(await peer.hear())["type"] for _ in range(4)]

    assert heard == ["input_audio_buffer.append"] * 3 + ["input_audio_buffer.commit"]
    await committing
    await session.close()

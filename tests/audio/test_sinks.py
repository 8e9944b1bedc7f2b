"""Sinks of the agent's voice: nowhere, memory, and the pace of speech."""

from __future__ import annotations

import asyncio

import pytest

from voicelive.audio.formats import AudioFormat
from voicelive.audio.playback import PlaybackFrame
from voicelive.audio.sinks import MemorySink, NullSink, PacedSink
from voicelive.errors import ConfigurationError

PCM = AudioFormat.of_output(None)
MS = 48


def frame(ms: int) -> PlaybackFrame:
    return PlaybackFrame.of(bytes(ms * MS), "item", 0, ms)


async def test_memory_keeps_what_was_played_and_counts_interruptions() -> None:
    sink = MemorySink()
    await sink.write(frame(20))
    sink.flush()
    await sink.write(frame(10))

    assert len(sink.audio) == 30 * MS
    assert sink.flushes == 1


async def test_nowhere_takes_everything_at_once() -> None:
    sink = NullSink()
    await sink.write(frame(20))
    sink.flush()


@pytest.mark.looptime
async def test_frames_go_at_the_pace_of_speech_with_a_small_lead() -> None:
    loop = asyncio.get_running_loop()
    sent: list[float] = []
    began = loop.time()

    async def send(piece: PlaybackFrame) -> None:
        sent.append(round((loop.time() - began) * 1000))

    sink = PacedSink(send, PCM, lead_ms=60)
    for _ in range(8):
        await sink.write(frame(20))

    assert sent == [0, 0, 0, 0, 20, 40, 60, 80]
    assert loop.time() - began == pytest.approx(0.1)


@pytest.mark.looptime
async def test_a_pause_and_a_flush_begin_anew_and_nothing_is_hurried_afterwards() -> None:
    loop = asyncio.get_running_loop()
    flushed: list[float] = []

    async def send(piece: PlaybackFrame) -> None:
        pass

    sink = PacedSink(send, PCM, lead_ms=0, flush=lambda: flushed.append(loop.time()))
    await sink.write(frame(20))
    await asyncio.sleep(10)
    began = loop.time()
    await sink.write(frame(20))
    assert loop.time() - began == pytest.approx(0.02)

    writing = asyncio.create_task(sink.write(frame(5000)))
    await asyncio.sleep(0)
    sink.flush()
    writing.cancel()
    began = loop.time()
    await sink.write(frame(20))

    assert loop.time() - began == pytest.approx(0.02)
    assert len(flushed) == 1


def test_a_negative_lead_is_refused() -> None:
    async def send(piece: PlaybackFrame) -> None:
        pass

    with pytest.raises(ConfigurationError, match="lead_ms is -1"):
        PacedSink(send, PCM, lead_ms=-1)

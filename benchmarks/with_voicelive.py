"""The measured work as an application of ``voicelive`` writes it. Its twin is ``with_official``."""

import time
from collections.abc import Sequence
from statistics import median

from benchmarks.peer import GO
from benchmarks.sample import Sample, Stopwatch

from voicelive import VoiceLiveClient
from voicelive.wire import InputAudioBufferCleared, ResponseAudioDelta, decode

_MODEL = "gpt-realtime"


def decode_all(frames: Sequence[bytes]) -> Sample:
    """Frame to typed event, without a socket."""
    audio_bytes = 0
    with Stopwatch() as watch:
        for frame in frames:
            event = decode(frame)
            if isinstance(event, ResponseAudioDelta):
                audio_bytes += len(event.delta)
    return Sample(watch.cpu_s, watch.wall_s, len(frames), audio_bytes)


async def receive(endpoint: str, count: int) -> Sample:
    """Iterate over ``count`` events that come as fast as they can."""
    heard = audio_bytes = 0
    async with VoiceLiveClient(endpoint, "key").connect(_MODEL) as session:
        events = aiter(session)
        await anext(events)  # session.created
        with Stopwatch() as watch:
            await session.send_raw({"type": GO})
            async for event in events:
                heard += not event.type.startswith("voicelive.")  # the session's own come on top, and cost too
                if isinstance(event, ResponseAudioDelta):
                    audio_bytes += len(event.delta)
                if heard == count:
                    break
    return Sample(watch.cpu_s, watch.wall_s, heard, audio_bytes)


async def send(endpoint: str, chunk: bytes, count: int) -> Sample:
    """Send ``count`` chunks, then have the service confirm that it has them."""
    async with VoiceLiveClient(endpoint, "key").connect(_MODEL) as session:
        with Stopwatch() as watch:
            for _ in range(count):
                await session.send_audio(chunk)
            await session.commit_audio()
    return Sample(watch.cpu_s, watch.wall_s, count, count * len(chunk))


async def ping_pong(endpoint: str, count: int) -> Sample:
    """Say something small and wait for the answer, ``count`` times."""
    trips_s: list[float] = []
    async with VoiceLiveClient(endpoint, "key").connect(_MODEL) as session:
        events = aiter(session)
        await anext(events)  # session.created
        with Stopwatch() as watch:
            for _ in range(count):
                started_s = time.perf_counter()
                await session.clear_audio()
                event = await anext(events)
                trips_s.append(time.perf_counter() - started_s)
                assert isinstance(event, InputAudioBufferCleared), type(event)
    return Sample(watch.cpu_s, watch.wall_s, count, median_s=median(trips_s))

"""The measured work as an application of ``azure-ai-voicelive`` writes it. Its twin is ``with_voicelive``."""

import base64
import json
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from statistics import median

from azure.ai.voicelive.aio import VoiceLiveConnection, connect
from azure.ai.voicelive.models import (
    ServerEvent,
    ServerEventInputAudioBufferCleared,
    ServerEventInputAudioBufferCommitted,
    ServerEventResponseAudioDelta,
)
from azure.core.credentials import AzureKeyCredential
from benchmarks.peer import GO
from benchmarks.sample import Sample, Stopwatch

_MODEL = "gpt-realtime"


def _connect(endpoint: str) -> AbstractAsyncContextManager[VoiceLiveConnection]:
    return connect(endpoint=endpoint, credential=AzureKeyCredential("key"), model=_MODEL)


def decode_all(frames: Sequence[bytes]) -> Sample:
    """Frame to typed event, without a socket: the two lines of ``VoiceLiveConnection.recv`` that do it."""
    audio_bytes = 0
    with Stopwatch() as watch:
        for frame in frames:
            message = json.loads(frame.decode("utf-8"))
            event = ServerEvent._deserialize(message, [])  # type: ignore[no-untyped-call]  # it has no annotations
            if isinstance(event, ServerEventResponseAudioDelta):
                audio_bytes += len(event.delta)
    return Sample(watch.cpu_s, watch.wall_s, len(frames), audio_bytes)


async def receive(endpoint: str, count: int) -> Sample:
    """Iterate over ``count`` events that come as fast as they can."""
    heard = audio_bytes = 0
    async with _connect(endpoint) as connection:
        events = aiter(connection)
        await anext(events)  # session.created
        with Stopwatch() as watch:
            await connection.send({"type": GO})
            async for event in events:
                heard += 1
                if isinstance(event, ServerEventResponseAudioDelta):
                    audio_bytes += len(event.delta)
                if heard == count:
                    break
    return Sample(watch.cpu_s, watch.wall_s, heard, audio_bytes)


async def send(endpoint: str, chunk: bytes, count: int) -> Sample:
    """Send ``count`` chunks, then have the service confirm that it has them."""
    async with _connect(endpoint) as connection:
        await connection.recv()  # session.created
        with Stopwatch() as watch:
            for _ in range(count):
                await connection.input_audio_buffer.append(audio=base64.b64encode(chunk).decode("ascii"))
            await connection.input_audio_buffer.commit()
            event = await connection.recv()
    assert isinstance(event, ServerEventInputAudioBufferCommitted), type(event)
    return Sample(watch.cpu_s, watch.wall_s, count, count * len(chunk))


async def ping_pong(endpoint: str, count: int) -> Sample:
    """Say something small and wait for the answer, ``count`` times."""
    trips_s: list[float] = []
    async with _connect(endpoint) as connection:
        events = aiter(connection)
        await anext(events)  # session.created
        with Stopwatch() as watch:
            for _ in range(count):
                started_s = time.perf_counter()
                await connection.input_audio_buffer.clear()
                event = await anext(events)
                trips_s.append(time.perf_counter() - started_s)
                assert isinstance(event, ServerEventInputAudioBufferCleared), type(event)
    return Sample(watch.cpu_s, watch.wall_s, count, median_s=median(trips_s))

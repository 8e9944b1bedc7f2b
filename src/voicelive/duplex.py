"""A whole call in one line: the caller's audio in, the agent's voice out, both at once.

Decides when a call is over. How fast audio goes, what barge-in does and what was heard is decided elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Final

from voicelive.audio.formats import AudioFormat
from voicelive.audio.sources import AudioSource, paced
from voicelive.errors import ConfigurationError

__all__ = ["caller_frames", "in_company", "silence_until"]

SILENCE_FRAME_MS: Final = 100


def caller_frames(
    source: AudioSource | AsyncIterable[bytes], audio_format: AudioFormat
) -> AsyncIterator[bytes] | AsyncIterable[bytes]:
    """The frames of a source at the speed of speech. What has a pace of its own keeps it: ``live`` sources, and plain
    iterators, which give what comes when it comes.

    Raises:
        ConfigurationError: It is neither.
    """
    if isinstance(source, AudioSource):
        frames = source.frames(audio_format)
        return frames if getattr(source, "live", False) else paced(frames, audio_format)
    if isinstance(source, AsyncIterable):
        return source
    raise ConfigurationError(
        f"source is a {type(source).__name__}; allowed: a source such as WavSource or Microphone, an async iterable"
    )


async def silence_until(
    over: Callable[[], bool],
    send: Callable[[bytes], Awaitable[None]],
    audio_format: AudioFormat,
    *,
    at_least_ms: float,
) -> None:
    """Send silence at the speed of speech, so that a turn can close, until ``over``; at least so much of it."""
    silence, sent_ms = audio_format.silence(SILENCE_FRAME_MS), 0

    async def frames() -> AsyncIterator[bytes]:
        while True:
            yield silence

    async for frame in paced(frames(), audio_format):
        if sent_ms >= at_least_ms and over():
            return
        await send(frame)
        sent_ms += SILENCE_FRAME_MS


async def in_company(work: Awaitable[None], companion: Awaitable[None]) -> None:
    """Do some work while a companion runs, which ends with it; a failure of either is raised as it is."""
    tasks = [asyncio.ensure_future(work), asyncio.ensure_future(companion)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not tasks[0].done() and tasks[1].exception() is None:
            await tasks[0]  # the companion had nothing more to do
    finally:
        for task in tasks:
            if not task.done():
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if not task.cancelled():
            task.result()

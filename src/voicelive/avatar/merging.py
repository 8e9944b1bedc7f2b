"""Pictures and sound in one loop, in the order in which they are due."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final, Self

from voicelive.avatar.broadcast import Stream
from voicelive.avatar.frames import AudioFrame, Frame, VideoFrame

__all__ = ["PATIENCE_S", "FrameStream"]

PATIENCE_S: Final = 0.25
"""How long the earlier of two kinds is awaited. Decoders and jitter buffers hold back 40 to 80 ms, unequally."""


class FrameStream(AsyncIterator[Frame]):
    """``async for frame in stream``: frames of both kinds by their timestamps.

    A frame is given once the other kind has reached its time, or after ``PATIENCE_S`` where the other kind is silent.
    Both kinds are bounded apart, so pictures that nobody took push out no sound.
    """

    def __init__(self, pictures: Stream[VideoFrame], sounds: Stream[AudioFrame]) -> None:
        """Made by the source of the frames."""
        self._pictures, self._sounds = pictures, sounds
        self._news = asyncio.Event()
        pictures.hears = sounds.hears = self._news.set

    @property
    def dropped_pictures(self) -> int:
        """How many pictures were not taken in time and given up."""
        return self._pictures.dropped

    @property
    def dropped_sounds(self) -> int:
        """How many pieces of sound were not taken in time and given up."""
        return self._sounds.dropped

    def close(self) -> None:
        """Take no more; what was kept can still be read."""
        self._pictures.close()
        self._sounds.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Frame:
        patient = True
        while True:
            stream = self._next(patient)
            if stream is not None:
                return await anext(stream)  # does not wait: it has something, or has ended
            self._news.clear()
            waiting = self._pictures.peek() is not None or self._sounds.peek() is not None
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S if waiting else None):
                    await self._news.wait()
                    continue
            patient = False

    def _next(self, patient: bool) -> Stream[VideoFrame] | Stream[AudioFrame] | None:
        """Which of the two to take from; ``None`` while it is worth waiting."""
        pictures, sounds = self._pictures, self._sounds
        picture, sound = pictures.peek(), sounds.peek()
        if picture is not None and sound is not None:
            return pictures if picture.timestamp_s <= sound.timestamp_s else sounds
        if picture is not None:
            return pictures if sounds.ended or not patient else None
        if sound is not None:
            return sounds if pictures.ended or not patient else None
        return pictures if pictures.ended and sounds.ended else None

"""The caller's audio between the line and the session: the line is always read, whatever the session does.

It waits here until a session is there, or while the session changes its connection. What is too much is dropped,
oldest first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from voicelive.audio.formats import AudioFormat

__all__ = ["CallerAudio"]

MOST_WAITING_MS: Final = 10_000
"""Long enough to open a session, and for most changes of a connection."""

_AT_ONCE_MS: Final = 100  # what a session sends as one event


class CallerAudio:
    """A queue of audio, for one reader."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._most_bytes = audio_format.byte_count(MOST_WAITING_MS)
        self._at_once_bytes = audio_format.byte_count(_AT_ONCE_MS)
        self._pieces: deque[bytes] = deque()
        self._bytes = 0
        self._news = asyncio.Event()

    def put(self, audio: bytes) -> int:
        """Add audio; how many bytes of older audio had to go for it."""
        dropped = 0
        self._pieces.append(audio)
        self._bytes += len(audio)
        while self._bytes > self._most_bytes:
            dropped += len(self._pieces[0])
            self._bytes -= len(self._pieces.popleft())
        self._news.set()
        return dropped

    async def get(self) -> bytes:
        """The audio that waits, oldest first: all of it, or as many pieces as make 100 ms."""
        while not self._pieces:
            self._news.clear()
            await self._news.wait()
        pieces = [self._pieces.popleft()]
        size = len(pieces[0])
        while self._pieces and size + len(self._pieces[0]) <= self._at_once_bytes:
            pieces.append(self._pieces.popleft())
            size += len(pieces[-1])
        self._bytes -= size
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

"""The caller's audio on its way out: chunks of 20 to 100 ms, and a short tail that does not wait for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from voicelive.audio.chunking import Chunker
from voicelive.audio.formats import AudioFormat
from voicelive.newest_audio import NewestAudio

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12 on

__all__ = ["AudioInput"]

TAIL_WAIT_S: Final = 0.04
"""A tail under 20 ms goes out after this long, so that a pause in the source does not hold speech back."""


class AudioInput:
    """One stream of audio in one format. Calls from several tasks are served in order.

    ``write`` sends one chunk; ``start`` runs a coroutine as a task of the session; ``newest`` stands before ``write``
    where nobody is to wait for the line.
    """

    def __init__(
        self,
        audio_format: AudioFormat,
        write: Callable[[bytes], Awaitable[None]],
        start: Callable[[Coroutine[Any, Any, None]], object],
        newest: NewestAudio | None = None,
    ) -> None:
        self.format = audio_format
        self._chunker = Chunker(audio_format)
        self._newest = newest
        self._write, self._start = write if newest is None else newest.offer, start
        self._lock = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self.used = False
        """Whether audio was given, so that the format is settled."""

    async def send(self, data: Buffer) -> None:
        async with self._lock:
            chunks = self._chunker.push(data)
            self.used = True
            for chunk in chunks:
                await self._write(chunk)
            if self._chunker.pending_bytes and self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(TAIL_WAIT_S, self._tail_is_due)

    async def flush(self) -> None:
        async with self._lock:
            self._stop_timer()
            tail = self._chunker.flush()
            if tail:
                await self._write(tail)
            if self._newest is not None:
                await self._newest.written()

    def drop(self) -> None:
        """Forget the tail, and what waits for the line."""
        self._stop_timer()
        self._chunker.flush()
        if self._newest is not None:
            self._newest.clear()

    def _tail_is_due(self) -> None:
        self._timer = None
        self._start(self.flush())

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

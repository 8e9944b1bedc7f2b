"""A call as it was heard, in a stereo WAV file: the caller left, the agent right.

Owns one task for as long as ``recorded`` lasts. The disk is waited for in a thread, never on the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import BinaryIO, Final

from voicelive.audio.call_tracks import CallTracks, Voiced
from voicelive.audio.ear import Ear, HeardPiece
from voicelive.audio.formats import AudioFormat
from voicelive.audio.playback import PlaybackQueue
from voicelive.audio.timeline import TimelineWriter
from voicelive.caller_voice import CallerVoice
from voicelive.errors import LocalProtocolError
from voicelive.unhurried import completed

__all__ = ["CallRecorder", "recorded"]

log = logging.getLogger("voicelive")

_BATCH_S: Final = 0.25
"""How long pieces gather before a thread is bothered with them."""


class CallRecorder:
    """A recording under way; made by ``Session.record_call``."""

    def __init__(self, tracks: CallTracks, now: Callable[[], float]) -> None:
        """Applications call ``Session.record_call`` instead."""
        self._tracks, self._now = tracks, now
        self._waiting: list[Voiced] = []
        self._news, self._ended = asyncio.Event(), asyncio.Event()
        self._failure: Exception | None = None

    @property
    def duration_ms(self) -> float:
        """How long the recording is so far; up to a second behind the call."""
        return self._tracks.duration_ms

    @property
    def failure(self) -> Exception | None:
        """Why nothing is written any more; ``None`` while all is well."""
        return self._failure

    def said(self, audio: bytes, audio_format: AudioFormat) -> None:
        """The caller has just said this."""
        self._add(Voiced("left", audio, audio_format, self._now()))

    def heard(self, piece: HeardPiece) -> None:
        """The caller has heard this."""
        self._add(Voiced("right", piece.audio, piece.format, piece.ended_s, anew=piece.first))

    def end(self) -> None:
        """Nothing more will come."""
        self._ended.set()
        self._news.set()

    async def write(self) -> None:
        """Write what comes until ``end``, then complete the file."""
        while not self._ended.is_set():
            await self._news.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(_BATCH_S):
                    await self._ended.wait()
            self._news.clear()
            await self._in_thread(self._put, *self._take())
        await self._in_thread(self._put, *self._take())
        await self._in_thread(self._tracks.close)

    def _add(self, piece: Voiced) -> None:
        if self._failure is None:
            self._waiting.append(piece)
            self._news.set()

    def _take(self) -> list[Voiced]:
        pieces, self._waiting = self._waiting, []
        return pieces

    def _put(self, *pieces: Voiced) -> None:
        for piece in pieces:
            self._tracks.put(piece)

    async def _in_thread(self, work: Callable[..., None], *pieces: Voiced) -> None:
        """Block elsewhere. A call goes on when its recording cannot, so failures wait until somebody can take them."""
        try:
            await asyncio.to_thread(work, *pieces)
        except Exception as error:
            if self._failure is None:
                self._failure = error
                log.error("= a call is not recorded any more: %s", type(error).__name__)


@asynccontextmanager
async def recorded(
    voice: CallerVoice,
    playback: PlaybackQueue,
    file: str | os.PathLike[str] | BinaryIO,
    rate_hz: int,
    now: Callable[[], float],
) -> AsyncIterator[CallRecorder]:
    """Record what is said and heard meanwhile; see ``Session.record_call``."""
    if voice.listener is not None:
        raise LocalProtocolError("this call is being recorded already; one recording at a time")
    # Opened here, not in a thread: a cancellation meanwhile could not take the file back.
    recorder = CallRecorder(CallTracks(TimelineWriter(file, rate_hz), now()), now)
    voice.listener, playback.ear = recorder.said, Ear(recorder.heard)
    writing = asyncio.create_task(recorder.write())
    try:
        yield recorder
    finally:
        playback.listen(now())
        voice.listener = playback.ear = None
        recorder.end()
        await completed(writing)  # a file must not be left half written
        writing.result()
    if recorder.failure is not None:
        raise recorder.failure

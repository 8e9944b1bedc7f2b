"""A source of which only the speech is heard: where nobody speaks, silence or nothing takes the place of noise.

Which bytes those are is decided in ``gating``.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Literal, TypeAlias, get_args

from voicelive.audio.detection import Listener, VoiceDetector, refuse_unusable
from voicelive.audio.formats import AudioFormat
from voicelive.audio.gating import Gating, GatingRules
from voicelive.audio.sources import AudioSource
from voicelive.errors import ConfigurationError

__all__ = ["VoiceGate", "WhileClosed"]

WhileClosed: TypeAlias = Literal["silence", "nothing"]


class VoiceGate:
    """A source with a gate that is open while somebody speaks.

    Nothing is held back: while the gate is open, frames go out as they come. When it opens, what came shortly before
    goes out first, all at once; later, when the turn has had the time to close, as much silence is left out. So what
    was sent is at most three times ``lead_ms`` (and a window of the detector each) ahead of what was recorded, and
    never behind. The gate closes again after ``hold_ms`` without speech.

    With two channels the microphone's decides about both. The gate is for one iteration at a time.

    Args:
        source: Where the audio comes from.
        threshold: The least probability that counts as speech: above 0, at most 1.
        lead_ms: What is sent of the time before speech was found, beside the window in which it was. Detectors
            are late by some 100 ms where speech begins softly.
        hold_ms: How long the gate stays open without speech; longer than pauses within a sentence.
        silence_after_ms: Silence to send at once after the gate has closed, so that the turn can close: more than the
            turn detection's ``silence_duration_ms``, and its ``timeout_ms`` where the end of an utterance is detected.
        closed: What is sent afterwards. ``"silence"``: as much audio as was recorded. ``"nothing"``: nothing until
            the next speech; the session's times of the caller's audio then leave such pauses out.
        detector: Tells speech; ``SileroDetector`` where not given, whose model is loaded with the first frame.

    Raises:
        ConfigurationError: A thing that is no source or no detector, or a number beyond these limits; from the
            iterator, a detector's window that is not a whole number of the format's samples.
        ModuleNotFoundError: No detector was given, and the extra ``vad`` is not installed; from the iterator, the
            detector's rate is another than the session's, and numpy is missing.
    """

    def __init__(
        self,
        source: AudioSource,
        *,
        threshold: float = 0.5,
        lead_ms: float = 300,
        hold_ms: float = 400,
        silence_after_ms: float = 2_000,
        closed: WhileClosed = "silence",
        detector: VoiceDetector | None = None,
    ) -> None:
        if not isinstance(source, AudioSource):
            raise ConfigurationError(f"source is a {type(source).__name__}; it must have frames(audio_format)")
        if not 0 < threshold <= 1:
            raise ConfigurationError(f"threshold is {threshold!r}; allowed: above 0, at most 1")
        for name, value_ms in (("lead_ms", lead_ms), ("hold_ms", hold_ms), ("silence_after_ms", silence_after_ms)):
            if not 0 <= value_ms < math.inf:
                raise ConfigurationError(f"{name} is {value_ms!r}; it must be a finite number, at least 0")
        if closed not in get_args(WhileClosed):
            raise ConfigurationError(f"closed is {closed!r}; allowed: {', '.join(get_args(WhileClosed))}")
        if detector is not None:
            refuse_unusable(detector)
        self._make_detector: Callable[[], VoiceDetector] = _silero() if detector is None else lambda: detector
        self.live: bool = getattr(source, "live", False)
        """Whether the source has a pace of its own, as a microphone does."""
        self._source = source
        self._detector: VoiceDetector | None = None
        self._threshold, self._closed = threshold, closed
        self._lead_ms, self._hold_ms, self._silence_after_ms = lead_ms, hold_ms, silence_after_ms
        self._gating: Gating | None = None
        self._format: AudioFormat | None = None

    @property
    def open(self) -> bool:
        """Whether speech is heard right now; ``False`` before the first frame."""
        return self._gating is not None and self._gating.open

    @property
    def silenced_ms(self) -> float:
        """How much of the newest ``frames`` was kept back: silence went out instead, or nothing."""
        if self._gating is None or self._format is None:
            return 0.0
        return self._format.duration_ms(self._gating.silenced_bytes)

    async def frames(self, audio_format: AudioFormat, /, *, frame_ms: int = 20) -> AsyncIterator[bytes]:
        """What is sent of the source's frames, in pieces of at most ``frame_ms``."""
        source = self._source.frames(audio_format, frame_ms=frame_ms)
        gating = await self._begin(audio_format)
        frame_bytes = audio_format.byte_count(frame_ms)
        async for frame in source:
            for piece in _cut(gating.push(frame), frame_bytes):
                yield piece
        for piece in _cut(gating.finish(), frame_bytes):
            yield piece

    async def _begin(self, audio_format: AudioFormat) -> Gating:
        if self._detector is None:
            self._detector = await asyncio.to_thread(self._make_detector)
        self._detector.reset()
        listener = Listener(self._detector, audio_format)
        rules = GatingRules(
            threshold=self._threshold,
            lead_bytes=audio_format.byte_count(self._lead_ms),
            hold_bytes=audio_format.byte_count(self._hold_ms),
            closing_bytes=audio_format.byte_count(self._silence_after_ms),
            keeps_time=self._closed == "silence",
        )
        self._format = audio_format
        self._gating = Gating(rules, listener.window_bytes, listener.probability, audio_format.silence_of)
        return self._gating


def _silero() -> Callable[[], VoiceDetector]:
    from voicelive.audio import SileroDetector  # loads numpy and the library, or says what to install

    return SileroDetector


def _cut(audio: bytes, frame_bytes: int) -> Iterator[bytes]:
    for start in range(0, len(audio), frame_bytes):
        yield audio[start : start + frame_bytes]

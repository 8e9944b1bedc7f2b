"""What one response will consist of, before any of it is sent: words, audio, tool calls, and where it is cut short.

Turning text into audio may be slow (a synthesizer), so it happens here once, away from the event loop's clock.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil

from voicelive.audio.codecs import from_pcm16, to_pcm16
from voicelive.audio.formats import AudioFormat
from voicelive.avatar.shapes import FRAMES_PER_S
from voicelive.testing.blendshapes import blendshapes
from voicelive.testing.loudness import loudness, pauses
from voicelive.testing.script import Call
from voicelive.testing.tokens import text_tokens, voice_tokens
from voicelive.testing.visemes import Viseme, at_rest_in, visemes
from voicelive.testing.voice import Voice, word_timings

__all__ = ["Reply", "Studio", "TimedWord", "pieces_of_json", "pieces_of_text"]


_KEPT_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TimedWord:
    """When a word sounds, in milliseconds of the reply's audio."""

    text: str
    start_ms: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, ready to be sent.

    Attributes:
        text: What is written or said; ``None``: the response has no message.
        audio: The spoken text in ``audio_format``; empty for a reply in text.
        audio_format: ``None``: the reply is text only.
        words: Times of the words, where they were asked for.
        visemes: Shapes of the mouth, where they were asked for.
        blendshapes: Frames of the face, where they were asked for.
        calls: Functions to call after the message.
        complete: ``False``: the cap on output tokens cut it short.
    """

    text: str | None = field(repr=False)
    audio: bytes = field(default=b"", repr=False)
    audio_format: AudioFormat | None = None
    words: Sequence[TimedWord] = field(default=(), repr=False)
    visemes: Sequence[Viseme] = field(default=(), repr=False)
    blendshapes: Sequence[list[float]] = field(default=(), repr=False)
    calls: Sequence[Call] = field(default=(), repr=False)
    complete: bool = True

    @property
    def audio_ms(self) -> float:
        """Length of the audio."""
        return self.audio_format.duration_ms(len(self.audio)) if self.audio_format else 0.0

    @property
    def tokens(self) -> int:
        """What the whole of it counts against a cap."""
        called = sum(text_tokens(call.name + call.arguments_json) for call in self.calls)
        return text_tokens(self.text or "") + voice_tokens(self.audio_ms) + called

    def within(self, max_tokens: int | None) -> Reply:
        """As much of the reply as a cap leaves: calls go first, then the end of the message."""
        if max_tokens is None or self.tokens <= max_tokens:
            return self
        message = replace(self, calls=(), complete=False)
        share = min(1.0, max_tokens / message.tokens) if message.tokens else 0.0
        pieces = pieces_of_text(self.text or "")
        text = "".join(pieces[: int(len(pieces) * share)])
        cut_ms = self.audio_ms * share
        audio = self.audio[: self.audio_format.byte_count(cut_ms)] if self.audio_format else b""
        words = tuple(word for word in self.words if word.start_ms < cut_ms)
        shapes = tuple(shape for shape in self.visemes if shape.start_ms < cut_ms)
        faces = self.blendshapes[: ceil(cut_ms * FRAMES_PER_S / 1000)]
        return replace(
            message,
            text=None if self.text is None else text,
            audio=audio,
            words=words,
            visemes=shapes,
            blendshapes=faces,
        )

    def audio_pieces(self, piece_ms: int) -> list[bytes]:
        """The audio in deltas of ``piece_ms``; the last one is shorter."""
        if self.audio_format is None:
            return []
        size = self.audio_format.byte_count(piece_ms)
        return [self.audio[start : start + size] for start in range(0, len(self.audio), size)]


class Studio:
    """Turns texts into spoken replies, keeping the latest 8 MiB of them: sessions tend to say the same.

    Args:
        voice: Speaks; called in a thread, because it may be a synthesizer that takes its time.
    """

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._kept: dict[tuple[str, AudioFormat], bytes] = {}
        self._kept_bytes = 0

    async def speak(
        self,
        text: str,
        audio_format: AudioFormat,
        *,
        times_words: bool = False,
        shapes_mouth: bool = False,
        shapes_face: bool = False,
    ) -> Reply:
        """The reply that says ``text``; silence for a text without words."""
        audio = self._kept.get((text, audio_format))
        if audio is None:
            audio = await asyncio.to_thread(self._render, text, audio_format) if text.strip() else b""
            self._keep((text, audio_format), audio)
        reply = Reply(text, audio, audio_format)
        timings = word_timings(text, round(reply.audio_ms))
        if times_words:
            reply = replace(reply, words=tuple(TimedWord(*timing) for timing in timings))
        if not shapes_mouth and not shapes_face:
            return reply
        shapes, faces = await asyncio.to_thread(_animate, reply, timings)
        return replace(reply, visemes=shapes if shapes_mouth else (), blendshapes=faces if shapes_face else ())

    def _keep(self, key: tuple[str, AudioFormat], audio: bytes) -> None:
        if key not in self._kept:  # two sessions may have asked for it at once
            self._kept[key] = audio
            self._kept_bytes += len(audio)
        while self._kept_bytes > _KEPT_BYTES:
            self._kept_bytes -= len(self._kept.pop(next(iter(self._kept))))

    def _render(self, text: str, audio_format: AudioFormat) -> bytes:
        return from_pcm16(self._voice.speak(text, audio_format.rate_hz), audio_format.encoding)


def _animate(reply: Reply, timings: Sequence[tuple[str, int, int]]) -> tuple[list[Viseme], list[list[float]]]:
    """Mouth and face for the very audio: at rest where it is silent."""
    assert reply.audio_format is not None, "only what sounds is animated"
    pcm = to_pcm16(reply.audio, reply.audio_format.encoding)
    levels = loudness(pcm, reply.audio_format.rate_hz, FRAMES_PER_S)
    shapes = at_rest_in(pauses(levels, FRAMES_PER_S), visemes(timings))
    return shapes, blendshapes(shapes, levels)


def pieces_of_text(text: str) -> list[str]:
    """Deltas of a text: words with the space before them, punctuation apart, as a tokenizer cuts English."""
    return re.findall(r"\s*\w+|\s*[^\w\s]+|\s+$", text)


def pieces_of_json(text: str) -> list[str]:
    """Deltas of a call's arguments."""
    return re.findall(r"\w+|\W+", text)

"""The face of one reply: what its events say about it, in the order of the audio.

Places are **milliseconds** from the start of the audio of one content part, everywhere in Voice Live. The Speech SDK
counts the same places in ticks of 100 ns; ``from_ticks`` converts what comes from there. Frames of blendshapes have
numbers instead, 60 a second, from 0 at the start of the audio; that they start anew in each content part is assumed,
no source says so.

Knows events and arithmetic. What is heard now is not known here: see ``voicelive.avatar.mouth``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Final

from voicelive.avatar import animation_files
from voicelive.avatar.animation_parts import (
    TimedFrame,
    TimedViseme,
    TimedWord,
    UnreadFrames,
    Weights,
)
from voicelive.avatar.blendshape_frames import frames_of
from voicelive.avatar.shapes import BLENDSHAPES, FRAMES_PER_S, REST
from voicelive.avatar.timeline import Timeline
from voicelive.errors import ConfigurationError
from voicelive.protocol.cues import CueEvent
from voicelive.taps import AnyEvent
from voicelive.wire.server.animation import ResponseAnimationVisemeDelta, ResponseAudioTimestampDelta

__all__ = ["AnimationTrack", "Face", "TimedFrame", "TimedViseme", "TimedWord", "UnreadFrames", "from_ticks"]

_TICKS_PER_MS: Final = 10_000
_NEUTRAL: Final = (0.0,) * len(BLENDSHAPES)


@dataclass(frozen=True, slots=True)
class Face:
    """What a face shows at one moment; without arguments, a face at rest.

    Attributes:
        viseme_id: Shape of the mouth; 0 in silence.
        weights: Blendshapes in the order of ``BLENDSHAPES``; longer where the service sent more.
        word: The word that is being spoken, where words have times.
    """

    viseme_id: int = REST
    weights: Weights = _NEUTRAL
    word: str | None = field(default=None, repr=False)

    @property
    def blendshapes(self) -> dict[str, float]:
        """Weights by name."""
        return dict(zip(BLENDSHAPES, self.weights, strict=False))


def from_ticks(ticks: int) -> float:
    """Milliseconds of an offset in ticks of 100 ns, as the Speech SDK gives it. Nothing in Voice Live has ticks."""
    return ticks / _TICKS_PER_MS


class AnimationTrack:
    """Visemes, blendshapes and words of one content part, from events in any order and any cutting into batches.

    Of two visemes or frames for the same place the one that came last holds. Holds what was said: treat exports as
    recordings.

    Args:
        item_id: The item whose events are taken; ``None``: that of the first event with any of it.
        content_index: The content part whose events are taken.
        ends_ms: Nothing from here on is taken; ``None``: everything is. See ``until``.

    Raises:
        ConfigurationError: ``ends_ms`` is negative or not a number.
    """

    def __init__(self, item_id: str | None = None, content_index: int = 0, *, ends_ms: float | None = None) -> None:
        self.item_id, self.content_index = item_id, content_index
        self.ends_ms = None if ends_ms is None else _checked("ends_ms", ends_ms)
        self._visemes: Timeline[int, int] = Timeline()
        self._frames: Timeline[int, Weights] = Timeline()
        self._words: Timeline[tuple[int, str], float] = Timeline()
        self._unread: Timeline[int, str] = Timeline()

    def __repr__(self) -> str:
        counts = f"{len(self._visemes)} visemes, {len(self._frames)} frames, {len(self._words)} words"
        return f"<AnimationTrack of {self.item_id!r}: {counts}>"

    # -- in

    def add(self, event: AnyEvent) -> bool:
        """Take an event in; ``False`` for one of another kind or part. What lies beyond ``ends_ms`` is left out."""
        if not isinstance(event, CueEvent) or not self._is_mine(event):
            return False
        self.item_id = event.item_id
        if isinstance(event, ResponseAnimationVisemeDelta):
            self._put_viseme(TimedViseme(event.audio_offset_ms, event.viseme_id))
        elif isinstance(event, ResponseAudioTimestampDelta):
            self._put_word(TimedWord(event.audio_offset_ms, event.audio_duration_ms, event.text))
        else:
            found = frames_of(event.frames)
            if isinstance(found, str):
                self._put_unread(UnreadFrames(event.frame_index, found))
            else:
                for number, weights in enumerate(found, event.frame_index):
                    self._put_frame(TimedFrame(number, weights))
        return True

    def _is_mine(self, event: CueEvent) -> bool:
        return event.content_index == self.content_index and self.item_id in (None, event.item_id)

    def _has(self, place_ms: float) -> bool:
        return self.ends_ms is None or place_ms < self.ends_ms

    def _put_viseme(self, viseme: TimedViseme) -> None:
        if self._has(viseme.offset_ms):
            self._visemes.put(viseme.offset_ms, viseme.viseme_id)

    def _put_frame(self, frame: TimedFrame) -> None:
        if self._has(frame.offset_ms):
            self._frames.put(frame.number, frame.weights)

    def _put_word(self, word: TimedWord) -> None:
        if self._has(word.offset_ms):
            left_ms = math.inf if self.ends_ms is None else self.ends_ms - word.offset_ms
            self._words.put((word.offset_ms, word.text), min(word.duration_ms, left_ms))

    def _put_unread(self, batch: UnreadFrames) -> None:
        if self._has(batch.offset_ms):
            self._unread.put(batch.number, batch.content)

    # -- out

    @property
    def visemes(self) -> tuple[TimedViseme, ...]:
        """Shapes of the mouth, by their places."""
        return tuple(TimedViseme(offset_ms, viseme_id) for offset_ms, viseme_id in self._visemes)

    @property
    def frames(self) -> tuple[TimedFrame, ...]:
        """Frames of blendshapes, by their places."""
        return tuple(TimedFrame(number, weights) for number, weights in self._frames)

    @property
    def words(self) -> tuple[TimedWord, ...]:
        """Words, by their places."""
        return tuple(TimedWord(offset_ms, duration_ms, text) for (offset_ms, text), duration_ms in self._words)

    @property
    def unread(self) -> tuple[UnreadFrames, ...]:
        """Batches of blendshapes that came in a form that cannot be read; no face shows them."""
        return tuple(UnreadFrames(number, content) for number, content in self._unread)

    def at(self, ms: float) -> Face:
        """The face at a place of the audio: the viseme and word in effect, blendshapes between their neighbours.

        At rest before the first and from ``ends_ms`` on. The last viseme stays (the service ends with that of
        silence), the last frame for its 1/60 s.

        Raises:
            ConfigurationError: ``ms`` is negative or not a number.
        """
        if not self._has(_checked("ms", ms)):
            return Face()
        shown = self._visemes.last_until(math.floor(ms))
        return Face(REST if shown is None else shown[1], self._weights(ms), self._word(ms))

    def until(self, ms: float) -> AnimationTrack:
        """What was heard of it when the audio was cut here, by a barge-in: a track of its own, which stays cut.

        Raises:
            ConfigurationError: ``ms`` is negative or not a number.
        """
        ends_ms = _checked("ms", ms) if self.ends_ms is None else min(_checked("ms", ms), self.ends_ms)
        return self._of(replace(self._archive(), ends_ms=ends_ms))

    # -- keeping

    def to_json(self) -> str:
        """Everything of it as JSON text for ``from_json``; places are milliseconds, frames have numbers."""
        return animation_files.to_json(self._archive())

    @classmethod
    def from_json(cls, text: str | bytes) -> AnimationTrack:
        """A track that ``to_json`` saved.

        Raises:
            ConfigurationError: The text is no such thing.
        """
        return cls._of(animation_files.from_json(text))

    def to_csv(self) -> str:
        """One table of all that can be read, by place, with CRLF as RFC 4180 has it: write it with ``newline=""``.

        The first line names the columns, which ``docs/animation.md`` explains: ``offset_ms``, ``kind``,
        ``duration_ms``, ``viseme_id``, ``text``, and one for each blendshape.
        """
        return animation_files.to_csv(self._archive())

    def _archive(self) -> animation_files.Archive:
        parts = self.visemes, self.frames, self.words, self.unread
        return animation_files.Archive(self.item_id, self.content_index, self.ends_ms, *parts)

    @classmethod
    def _of(cls, archive: animation_files.Archive) -> AnimationTrack:
        track = cls(archive.item_id, archive.content_index, ends_ms=archive.ends_ms)
        for viseme in archive.visemes:
            track._put_viseme(viseme)
        for frame in archive.frames:
            track._put_frame(frame)
        for word in archive.words:
            track._put_word(word)
        for batch in archive.unread:
            track._put_unread(batch)
        return track

    def _word(self, ms: float) -> str | None:
        found = self._words.last_until((math.floor(ms), _LAST_TEXT))
        if found is None:
            return None
        (offset_ms, text), duration_ms = found
        return text if ms < offset_ms + duration_ms else None

    def _weights(self, ms: float) -> Weights:
        place = ms * FRAMES_PER_S / 1000
        before, after = self._frames.last_until(math.floor(place)), self._frames.first_after(math.floor(place))
        if before is None or (after is None and place >= before[0] + 1):
            return _NEUTRAL
        if after is None:
            return _padded(before[1], len(_NEUTRAL))
        share = (place - before[0]) / (after[0] - before[0])
        length = max(len(before[1]), len(after[1]), len(_NEUTRAL))
        pairs = zip(_padded(before[1], length), _padded(after[1], length), strict=True)
        return tuple(one + (other - one) * share for one, other in pairs)


_LAST_TEXT: Final = "\U0010ffff"  # behind every word at the same place


def _padded(frame: Weights, length: int) -> Weights:
    return frame + (0.0,) * (length - len(frame))


def _checked(name: str, ms: float) -> float:
    if not 0 <= ms < math.inf:
        raise ConfigurationError(f"{name} is {ms!r}; allowed are milliseconds from 0 on")
    return ms

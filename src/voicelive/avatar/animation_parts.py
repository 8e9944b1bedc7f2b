"""What a track of animation consists of: shapes, frames and words with their places in the audio."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from voicelive.avatar.shapes import FRAMES_PER_S

__all__ = ["TimedFrame", "TimedViseme", "TimedWord", "UnreadFrames", "Weights", "frame_offset_ms"]

Weights: TypeAlias = tuple[float, ...]
"""Values of one frame of blendshapes, in the order of ``BLENDSHAPES``."""


def frame_offset_ms(number: int) -> float:
    """Where a frame stands in the audio."""
    return number * 1000 / FRAMES_PER_S


@dataclass(frozen=True, slots=True)
class TimedViseme:
    """The shape of the mouth from a millisecond on, until the next one. Ids that are not documented are kept."""

    offset_ms: int
    viseme_id: int


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """A frame of blendshapes, by its number since the start of the audio. As many weights as came are kept."""

    number: int
    weights: Weights

    @property
    def offset_ms(self) -> float:
        """Its place: number / 60 s."""
        return frame_offset_ms(self.number)


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word and when it is spoken, in milliseconds."""

    offset_ms: int
    duration_ms: float
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class UnreadFrames:
    """A batch of blendshapes in a form that no source describes, as it came."""

    number: int
    """Of its first frame."""
    content: str = field(repr=False)

    @property
    def offset_ms(self) -> float:
        """Place of its first frame."""
        return frame_offset_ms(self.number)

"""One picture's worth of the avatar: its sound, and what the face does meanwhile. Pure; needs numpy.

Picture and sound are cut from the same samples, so the mouth cannot run ahead of the voice or behind it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from voicelive.audio.levels import level_of
from voicelive.testing.avatar.playout import RATE_HZ

__all__ = ["CLOSED_EYES", "GAZES", "MOUTHS", "Moment", "eyes_at", "mouth_of"]

MOUTHS: Final = 8
"""Openings of the mouth; 0 is closed."""
GAZES: Final = 5
"""Directions of the eyes, from left to right."""
CLOSED_EYES: Final = GAZES

_QUIET_DBFS: Final = -50.0  # below, the mouth stays closed: breath, and noise of codecs
_LOUD_DBFS: Final = -14.0  # vowels of speech at its usual level

_BLINK_EVERY_S: Final = 3.2  # adults blink 15 to 20 times a minute
_BLINK_S: Final = 0.16
_GAZE_S: Final = 0.2  # each direction; so that no second of the picture stands still
_SWAY: Final = (2, 3, 4, 3, 2, 1, 0, 1)


@dataclass(frozen=True, slots=True)
class Moment:
    """What is shown and heard for the time of one picture.

    Attributes:
        position: Samples at 48 kHz since the media began.
        pcm: Mono 16-bit samples.
        mouth: 0 (closed) to ``MOUTHS - 1``.
        eyes: A gaze, or ``CLOSED_EYES``.
    """

    position: int
    pcm: bytes = field(repr=False)
    mouth: int
    eyes: int

    @classmethod
    def at(cls, position: int, pcm: bytes) -> Moment:
        """The face that goes with these samples."""
        return cls(position, pcm, mouth_of(pcm), eyes_at(position))


def mouth_of(pcm: bytes) -> int:
    """How wide the mouth is open while these samples sound."""
    rms_dbfs = level_of(pcm).rms_dbfs
    if rms_dbfs <= _QUIET_DBFS:
        return 0
    share = (rms_dbfs - _QUIET_DBFS) / (_LOUD_DBFS - _QUIET_DBFS)
    return min(MOUTHS - 1, math.ceil(share * (MOUTHS - 1)))


def eyes_at(position: int) -> int:
    """What the eyes do at a sample of the media clock."""
    at_s = position / RATE_HZ
    if at_s % _BLINK_EVERY_S >= _BLINK_EVERY_S - _BLINK_S:
        return CLOSED_EYES
    return _SWAY[int(at_s / _GAZE_S) % len(_SWAY)]

"""Faces for a spoken text: visemes as blendshapes, the jaw opened as wide as the voice is loud.

Which shapes make which mouth is ours, from general phonetics; names, order and frame rate are the service's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from voicelive.avatar.shapes import BLENDSHAPES, FRAMES_PER_S, VISEMES, viseme
from voicelive.testing.visemes import Viseme

__all__ = ["blendshapes"]

_GLIDE_FRAMES: Final = 3  # 50 ms from one shape to the next

_ALSO: Final[Mapping[int, Mapping[str, float]]] = {
    6: {"mouthStretchLeft": 0.4, "mouthStretchRight": 0.4},
    14: {"tongueOut": 0.1},
    15: {"mouthStretchLeft": 0.3, "mouthStretchRight": 0.3},
    17: {"tongueOut": 0.3},
    18: {"mouthRollLower": 0.6, "mouthUpperUpLeft": 0.2, "mouthUpperUpRight": 0.2},
    21: {"mouthClose": 0.1, "mouthPressLeft": 0.6, "mouthPressRight": 0.6},
}
"""What makes a mouth beside openness and rounding, by its viseme."""


def blendshapes(shapes: Sequence[Viseme], levels: Sequence[float]) -> list[list[float]]:
    """A frame for each level, of which there are as many a second as frames.

    A shape glides into the next one within 50 ms. Where nothing sounds, the jaw is shut.
    """
    loudest = max(levels, default=0.0)
    mouth = [0.0] * len(BLENDSHAPES)
    frames: list[list[float]] = []
    following = 0
    aim = _POSES[0]
    for number, level in enumerate(levels):
        while following < len(shapes) and shapes[following].start_ms * FRAMES_PER_S <= number * 1000:
            aim = _POSES[viseme(shapes[following].viseme_id).id]
            following += 1
        mouth = [now + (to - now) / _GLIDE_FRAMES for now, to in zip(mouth, aim, strict=True)]
        frame = [round(weight, 3) for weight in mouth]
        frame[_JAW] = round(mouth[_JAW] * (level / loudest) ** 0.5 if loudest else 0.0, 3)
        frames.append(frame)
    return frames


def _pose(openness: float, rounding: float, also: Mapping[str, float]) -> list[float]:
    weights = {
        "jawOpen": openness,
        "mouthFunnel": rounding * openness,
        "mouthPucker": rounding * (1 - openness),
        **also,
    }
    return [weights.get(name, 0.0) for name in BLENDSHAPES]


_JAW: Final = BLENDSHAPES.index("jawOpen")
_POSES: Final = [_pose(shape.openness, shape.rounding, _ALSO.get(shape.id, {})) for shape in VISEMES]

"""Frames of blendshapes in the forms in which a batch of them can come.

The schema allows a list of frames or one string, and says nothing of what is in the string. The Speech SDK gives the
same data as JSON text, as rows or as an object with ``BlendShapes`` (Microsoft Learn, "Get facial position with
viseme", as of 2026-02-25), so those are read. Anything else is kept as it came: a guess would move a face wrongly.
"""

from __future__ import annotations

import json
import math
from typing import Any

from voicelive.avatar.animation_parts import Weights

__all__ = ["frames_of"]


def frames_of(frames: list[list[float]] | str) -> list[Weights] | str:
    """The frames of a batch; text where they cannot be read, or hold what is no finite number."""
    content: Any = frames
    if isinstance(frames, str):
        try:
            content = json.loads(frames)
        except (ValueError, RecursionError):
            return frames
        if isinstance(content, dict):
            content = content.get("BlendShapes")
    if isinstance(content, list) and all(map(_is_frame, content)):
        return [tuple(map(float, row)) for row in content]
    return frames if isinstance(frames, str) else json.dumps(frames)


def _is_frame(row: object) -> bool:
    return isinstance(row, list) and all(map(_is_weight, row))


def _is_weight(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float can hold
        return False

"""What ids of visemes and places in a frame of blendshapes stand for: dated facts in ``data/``, read on import.

Source: Microsoft Learn, "Get facial position with viseme", as of 2026-02-25. It shows mouths as pictures only, so
``mouth``, ``examples``, ``openness`` and ``rounding`` are ours, from general phonetics: hints for drawing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

__all__ = ["BLENDSHAPES", "FRAMES_PER_S", "REST", "VISEMES", "Viseme", "viseme"]


@dataclass(frozen=True, slots=True)
class Viseme:
    """A shape of the mouth, shared by several phonemes. Languages differ in which of them they use.

    Attributes:
        id: As ``response.animation_viseme.delta`` has it.
        phonemes: In the phonetic alphabet; none for silence.
        mouth: What is seen.
        examples: English words with the sound.
        openness: Of the jaw, 0 to 1.
        rounding: Of the lips, 0 to 1.
    """

    id: int
    phonemes: tuple[str, ...]
    mouth: str
    examples: tuple[str, ...]
    openness: float
    rounding: float


def _read(name: str) -> dict[str, Any]:
    text = (resources.files("voicelive.avatar") / "data" / name).read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


_FACE: Final = _read("blendshapes.json")

REST: Final = 0
"""The viseme of silence."""

VISEMES: Final = tuple(
    Viseme(**{**entry, "phonemes": tuple(entry["phonemes"]), "examples": tuple(entry["examples"])})
    for entry in _read("visemes.json")["visemes"]
)
"""All that are documented; each stands at the place of its id."""

BLENDSHAPES: Final[tuple[str, ...]] = tuple(_FACE["names"])
"""Names of the 55 values of a frame, in its order. The first 52 are ARKit's names, but not in ARKit's order."""

FRAMES_PER_S: Final[int] = _FACE["frames_per_s"]
"""Frames of blendshapes in a second."""


def viseme(viseme_id: int) -> Viseme:
    """What an id stands for; one that is not documented is drawn as silence."""
    return VISEMES[viseme_id if 0 <= viseme_id < len(VISEMES) else REST]

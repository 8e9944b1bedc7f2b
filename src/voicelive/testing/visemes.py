"""Shapes of the mouth for a spoken text: guessed from English spelling, and always the same for the same text.

Knows letters and times, neither samples nor events. Source of the ids: Microsoft Learn, "Get facial position with
viseme", as of 2026-02-25, which gives each id its phonemes; which letters stand for them is a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Viseme", "at_rest_in", "visemes"]

_REST = 0
_NEUTRAL = 1  # of a letter or digit that the table does not have: the open vowel of "about"
_PAUSES = ".,;:!?"

_BY_LETTERS = {
    "th": 19,
    "sh": 16,
    "ch": 16,
    "ng": 20,
    "ph": 18,
    "ee": 6,
    "ea": 6,
    "oo": 7,
    "ou": 9,
    "ow": 9,
    "oi": 10,
    "oy": 10,
    "igh": 11,
    "ir": 5,
    "er": 5,
    "ur": 5,
    "aw": 3,
    "a": 1,
    "b": 21,
    "c": 20,
    "d": 19,
    "e": 4,
    "f": 18,
    "g": 20,
    "h": 12,
    "i": 6,
    "j": 16,
    "k": 20,
    "l": 14,
    "m": 21,
    "n": 19,
    "o": 8,
    "p": 21,
    "q": 20,
    "r": 13,
    "s": 15,
    "t": 19,
    "u": 7,
    "v": 18,
    "w": 7,
    "x": 15,
    "y": 6,
    "z": 15,
}
_UNITS = re.compile("|".join(sorted(_BY_LETTERS, key=len, reverse=True)) + r"|\w|.", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Viseme:
    """A shape of the mouth from a millisecond of the reply's audio on, until the next one."""

    start_ms: int
    viseme_id: int


def visemes(words: Iterable[tuple[str, int, int]]) -> list[Viseme]:
    """The shapes for words, each given with its offset and duration in milliseconds.

    The letters of a word share its time evenly; the mouth rests at punctuation and at the end. Two shapes in a row
    are never the same, and offsets grow.
    """
    shapes: list[Viseme] = []
    end_ms = 0
    for word, start_ms, duration_ms in words:
        units = _UNITS.findall(word)
        parts = len(units) + 1  # the space after a word is part of its time
        for index, unit in enumerate(units):
            _add(shapes, start_ms + index * duration_ms // parts, _shape(unit))
        end_ms = start_ms + len(units) * duration_ms // parts
    if shapes:
        _add(shapes, end_ms, _REST)
    return shapes


def at_rest_in(pauses: Iterable[tuple[int, int]], shapes: Sequence[Viseme]) -> list[Viseme]:
    """The shapes with the mouth at rest in each pause, given with its start and end in milliseconds.

    What a pause cuts in two goes on behind it.
    """
    found = list(shapes)
    for start_ms, end_ms in pauses:
        before = [shape for shape in found if shape.start_ms < start_ms]
        inside = [shape for shape in found if start_ms <= shape.start_ms <= end_ms]
        after = [shape for shape in found if shape.start_ms > end_ms]
        resumed = (inside or before)[-1:]
        found = []
        for shape in (*before, Viseme(start_ms, _REST), *(Viseme(end_ms, s.viseme_id) for s in resumed), *after):
            _add(found, shape.start_ms, shape.viseme_id)
    return found


def _shape(unit: str) -> int | None:
    if unit in _PAUSES:
        return _REST
    return _BY_LETTERS.get(unit.lower(), _NEUTRAL) if unit.isalnum() else None


def _add(shapes: list[Viseme], start_ms: int, viseme_id: int | None) -> None:
    if viseme_id is None:  # an apostrophe moves no mouth
        return
    if shapes and shapes[-1].start_ms == start_ms:  # a duration too short for all letters: the last one shows
        shapes.pop()
    if not shapes or shapes[-1].viseme_id != viseme_id:
        shapes.append(Viseme(start_ms, viseme_id))

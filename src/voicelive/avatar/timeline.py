"""Values by their places, put in any order and read in order."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

__all__ = ["Timeline"]

_P = TypeVar("_P", bound=Any)
_V = TypeVar("_V")


class Timeline(Generic[_P, _V]):
    """One value for each place; of two for the same one, the last holds."""

    def __init__(self) -> None:
        self._places: list[_P] = []
        self._values: dict[_P, _V] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[tuple[_P, _V]]:
        return ((place, self._values[place]) for place in self._places)

    def put(self, place: _P, value: _V) -> None:
        if place not in self._values:
            insort(self._places, place)
        self._values[place] = value

    def last_until(self, place: _P) -> tuple[_P, _V] | None:
        """What stands at this place or last before it."""
        return self._nth(bisect_right(self._places, place) - 1)

    def first_after(self, place: _P) -> tuple[_P, _V] | None:
        """What stands next behind this place."""
        return self._nth(bisect_right(self._places, place))

    def _nth(self, index: int) -> tuple[_P, _V] | None:
        if not 0 <= index < len(self._places):
            return None
        place = self._places[index]
        return place, self._values[place]

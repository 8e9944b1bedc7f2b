"""What may be ordered, and what is said about the rest."""

from __future__ import annotations

import math
from typing import Any

import pytest

from voicelive.testing.controls import Cut, Faults, ways


def test_nothing_is_suffered_unless_ordered() -> None:
    assert Faults().direct
    assert not Faults(held=True).direct
    assert not Faults(cut=Cut(0, "fin")).direct


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"latency_s": -1}, "latency_s is -1; it must be 0 or more"),
        ({"latency_s": math.inf}, "latency_s is inf"),
        ({"jitter_s": math.nan}, "jitter_s is nan"),
        ({"rate_bytes_per_s": 0}, "rate_bytes_per_s is 0; it must be above 0"),
        ({"rate_bytes_per_s": math.inf}, "rate_bytes_per_s is inf"),
        ({"slice_bytes": 0}, "slice_bytes is 0; it must be at least 1"),
        ({"cut": Cut(-1, "fin")}, "n_bytes is -1; it must be 0 or more"),
        ({"cut": Cut(1, "axe")}, "how is 'axe'; allowed: 'reset', 'fin'"),  # type: ignore[arg-type]  # the point
    ],
)
def test_impossible_values_are_named(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Faults(**fields)


def test_both_stands_for_either_direction() -> None:
    assert (ways("up"), ways("down"), ways("both")) == (("up",), ("down",), ("up", "down"))


@pytest.mark.parametrize("direction", ["sideways", "", None, ["up"]])
def test_an_unknown_direction_is_named(direction: Any) -> None:
    with pytest.raises(ValueError, match=r"direction is .*; allowed: 'up', 'down', 'both'"):
        ways(direction)

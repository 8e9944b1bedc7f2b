"""Values by their places."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voicelive.avatar.timeline import Timeline


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers())), st.integers(-60, 60))
def test_it_reads_in_order_what_came_in_any(entries: list[tuple[int, int]], place: int) -> None:
    line: Timeline[int, int] = Timeline()
    for entry in entries:
        line.put(*entry)

    expected = sorted(dict(entries).items())
    assert list(line) == expected
    assert len(line) == len(expected)
    assert line.last_until(place) == next((entry for entry in reversed(expected) if entry[0] <= place), None)
    assert line.first_after(place) == next((entry for entry in expected if entry[0] > place), None)

"""Cutting a stream of bytes anywhere."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voicelive.testing.avatar.pieces import Cutter


@given(st.lists(st.binary(max_size=60_000), max_size=8), st.integers(0, 9))
def test_nothing_is_lost_and_no_piece_is_empty_or_too_long(parts: list[bytes], seed: int) -> None:
    cutter = Cutter(seed)
    pieces = [piece for part in parts for piece in cutter.cut(part)] + cutter.flush()

    assert b"".join(pieces) == b"".join(parts)
    assert all(0 < len(piece) <= 18_630 for piece in pieces)
    assert cutter.flush() == []


def test_what_was_held_back_goes_with_the_next_piece() -> None:
    cutter = Cutter(1)
    (first,) = cutter.cut(b"a" * 1000)
    held = 1000 - len(first)

    assert held > 0
    assert cutter.cut(b"b" * 1000)[0].startswith(b"a" * held)


def test_the_same_seed_cuts_at_the_same_places() -> None:
    assert Cutter(7).cut(bytes(50_000)) == Cutter(7).cut(bytes(50_000))
    assert Cutter(7).cut(bytes(50_000)) != Cutter(8).cut(bytes(50_000))

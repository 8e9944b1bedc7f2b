"""Avatars cost by the second, exactly."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.catalogue import Bill, prices
from voicelive.catalogue.avatar_time import avatar_line


@pytest.mark.parametrize(
    ("meter", "milliseconds", "amount"),
    [
        ("avatar_realtime_standard", 60_000, "0.5"),
        ("avatar_realtime_custom", 60_000, "0.6"),
        ("avatar_realtime_standard_hd", 60_000, "0.7"),
        ("avatar_realtime_custom_hd", 30_000, "0.4"),
        ("avatar_realtime_standard", 1_000, "0.008333333333333333333333333333333333"),
        ("avatar_realtime_standard", 0, "0"),
    ],
)
def test_a_minute_has_its_price_and_a_second_a_sixtieth_of_it(meter: str, milliseconds: int, amount: str) -> None:
    line = avatar_line(meter, milliseconds, prices)

    assert line.amount == Decimal(amount)
    assert line.seconds == Decimal(milliseconds) / 1000


def test_a_kind_that_no_list_knows_has_no_price() -> None:
    line = avatar_line("avatar_of_unknown_kind", 1_001, prices)

    assert (line.amount, line.price_per_minute, line.whole_seconds) == (None, None, 2)
    assert avatar_line("avatar_of_unknown_kind", 0, prices).amount == 0


@given(st.lists(st.integers(0, 10**8), min_size=1, max_size=5))
def test_bills_of_parts_are_the_bill_of_the_whole_time(parts: list[int]) -> None:
    bills = [Bill.empty(prices, avatar_ms={"avatar_realtime_standard": part}) for part in parts]

    joined = Bill.joined(bills)

    assert joined == Bill.empty(prices, avatar_ms={"avatar_realtime_standard": sum(parts)})
    assert abs(Fraction(joined.total) - Fraction(sum(parts), 120_000)) < Fraction(1, 10**25)


def test_the_same_kind_at_two_prices_stays_on_two_lines() -> None:
    one = Bill.empty(prices, avatar_ms={"avatar_realtime_standard": 60_000})
    dearer = replace(prices, avatar_per_minute={"avatar_realtime_standard": Decimal(1)})
    other = Bill.empty(dearer, avatar_ms={"avatar_realtime_standard": 60_000})

    joined = Bill.joined([other, one])

    assert [line.price_per_minute for line in joined.avatars] == [Decimal("0.5"), Decimal(1)]
    assert joined.total == Decimal("1.5")

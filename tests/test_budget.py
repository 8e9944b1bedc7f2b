"""When a budget has to be heard of, and which budgets make no sense."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.budget import Budget, BudgetMeter
from voicelive.catalogue import Bill, Unpriced, prices
from voicelive.errors import ConfigurationError, NotInCatalogueError
from voicelive.events import BudgetReached, BudgetWarning


def spent(total: str, *unpriced: str) -> Bill:
    return replace(Bill.empty(prices, unpriced=[Unpriced(what, 1) for what in unpriced]), total=Decimal(total))


@pytest.mark.parametrize("limit", [Decimal("0.05"), "0.05", 1])
def test_a_limit_is_exact_however_it_is_written(limit: Any) -> None:
    assert Budget(limit).limit == Decimal(limit)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"limit": 0.05}, r"limit is the float 0.05; write '0.05', which is exact"),
        ({"limit": True}, "limit is a bool"),
        ({"limit": "much"}, "limit is 'much'; it must be a number such as '0.05'"),
        ({"limit": "nan"}, "limit is nan; it must be finite"),
        ({"limit": "-1"}, "limit is -1; it must be finite and at least 0"),
        ({"limit": 0}, "limit is 0; it must be greater than 0"),
        ({"warn_at": (0.8,)}, "warn_at is the float 0.8; write '0.8'"),
        ({"warn_at": "0.8"}, "warn_at is the text '0.8'; give several"),
        ({"warn_at": ("1",)}, "warn_at holds 1; a share is more than 0 and less than 1"),
        ({"action": "explode"}, "action is 'explode'; allowed: 'warn', 'end_politely', 'end_now'"),
        ({"unpriced": "ignore"}, "unpriced is 'ignore'; allowed: 'report', 'refuse'"),
        ({"farewell": "Bye."}, "farewell is some text for action='end_politely'"),
        ({"farewell": " ", "action": "end_politely"}, "farewell is some text"),
        ({"on_reached": "call me"}, "on_reached is a str; it must be callable"),
        ({"finish_within_s": 0}, "finish_within_s is 0; it must be greater than 0"),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Budget(**{"limit": "0.05", **wrong})


def test_each_warning_and_the_end_are_told_once() -> None:
    meter = BudgetMeter(Budget("1", warn_at=("0.9", "0.5")))

    assert meter.look(spent("0.49")) == []
    assert [event.share for event in meter.look(spent("0.95")) if isinstance(event, BudgetWarning)] == [
        Decimal("0.5"),
        Decimal("0.9"),
    ]
    assert meter.look(spent("0.999")) == []
    assert meter.look(spent("1")) == [BudgetReached(Decimal(1), Decimal(1), "USD", "limit", "warn")]
    assert meter.look(spent("9")) == []
    assert meter.reached


def test_what_has_no_price_is_told_once_and_counts_for_nothing() -> None:
    meter = BudgetMeter(Budget("1"))

    (warning,) = meter.look(spent("0.1", "images", "text"))
    assert warning == BudgetWarning(Decimal("0.1"), Decimal(1), "USD", None, ("images", "text"))
    assert meter.look(spent("0.2", "images")) == []


def test_what_has_no_price_can_be_what_ends_a_call() -> None:
    meter = BudgetMeter(Budget("1", unpriced="refuse", action="end_now"))

    assert meter.look(spent("0.1", "images")) == [
        BudgetReached(Decimal("0.1"), Decimal(1), "USD", "unpriced", "end_now")
    ]


def test_only_a_model_that_nobody_can_price_is_refused_and_only_where_that_is_asked_for() -> None:
    strict = Budget("1", unpriced="refuse")

    with pytest.raises(NotInCatalogueError, match="gpt-99"):
        strict.check("gpt-99", None)
    for model, byom in (("gpt-realtime", None), ("gpt-99", "byom-azure-openai-realtime"), (None, None)):
        strict.check(model, byom)
    Budget("1").check("gpt-99", None)


@given(st.lists(st.decimals(0, 3, places=4), max_size=12), st.sets(st.sampled_from(["0.2", "0.5", "0.9"])))
def test_as_the_sum_grows_warnings_come_in_order_before_the_one_end(sums: list[Decimal], shares: set[str]) -> None:
    meter = BudgetMeter(Budget("2", warn_at=tuple(shares)))
    told = [event for total in sorted(sums) for event in meter.look(spent(str(total)))]

    reached = [event for event in told if isinstance(event, BudgetReached)]
    warned = [event.share for event in told if isinstance(event, BudgetWarning)]
    top = max(sums, default=Decimal(0))
    assert len(reached) == (top >= 2)
    assert all(event is told[-1] for event in reached)
    assert warned == sorted(Decimal(share) for share in shares if top >= 2 * Decimal(share))

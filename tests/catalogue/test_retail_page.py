"""Pages of the Retail Prices API: exact amounts, and what is read of odd rows."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.retail import PAGES, body, row, sample

from voicelive.catalogue.retail_page import LONG_AGO, Row, read_page
from voicelive.errors import PricesUnavailableError


def the_row(**facts: Any) -> Row:
    [found] = read_page(body(row(**facts))).rows
    return found


def test_a_row_is_read_in_the_words_of_the_service() -> None:
    assert the_row() == Row(
        meter="Voice Live API Pro - LLM Text Input Tokens",
        price=Decimal("0.004"),
        unit="1K",
        kind="Consumption",
        region="swedencentral",
        currency="USD",
        first_unit=Decimal(0),
        starts_at=datetime(2026, 5, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize("name", sorted(path.stem for path in PAGES.glob("*.json") if path.stem != "synthetic_errors"))
def test_every_saved_page_is_read_whole(name: str) -> None:
    raw = sample(name)
    items = raw["Items"] if "Items" in raw else raw["rows"]
    page = read_page(json.dumps({"Items": items, "NextPageLink": raw.get("NextPageLink")}))

    assert len(page.rows) == len(items)
    assert page.unreadable_rows == 0
    assert page.next_link == raw.get("NextPageLink")
    assert [found.meter for found in page.rows] == [item["meterName"] for item in items]


def test_amounts_never_pass_through_a_float() -> None:
    digits = "0.1000000000000000055511151231"
    text = body(row()).replace("0.004", digits)

    assert read_page(text).rows[0].price == Decimal(digits)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<html></html>", "not JSON"),
        ("", "not JSON"),
        ('{"Items": [', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"Items": [{"retailPrice": NaN}]}', "not JSON"),
        ("[]", "no Items"),
        ('"Items"', "no Items"),
        ('{"Items": null}', "no Items"),
        ('{"Error": {"Code": "BadRequest"}}', "no Items"),
        ('{"Items": [], "NextPageLink": 5}', "no text"),
    ],
)
def test_what_is_no_page_is_refused_and_not_repeated(text: str | bytes, why: str) -> None:
    with pytest.raises(PricesUnavailableError, match=why) as refused:
        read_page(text)

    assert "BadRequest" not in str(refused.value)


@pytest.mark.parametrize(
    "odd",
    [
        5,
        None,
        [],
        {},
        row(meterName=None),
        row(meterName=""),
        row(retailPrice="0.004"),
        row(retailPrice=True),
        row(retailPrice=None),
        row(retailPrice=10**40),
        row(retailPrice=1e-99),
        row(tierMinimumUnits="many"),
    ],
)
def test_a_row_without_name_or_number_is_counted_and_others_are_read(odd: object) -> None:
    page = read_page(body(odd, row()))

    assert (len(page.rows), page.unreadable_rows) == (1, 1)


def test_more_digits_than_money_has_make_no_price() -> None:
    assert read_page(body(row()).replace("0.004", "0." + "1" * 31)).unreadable_rows == 1


@pytest.mark.parametrize("units", [None, 0, 0.0])
def test_a_row_without_minimum_holds_from_the_first_unit_on(units: object) -> None:
    assert the_row(tierMinimumUnits=units).first_unit == 0


def test_a_row_without_currency_is_in_that_of_the_envelope() -> None:
    without = row()
    del without["currencyCode"]

    assert read_page(body(without, currency="DKK")).rows[0].currency == "DKK"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-05-01T00:00:00Z", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2026-05-01T02:00:00+02:00", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2026-05-01T00:00:00", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2026-05-01", datetime(2026, 5, 1, tzinfo=UTC)),
        ("soon", LONG_AGO),
        ("", LONG_AGO),
        (None, LONG_AGO),
        (20260501, LONG_AGO),
    ],
)
def test_a_start_that_cannot_be_read_is_the_last_to_be_chosen(written: object, meant: datetime) -> None:
    found = the_row(effectiveStartDate=written).starts_at

    assert found == meant
    assert found.utcoffset() is not None
    assert found - LONG_AGO >= timedelta(0)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(row())), inner, max_size=5),
    max_leaves=10,
)


@given(st.lists(_JSON, max_size=4))
def test_no_row_breaks_a_page(items: list[object]) -> None:
    page = read_page(body(*items))

    assert len(page.rows) + page.unreadable_rows == len(items)


@given(st.text() | st.binary())
def test_no_text_raises_anything_else(text: str | bytes) -> None:
    with suppress(PricesUnavailableError):
        read_page(text)

"""Which of several rows is the price, whatever order they come in."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.retail import NOW, body, row, sample, usd_rows

from voicelive.catalogue import PriceList, RetailReport, prices
from voicelive.catalogue.retail_list import price_list_of
from voicelive.catalogue.retail_page import read_page
from voicelive.errors import PricesNotFoundError, PricesUnavailableError

TEXT_INPUT = ("pro", "text_input")


def read(
    *pages: str, region: str = "swedencentral", currency: str = "USD", now: datetime = NOW
) -> tuple[PriceList, RetailReport]:
    return price_list_of(
        [read_page(text) for text in pages],
        region=region,
        currency=currency,
        now=now,
        as_of=now.date(),
        source="a test",
        expected=prices.tokens,
    )


def price_of(*rows: dict[str, Any], **how: Any) -> Decimal | None:
    """What a million text input tokens of Pro cost, by these rows."""
    return read(body(*rows), **how)[0].token_price("pro", "text_input")


def a_day(day: str) -> dict[str, str]:
    return {"effectiveStartDate": f"{day}T00:00:00Z"}


def test_the_saved_pages_give_the_packaged_prices() -> None:
    found, report = read(body(*usd_rows()))

    assert dict(found.tokens) == {**prices.tokens, ("lite", "audio_custom_input"): Decimal(38)}
    assert found.avatar_per_minute.items() <= prices.avatar_per_minute.items()
    assert len(found.avatar_per_minute) == 4
    assert (found.currency, found.region, found.as_of, found.source) == (
        "USD",
        "swedencentral",
        NOW.date(),
        "a test",
    )
    assert report == RetailReport(
        rows=43,
        unreadable_rows=0,
        unknown_meters=(),
        unusable_meters=(),
        disputed_meters=(),
        missing_meters=(),
    )


def test_prices_in_euro_are_those_of_the_service() -> None:
    found, _ = read(body(*sample("synthetic_voice_live_eur")["Items"], currency="EUR"), currency="EUR")

    assert len(found.tokens) == 39
    assert found.currency == "EUR"
    assert found.token_price("pro", "text_input") == Decimal("3.472")


def test_the_odd_rows_are_read_as_they_are_meant() -> None:
    found, report = read(body(*sample("synthetic_odd_rows")["Items"]))

    assert found.tokens == {
        ("pro", "text_input"): 4,
        ("pro", "audio_native_input"): 32,
        ("standard", "audio_standard_output"): 26,
        ("standard", "audio_native_output"): 22,
    }
    assert found.custom == {"custom_speech_hosting": Decimal("0.05375")}
    assert report.unknown_meters == ("Voice Live API Ultra - LLM Text Input Tokens",)
    assert report.unusable_meters == ("Voice Live API Lite - LLM Text Input Tokens",)
    assert len(report.missing_meters) == 38 - 4


def test_the_real_avatar_rows_of_central_india() -> None:
    rows = sample("real_avatar_centralindia_rows")["rows"]
    found, report = read(body(*rows), region="centralindia")

    assert found.avatar_per_minute == prices.avatar_per_minute
    assert found.custom == {"custom_avatar_hosting": Decimal("0.6"), "photo_avatar_creation": 2}
    assert not found.tokens
    assert report.missing_meters == tuple(prices.tokens)


def test_the_real_page_of_sweden_central_has_one_of_our_meters() -> None:
    found, report = read(body(*sample("real_speech_swedencentral")["Items"]))

    assert found.avatar_per_minute == {"avatar_batch_standard": 1}
    assert (report.rows, report.unknown_meters) == (3, ())


@pytest.mark.parametrize(
    "other",
    [
        {"type": "DevTestConsumption"},
        {"type": "Reservation"},
        {"type": None},
        {"armRegionName": "westeurope"},
        {"armRegionName": ""},
        {"tierMinimumUnits": 1000},
        {"currencyCode": "EUR"},
        a_day("2099-01-01"),
    ],
    ids=str,
)
def test_a_row_for_others_is_no_price(other: dict[str, Any]) -> None:
    with pytest.raises(PricesNotFoundError, match=r"region 'swedencentral' in USD \(1 rows"):
        price_of(row(**other))
    assert price_of(row(**other, retailPrice=9), row()) == 4


def test_the_newest_row_that_has_begun_is_the_price() -> None:
    rows = (
        row(**a_day("2026-02-01"), retailPrice=0.0044),
        row(**a_day("2026-05-01"), retailPrice=0.004),
        row(**a_day("2026-12-01"), retailPrice=0.0036),
    )

    assert price_of(*rows) == 4
    assert price_of(*rows, now=NOW - timedelta(days=250)) == Decimal("4.4")
    assert price_of(*rows, now=NOW + timedelta(days=30)) == Decimal("3.6")


def test_a_price_holds_from_the_very_instant_of_its_start() -> None:
    rows = (row(**a_day("2026-02-01"), retailPrice=0.0044), row(effectiveStartDate=NOW.isoformat()))

    assert price_of(*rows) == 4
    assert price_of(*rows, now=NOW - timedelta(seconds=1)) == Decimal("4.4")


def test_a_row_without_a_start_gives_way_to_any_other() -> None:
    assert price_of(row(effectiveStartDate=None, retailPrice=9), row()) == 4
    assert price_of(row(effectiveStartDate=None)) == 4


def test_both_spellings_of_a_meter_are_one_meter() -> None:
    old = "Voice Live API Std - Standard Speech Audio Outpt Tokens"
    new = "Voice Live API Std - Standard Speech Audio Output Tokens"
    found, report = read(
        body(
            row(meterName=old, retailPrice=0.026, **a_day("2026-05-01")),
            row(meterName=new, retailPrice=0.025, **a_day("2026-11-01")),
        )
    )

    assert found.tokens == {("standard", "audio_standard_output"): 25}
    assert report.disputed_meters == ()


def test_of_prices_of_one_day_the_highest_is_taken_and_told() -> None:
    found, report = read(body(row(), row(retailPrice=0.005), row(), row(retailPrice=0)))

    assert found.tokens == {TEXT_INPUT: 5}
    assert report.disputed_meters == ("Voice Live API Pro - LLM Text Input Tokens",)
    assert read(body(row(), row()))[1].disputed_meters == ()


@pytest.mark.parametrize("newer", [{"retailPrice": 0}, {"retailPrice": -1}, {"unitOfMeasure": "10K"}], ids=str)
def test_no_older_price_stands_in_for_a_newer_one_that_is_none(newer: dict[str, Any]) -> None:
    rows = [row(**a_day("2026-02-01")), row(**a_day("2026-05-01"), **newer), usd_rows()[1]]
    found, report = read(body(*rows))

    assert TEXT_INPUT not in found.tokens
    assert report.unusable_meters == ("Voice Live API Pro - LLM Text Input Tokens",)
    assert TEXT_INPUT in report.missing_meters


def test_hosting_is_priced_by_the_hour_also_where_the_price_of_a_day_is_newer() -> None:
    hosting = {"meterName": "S1 Custom Speech Model Hosting Unit"}
    found, report = read(
        body(
            row(**hosting, unitOfMeasure="1/Hour", retailPrice=0.05, **a_day("2026-01-01")),
            row(**hosting, unitOfMeasure="1/Day", retailPrice=1.2, **a_day("2026-03-01")),
        )
    )

    assert found.custom == {"custom_speech_hosting": Decimal("0.05")}
    assert report.unusable_meters == ()


@pytest.mark.parametrize("rows", [[], [{}], [row(retailPrice=0)], [row(meterName="S1 Speech To Text")]], ids=len)
def test_no_price_at_all_is_an_error_that_says_what_to_check(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(PricesNotFoundError, match="check its name"):
        read(body(*rows))


def test_the_rows_of_the_reference_page_are_none_of_ours() -> None:
    with pytest.raises(PricesNotFoundError):
        read(body(*sample("real_documentation_rows")["rows"]), region="westeurope")


def test_an_answer_in_another_currency_is_an_error() -> None:
    with pytest.raises(PricesUnavailableError, match=r"in USD instead of EUR.*PriceList\.converted") as refused:
        read(body(row()), currency="EUR")

    assert not isinstance(refused.value, PricesNotFoundError)


def test_names_in_a_report_are_fit_for_a_log() -> None:
    _, report = read(body(row(), row(meterName="Voice Live\x1b[31m\nnew " + "a" * 500)))

    [name] = report.unknown_meters
    assert len(name) == 100
    assert name.isprintable()


@given(st.permutations(usd_rows() + sample("synthetic_odd_rows")["Items"]), st.integers(0, 56))
def test_the_order_of_rows_and_pages_decides_nothing(rows: list[dict[str, Any]], cut: int) -> None:
    usual = read(body(*usd_rows(), *sample("synthetic_odd_rows")["Items"]))

    assert read(body(*rows[:cut]), body(*rows[cut:])) == usual


@given(
    st.lists(
        st.builds(
            row,
            retailPrice=st.sampled_from([0, 0.001, 0.004, 0.0044]),
            effectiveStartDate=st.sampled_from(["2026-01-01T00:00:00Z", "2026-05-01T00:00:00Z", "2099-01-01", ""]),
            unitOfMeasure=st.sampled_from(["1K", "1M", "1"]),
            tierMinimumUnits=st.sampled_from([0, 10]),
        ),
        max_size=6,
    ),
    st.randoms(use_true_random=False),
)
def test_duplicates_in_any_order_give_the_same_price(rows: list[dict[str, Any]], random: Any) -> None:
    shuffled = random.sample(rows, len(rows))
    always = row(meterName="Voice Live API Pro - LLM Audio Input Tokens")

    assert read(body(always, *rows)) == read(body(always, *shuffled))

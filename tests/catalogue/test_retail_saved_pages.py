"""Every saved page of the Retail Prices API, served at the real address."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import respx
from tests.support.retail import NOW, sample

from voicelive.catalogue import RetailPrices, prices
from voicelive.errors import PricesNotFoundError, PricesUnavailableError

REAL = "https://prices.azure.com/api/retail/prices"


async def test_the_saved_pages_come_from_the_real_address(respx_mock: respx.MockRouter) -> None:
    first, second = (sample(f"synthetic_voice_live_usd_page{number}") for number in (1, 2))
    condition = (
        "serviceName eq 'Foundry Tools' and productName eq 'Azure Speech' and armRegionName eq 'swedencentral' "
        "and priceType eq 'Consumption'"
    )
    question = {"currencyCode": "'USD'", "$filter": condition}
    respx_mock.get(REAL, params={**question, "$skip": "25"}).respond(json=second)
    respx_mock.get(REAL, params=question).respond(json=first)

    async with RetailPrices(clock=lambda: NOW) as live:
        found = await live.fetch("swedencentral")

    assert dict(found.tokens) == {**prices.tokens, ("lite", "audio_custom_input"): 38}
    assert len(found.avatar_per_minute) == 4
    assert (found.currency, found.region) == ("USD", "swedencentral")
    assert (found.as_of, found.source) == (date(2026, 11, 22), "Azure Retail Prices API")
    assert live.reports["swedencentral"].rows == 43
    assert [str(call.request.url.host) for call in respx_mock.calls] == ["prices.azure.com"] * 2


async def test_the_saved_page_in_euro(respx_mock: respx.MockRouter) -> None:
    respx_mock.get(url__startswith=REAL).respond(json=sample("synthetic_voice_live_eur"))

    async with RetailPrices(currency="EUR", clock=lambda: NOW) as live:
        found = await live.fetch("swedencentral")

    assert "currencyCode=%27EUR%27" in str(respx_mock.calls.last.request.url)
    assert (found.currency, found.token_price("pro", "text_input"), len(found.tokens)) == ("EUR", Decimal("3.472"), 39)


@pytest.mark.parametrize("name", ["synthetic_empty", "real_documentation_rows"])
async def test_saved_pages_without_a_price_of_ours_are_errors(respx_mock: respx.MockRouter, name: str) -> None:
    raw = sample(name)
    respx_mock.get(url__startswith=REAL).respond(json={"Items": raw["Items"] if "Items" in raw else raw["rows"]})

    async with RetailPrices(clock=lambda: NOW) as live:
        with pytest.raises(PricesNotFoundError, match="check its name"):
            await live.fetch("swedencentral")
    assert "swedencentral" not in live.reports


@pytest.mark.parametrize(
    ("name", "region", "tokens", "avatars"),
    [
        ("synthetic_odd_rows", "swedencentral", 4, 0),
        ("real_speech_swedencentral", "swedencentral", 0, 1),
        ("real_avatar_centralindia_rows", "centralindia", 0, 8),
    ],
)
async def test_the_other_saved_pages_by_the_same_way(
    respx_mock: respx.MockRouter, name: str, region: str, tokens: int, avatars: int
) -> None:
    raw = sample(name)
    page = {"BillingCurrency": "USD", "Items": raw["Items"] if "Items" in raw else raw["rows"], "NextPageLink": ""}
    respx_mock.get(url__startswith=REAL).respond(json=page)

    async with RetailPrices(clock=lambda: NOW) as live:
        found = await live.fetch(region)

    assert (len(found.tokens), len(found.avatar_per_minute)) == (tokens, avatars)


@pytest.mark.looptime
@pytest.mark.parametrize("case", sample("synthetic_errors")["cases"], ids=lambda case: case["name"])
async def test_every_saved_failure_is_one_error_with_its_status(
    respx_mock: respx.MockRouter, case: dict[str, Any]
) -> None:
    respx_mock.get(url__startswith=REAL).respond(case["status"], headers=case["headers"], text=case["body"])

    async with RetailPrices(clock=lambda: NOW, offline="raise") as live:
        with pytest.raises(PricesUnavailableError) as refused:
            await live.fetch("swedencentral")

    assert refused.value.status == (case["status"] if case["status"] != 200 else None)
    assert "Invalid OData" not in str(refused.value)

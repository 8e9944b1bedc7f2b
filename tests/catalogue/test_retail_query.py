"""What the Retail Prices API is asked, and where its answers may lead."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.retail import sample

from voicelive.catalogue.retail_query import (
    BASE_URL,
    CURRENCIES,
    MAX_PAGES,
    link_to_follow,
    query_url,
    require_base_url,
    require_question,
)
from voicelive.errors import ConfigurationError, PricesUnavailableError


def test_the_query_is_the_documented_one() -> None:
    parts = urlsplit(query_url(BASE_URL, "swedencentral", "EUR"))

    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://prices.azure.com/api/retail/prices"
    assert parse_qs(parts.query) == {
        "currencyCode": ["'EUR'"],
        "$filter": [
            "serviceName eq 'Foundry Tools' and productName eq 'Azure Speech' and armRegionName eq 'swedencentral' "
            "and priceType eq 'Consumption'"
        ],
    }


def test_the_query_asks_what_the_services_own_next_link_repeats() -> None:
    link = sample("synthetic_voice_live_usd_page1")["NextPageLink"]
    theirs = parse_qs(urlsplit(link).query)
    del theirs["$skip"]

    assert parse_qs(urlsplit(query_url(BASE_URL, "swedencentral", "USD")).query) == theirs


@given(st.text(alphabet="'aé &%=+#$\n"))
def test_a_value_stays_one_value_whatever_is_in_it(region: str) -> None:
    query = parse_qs(urlsplit(query_url(BASE_URL, region, "USD")).query, strict_parsing=True)

    assert list(query) == ["currencyCode", "$filter"]
    before, after = "armRegionName eq '", "' and priceType eq 'Consumption'"
    quoted = query["$filter"][0].partition(before)[2].removesuffix(after)
    assert "'" not in quoted.replace("''", "")
    assert quoted.replace("''", "'") == region


@pytest.mark.parametrize("region", ["West Europe", "", "WESTEUROPE", "o'brien", "west-europe", "a", "é" * 3, 5, None])
def test_a_region_that_is_not_written_as_azure_does_is_refused(region: str) -> None:
    with pytest.raises(ConfigurationError, match=r"region is .*swedencentral"):
        require_question(region, "USD")


@pytest.mark.parametrize("currency", ["usd", "XYZ", "", "EURO"])
def test_a_currency_that_the_api_does_not_know_is_refused(currency: str) -> None:
    with pytest.raises(ConfigurationError, match=r"currency is .*allowed: 'USD', 'AUD'"):
        require_question("swedencentral", currency)


def test_the_seventeen_documented_currencies_are_taken() -> None:
    assert len(set(CURRENCIES)) == 17
    for currency in CURRENCIES:
        require_question("westus2", currency)


@pytest.mark.parametrize(
    "url",
    [
        "http://prices.azure.com/api/retail/prices",
        "ftp://prices.azure.com/",
        "https://user:secret@prices.azure.com/",
        "https://prices.azure.com/?a=b",
        "https://prices.azure.com/#a",
        "https://prices.azure.com:port/",
        "https://[::1/",
        "prices.azure.com",
        "",
    ],
)
def test_an_address_that_anybody_could_answer_for_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url") as refused:
        require_base_url(url)

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", [BASE_URL, "https://mirror.example:8443/prices", "http://127.0.0.1:8/", "http://[::1]/"]
)
def test_https_anywhere_and_http_to_this_machine_are_taken(url: str) -> None:
    require_base_url(url)


def test_a_next_link_is_followed_as_it_is() -> None:
    link = sample("synthetic_voice_live_usd_page1")["NextPageLink"]

    assert link.startswith("https://prices.azure.com:443/")
    assert link_to_follow(link, base_url=BASE_URL, visited=[BASE_URL]) == link


@pytest.mark.parametrize("link", [None, ""])
def test_without_a_link_it_was_the_last_page(link: str | None) -> None:
    assert link_to_follow(link, base_url=BASE_URL, visited=[BASE_URL]) is None


@pytest.mark.parametrize(
    "link",
    [
        "https://prices.azure.com.evil.example/api/retail/prices?$skip=1",
        "https://prices.azure.com@evil.example/api/retail/prices",
        "https://me:you@prices.azure.com/api/retail/prices",
        "http://prices.azure.com/api/retail/prices",
        "http://prices.azure.com:443/api/retail/prices",
        "https://prices.azure.com:8443/api/retail/prices",
        "https://prices.azure.com:99999/api/retail/prices",
        "https://prices.azure.com:0/api/retail/prices",
        "//prices.azure.com/api/retail/prices",
        "/api/retail/prices?$skip=1",
        "https://[prices.azure.com/",
        "file:///etc/passwd",
    ],
)
def test_a_link_to_elsewhere_is_not_followed(link: str) -> None:
    with pytest.raises(PricesUnavailableError, match="not followed"):
        link_to_follow(link, base_url=BASE_URL, visited=[])


def test_a_circle_and_an_endless_list_end() -> None:
    with pytest.raises(PricesUnavailableError, match="circle"):
        link_to_follow(BASE_URL, base_url=BASE_URL, visited=[BASE_URL])
    with pytest.raises(PricesUnavailableError, match=f"{MAX_PAGES} pages"):
        link_to_follow(BASE_URL, base_url=BASE_URL, visited=[str(page) for page in range(MAX_PAGES)])

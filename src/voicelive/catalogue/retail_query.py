"""What the Retail Prices API is asked, and which links of its answers may be followed.

Sources: the reference page of the Azure Retail Prices API, and what public projects saw of it until November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from voicelive.catalogue.terms import allowed
from voicelive.errors import ConfigurationError, PricesUnavailableError

__all__ = ["BASE_URL", "CURRENCIES", "MAX_PAGES", "link_to_follow", "query_url", "require_base_url", "require_question"]

BASE_URL: Final = "https://prices.azure.com/api/retail/prices"

CURRENCIES: Final = (
    *("USD", "AUD", "BRL", "CAD", "CHF", "CNY", "DKK", "EUR", "GBP"),
    *("INR", "JPY", "KRW", "NOK", "NZD", "RUB", "SEK", "TWD"),
)
"""The documented ones. Only USD is the price; the others are Microsoft's conversions, for reference."""

MAX_PAGES: Final = 50
"""More than enough: a region's speech meters filled a few pages when a page held 100 rows. Now it may hold 1,000."""

_REGION: Final = re.compile(r"[a-z][a-z0-9]{1,39}")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_PORTS: Final = {"https": 443, "http": 80}


def require_question(region: str, currency: str) -> None:
    """Refuse what the API would answer with an empty list, or with another currency.

    Raises:
        ConfigurationError: The region is not written as Azure writes it, or the currency is not one of ``CURRENCIES``.
    """
    if not isinstance(region, str) or not _REGION.fullmatch(region):
        raise ConfigurationError(
            f"region is {region!r}; it must be Azure's name of a region, in lower case without blanks, "
            "such as 'swedencentral'"
        )
    allowed("currency", currency, CURRENCIES)


def require_base_url(url: str) -> None:
    """Refuse an address whose answers anybody on the way could change.

    Raises:
        ConfigurationError: It is not https, and not http to this machine; or it holds a password, query or fragment.
    """
    parts = _split(url)
    local = parts is not None and parts.scheme == "http" and parts.hostname in _LOOPBACK
    if parts is None or not (local or parts.scheme == "https") or parts.query or parts.fragment:
        raise ConfigurationError(
            f"base_url is not an address of the Retail Prices API; allowed: https, or http to this machine, without "
            f"user, query and fragment, such as {BASE_URL!r}"
        )


def query_url(base_url: str, region: str, currency: str) -> str:
    """The address of the first page: all speech meters of a region that are paid by use.

    All of them, not only Voice Live's: avatars and custom models have meters of other names, and one query a day for
    each region and currency is what the API takes without throttling.
    """
    conditions = {
        "serviceName": "Foundry Tools",  # was "Cognitive Services", a name that finds nothing any more
        "productName": "Azure Speech",
        "armRegionName": region,
        "priceType": "Consumption",
    }
    wanted = " and ".join(f"{field} eq {_quoted(value)}" for field, value in conditions.items())
    # The currency stands by itself: within $filter it gives an empty list.
    return f"{base_url}?currencyCode={quote(_quoted(currency))}&$filter={quote(wanted)}"


def link_to_follow(link: str | None, *, base_url: str, visited: Collection[str]) -> str | None:
    """The next page's address, as the service wrote it; ``None`` after the last page.

    Raises:
        PricesUnavailableError: The link leads elsewhere, in a circle, or on and on.
    """
    if not link:
        return None
    if _origin(_split(link)) != _origin(_split(base_url)):
        raise PricesUnavailableError(
            f"the price list goes on at another address than {base_url}, which is not followed; "
            "look for a proxy that changes answers"
        )
    if link in visited:
        raise PricesUnavailableError("the pages of the price list lead in a circle; try again later")
    if len(visited) >= MAX_PAGES:
        raise PricesUnavailableError(f"the price list has no end within {MAX_PAGES} pages; try again later")
    return link


def _quoted(value: str) -> str:
    """A text of OData: within quotes, those inside doubled."""
    return "'" + value.replace("'", "''") + "'"


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0  # a port may raise, too
    except ValueError:
        return None
    return parts if usable else None


def _origin(parts: SplitResult | None) -> tuple[str, str | None, int | None] | None:
    # The service's own links name the port, ":443"
    return parts and (parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme))

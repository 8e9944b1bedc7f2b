"""One page of the Retail Prices API: rows, and where the next page is. Amounts go from text to ``Decimal`` directly.

Generous with rows, since a row that cannot be read is none of ours or one price less; strict with the envelope, since
a page that cannot be read could be any part of the list.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NoReturn

from voicelive.errors import PricesUnavailableError

__all__ = ["Page", "Row", "read_page"]

_MAX_DIGITS: Final = 30  # of a number, and of its power of ten: no amount of money has more
LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A meter's price, in the words of the service.

    Attributes:
        price: Retail price of one ``unit``.
        unit: Such as ``1K`` or ``1 Minute``.
        kind: The answer's ``type``: ``Consumption``, ``DevTestConsumption`` or ``Reservation``.
        first_unit: From how many units on the price holds; 0 but for graduated prices.
        starts_at: From when on the price holds; long ago where the row does not say.
    """

    meter: str
    price: Decimal
    unit: str
    kind: str
    region: str
    currency: str
    first_unit: Decimal
    starts_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page, in the order of the service.

    Attributes:
        currency: The envelope's ``BillingCurrency``; empty where it does not say.
        next_link: As the service wrote it; ``None`` or empty on the last page.
        unreadable_rows: How many rows lack a name or a number.
    """

    currency: str
    rows: tuple[Row, ...]
    next_link: str | None
    unreadable_rows: int


def read_page(text: str | bytes) -> Page:
    """A page of an answer.

    Raises:
        PricesUnavailableError: This is no answer of the API, such as a proxy's page. Nothing of it is repeated.
    """
    try:
        raw = json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:  # an undecodable byte is a ValueError too
        raise _no_answer("it is not JSON") from error
    items = raw.get("Items") if isinstance(raw, dict) else None
    if not isinstance(items, list):
        raise _no_answer("it has no Items")
    link = raw.get("NextPageLink")
    if not isinstance(link, str | None):
        raise _no_answer("its NextPageLink is no text")
    currency = _text(raw, "BillingCurrency")
    rows = [_row(item, currency) for item in items]
    readable = tuple(row for row in rows if row is not None)
    return Page(currency=currency, rows=readable, next_link=link, unreadable_rows=len(rows) - len(readable))


def _row(item: object, currency: str) -> Row | None:
    if not isinstance(item, dict):
        return None
    price, first_unit = _number(item.get("retailPrice")), _number(item.get("tierMinimumUnits") or 0)
    meter = _text(item, "meterName")
    if price is None or first_unit is None or not meter:
        return None
    return Row(
        meter=meter,
        price=price,
        unit=_text(item, "unitOfMeasure"),
        kind=_text(item, "type"),
        region=_text(item, "armRegionName"),
        currency=_text(item, "currencyCode") or currency,
        first_unit=first_unit,
        starts_at=_instant(_text(item, "effectiveStartDate")),
    )


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        return None
    number = Decimal(value)
    plausible = len(number.as_tuple().digits) <= _MAX_DIGITS and abs(number.adjusted()) <= _MAX_DIGITS
    return number if plausible else None


def _text(item: dict[str, Any], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return LONG_AGO  # the last to be chosen among several rows of a meter
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no amount")


def _no_answer(why: str) -> PricesUnavailableError:
    return PricesUnavailableError(
        f"this is no answer of the Retail Prices API: {why}; check base_url, and any proxy on the way"
    )

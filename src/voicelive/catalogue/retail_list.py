"""A price list from the pages of an answer: which of several rows counts, and what is told of the others.

Pure: the time is an argument. The order of rows and pages decides nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import assert_never

from voicelive.catalogue.price_list import PriceList
from voicelive.catalogue.retail_meters import AvatarMeter, CustomMeter, Meter, TokenMeter, concerns_us, meter_of
from voicelive.catalogue.retail_meters import price_per_unit as converted
from voicelive.catalogue.retail_page import Page, Row
from voicelive.catalogue.terms import AvatarCategory, Category, CustomCategory, Tier
from voicelive.errors import PricesNotFoundError, PricesUnavailableError
from voicelive.transport.refusals import clean

__all__ = ["RetailReport", "price_list_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetailReport:
    """What an answer held beside the prices: for a look at the log, or for whoever keeps this package's tables.

    Attributes:
        rows: All rows of the answer, those of other speech meters included.
        unreadable_rows: Rows without a name or a number.
        unknown_meters: Names that belong to Voice Live or to avatars, and to no meter that is known here.
        unusable_meters: Names of known meters that got no price: their rows have another unit, or no price above 0.
        disputed_meters: Names of meters with different prices from the same day on; the highest was taken.
        missing_meters: Token meters without a price here that the package's own list has: the region does not offer
            them, or the answer was cut short, as happened to everybody on 2023-03-10.
    """

    rows: int
    unreadable_rows: int
    unknown_meters: tuple[str, ...]
    unusable_meters: tuple[str, ...]
    disputed_meters: tuple[str, ...]
    missing_meters: tuple[tuple[Tier, Category], ...]


def price_list_of(
    pages: Sequence[Page],
    *,
    region: str,
    currency: str,
    now: datetime,
    as_of: date,
    source: str,
    expected: Iterable[tuple[Tier, Category]] = (),
) -> tuple[PriceList, RetailReport]:
    """The prices that are in effect.

    Several rows of one meter: of those for consumption in this region, from the first unit on, the one that began last
    counts; rows that begin after ``now`` do not. In a unit that is not known it is no price. Nor is a price of 0: the
    meter's key is missing, as that of a meter without a row. ``expected`` only serves the report.

    Raises:
        PricesUnavailableError: The answer is in another currency.
        PricesNotFoundError: No row is a price for this region.
    """
    for page in pages:
        if page.currency not in ("", currency):
            raise PricesUnavailableError(
                f"the Retail Prices API answered in {clean(page.currency)[:10]} instead of {currency}; "
                "ask for USD, and convert with PriceList.converted"
            )
    rows = [row for page in pages for row in page.rows]
    valid = [row for row in rows if _holds(row, region=region, currency=currency, now=now)]
    prices, unusable, disputed = _prices(valid)
    if not prices:
        raise PricesNotFoundError(
            f"the Retail Prices API has no speech prices for region {region!r} in {currency} ({len(rows)} rows, none "
            "usable); it answers the same to a region that does not exist: check its name, and whether the service's "
            "name in the API has changed"
        )
    found = _list(prices, currency=currency, region=region, as_of=as_of, source=source)
    unreadable = sum(page.unreadable_rows for page in pages)
    report = RetailReport(
        rows=len(rows) + unreadable,
        unreadable_rows=unreadable,
        unknown_meters=_names(row for row in valid if meter_of(row.meter) is None and concerns_us(row.meter)),
        unusable_meters=_names(unusable),
        disputed_meters=_names(disputed),
        missing_meters=tuple(key for key in expected if key not in found.tokens),
    )
    return found, report


def _holds(row: Row, *, region: str, currency: str, now: datetime) -> bool:
    return (
        row.kind == "Consumption"
        and row.region == region
        and row.currency == currency
        and row.first_unit == 0
        and row.starts_at <= now
    )


def _prices(rows: Iterable[Row]) -> tuple[dict[Meter, Decimal], list[Row], list[Row]]:
    """Prices by meter, rows of meters that have none, and rows that contradict each other."""
    by_meter: defaultdict[Meter, list[Row]] = defaultdict(list)
    for row in rows:
        if (meter := meter_of(row.meter)) is not None:
            by_meter[meter].append(row)
    prices: dict[Meter, Decimal] = {}
    unusable: list[Row] = []
    disputed: list[Row] = []
    for meter, candidates in by_meter.items():
        priced = {row: price for row in candidates if (price := converted(meter, row.price, row.unit)) is not None}
        # A model's hosting has a row for the hour and one for the day; a token meter in a new unit has a new price.
        dated = candidates if isinstance(meter, TokenMeter) else priced
        begun = max((row.starts_at for row in dated), default=None)
        newest = {row: price for row, price in priced.items() if row.starts_at == begun}
        price = max(newest.values(), default=Decimal(0))
        if price > 0:
            prices[meter] = price
        else:
            unusable += candidates
        if len(set(newest.values())) > 1:
            disputed += newest
    return prices, unusable, disputed


def _list(prices: Mapping[Meter, Decimal], *, currency: str, region: str, as_of: date, source: str) -> PriceList:
    tokens: dict[tuple[Tier, Category], Decimal] = {}
    avatar: dict[AvatarCategory, Decimal] = {}
    custom: dict[CustomCategory, Decimal] = {}
    for meter, price in prices.items():
        match meter:
            case TokenMeter(tier, token_category):
                tokens[tier, token_category] = price
            case AvatarMeter(avatar_category):
                avatar[avatar_category] = price
            case CustomMeter(custom_category):
                custom[custom_category] = price
            case _:
                assert_never(meter)
    return PriceList(
        currency=currency,
        region=region,
        as_of=as_of,
        source=source,
        tokens=tokens,
        avatar_per_minute=avatar,
        custom=custom,
    )


def _names(rows: Iterable[Row]) -> tuple[str, ...]:
    return tuple(sorted({clean(row.meter)[:100] for row in rows}))

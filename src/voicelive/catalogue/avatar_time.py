"""What the time costs in which an avatar is shown: its meters count by the second, whether it speaks or not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Final, cast, get_args

from voicelive.catalogue.money import decimal_from, product
from voicelive.catalogue.price_list import PriceList
from voicelive.catalogue.terms import AvatarCategory

__all__ = ["AvatarLine", "avatar_line"]

_MINUTE_MS: Final = 60_000
_PER_MS: Final = Decimal("0.001")


@dataclass(frozen=True, slots=True, kw_only=True)
class AvatarLine:
    """One meter of avatars.

    Attributes:
        category: The meter, such as ``avatar_realtime_standard``.
        milliseconds: How long avatars of that kind were shown.
        price_per_minute: ``None``: none is known.
        amount: What that costs, in the bill's currency; ``None``: unknown, unless there was nothing to see. Exact
            where 34 digits hold it: a second is a sixtieth of the price.
        currency: The bill's currency.
    """

    category: str
    milliseconds: int
    price_per_minute: Decimal | None
    amount: Decimal | None
    currency: str

    @property
    def seconds(self) -> Decimal:
        """How long, in seconds, exactly."""
        return product(self.milliseconds, _PER_MS)

    @property
    def whole_seconds(self) -> int:
        """The same, begun seconds included."""
        return -(-self.milliseconds // 1000)

    def plus(self, milliseconds: int) -> AvatarLine:
        """The line of so much more time, at the same price."""
        shown_ms = self.milliseconds + milliseconds
        return replace(self, milliseconds=shown_ms, amount=_amount(shown_ms, self.price_per_minute))


def avatar_line(category: str, milliseconds: int, prices: PriceList) -> AvatarLine:
    """The line of a meter; a kind of avatar that no list knows has no price."""
    known = category in get_args(AvatarCategory)
    price = prices.avatar_price(cast("AvatarCategory", category)) if known else None
    return AvatarLine(
        category=category,
        milliseconds=milliseconds,
        price_per_minute=price,
        amount=_amount(milliseconds, price),
        currency=prices.currency,
    )


def _amount(milliseconds: int, price: Decimal | None) -> Decimal | None:
    if price is None:
        return None if milliseconds else Decimal(0)
    return decimal_from(Fraction(price) * milliseconds / _MINUTE_MS)

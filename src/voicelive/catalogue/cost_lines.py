"""Lines of an estimate: how much each meter counts, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Final, get_args

from voicelive.catalogue.money import decimal_from, total
from voicelive.catalogue.price_list import PriceList
from voicelive.catalogue.scenarios import Scenario
from voicelive.catalogue.terms import AvatarCategory, CustomCategory, allowed
from voicelive.errors import ConfigurationError

__all__ = [
    "CostLine",
    "avatar_lines",
    "hosting_lines",
    "number",
    "sum_of",
    "token_lines",
    "training_lines",
    "whole",
]

_MONTH_HOURS: Final = 730  # as Azure's calculator counts
_MOST_ENDPOINTS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """One meter.

    Attributes:
        meter: Tier and category of tokens, or another meter's category.
        quantity: How much it counts.
        unit: ``token``, ``minute``, ``hour``, ``compute hour`` or ``image``.
        price: Price of a million tokens, or of one unit of anything else; ``None``: none is known.
        amount: What it costs; ``None``: unknown. Exact where 34 digits hold it.
    """

    meter: str
    quantity: Decimal
    unit: str
    price: Decimal | None
    amount: Decimal | None


def token_lines(scenario: Scenario, prices: PriceList) -> Iterator[CostLine]:
    """The meters of tokens."""
    tokens, share = scenario.talk.tokens(), scenario.cached_share
    counts = (
        tokens.text_new + tokens.text_again * (1 - share),
        tokens.text_again * share,
        tokens.audio_new + tokens.audio_again * (1 - share),
        tokens.audio_again * share,
        tokens.text_out,
        tokens.audio_out,
    )
    of_model = Fraction(0)
    for meter, count in zip(scenario.mode.meters, counts, strict=True):
        if meter is None:
            continue
        tier, category = meter
        price = prices.token_price(tier, category)
        yield cost_line(f"{tier} {category}", count, "token", price, Fraction(1, 1_000_000))
        if "text" in category or "native" in category:
            of_model += count * Fraction(price or 0) / 1_000_000
    if scenario.surcharge and of_model:
        yield cost_line("surcharge of a data zone or region", of_model, prices.currency, Decimal("0.1"), Fraction(1))


def avatar_lines(avatar: AvatarCategory | None, minutes: Fraction, prices: PriceList) -> tuple[CostLine, ...]:
    """The meter of an avatar, if one is shown."""
    if avatar is None:
        return ()
    return (
        cost_line(allowed("avatar", avatar, get_args(AvatarCategory)), minutes, "minute", prices.avatar_price(avatar)),
    )


def hosting_lines(hosted: Mapping[CustomCategory, int], prices: PriceList) -> Iterator[CostLine]:
    """A month of hosting."""
    meters = tuple(word for word in get_args(CustomCategory) if word.endswith("_hosting"))
    for meter, endpoints in hosted.items():
        allowed("hosted", meter, meters)
        hours = Fraction(whole(f"hosted[{meter!r}]", endpoints, 0, _MOST_ENDPOINTS) * _MONTH_HOURS)
        yield cost_line(meter, hours, "hour", prices.custom_price(meter))


def training_lines(trained: Mapping[CustomCategory, float], prices: PriceList) -> Iterator[CostLine]:
    """What is paid once; a training costs no more than its cap."""
    meters = tuple(word for word in get_args(CustomCategory) if not word.endswith("_hosting"))
    for meter, units in trained.items():
        allowed("trained", meter, meters)
        unit = "image" if meter == "photo_avatar_creation" else "compute hour"
        line = cost_line(meter, number(f"trained[{meter!r}]", units), unit, prices.custom_price(meter))
        cap = prices.custom_caps.get(meter)
        yield line if line.amount is None or cap is None else replace(line, amount=min(line.amount, cap))


def cost_line(
    meter: str, quantity: Fraction, unit: str, price: Decimal | None, per: Fraction = Fraction(1)
) -> CostLine:
    amount = Decimal(0) if not quantity else None if price is None else decimal_from(quantity * Fraction(price) * per)
    return CostLine(meter=meter, quantity=decimal_from(quantity), unit=unit, price=price, amount=amount)


def sum_of(lines: tuple[CostLine, ...]) -> Decimal:
    """All that has a price."""
    return total(line.amount for line in lines if line.amount is not None)


def number(name: str, value: float | Decimal, most: int = 10**6) -> Fraction:
    """The exact value of a number from 0 to ``most``; of a float, that of its shortest spelling.

    Raises:
        ConfigurationError: It is none.
    """
    good = isinstance(value, int | float | Decimal) and not isinstance(value, bool) and 0 <= value <= most
    if not good:
        raise ConfigurationError(f"{name} is {value!r}; it must be a number from 0 to {most}")
    return Fraction(str(value))


def whole(name: str, value: int, least: int, most: int) -> int:
    """The number, if it is whole and within the limits.

    Raises:
        ConfigurationError: It is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ConfigurationError(f"{name} is {value!r}; it must be a whole number from {least} to {most}")
    return value

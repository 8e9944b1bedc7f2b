"""Prices of one currency, region and day, and how they are read from JSON. A missing price is no price, never 0."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeVar, get_args

from voicelive.catalogue.money import decimal_of, product
from voicelive.catalogue.terms import AvatarCategory, Category, CustomCategory, Tier, allowed, as_tier
from voicelive.errors import ConfigurationError

__all__ = ["PriceList", "read_price_list"]

_K = TypeVar("_K")
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """What the meters cost. Amounts are ``Decimal``; a key that is missing has no known price.

    Attributes:
        currency: ISO 4217 code, such as ``USD``.
        region: Azure's name of the region the prices were asked for; ``None``: those of the general price page.
        as_of: The day on which they were read.
        source: Where they were read.
        tokens: Price of one million tokens, by tier and meter.
        avatar_per_minute: Price of a minute in which an avatar is shown, silent or not.
        custom: Price of an hour of hosting, a compute hour of training, or an image; see ``CustomCategory``.
        custom_caps: What one training costs at most, where that is published.

    Raises:
        ConfigurationError: A word is unknown, or an amount is not an exact, finite figure of at least 0.
    """

    currency: str
    region: str | None
    as_of: date
    source: str
    tokens: Mapping[tuple[Tier, Category], Decimal]
    avatar_per_minute: Mapping[AvatarCategory, Decimal] = field(default_factory=dict)
    custom: Mapping[CustomCategory, Decimal] = field(default_factory=dict)
    custom_caps: Mapping[CustomCategory, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require_currency(self.currency)
        for tier, category in self.tokens:
            allowed("tokens: tier", tier, get_args(Tier))
            allowed("tokens: category", category, get_args(Category))
        for name, words in (
            ("tokens", None),
            ("avatar_per_minute", get_args(AvatarCategory)),
            ("custom", get_args(CustomCategory)),
            ("custom_caps", get_args(CustomCategory)),
        ):
            amounts = getattr(self, name)
            for key in amounts if words else ():
                allowed(name, key, words or ())
            exact = {key: decimal_of(f"{name}[{key!r}]", amount) for key, amount in amounts.items()}
            object.__setattr__(self, name, MappingProxyType(exact))

    def __reduce__(self) -> tuple[Any, ...]:
        facts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        plain = {name: dict(fact) if isinstance(fact, Mapping) else fact for name, fact in facts.items()}
        return _restored, (plain,)  # views of mappings cannot be pickled

    def token_price(self, tier: str, category: Category) -> Decimal | None:
        """Price of one million tokens of a meter; ``None``: none is known.

        Raises:
            ConfigurationError: There is no such tier or category.
        """
        allowed("category", category, get_args(Category))
        return self.tokens.get((as_tier(tier), category))

    def avatar_price(self, category: AvatarCategory) -> Decimal | None:
        """Price of a minute; ``None``: none is known.

        Raises:
            ConfigurationError: There is no such category.
        """
        allowed("category", category, get_args(AvatarCategory))
        return self.avatar_per_minute.get(category)

    def custom_price(self, category: CustomCategory) -> Decimal | None:
        """Price of an hour, a compute hour or an image, as the category says; ``None``: none is known.

        Raises:
            ConfigurationError: There is no such category.
        """
        allowed("category", category, get_args(CustomCategory))
        return self.custom.get(category)

    def converted(self, rate: Decimal, currency: str) -> PriceList:
        """The same prices in another currency, exactly.

        The Retail Prices API answers in other currencies itself, by Microsoft's own rates: what it says is a better
        figure where it can be had.

        Args:
            rate: Units of ``currency`` for one unit of this list's, such as ``Decimal("0.868")``.
            currency: ISO 4217 code.

        Raises:
            ConfigurationError: ``rate`` is a float, or not greater than 0; ``currency`` is no code.
        """
        _require_currency(currency)
        if not decimal_of("rate", rate):
            raise ConfigurationError("rate is 0; it must be greater than 0")

        def times_rate(amounts: Mapping[_K, Decimal]) -> dict[_K, Decimal]:
            return {key: product(amount, rate) for key, amount in amounts.items()}

        return replace(
            self,
            currency=currency,
            source=f"{self.source}; {rate} {currency} for one {self.currency}",
            tokens=times_rate(self.tokens),
            avatar_per_minute=times_rate(self.avatar_per_minute),
            custom=times_rate(self.custom),
            custom_caps=times_rate(self.custom_caps),
        )


def read_price_list(text: str | bytes) -> PriceList:
    """A price list from JSON of the form of ``data/prices.json``. Amounts go from text to ``Decimal`` directly.

    Raises:
        ConfigurationError: It has no such form.
    """
    try:
        raw = json.loads(text, parse_float=Decimal)
        return PriceList(
            currency=raw["currency"],
            region=raw["region"],
            as_of=date.fromisoformat(raw["as_of"]),
            source=raw["source"],
            tokens=_known({(row["tier"], row["category"]): row["per_1m_tokens"] for row in raw["tokens"]}),
            avatar_per_minute=_known({row["category"]: row["price"] for row in raw["avatar_per_minute"]}),
            custom=_known({row["category"]: row["price"] for row in raw["custom"]}),
            custom_caps=_known({row["category"]: row["cap"] for row in raw["custom"]}),
        )
    except ConfigurationError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"this is no price list: {type(error).__name__}: {error}") from error


def _known(amounts: dict[Any, Any]) -> dict[Any, Any]:
    return {key: amount for key, amount in amounts.items() if amount is not None}


def _require_currency(code: str) -> None:
    if not isinstance(code, str) or not _CURRENCY.fullmatch(code):
        raise ConfigurationError(f"currency is {code!r}; it must be a code of three capital letters, such as 'USD'")


def _restored(facts: dict[str, Any]) -> PriceList:
    return PriceList(**facts)

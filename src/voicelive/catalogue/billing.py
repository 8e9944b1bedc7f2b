"""From tokens to money: which meter counts which tokens, and what is on the bill. Exact, and never rounded.

A session's cost is the sum over its responses: each reads the whole conversation again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import get_args

from voicelive.catalogue.avatar_time import AvatarLine, avatar_line
from voicelive.catalogue.modes import BillingMode, require_mode
from voicelive.catalogue.money import product, total
from voicelive.catalogue.packaged import prices as packaged_prices
from voicelive.catalogue.price_list import PriceList
from voicelive.catalogue.terms import Category, Tier
from voicelive.catalogue.usage import UsageTokens, read_usage
from voicelive.errors import ConfigurationError

__all__ = ["Bill", "BillLine", "Unpriced", "bill"]

_PER_TOKEN = Decimal("0.000001")  # prices are those of a million tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """What one meter counts.

    Attributes:
        tier: The meter's tier.
        category: The meter.
        tokens: How many it counts.
        price_per_1m: Price of a million of them; ``None``: none is known.
        amount: What they cost, in the bill's currency; ``None``: unknown, unless there are none.
        currency: The bill's currency.
    """

    tier: Tier
    category: Category
    tokens: int
    price_per_1m: Decimal | None
    amount: Decimal | None
    currency: str

    @property
    def usd(self) -> Decimal | None:
        """``amount`` of a bill in US dollars.

        Raises:
            ConfigurationError: It is in another currency.
        """
        if self.currency != "USD":
            raise ConfigurationError(f"this bill is in {self.currency}; read amount instead of usd")
        return self.amount


@dataclass(frozen=True, slots=True)
class Unpriced:
    """What costs something nobody can tell.

    Attributes:
        what: The meter, or where it is counted.
        tokens: How many tokens, or seconds where ``what`` says so; 0: not even that is known.
    """

    what: str
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What responses cost.

    Attributes:
        lines: One for each meter, empty ones included.
        total: The sum of all that has a price.
        unpriced: What has none, and is not in ``total``.
        estimated: Whether a split had to be assumed; the total is then an upper bound.
        notes: What was assumed or chosen.
        flags: What is missing in the usage or does not add up in it; its details were billed as they are.
        currency: ISO 4217 code.
        as_of: The day of the prices.
        avatars: The meters of avatars, which count by the second.
    """

    lines: tuple[BillLine, ...]
    total: Decimal
    unpriced: tuple[Unpriced, ...]
    estimated: bool
    notes: tuple[str, ...]
    flags: tuple[str, ...]
    currency: str
    as_of: date
    avatars: tuple[AvatarLine, ...] = ()

    @property
    def complete(self) -> bool:
        """Everything has a price."""
        return not self.unpriced

    @classmethod
    def joined(cls, bills: Iterable[Bill]) -> Bill:
        """One bill of several: the same meters at the same price in one line. In whatever order, it is the same.

        Raises:
            ConfigurationError: There are none, or they are in several currencies.
        """
        parts = list(bills)
        currencies = sorted({part.currency for part in parts})
        if len(currencies) != 1:
            found = f"bills in {' and '.join(currencies)}" if parts else "no bill"
            raise ConfigurationError(f"there is {found}; only bills of one currency make a sum")
        lines: dict[tuple[str, str, Decimal | None], BillLine] = {}
        for line in (line for part in parts for line in part.lines):
            key = (line.tier, line.category, line.price_per_1m)
            lines[key] = replace(line, tokens=line.tokens + lines[key].tokens) if key in lines else line
        shown: dict[tuple[str, Decimal | None], AvatarLine] = {}
        for avatar in (avatar for part in parts for avatar in part.avatars):
            place = (avatar.category, avatar.price_per_minute)
            shown[place] = avatar.plus(shown[place].milliseconds) if place in shown else avatar
        unpriced: dict[str, int] = {}
        for one in (one for part in parts for one in part.unpriced):
            unpriced[one.what] = unpriced.get(one.what, 0) + one.tokens
        summed = tuple(_priced(line) for line in sorted(lines.values(), key=_order))
        avatars = tuple(shown[place] for place in sorted(shown, key=lambda place: (place[0], place[1] or Decimal(-1))))
        return cls(
            lines=summed,
            total=_sum(summed, avatars),
            unpriced=tuple(Unpriced(what, unpriced[what]) for what in sorted(unpriced)),
            estimated=any(part.estimated for part in parts),
            notes=tuple(sorted({note for part in parts for note in part.notes})),
            flags=tuple(sorted({flag for part in parts for flag in part.flags})),
            currency=currencies[0],
            as_of=max(part.as_of for part in parts),
            avatars=avatars,
        )

    @classmethod
    def empty(
        cls,
        prices: PriceList,
        *,
        avatar_ms: Mapping[str, int] | None = None,
        unpriced: Iterable[Unpriced] = (),
        notes: Iterable[str] = (),
        flags: Iterable[str] = (),
    ) -> Bill:
        """One without tokens: of the time in which avatars were shown, by meter, or of nothing at all."""
        avatars = tuple(avatar_line(meter, shown_ms, prices) for meter, shown_ms in sorted((avatar_ms or {}).items()))
        unknown = (Unpriced(f"seconds of {one.category}", one.whole_seconds) for one in avatars if one.amount is None)
        return cls(
            lines=(),
            total=_sum((), avatars),
            unpriced=(*unpriced, *unknown),
            estimated=False,
            notes=tuple(notes),
            flags=tuple(flags),
            currency=prices.currency,
            as_of=prices.as_of,
            avatars=avatars,
        )


def bill(usage: object, mode: BillingMode, *, prices: PriceList | None = None) -> Bill:
    """What one response costs, by its ``usage``.

    Cached tokens are part of the text and audio tokens, reasoning is part of the text. What the usage does not split is
    split towards more money and marked. Tokens of which it does not say what they are, images, and meters without a
    known price are reported in ``unpriced``, never counted as nothing.

    Args:
        usage: ``response.usage`` of a ``response.done``, cancelled ones included, or the mapping on the wire.
        mode: On which meters it counts; ``BillingMode.of`` derives it from model and settings.
        prices: Default: the package's list, in US dollars.

    Raises:
        ConfigurationError: An argument is none of that, or a count is not a whole number.
    """
    listed = packaged_prices if prices is None else prices
    tokens = read_usage(usage)
    lines = tuple(_lines(tokens, require_mode(mode), listed))
    unpriced = [Unpriced(what, count) for what, count in tokens.unknown.items()]
    unpriced += [Unpriced(f"{line.tier} {line.category}", line.tokens) for line in lines if line.amount is None]
    return Bill(
        lines=lines,
        total=total(line.amount for line in lines if line.amount is not None),
        unpriced=tuple(unpriced),
        estimated=tokens.estimated,
        notes=(*tokens.notes, *mode.notes),
        flags=tokens.flags,
        currency=listed.currency,
        as_of=listed.as_of,
    )


def _lines(tokens: UsageTokens, mode: BillingMode, prices: PriceList) -> Iterator[BillLine]:
    counts = (
        tokens.text_fresh,
        tokens.text_cached,
        tokens.audio_fresh,
        tokens.audio_cached,
        tokens.text_out,
        tokens.audio_out,
    )
    for meter, count in zip(mode.meters, counts, strict=True):
        if meter is not None:
            yield _priced(
                BillLine(
                    tier=meter[0],
                    category=meter[1],
                    tokens=count,
                    price_per_1m=prices.token_price(*meter),
                    amount=None,
                    currency=prices.currency,
                )
            )


def _priced(line: BillLine) -> BillLine:
    if line.price_per_1m is None:
        return replace(line, amount=None if line.tokens else Decimal(0))
    return replace(line, amount=product(line.tokens, line.price_per_1m, _PER_TOKEN))


def _sum(lines: tuple[BillLine, ...], avatars: tuple[AvatarLine, ...]) -> Decimal:
    amounts = [*(line.amount for line in lines), *(line.amount for line in avatars)]
    return total(amount for amount in amounts if amount is not None)


def _order(line: BillLine) -> tuple[int, int, Decimal]:
    return get_args(Tier).index(line.tier), get_args(Category).index(line.category), line.price_per_1m or Decimal(-1)

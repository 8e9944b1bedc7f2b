"""Arithmetic with money: exact or not at all. Nothing is rounded before it is displayed, and no float takes part."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from fractions import Fraction

from voicelive.errors import ConfigurationError

__all__ = ["decimal_from", "decimal_of", "plain", "product", "total"]

_EXACT = Context(prec=2_000, traps=[Inexact, InvalidOperation, Overflow, DivisionByZero])
"""Wide enough for all sums and products of prices and counts; a result that does not fit raises."""


_ENDLESS = Context(prec=34)
"""For thirds and their kin, which no number of digits holds."""


def decimal_from(fraction: Fraction) -> Decimal:
    """The fraction's value, exact where at most 34 digits hold it."""
    return plain(_ENDLESS.divide(Decimal(fraction.numerator), Decimal(fraction.denominator)))


def decimal_of(field: str, value: object) -> Decimal:
    """A figure that may be counted with: ``Decimal`` or whole, finite and not negative.

    Raises:
        ConfigurationError: It is a float, which would not be what was written, or no such figure.
    """
    if isinstance(value, float):
        raise ConfigurationError(f"{field} is the float {value!r}; write Decimal({str(value)!r}), which is exact")
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise ConfigurationError(f"{field} is a {type(value).__name__}; it must be a Decimal")
    if not Decimal(value).is_finite() or value < 0:
        raise ConfigurationError(f"{field} is {value}; it must be finite and at least 0")
    return Decimal(value)


def product(*factors: Decimal | int) -> Decimal:
    """The exact product, written without needless zeros."""
    result = Decimal(1)
    for factor in factors:
        result = _EXACT.multiply(result, factor)
    return plain(result)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    result = Decimal(0)
    for amount in amounts:
        result = _EXACT.add(result, amount)
    return result


def plain(amount: Decimal) -> Decimal:
    """The same value without zeros behind its last decimal: ``0.20`` is ``0.2``, and ``1E+2`` is ``100``."""
    short = amount.normalize(_EXACT)
    return short.quantize(Decimal(1), context=_EXACT) if short.as_tuple().exponent > 0 else short  # type: ignore[operator]  # finite

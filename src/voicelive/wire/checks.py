"""Limits on what an application may construct; what the service sends is never measured against them."""

from collections.abc import Callable, Sized
from typing import Any

from pydantic import AfterValidator, ValidationInfo

__all__ = ["at_most", "more_than", "within"]


def within(low: float, high: float | None = None, unit: str = "") -> AfterValidator:
    """A number from ``low`` to ``high``, both included; without ``high`` there is no upper end."""
    span = f"{low:g} to {high:g}" if high is not None else f"{low:g} or more"
    return _limit(lambda value: value >= low and (high is None or value <= high), f"{span} {unit}".rstrip())


def more_than(low: float, high: float | None = None) -> AfterValidator:
    """A number above ``low``, up to and including ``high``."""
    span = f"more than {low:g}" + (f", at most {high:g}" if high is not None else "")
    return _limit(lambda value: value > low and (high is None or value <= high), span)


def at_most(count: int, what: str) -> AfterValidator:
    """A collection with a bounded number of members."""

    def check(value: Sized | None, info: ValidationInfo) -> Any:
        if info.mode == "python" and value is not None and len(value) > count:
            raise ValueError(f"has {len(value)} {what}; at most {count} are allowed")
        return value

    return AfterValidator(check)


def _limit(holds: Callable[[float], bool], span: str) -> AfterValidator:
    def check(value: Any, info: ValidationInfo) -> Any:
        if info.mode == "python" and isinstance(value, int | float) and not holds(value):
            raise ValueError(f"{value!r} is refused, allowed: {span}")
        return value

    return AfterValidator(check)

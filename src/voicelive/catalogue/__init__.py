"""Which model, where, and what it costs: dated facts, and exact arithmetic on them.

Everything here works offline; names and data load on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the same names for type checkers; a test compares the two
    from voicelive.catalogue.packaged import prices as prices
    from voicelive.catalogue.price_list import PriceList as PriceList
    from voicelive.catalogue.terms import AvatarCategory as AvatarCategory
    from voicelive.catalogue.terms import Category as Category
    from voicelive.catalogue.terms import CustomCategory as CustomCategory
    from voicelive.catalogue.terms import Speech as Speech
    from voicelive.catalogue.terms import Tier as Tier

_HOME = {
    "packaged": "prices",
    "price_list": "PriceList",
    "terms": "AvatarCategory Category CustomCategory Speech Tier",
}
"""Module to the names that it gives."""

_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = sorted(_MODULE_OF)  # pyright: ignore[reportUnsupportedDunderAll]  # type checkers read the imports above


if not TYPE_CHECKING:  # a type checker would take every misspelt name for one of these

    def __getattr__(name: str) -> Any:
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})

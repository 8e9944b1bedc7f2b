"""Which model, where, and what it costs: dated facts, and exact arithmetic on them.

Everything but ``RetailPrices`` works offline; names and data load on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the same names for type checkers; a test compares the two
    from voicelive.catalogue.avatar_time import AvatarLine as AvatarLine
    from voicelive.catalogue.billing import Bill as Bill
    from voicelive.catalogue.billing import BillLine as BillLine
    from voicelive.catalogue.billing import Unpriced as Unpriced
    from voicelive.catalogue.billing import bill as bill
    from voicelive.catalogue.checking import Finding as Finding
    from voicelive.catalogue.checking import check as check
    from voicelive.catalogue.cost_lines import CostLine as CostLine
    from voicelive.catalogue.estimating import Estimate as Estimate
    from voicelive.catalogue.estimating import Outlay as Outlay
    from voicelive.catalogue.estimating import estimate as estimate
    from voicelive.catalogue.listed import models as models
    from voicelive.catalogue.listed import regions as regions
    from voicelive.catalogue.model_list import Model as Model
    from voicelive.catalogue.model_list import Models as Models
    from voicelive.catalogue.modes import BillingMode as BillingMode
    from voicelive.catalogue.packaged import prices as prices
    from voicelive.catalogue.price_list import PriceList as PriceList
    from voicelive.catalogue.recommending import Recommendation as Recommendation
    from voicelive.catalogue.recommending import recommend as recommend
    from voicelive.catalogue.region_list import Region as Region
    from voicelive.catalogue.region_list import Regions as Regions
    from voicelive.catalogue.retail import RetailPrices as RetailPrices
    from voicelive.catalogue.retail import RetailReport as RetailReport
    from voicelive.catalogue.terms import AvatarCategory as AvatarCategory
    from voicelive.catalogue.terms import Category as Category
    from voicelive.catalogue.terms import CustomCategory as CustomCategory
    from voicelive.catalogue.terms import Kind as Kind
    from voicelive.catalogue.terms import Scope as Scope
    from voicelive.catalogue.terms import Speech as Speech
    from voicelive.catalogue.terms import Status as Status
    from voicelive.catalogue.terms import Tier as Tier

_HOME = {
    "avatar_time": "AvatarLine",
    "billing": "Bill BillLine Unpriced bill",
    "checking": "Finding check",
    "cost_lines": "CostLine",
    "estimating": "Estimate Outlay estimate",
    "listed": "models regions",
    "model_list": "Model Models",
    "modes": "BillingMode",
    "packaged": "prices",
    "price_list": "PriceList",
    "recommending": "Recommendation recommend",
    "region_list": "Region Regions",
    "retail": "RetailPrices RetailReport",
    "terms": "AvatarCategory Category CustomCategory Kind Scope Speech Status Tier",
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

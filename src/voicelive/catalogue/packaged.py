"""The price list that comes with the package, read when this module is first used."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from voicelive.catalogue.price_list import PriceList, read_price_list

__all__ = ["packaged_text", "prices"]


def packaged_text(name: str) -> str:
    """A file of the package's data."""
    return (files("voicelive.catalogue") / "data" / name).read_text(encoding="utf-8")


prices: Final[PriceList] = read_price_list(packaged_text("prices.json"))
"""List prices in US dollars, of the date and source that it names."""

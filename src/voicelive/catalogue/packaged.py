"""The data that comes with the package, read when this module is first used."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from voicelive.catalogue.price_list import PriceList, read_price_list

__all__ = ["prices"]


def _text(name: str) -> str:
    return (files("voicelive.catalogue") / "data" / name).read_text(encoding="utf-8")


prices: Final[PriceList] = read_price_list(_text("prices.json"))
"""List prices in US dollars, of the date and source that it names."""

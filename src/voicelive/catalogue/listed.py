"""The models and regions that come with the package, read when this module is first used."""

from __future__ import annotations

import json
from typing import Final

from voicelive.catalogue.model_list import Models, read_models
from voicelive.catalogue.packaged import packaged_text
from voicelive.catalogue.region_list import Regions, read_regions

__all__ = ["models", "regions"]

_models_text = packaged_text("models.json")

regions: Final[Regions] = read_regions(
    packaged_text("regions.json"), [row["id"] for row in json.loads(_models_text)["models"]]
)
"""The regions of Azure Speech, as of the date that it names."""

models: Final[Models] = read_models(_models_text, regions)
"""The models of Voice Live, as of the date that it names."""

"""What would do instead: the nearest model in a region, the nearest regions that have it all.

Near is a region of the same geography, by the documentation's table; and a model of the same kind, then of the same
tier, then of the most similar name.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any, Final

from voicelive.catalogue.listed import models, regions
from voicelive.catalogue.model_list import Model
from voicelive.catalogue.region_list import Region
from voicelive.protocol.families import setting, voice_kind

__all__ = ["near_model", "near_regions"]

_MOST_NAMED: Final = 3

_ABILITY_OF_VOICE: Final = {
    "azure-custom": "custom_voice",
    "azure-personal": "personal_voice",
    "avatar-voice-sync": "avatar_voice_sync",
}


def near_model(model: Model, region: Region) -> str | None:
    """The most similar model that the region offers, in words; ``None``: it offers none."""

    def distance(other: Model) -> tuple[bool, bool, int, int]:
        words = zip(other.id.split("-"), model.id.split("-"), strict=False)
        alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], words))
        return other.kind != model.kind, other.tier != model.tier, -alike, len(other.id)

    offered = models.where(region=region.id)
    return f"use {min(offered, key=distance).id} there" if offered else None


def near_regions(region: Region, *, model: Model | None, config: Any) -> str | None:
    """The nearest regions that offer the model and all that the settings need, in words; ``None``: there are none."""
    needed = {_ABILITY_OF_VOICE.get(voice_kind(setting(config, "voice")) or "", "voice_live"), "voice_live"}
    if setting(config, "avatar") is not None:
        needed.add("custom_avatar" if setting(config, "avatar", "customized") else "avatar")
    fit = [
        other
        for other in regions.where()
        if all(getattr(other, ability) for ability in needed)
        and (model is None or model.status != "current" or other.id in model.regions)
    ]
    near = sorted(fit, key=lambda other: other.geography != region.geography)[:_MOST_NAMED]
    return f"use a resource in {', '.join(other.id for other in near)}" if near else None

"""Regions: which models each offers, and what else. They decide what is offered, not where a request is processed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from voicelive.catalogue.names import model_id, require
from voicelive.catalogue.terms import Scope

__all__ = ["Region", "Regions", "read_regions"]

_ABILITIES = (
    "avatar",
    "custom_avatar",
    "avatar_voice_sync",
    "custom_voice",
    "custom_voice_training",
    "custom_voice_hd",
    "personal_voice",
    "hd_voices",
    "custom_speech_training",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """What the documentation said of one region on the catalogue's day.

    Attributes:
        id: Azure's name for programs, such as ``swedencentral``.
        name: Its name for people.
        geography: Such as ``Europe``, by the documentation's table.
        voice_live: Whether it offers Voice Live at all.
        models: The models that it offers, and where each may process a request.
        avatar: Avatars in real time.
        custom_avatar: Avatars of one's own.
        avatar_voice_sync: Voices that belong to an avatar of one's own.
        custom_voice: Use of a custom voice.
        custom_voice_training: Training of one.
        custom_voice_hd: Use of an HD custom voice.
        personal_voice: Personal voices.
        hd_voices: HD voices.
        custom_speech_training: Training of speech models of one's own.
        note: What else is to be known.
    """

    id: str
    name: str
    geography: str
    voice_live: bool
    models: Mapping[str, Scope]
    avatar: bool
    custom_avatar: bool
    avatar_voice_sync: bool
    custom_voice: bool
    custom_voice_training: bool
    custom_voice_hd: bool
    personal_voice: bool
    hd_voices: bool
    custom_speech_training: bool
    note: str


class Regions(Mapping[str, Region]):
    """All regions of Azure Speech by name; ``regions["Sweden Central"]`` finds ``swedencentral``.

    Attributes:
        as_of: The day of the table.
        source: Where it was read.
    """

    def __init__(self, regions: Mapping[str, Region], as_of: date, source: str, known_models: Collection[str]) -> None:
        self._regions, self.as_of, self.source = MappingProxyType(dict(regions)), as_of, source
        self._known_models = frozenset(known_models)

    def __getitem__(self, name: str) -> Region:
        """The region of that name, in any case and with or without spaces.

        Raises:
            NotInCatalogueError: There is none, a ``KeyError`` too.
        """
        plain = str(name).lower().replace(" ", "")
        return self._regions[require("region", name, plain if plain in self._regions else None, self._regions)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._regions)

    def __len__(self) -> int:
        return len(self._regions)

    def __repr__(self) -> str:
        return f"<{len(self)} regions, as of {self.as_of}>"

    def where(
        self,
        *,
        model: str | None = None,
        avatar: bool | None = None,
        custom_voice: bool | None = None,
        personal_voice: bool | None = None,
        hd_voices: bool | None = None,
        geography: str | None = None,
        voice_live: bool | None = True,
    ) -> tuple[Region, ...]:
        """The regions for which all of that holds.

        Args:
            model: One that they offer, as for ``models``; a model that is gone is offered by none.
            avatar: Whether they show avatars in real time.
            custom_voice: Whether custom voices can be used.
            personal_voice: Whether personal voices can be used.
            hd_voices: Whether HD voices can be used.
            geography: Such as ``"Europe"``, in any case.
            voice_live: Whether they offer Voice Live; ``None``: all.

        Raises:
            NotInCatalogueError: The model is unknown.
        """
        wanted = {
            "avatar": avatar,
            "custom_voice": custom_voice,
            "personal_voice": personal_voice,
            "hd_voices": hd_voices,
            "voice_live": voice_live,
        }
        known = self._known_models
        offered = None if model is None else require("model", model, model_id(model, known), known)
        return tuple(
            region
            for region in self._regions.values()
            if all(getattr(region, name) == value for name, value in wanted.items() if value is not None)
            and (offered is None or offered in region.models)
            and (geography is None or region.geography.lower() == geography.lower())
        )


def read_regions(text: str | bytes, known_models: Collection[str]) -> Regions:
    """Regions from JSON of the form of ``data/regions.json``."""
    raw = json.loads(text)
    found = {}
    for row in raw["regions"]:
        scopes = {model: scope for scope, models in row["models"].items() for model in models}
        facts: dict[str, Any] = {name: row[name] for name in ("id", "name", "geography", "voice_live", "note")}
        facts |= {name: name in row["has"] for name in _ABILITIES}
        found[row["id"]] = Region(**facts, models=MappingProxyType(scopes))
    return Regions(found, date.fromisoformat(raw["as_of"]), raw["source"], known_models)

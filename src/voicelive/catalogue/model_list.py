"""Models: what each is, where it is offered, what its tokens cost, or since when it is gone and what replaces it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Literal, cast, get_args

from voicelive.catalogue.names import model_id, require
from voicelive.catalogue.packaged import prices as packaged_prices
from voicelive.catalogue.price_list import PriceList
from voicelive.catalogue.region_list import Regions
from voicelive.catalogue.terms import Category, Kind, Scope, Status, Tier, allowed, as_tier

__all__ = ["Model", "Models", "read_models"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What the documentation said of one model on the catalogue's day.

    Attributes:
        id: The name to connect with.
        tier: What it costs.
        tier_is_certain: ``False``: no table names the tier; it is that of its nearest relative.
        kind: Who hears and who speaks.
        azure_voice: Whether it speaks with Azure voices.
        audio_in_tokens_per_s: Tokens of a second that it is told; approximate, by the documentation.
        audio_out_tokens_per_s: Tokens of a second that it says.
        status: Whether it is offered.
        preview: Not for production, by Azure's terms.
        regions: Azure's names of the regions that offer it, and where each may process it.
        retires_on: The day announced for its end.
        gone_since: The day of the first table without it.
        replaced_by: The nearest model of the same kind and tier that is offered, for one that is gone or retires.
        note: What else is to be known.
        sources: Where all of this was read, with dates.
    """

    id: str
    tier: Tier
    tier_is_certain: bool
    kind: Kind
    azure_voice: Literal["always", "optional", "never"]
    audio_in_tokens_per_s: Decimal
    audio_out_tokens_per_s: Decimal
    status: Status
    preview: bool
    regions: Mapping[str, Scope]
    retires_on: date | None
    gone_since: date | None
    replaced_by: str | None
    note: str
    sources: tuple[str, ...]

    @property
    def native_in(self) -> bool:
        """It hears audio itself, without speech to text before it."""
        return self.kind != "cascaded_text"

    @property
    def native_out(self) -> bool:
        """It can speak itself, without an Azure voice behind it."""
        return self.kind == "native_realtime"

    def prices(self, prices: PriceList | None = None) -> dict[Category, Decimal | None]:
        """Price of one million tokens on each meter that it may use; ``None``: none is known.

        Args:
            prices: Default: the package's list.
        """
        heard = ("native",) if self.native_in else ("standard", "custom")
        spoken = (
            *(("native",) if self.native_out else ()),
            *(("standard", "custom") if self.azure_voice != "never" else ()),
        )
        meters = [] if self.tier == "byo" else ["text_input", "text_cached_input", "text_output"]
        meters += [f"audio_{word}_{way}" for word in heard for way in ("input", "cached_input")]
        meters += [f"audio_{word}_output" for word in spoken]
        listed = prices or packaged_prices
        return {meter: listed.token_price(self.tier, meter) for meter in cast("list[Category]", meters)}

    def heard_tokens(self, seconds: float | Decimal) -> int:
        """About how many tokens that much of the caller's speech makes."""
        return math.ceil(Fraction(str(seconds)) * Fraction(self.audio_in_tokens_per_s))

    def spoken_tokens(self, seconds: float | Decimal) -> int:
        """About how many tokens that much of the agent's speech makes."""
        return math.ceil(Fraction(str(seconds)) * Fraction(self.audio_out_tokens_per_s))


class Models(Mapping[str, Model]):
    """The models by name, gone ones included. ``models["gpt-4o"]`` also takes the names that the service echoes.

    Attributes:
        as_of: The day of the newest table.
    """

    def __init__(self, models: Mapping[str, Model], as_of: date, regions: Regions) -> None:
        self._models, self.as_of, self._regions = MappingProxyType(dict(models)), as_of, regions

    def __getitem__(self, name: str) -> Model:
        """The model of that name.

        Raises:
            NotInCatalogueError: There is none, a ``KeyError`` too; newer models are offered every few weeks.
        """
        return self._models[require("model", name, model_id(name, self._models), self._models)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)

    def __repr__(self) -> str:
        return f"<{len(self)} models, as of {self.as_of}>"

    def resolve(self, name: str) -> Model | None:
        """The model behind a name in any case: its id, or one that the service echoes, which names a deployment.

        ``gpt-realtime-2025-08-28`` and ``gpt-realtime-global-standard`` are ``gpt-realtime``. ``None``: unknown.
        """
        found = model_id(name, self._models)
        return None if found is None else self._models[found]

    def where(
        self,
        *,
        tier: str | None = None,
        kind: Kind | None = None,
        native: bool | None = None,
        region: str | None = None,
        preview: bool | None = None,
        current: bool | None = True,
    ) -> tuple[Model, ...]:
        """The models for which all of that holds.

        Args:
            tier: ``pro``, ``standard`` (``basic``), ``lite`` or ``byo``.
            kind: Who hears and who speaks.
            native: Whether it can hear and speak itself.
            region: Azure's name of a region that offers it, such as ``swedencentral`` or ``Sweden Central``.
            preview: Whether it is a preview.
            current: Whether the service's tables list it; ``None``: all, gone ones and own deployments included.

        Raises:
            ConfigurationError: A word is unknown; for a region it is a ``NotInCatalogueError``.
        """
        wanted: dict[str, object] = {
            "tier": None if tier is None else as_tier(tier),
            "kind": None if kind is None else allowed("kind", kind, get_args(Kind)),
            "native_out": native,
            "preview": preview,
        }
        place = None if region is None else self._regions[region].id
        return tuple(
            model
            for model in self._models.values()
            if all(getattr(model, name) == value for name, value in wanted.items() if value is not None)
            and (place is None or place in model.regions)
            and (current is None or (model.status == "current") == current)
        )


def read_models(text: str | bytes, regions: Regions) -> Models:
    """Models from JSON of the form of ``data/models.json``, with the regions that offer them beside."""
    raw = json.loads(text, parse_float=Decimal)
    sources = {name: f"{source['what']}, {source['date']}" for name, source in raw["sources"].items()}
    models = (
        Model(
            **{
                **row,
                **{name: Decimal(row[name]) for name in ("audio_in_tokens_per_s", "audio_out_tokens_per_s")},
                **{name: _day(row[name]) for name in ("retires_on", "gone_since")},
                "sources": tuple(sources[name] for name in row["sources"]),
                "regions": MappingProxyType(
                    {region.id: region.models[row["id"]] for region in regions.values() if row["id"] in region.models}
                ),
            }
        )
        for row in raw["models"]
    )
    return Models({model.id: model for model in models}, date.fromisoformat(raw["as_of"]), regions)


def _day(text: Any) -> date | None:
    return None if text is None else date.fromisoformat(text)

"""Whether model, region and settings go together, before the service says that they do not.

The rules of families are those of ``voicelive.protocol.families``; here are those that need the catalogue's tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal, TypeAlias

from voicelive.catalogue.alternatives import near_model, near_regions
from voicelive.catalogue.listed import models, regions
from voicelive.catalogue.model_list import Model
from voicelive.catalogue.region_list import Region
from voicelive.errors import ConfigurationError
from voicelive.protocol.families import misfits, setting, voice_kind

__all__ = ["Finding", "Level", "check"]

Level: TypeAlias = Literal["error", "warning", "info"]
"""Will not work; will not work for long, or not surely; worth knowing."""

_NOTICE: Final = timedelta(days=180)  # how long before its end a model is warned about
_ORDER: Final[tuple[Level, ...]] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, or to be known.

    Attributes:
        level: How bad it is.
        code: Names the rule, for programs.
        text: What is wrong, in a sentence.
        field: Path of the setting at fault, such as ``config.voice``; ``model`` or ``region``.
        instead: What would work; ``None``: nothing is known.
    """

    level: Level
    code: str
    text: str
    field: str
    instead: str | None = None

    def __str__(self) -> str:
        return f"{self.field}: {self.text}" + (f"; {self.instead}" if self.instead else "")


def check(
    model: str | None = None,
    *,
    region: str | None = None,
    config: Any = None,
    agent: bool = False,
    today: date | None = None,
) -> tuple[Finding, ...]:
    """What does not go together, worst first; nothing goes on the wire.

    The tables are those of ``models.as_of``. A model or region that they do not know is told of as ``info`` and judged
    by its name alone: the service gets new ones without notice.

    Args:
        model: A model that the service deploys, not a deployment of one's own.
        region: The region of the resource, such as ``swedencentral``. Left out, its rules are not looked at.
        config: ``SessionConfig``, what the service reports, or a mapping of the wire.
        agent: An agent answers instead of a model.
        today: The day for which models that retire are judged.

    Raises:
        ConfigurationError: There is nothing to check.
    """
    if model is None and not agent and region is None:
        raise ConfigurationError("model, region and agent are missing; name what is to be checked")
    known = None if model is None or agent else models.resolve(model)
    place = _place(region)
    found = [*_model(model, known, agent, today or date.today()), *_family(model, config, agent)]
    if region is not None:
        found += _region(region, place, known, config)
    if place is not None:
        found += _abilities(place, known, config)
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.level)))


def _place(region: str | None) -> Region | None:
    return regions[region] if region is not None and region.lower().replace(" ", "") in regions else None


def _model(name: str | None, model: Model | None, agent: bool, today: date) -> Iterator[Finding]:
    if name is None or agent:
        return
    if model is None:
        text = f"the tables of {models.as_of} do not know {name!r}, so only its name could be judged"
        yield Finding(level="info", code="unknown_model", text=text, field="model")
        return
    use = f"use {model.replaced_by}" if model.replaced_by else None
    if model.status == "gone":
        text = f"{model.id} is in no table since {model.gone_since}"
        yield Finding(level="error", code="model_gone", text=text, field="model", instead=use)
    elif model.status == "unlisted":
        text = f"{model.id} is on the price list, but in no table of models or regions since {model.gone_since}"
        yield Finding(level="warning", code="model_unlisted", text=text, field="model", instead=use)
    elif model.status == "own_deployment":
        text = f"the service does not deploy {model.id}"
        instead = "deploy it in your resource and connect with byom=Byom(...)"
        yield Finding(level="warning", code="model_not_deployed", text=text, field="model", instead=instead)
    elif model.retires_on and model.retires_on - today <= _NOTICE:
        # no error even after that day: it is that of a version, and others may have come since the tables
        text = f"{model.id} {'retires' if today < model.retires_on else 'was to retire'} on {model.retires_on}"
        yield Finding(level="warning", code="model_retires", text=text, field="model", instead=use)
    if model.preview and model.status == "current":
        yield Finding(level="info", code="model_preview", text=f"{model.id} is a preview", field="model")


def _family(model: str | None, config: Any, agent: bool) -> Iterator[Finding]:
    for misfit in misfits(config, model=model, agent=agent):
        yield Finding(
            level="error" if misfit.certain else "warning",
            code=misfit.code,
            text=misfit.reason,
            field=f"config.{misfit.field}",
            instead=misfit.instead,
        )


def _region(name: str, region: Region | None, model: Model | None, config: Any) -> Iterator[Finding]:
    if region is None:
        text = f"the tables of {regions.as_of} do not know {name!r}"
        yield Finding(level="info", code="unknown_region", text=text, field="region")
    elif not region.voice_live:
        near = near_regions(region, model=model, config=config)
        text = f"{region.id} does not offer Voice Live"
        yield Finding(level="error", code="region_without_voice_live", text=text, field="region", instead=near)
    elif model is not None and model.status == "current" and region.id not in model.regions:
        other, near = near_model(model, region), near_regions(region, model=model, config=config)
        instead = " or ".join(way for way in (other, near) if way) or None
        text = f"{region.id} does not offer {model.id}"
        yield Finding(level="error", code="model_not_in_region", text=text, field="region", instead=instead)


def _abilities(region: Region, model: Model | None, config: Any) -> Iterator[Finding]:
    avatar, voice = setting(config, "avatar"), setting(config, "voice")
    kind, name = voice_kind(voice), voice if isinstance(voice, str) else setting(voice, "name")
    wishes: list[tuple[bool, str, str, str, Level]] = [
        (avatar is not None, "avatar", "avatars", "config.avatar", "error"),
        (bool(setting(avatar, "customized")), "custom_avatar", "avatars of one's own", "config.avatar", "error"),
        (kind == "azure-custom", "custom_voice", "custom voices", "config.voice", "error"),
        (kind == "azure-personal", "personal_voice", "personal voices", "config.voice", "error"),
        (kind == "avatar-voice-sync", "avatar_voice_sync", "voices that belong to an avatar", "config.voice", "error"),
        # by the table of regions, which speaks of speech resources in general
        (":DragonHD" in str(name or ""), "hd_voices", "HD voices", "config.voice", "warning"),
    ]
    for wished, ability, words, field, level in wishes:
        if wished and not getattr(region, ability):
            near = near_regions(region, model=model, config=config)
            text = f"{region.id} does not offer {words}"
            yield Finding(level=level, code=f"{ability}_not_in_region", text=text, field=field, instead=near)
    if avatar is not None and region.avatar and region.note:
        text = f"{region.id}: {region.note[0].lower()}{region.note[1:].rstrip('.')}"
        yield Finding(level="info", code="avatar_limited", text=text, field="config.avatar")

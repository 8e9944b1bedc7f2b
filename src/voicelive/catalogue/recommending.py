"""Which models would do, cheapest first, with the reasons."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal, get_args

from voicelive.catalogue.checking import check
from voicelive.catalogue.estimating import Estimate, estimate
from voicelive.catalogue.listed import models, regions
from voicelive.catalogue.model_list import Model
from voicelive.catalogue.money import decimal_of
from voicelive.catalogue.price_list import PriceList
from voicelive.catalogue.terms import AvatarCategory, allowed, as_tier
from voicelive.protocol.families import setting

__all__ = ["Recommendation", "recommend"]

# An hour of conversation is twelve of the calls that the service's price calculator shows: 30 s each way, five times.
_CALLER_MINUTES = _AGENT_MINUTES = Decimal("2.5")
_TURNS = 5

_SMALL = ("mini", "nano", "luna")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """A model that would do.

    Attributes:
        model: The model.
        regions: Where it is offered with all that was asked for.
        price_per_hour: Of conversation, both sides speaking half of the time: the expected figure of ``estimate``.
        currency: Of that price.
        reasons: What speaks for it and against it.
        estimate: What lies behind the price.
    """

    model: Model
    regions: tuple[str, ...]
    price_per_hour: Decimal
    currency: str
    reasons: tuple[str, ...]
    estimate: Estimate


def recommend(
    *,
    budget_per_hour: Decimal | int | None = None,
    latency: Literal["low"] | None = None,
    native_audio: bool | None = None,
    region: str | None = None,
    tier: str | None = None,
    avatar: bool | AvatarCategory = False,
    custom_voice: bool = False,
    preview: bool = False,
    config: Any = None,
    today: date | None = None,
    prices: PriceList | None = None,
) -> tuple[Recommendation, ...]:
    """The models for which all of that holds, best first; empty where nothing does.

    Cheaper is better, newer is better at the same price. With ``latency="low"`` models that hear and speak by
    themselves come first, then smaller ones: that is reasoning, not measurement, and the reasons say so.

    Args:
        budget_per_hour: The most that an hour of conversation may cost, avatar included, hosting not.
        latency: ``"low"`` puts it before the price.
        native_audio: Whether the model shall hear and speak by itself.
        region: Where the resource is; left out, any region.
        tier: Of the model.
        avatar: Whether one is shown, or which: ``avatar_realtime_standard`` if it is just ``True``.
        custom_voice: Whether a custom voice speaks; models that speak with their own voices alone are left out then.
        preview: Take previews as well.
        config: Settings that the models must take, as for ``check``.
        today: The day on which models that have retired are left out.
        prices: Default: the package's list, in US dollars.

    Raises:
        ConfigurationError: A word is unknown, or the budget is a float.
    """
    if latency is not None:
        allowed("latency", latency, ("low",))
    budget = None if budget_per_hour is None else decimal_of("budget_per_hour", budget_per_hour)
    shown = _avatar(avatar)
    place = None if region is None else regions[region].id
    wanted_tier = None if tier is None else as_tier(tier)
    found = []
    for model in models.where(native=native_audio, tier=wanted_tier, preview=None if preview else False):
        if custom_voice and model.azure_voice == "never":
            continue
        able = regions.where(model=model.id, avatar=True if shown else None, custom_voice=custom_voice or None)
        offered = tuple(one.id for one in able if place in (None, one.id) and _fits(model, one.id, config, today))
        cost = estimate(
            model,
            caller_minutes=_CALLER_MINUTES,
            agent_minutes=_AGENT_MINUTES,
            turns=_TURNS,
            config=_voiced(config) if custom_voice else config,
            avatar=shown,
            prices=prices,
        )
        per_hour = cost.expected.per_hour
        if not offered or cost.unpriced or (budget is not None and per_hour > budget):
            continue
        found.append(
            Recommendation(
                model=model,
                regions=offered,
                price_per_hour=per_hour,
                currency=cost.currency,
                reasons=tuple(_reasons(model, cost, budget, latency)),
                estimate=cost,
            )
        )
    return tuple(sorted(found, key=lambda one: _rank(one, latency)))


def _fits(model: Model, region: str, config: Any, today: date | None) -> bool:
    return all(one.level != "error" for one in check(model.id, region=region, config=config, today=today))


def _voiced(config: Any) -> dict[str, Any]:
    """What counts of the settings, with a custom voice."""
    transcription = setting(config, "input_audio_transcription")
    return {"voice": {"type": "azure-custom"}, "input_audio_transcription": transcription}


def _avatar(avatar: bool | AvatarCategory) -> AvatarCategory | None:
    if isinstance(avatar, bool):
        return "avatar_realtime_standard" if avatar else None
    allowed("avatar", avatar, get_args(AvatarCategory))
    return avatar


def _rank(one: Recommendation, latency: str | None) -> tuple[bool, bool, Decimal, float, int, str]:
    slow, large = latency is not None and not one.model.native_out, latency is not None and not _is_small(one.model)
    return slow, large, one.price_per_hour, -_version(one.model), len(one.model.id), one.model.id


def _is_small(model: Model) -> bool:
    return model.tier == "lite" or any(word in model.id for word in _SMALL)


def _version(model: Model) -> float:
    number = re.search(r"\d+(?:\.\d+)?", model.id)
    return float(number[0]) if number else 1.0


def _reasons(model: Model, cost: Estimate, budget: Decimal | None, latency: str | None) -> list[str]:
    per_hour = cost.expected.per_hour
    said = [
        f"about {per_hour:.2f} {cost.currency} an hour (between {cost.low.per_hour:.2f} and {cost.high.per_hour:.2f})"
    ]
    if budget is not None and cost.high.per_hour > budget:
        said.append("over the budget if little of the conversation is cached")
    if latency is not None and model.native_out:
        said.append("hears and speaks by itself: no speech to text before it (not measured)")
    if latency is not None and _is_small(model):
        said.append("a small model, which answers sooner as a rule (not measured)")
    if model.preview:
        said.append("a preview")
    if model.retires_on:
        said.append(f"retires on {model.retires_on}")
    return [*said, *([model.note.rstrip(".")] if model.note else [])]

"""What a conversation will cost: low, expected and high, by meter, for a call, an hour and a month."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from voicelive.catalogue.cost_lines import (
    CostLine,
    avatar_lines,
    hosting_lines,
    number,
    sum_of,
    token_lines,
    training_lines,
    whole,
)
from voicelive.catalogue.listed import models
from voicelive.catalogue.model_list import Model
from voicelive.catalogue.modes import BillingMode, require_mode
from voicelive.catalogue.money import decimal_from
from voicelive.catalogue.packaged import prices as packaged_prices
from voicelive.catalogue.price_list import PriceList
from voicelive.catalogue.scenarios import Scenario, assumptions_of, scenarios
from voicelive.catalogue.terms import AvatarCategory, CustomCategory
from voicelive.errors import ConfigurationError

__all__ = ["CostLine", "Estimate", "Outlay", "estimate"]

_TURN_MINUTES: Final = Fraction(1, 2)  # of either side, as in the service's price calculator
_CHARACTERS_PER_TOKEN: Final = 4  # English prose; other languages need more tokens
_MOST_TURNS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlay:
    """One of the three answers.

    Attributes:
        lines: What one call costs, by meter.
        per_call: Their sum.
        per_hour: The same for an hour of conversation, without hosting.
        per_month: All calls of a month, and hosting; ``None`` where their number was not given.
    """

    lines: tuple[CostLine, ...]
    per_call: Decimal
    per_hour: Decimal
    per_month: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a conversation will cost.

    Attributes:
        model: The model's id, or the deployment's name.
        mode: On which meters it counts.
        low: As little as the assumptions allow.
        expected: By the service's price calculator, with the share of the cache that is assumed.
        high: As much as they allow.
        hosting: What a month of hosting costs, used or not.
        training: What is paid once.
        assumptions: Everything that was assumed.
        unpriced: Meters without a known price, which no sum holds.
        currency: ISO 4217 code.
        as_of: The day of the prices.
    """

    model: str
    mode: BillingMode
    low: Outlay
    expected: Outlay
    high: Outlay
    hosting: tuple[CostLine, ...]
    training: tuple[CostLine, ...]
    assumptions: tuple[str, ...]
    unpriced: tuple[str, ...]
    currency: str
    as_of: date


def estimate(
    model: str | Model,
    *,
    caller_minutes: float | Decimal,
    agent_minutes: float | Decimal,
    pauses_minutes: float | Decimal = 0,
    turns: int | None = None,
    instructions: int | str = 500,
    tool_calls: int = 0,
    cached_share: float | Decimal | None = None,
    config: Any = None,
    byom: Any = None,
    mode: BillingMode | None = None,
    avatar: AvatarCategory | None = None,
    avatar_minutes: float | Decimal | None = None,
    hosted: Mapping[CustomCategory, int] | None = None,
    trained: Mapping[CustomCategory, float] | None = None,
    calls_per_month: int | None = None,
    prices: PriceList | None = None,
) -> Estimate:
    """What calls of that kind will cost.

    With ``cached_share=1`` the expected figures are those of the service's price calculator.

    Args:
        model: Its name; with ``byom`` the deployment's.
        caller_minutes: Speech of the caller in one call.
        agent_minutes: Speech of the agent in one call.
        pauses_minutes: Time in which nobody speaks. It makes no tokens, but an avatar is shown, and hours are longer.
        turns: How often the agent answers; default: every half minute of the longer side.
        instructions: Tokens of instructions and tool definitions, or their text.
        tool_calls: Calls of functions in one call. Each is a response of its own, which reads everything again.
        cached_share: How much of what is read again comes from the cache, 0 to 1. Left out: all (low), three quarters
            (expected), nothing (high).
        config: Settings, of which the voice and custom speech models count.
        byom: The ``Byom``, or its profile, for a deployment of one's own.
        mode: On which meters it counts, where it is not to be derived from ``model``, ``config`` and ``byom``.
        avatar: The meter of an avatar that is shown, such as ``avatar_realtime_standard``.
        avatar_minutes: How long it is shown; default: the whole call.
        hosted: Endpoints that are deployed all month, such as ``{"custom_voice_hosting": 1}``.
        trained: Compute hours (or images), such as ``{"custom_voice_training": 18}``.
        calls_per_month: For ``per_month``.
        prices: Default: the package's list, in US dollars.

    Raises:
        NotInCatalogueError: The model is unknown.
        ConfigurationError: An argument makes no sense; the message names it.
    """
    listed = packaged_prices if prices is None else prices
    known = None if byom is not None else model if isinstance(model, Model) else models[model]
    billed = BillingMode.of(known or model, config, byom=byom) if mode is None else require_mode(mode)
    caller, agent = number("caller_minutes", caller_minutes), number("agent_minutes", agent_minutes)
    length = caller + agent + number("pauses_minutes", pauses_minutes)
    if not caller + agent:
        raise ConfigurationError("caller_minutes and agent_minutes are 0; somebody has to speak")
    if turns is None:
        turns = max(1, math.ceil(max(caller, agent) / _TURN_MINUTES))
    variants = scenarios(
        known,
        billed,
        caller_minutes=caller,
        agent_minutes=agent,
        turns=whole("turns", turns, 1, _MOST_TURNS),
        instructions=_tokens(instructions),
        tool_calls=whole("tool_calls", tool_calls, 0, _MOST_TURNS),
        cached_share=None if cached_share is None else number("cached_share", cached_share, 1),
    )
    shown = avatar_lines(avatar, length if avatar_minutes is None else number("avatar_minutes", avatar_minutes), listed)
    hosting = tuple(hosting_lines(hosted or {}, listed))
    calls = None if calls_per_month is None else whole("calls_per_month", calls_per_month, 0, 10**12)

    def outlay(scenario: Scenario) -> Outlay:
        lines = (*token_lines(scenario, listed), *shown)
        per_call = sum_of(lines)
        monthly = None if calls is None else decimal_from(Fraction(per_call) * calls + Fraction(sum_of(hosting)))
        per_hour = decimal_from(Fraction(per_call) * 60 / length)
        return Outlay(lines=lines, per_call=per_call, per_hour=per_hour, per_month=monthly)

    low, expected, high = (outlay(scenario) for scenario in variants)
    training = tuple(training_lines(trained or {}, listed))
    every = (*high.lines, *hosting, *training)
    return Estimate(
        model=known.id if known else str(model),
        mode=billed,
        low=low,
        expected=expected,
        high=high,
        hosting=hosting,
        training=training,
        assumptions=assumptions_of(known, billed, variants, instructions, hosted or {}),
        unpriced=tuple(dict.fromkeys(line.meter for line in every if line.amount is None)),
        currency=listed.currency,
        as_of=listed.as_of,
    )


def _tokens(instructions: int | str) -> int:
    if isinstance(instructions, str):
        return math.ceil(len(instructions) / _CHARACTERS_PER_TOKEN)
    return whole("instructions", instructions, 0, 10**7)

"""What nobody knows before a call, or at all: three sets of assumptions, and how they read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from voicelive.catalogue.model_list import Model
from voicelive.catalogue.modes import BillingMode
from voicelive.catalogue.talk import TEXT_TOKENS_PER_S, TOOL_CALL_TOKENS, TOOL_RESULT_TOKENS, Talk
from voicelive.catalogue.terms import CustomCategory

__all__ = ["Scenario", "assumptions_of", "scenarios"]

_CACHED: Final = (Fraction(1), Fraction(3, 4), Fraction(0))
"""Of what is read again: the calculator's perfect cache, an assumption of ours, none."""

_OWN_RATES: Final = (Fraction(10), Fraction(20))  # of the OpenAI family, for deployments of one's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One set of assumptions.

    Attributes:
        talk: What is read and said.
        mode: On which meters it counts.
        cached_share: How much of what is read again comes from the cache.
        surcharge: Whether processing in a data zone or region costs more.
    """

    talk: Talk
    mode: BillingMode
    cached_share: Fraction
    surcharge: bool


def scenarios(
    model: Model | None,
    mode: BillingMode,
    *,
    caller_minutes: Fraction,
    agent_minutes: Fraction,
    turns: int,
    instructions: int,
    tool_calls: int,
    cached_share: Fraction | None,
) -> tuple[Scenario, Scenario, Scenario]:
    """Low, expected and high."""
    rates = (Fraction(model.audio_in_tokens_per_s), Fraction(model.audio_out_tokens_per_s)) if model else _OWN_RATES
    byo = mode.tier == "byo"
    talk = Talk(
        turns=turns,
        caller_tokens=caller_minutes * 60 * rates[0],
        agent_tokens=agent_minutes * 60 * rates[1],
        agent_text=agent_minutes * 60 * TEXT_TOKENS_PER_S,
        instructions=instructions,
        tool_calls=tool_calls,
        rereads_speech=not byo,
        rereads_audio=not byo,
    )
    shares = _CACHED if cached_share is None else (cached_share,) * 3
    low, expected, high = (Scenario(talk=talk, mode=mode, cached_share=share, surcharge=False) for share in shares)
    if mode.audio_output != "native":
        heard_once = mode.audio_input != "native"
        low = replace(low, talk=replace(talk, rereads_speech=False, rereads_audio=not byo and not heard_once))
    if _may_cost_less(mode):
        low = replace(low, mode=replace(mode, audio_output_tier=mode.tier))
    return low, expected, replace(high, surcharge=_in_a_zone(model))


def assumptions_of(
    model: Model | None,
    mode: BillingMode,
    variants: tuple[Scenario, Scenario, Scenario],
    instructions: int | str,
    hosted: Mapping[CustomCategory, int],
) -> tuple[str, ...]:
    """What was assumed, in sentences."""
    low, expected, high = variants
    talk = expected.talk
    said = [
        f"{talk.turns} turns of equal length",
        f"{float(talk.caller_tokens):g} audio tokens of the caller, {float(talk.agent_tokens):g} of the agent, by the "
        "documentation's approximate rates",
        f"{TEXT_TOKENS_PER_S} text tokens for each second of the agent's speech",
    ]
    if mode.tier != "byo":
        shares = [f"{float(one.cached_share):.0%}" for one in variants]
        said.append(f"{shares[1]} of what is read again is cached (low {shares[0]}, high {shares[2]})")
    if isinstance(instructions, str):
        said.append(f"{talk.instructions} tokens of instructions, at 4 characters each")
    if talk.tool_calls:
        said.append(f"{TOOL_CALL_TOKENS} tokens for a tool call, {TOOL_RESULT_TOKENS} for its result")
    if low.talk != talk:
        said.append("low: speech of an Azure voice, and with a cascaded model the caller's, is not read again as audio")
    if low.mode != mode:
        said.append("low: the custom voice is billed at the model's own tier")
    if high.surcharge:
        said.append("high: processing in a data zone or region costs 10 % more; no surcharge is published")
    if mode.audio_output == "custom" and "custom_voice_hosting" not in hosted:
        said.append("hosting of the custom voice is not included; give hosted={'custom_voice_hosting': 1}")
    if model is not None and not model.tier_is_certain:
        said.append(f"{model.id} is of tier {model.tier}, as its nearest relative is")
    return (*said, *mode.notes)


def _may_cost_less(mode: BillingMode) -> bool:
    return mode.tier == "lite" and mode.audio_output == "custom" and mode.audio_output_tier == "pro"


def _in_a_zone(model: Model | None) -> bool:
    return model is not None and model.id.endswith(("-datazone", "-regional"))

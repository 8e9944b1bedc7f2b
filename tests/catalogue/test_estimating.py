"""Estimates: the price calculator's figures, and what must hold for any conversation."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.catalogue import BillingMode, Estimate, PriceList, bill, estimate, models, prices
from voicelive.catalogue.money import decimal_from
from voicelive.catalogue.price_list import read_price_list
from voicelive.catalogue.talk import Talk
from voicelive.errors import ConfigurationError, NotInCatalogueError

DATA = Path(__file__).parent / "data"
CASES = {case["name"]: case for case in json.loads((DATA / "oracles.json").read_text(encoding="utf-8"))["cases"]}
FEBRUARY = read_price_list((DATA / "prices-2026-02.json").read_text(encoding="utf-8"))
STANDARD = {"voice": {"type": "azure-standard", "name": "en-US-AvaMultilingualNeural"}}
CUSTOM = {"voice": {"type": "azure-custom", "name": "x"}}
FIVE_MINUTES: dict[str, Any] = {"caller_minutes": 2.5, "agent_minutes": 2.5, "turns": 5}


@pytest.mark.parametrize(
    ("case", "model", "config", "minutes", "listed"),
    [
        ("calc_5min_native_pro_feb2026", "gpt-realtime", None, 2.5, FEBRUARY),
        ("calc_3min_native_pro_feb2026", "gpt-realtime", None, 1.5, FEBRUARY),
        ("calc_5min_native_pro_now", "gpt-realtime", None, 2.5, prices),
        ("calc_5min_hybrid_pro_now", "gpt-realtime", STANDARD, 2.5, prices),
        ("calc_5min_cascaded_pro_now", "gpt-4.1", None, 2.5, prices),
        ("calc_5min_native_standard_now", "gpt-realtime-mini", None, 2.5, prices),
        ("scenario1_like", "gpt-4.1", CUSTOM, 2.5, prices),
        ("scenario2_like", "gpt-realtime", STANDARD, 2.5, prices),
        ("scenario3_like", "gpt-realtime-mini", STANDARD, 2.5, prices),
        ("scenario4_like", "phi4-mm-realtime", CUSTOM, 2.5, prices),
    ],
)
def test_the_price_calculator_is_reproduced_where_all_is_cached(
    case: str, model: str, config: Any, minutes: float, listed: PriceList
) -> None:
    found = estimate(
        model,
        caller_minutes=minutes,
        agent_minutes=minutes,
        turns=5,
        cached_share=1,
        config=config,
        prices=listed,
    )

    assert found.expected.per_call == Decimal(CASES[case]["total_usd"])
    assert {line.meter: line.quantity for line in found.expected.lines} == {
        f"{line['tier']} {line['category']}": line["tokens"] for line in CASES[case]["lines"]
    }


def test_its_published_counts_are_reproduced() -> None:
    talk = Talk(
        turns=5,
        caller_tokens=Fraction(1500),
        agent_tokens=Fraction(3000),
        agent_text=Fraction(450),
        instructions=500,
        tool_calls=0,
        rereads_speech=True,
        rereads_audio=True,
    ).tokens()

    assert [talk.text_new, talk.text_again, talk.text_out] == [860, 2540, 450]
    assert [talk.audio_new, talk.audio_again, talk.audio_out] == [3900, 6600, 3000]


def test_audio_of_an_own_deployment_counts_once() -> None:
    found = estimate("my-model", byom="byom-azure-openai-chat-completion", **FIVE_MINUTES)

    assert found.low.per_call == found.expected.per_call == found.high.per_call == Decimal("0.08775")
    assert found.model == "my-model"
    assert any("own deployment" in said for said in found.assumptions)


def test_an_avatar_is_billed_by_the_minute_in_which_it_is_shown() -> None:
    plain = estimate("gpt-realtime-mini", config=STANDARD, cached_share=1, **FIVE_MINUTES)
    shown = estimate(
        "gpt-realtime-mini", config=STANDARD, cached_share=1, avatar="avatar_realtime_standard", **FIVE_MINUTES
    )

    assert shown.expected.per_call - plain.expected.per_call == Decimal("2.50")
    assert shown.expected.lines[-1].meter == "avatar_realtime_standard"
    longer = estimate(
        "gpt-realtime-mini",
        config=STANDARD,
        cached_share=1,
        avatar="avatar_realtime_custom_hd",
        pauses_minutes=1,
        **FIVE_MINUTES,
    )
    assert longer.expected.lines[-1].amount == Decimal("4.80")
    briefly = estimate("gpt-realtime", avatar="avatar_realtime_standard", avatar_minutes=Decimal("0.5"), **FIVE_MINUTES)
    assert briefly.expected.lines[-1].amount == Decimal("0.25")


def test_hosting_is_paid_by_the_month_and_training_once() -> None:
    found = estimate(
        "gpt-4.1",
        config=CUSTOM,
        hosted={"custom_voice_hosting": 1, "custom_avatar_hosting": 2},
        trained={"custom_voice_training": 40, "photo_avatar_creation": 3, "custom_speech_training": 2},
        calls_per_month=1000,
        cached_share=1,
        **FIVE_MINUTES,
    )

    assert [line.amount for line in found.hosting] == [Decimal("2943.36"), Decimal("876")]
    assert [line.amount for line in found.training] == [936, 6, 20]  # the first is capped, 40 hours would be 2080
    assert found.expected.per_month == 1000 * Decimal("0.245596") + Decimal("2943.36") + 876
    assert found.expected.per_hour == 12 * found.expected.per_call
    assert not any("hosting" in said for said in found.assumptions)


def test_without_a_number_of_calls_there_is_no_month() -> None:
    found = estimate("gpt-4.1", config=CUSTOM, **FIVE_MINUTES)

    assert found.expected.per_month is None
    assert any("hosting of the custom voice is not included" in said for said in found.assumptions)
    assert estimate("gpt-4.1", calls_per_month=0, **FIVE_MINUTES).high.per_month == 0


def test_low_and_high_are_the_bounds_of_what_is_not_known() -> None:
    zone = estimate("gpt-realtime-datazone", cached_share=1, **FIVE_MINUTES)
    assert zone.low.per_call == zone.expected.per_call
    assert zone.high.per_call == zone.expected.per_call * Decimal("1.1")

    lite = estimate("phi4-mm-realtime", config=CUSTOM, cached_share=1, **FIVE_MINUTES)
    assert lite.low.lines[-1].meter == "lite audio_custom_output"
    assert lite.expected.lines[-1].meter == "pro audio_custom_output"

    cached = estimate("gpt-realtime", **FIVE_MINUTES)
    assert cached.low.per_call == Decimal("0.331096")
    nothing_cached = estimate("gpt-realtime", cached_share=0, **FIVE_MINUTES)
    assert cached.high.per_call == nothing_cached.expected.per_call
    assert "75% of what is read again is cached (low 100%, high 0%)" in cached.assumptions


def test_instructions_may_be_given_as_text() -> None:
    text = estimate("gpt-realtime", instructions="x" * 1999, **FIVE_MINUTES)

    assert text.expected == estimate("gpt-realtime", instructions=500, **FIVE_MINUTES).expected
    assert "500 tokens of instructions, at 4 characters each" in text.assumptions


def test_turns_are_half_minutes_unless_told() -> None:
    found = estimate("gpt-realtime", caller_minutes=1, agent_minutes=2.5)

    assert found.expected == estimate("gpt-realtime", caller_minutes=1, agent_minutes=2.5, turns=5).expected
    assert found.assumptions[0] == "5 turns of equal length"


def test_an_own_mode_is_taken() -> None:
    mode = BillingMode(tier="pro", audio_input="native", audio_output="standard")

    assert estimate("gpt-realtime", mode=mode, **FIVE_MINUTES).mode is mode


def test_meters_without_a_price_are_named() -> None:
    mode = BillingMode(tier="lite", audio_input="custom", audio_output="standard")
    bare = PriceList(currency="USD", region=None, as_of=prices.as_of, source="a test", tokens=prices.tokens)

    found = estimate(
        "gpt-5-nano",
        mode=mode,
        prices=bare,
        avatar="avatar_realtime_custom",
        hosted={"custom_voice_hosting": 1},
        trained={"custom_voice_training": 1},
        **FIVE_MINUTES,
    )

    assert found.unpriced == (
        "lite audio_custom_input",
        "avatar_realtime_custom",
        "custom_voice_hosting",
        "custom_voice_training",
    )


def test_a_tier_that_is_not_certain_is_said() -> None:
    said = estimate("gpt-realtime-regional", **FIVE_MINUTES).assumptions
    assert "gpt-realtime-regional is of tier pro, as its nearest relative is" in said


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"caller_minutes": -1}, "caller_minutes is -1; it must be a number from 0"),
        ({"agent_minutes": float("nan")}, "agent_minutes is nan"),
        ({"agent_minutes": "2"}, "agent_minutes is '2'"),
        ({"caller_minutes": 0, "agent_minutes": 0}, "somebody has to speak"),
        ({"turns": 0}, "turns is 0; it must be a whole number from 1"),
        ({"turns": 2.5}, "turns is 2.5"),
        ({"tool_calls": True}, "tool_calls is True"),
        ({"instructions": -5}, "instructions is -5"),
        ({"cached_share": 1.5}, "cached_share is 1.5; it must be a number from 0 to 1"),
        ({"avatar": "lisa"}, "avatar is 'lisa'; allowed: 'avatar_realtime_standard'"),
        ({"hosted": {"custom_voice_training": 1}}, "hosted is 'custom_voice_training'"),
        ({"hosted": {"custom_voice_hosting": 1.5}}, r"hosted\['custom_voice_hosting'\] is 1.5"),
        ({"trained": {"custom_voice_hosting": 1}}, "trained is 'custom_voice_hosting'"),
        ({"calls_per_month": -1}, "calls_per_month is -1"),
        ({"mode": "pro"}, "mode is a str"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        estimate("gpt-realtime", **FIVE_MINUTES | wrong)


def test_an_unknown_model_has_no_estimate() -> None:
    with pytest.raises(NotInCatalogueError):
        estimate("gpt-9", **FIVE_MINUTES)


MINUTES = st.decimals(min_value="0.1", max_value=60, places=2)
CALLS = st.fixed_dictionaries(
    {
        "caller_minutes": MINUTES,
        "agent_minutes": MINUTES,
        "turns": st.integers(1, 40),
        "instructions": st.integers(0, 5000),
        "tool_calls": st.integers(0, 30),
    }
)
MODELS = st.sampled_from(["gpt-realtime", "gpt-realtime-2.1-datazone", "gpt-5-nano", "phi4-mm-realtime", "gpt-4o-mini"])
SHARES = st.decimals(min_value=0, max_value=1, places=3)
VOICES = st.sampled_from([None, STANDARD, CUSTOM])


def expected(model: str, **call: Any) -> Decimal:
    return estimate(model, **call).expected.per_call


@given(MODELS, CALLS, VOICES)
def test_low_is_not_above_expected_nor_expected_above_high(model: str, call: dict[str, Any], voice: Any) -> None:
    found: Estimate = estimate(model, config=voice, **call)

    assert found.low.per_call <= found.expected.per_call <= found.high.per_call


@given(MODELS, CALLS, st.sampled_from(["caller_minutes", "agent_minutes", "instructions", "tool_calls"]))
def test_more_of_anything_never_costs_less(model: str, call: dict[str, Any], what: str) -> None:
    assert expected(model, **call | {what: call[what] + 1}) >= expected(model, **call)


@given(MODELS, CALLS, SHARES, SHARES)
def test_more_from_the_cache_never_costs_more(model: str, call: dict[str, Any], one: Decimal, other: Decimal) -> None:
    less, more = sorted((one, other))

    assert expected(model, cached_share=more, **call) <= expected(model, cached_share=less, **call)


@given(CALLS)
def test_what_is_estimated_is_what_would_be_billed(call: dict[str, Any]) -> None:
    call = call | {"turns": 4, "caller_minutes": round(call["caller_minutes"]) + 1, "agent_minutes": 2}
    found = estimate("gpt-realtime", cached_share=1, **call)
    tokens = {line.meter.removeprefix("pro "): line.quantity for line in found.expected.lines}
    cached = {"text_tokens": tokens["text_cached_input"], "audio_tokens": tokens["audio_native_cached_input"]}
    usage = {
        "input_token_details": {
            "text_tokens": int(tokens["text_input"] + cached["text_tokens"]),
            "audio_tokens": int(tokens["audio_native_input"] + cached["audio_tokens"]),
            "cached_tokens": int(sum(cached.values())),
            "cached_tokens_details": {kind: int(count) for kind, count in cached.items()},
        },
        "output_token_details": {
            "text_tokens": int(tokens["text_output"]),
            "audio_tokens": int(tokens["audio_native_output"]),
        },
    }

    assert bill(usage, BillingMode.of(models["gpt-realtime"])).total == found.expected.per_call


@given(CALLS)
def test_all_that_is_said_is_counted_once_as_output(call: dict[str, Any]) -> None:
    found = estimate("gpt-realtime", **call)

    [spoken] = [line for line in found.expected.lines if line.meter == "pro audio_native_output"]
    assert spoken.quantity == call["agent_minutes"] * 1200


def test_thirds_are_written_to_34_digits_and_all_else_exactly() -> None:
    assert str(decimal_from(Fraction(1, 3))) == "0." + "3" * 34
    assert str(decimal_from(Fraction(1, 8))) == "0.125"

"""What responses cost: worked examples to the last digit, what usage leaves out, and what sums must hold."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.catalogue import Bill, BillingMode, PriceList, bill, models, prices
from voicelive.catalogue.money import product
from voicelive.catalogue.price_list import read_price_list
from voicelive.errors import ConfigurationError
from voicelive.wire.responses import TokenUsage

DATA = Path(__file__).parent / "data"
ORACLES: dict[str, Any] = json.loads((DATA / "oracles.json").read_text(encoding="utf-8"))
FEBRUARY = read_price_list((DATA / "prices-2026-02.json").read_text(encoding="utf-8"))
NATIVE = BillingMode(tier="pro", audio_input="native", audio_output="native")
CASCADED = BillingMode(tier="pro", audio_input="standard", audio_output="standard")
BYO = BillingMode(tier="byo", audio_input="standard", audio_output="standard")


def usage(text: int = 0, audio: int = 0, *, cached: tuple[int, int] = (0, 0), out: tuple[int, int] = (0, 0)) -> Any:
    return {
        "total_tokens": text + audio + sum(out),
        "input_tokens": text + audio,
        "output_tokens": sum(out),
        "input_token_details": {
            "cached_tokens": sum(cached),
            "text_tokens": text,
            "audio_tokens": audio,
            "cached_tokens_details": {"text_tokens": cached[0], "audio_tokens": cached[1]},
        },
        "output_token_details": {"text_tokens": out[0], "audio_tokens": out[1]},
    }


def tokens_of(one: Bill) -> dict[str, int]:
    return {line.category: line.tokens for line in one.lines}


@pytest.mark.parametrize("case", ORACLES["cases"], ids=lambda case: case["name"])
def test_worked_examples_are_exact_to_the_last_digit(case: dict[str, Any]) -> None:
    listed: PriceList = FEBRUARY if "feb2026" in case["name"] else prices

    found = bill(case["usage"], BillingMode(**case["mode"]), prices=listed)

    lines = [
        {"tier": line.tier, "category": line.category, "tokens": line.tokens, "usd": str(line.usd)}
        for line in found.lines
    ]
    assert lines == case["lines"]
    assert str(found.total) == case["total_usd"]
    assert found.complete
    assert not found.estimated
    assert not found.flags


@pytest.mark.parametrize("case", ORACLES["cases"], ids=lambda case: case["name"])
def test_the_wire_s_usage_costs_the_same_as_its_mapping(case: dict[str, Any]) -> None:
    mode = BillingMode(**case["mode"])

    assert bill(TokenUsage(**case["usage"]), mode) == bill(case["usage"], mode)


@pytest.mark.parametrize(
    ("name", "mode", "way", "model"),
    [
        ("pro_native_in", NATIVE, "in", "gpt-realtime"),
        ("pro_native_out", NATIVE, "out", "gpt-realtime"),
        ("pro_standard_in", CASCADED, "in", "gpt-4.1"),
        ("pro_standard_out", CASCADED, "out", "gpt-4.1"),
        ("pro_custom_out", BillingMode(tier="pro", audio_input="standard", audio_output="custom"), "out", "gpt-4.1"),
        ("standard_native_in", BillingMode.of("gpt-realtime-mini"), "in", "gpt-realtime-mini"),
        ("standard_native_out", BillingMode.of("gpt-realtime-mini"), "out", "gpt-realtime-mini"),
        ("standard_standard_out", BillingMode.of("gpt-5-mini"), "out", "gpt-5-mini"),
        ("lite_phi_native_in", BillingMode.of("phi4-mm-realtime"), "in", "phi4-mm-realtime"),
        ("byo_standard_in", BYO, "in", "gpt-5.5"),
        ("byo_standard_out", BYO, "out", "gpt-5.5"),
    ],
)
def test_a_minute_of_speech_has_its_price(name: str, mode: BillingMode, way: str, model: str) -> None:
    heard, spoken = models[model].heard_tokens(60), models[model].spoken_tokens(60)
    minute = usage(audio=heard) if way == "in" else usage(out=(0, spoken))

    assert bill(minute, mode).total == Decimal(ORACLES["per_minute_of_speech_usd"][name])


def test_the_report_in_danish_kroner_is_reproduced() -> None:
    kroner = prices.converted(Decimal("6.576"), "DKK")  # 0.0822 / 0.0125
    heard = bill(usage(audio=18_000), BYO, prices=kroner)

    assert str(heard.total) == "1.4796"
    reported = PriceList(
        currency="DKK",
        region="swedencentral",
        as_of=prices.as_of,
        source="a report of 2026-10-02",
        tokens={("byo", "audio_standard_output"): Decimal("151.3")},
    )
    spoken = bill(usage(out=(0, 12_000)), BYO, prices=reported)
    assert str(spoken.total) == "1.8156"
    assert spoken.currency == "DKK"
    with pytest.raises(ConfigurationError, match="in DKK; read amount"):
        _ = spoken.lines[0].usd


def test_a_cached_count_without_its_split_is_estimated_towards_more_money() -> None:
    whole = usage(1977, 1082, cached=(1856, 1024), out=(53, 197))
    split = bill(whole, NATIVE)
    del whole["input_token_details"]["cached_tokens_details"]

    found = bill(whole, NATIVE)

    assert found.estimated
    assert "not split" in found.notes[0]
    assert tokens_of(found)["text_cached_input"] == 1977
    assert tokens_of(found)["audio_native_cached_input"] == 903
    assert found.total > split.total


@pytest.mark.parametrize(("text", "audio", "cached"), [(100, 0, 60), (0, 100, 60), (50, 50, 100), (50, 50, 0)])
def test_a_split_that_can_only_be_one_way_is_no_estimate(text: int, audio: int, cached: int) -> None:
    one = usage(text, audio)
    one["input_token_details"] = {"text_tokens": text, "audio_tokens": audio, "cached_tokens": cached}

    found = bill(one, NATIVE)

    assert not found.estimated
    assert tokens_of(found)["text_cached_input"] + tokens_of(found)["audio_native_cached_input"] == cached


@pytest.mark.parametrize(
    ("details", "cached", "estimated"),
    [
        ({"text_tokens": 30}, 50, False),  # the rest is audio
        ({"audio_tokens": 20}, 50, False),
        ({"text_tokens": 50}, 50, False),
        ({"text_tokens": 30}, None, True),
    ],
)
def test_half_a_split_is_completed_where_it_can_be(details: Any, cached: int | None, estimated: bool) -> None:
    one = usage(100, 100)
    one["input_token_details"] |= {"cached_tokens": cached, "cached_tokens_details": details}

    found = bill(one, NATIVE)

    assert found.estimated is estimated
    assert not found.flags
    parts = tokens_of(found)
    assert parts["text_cached_input"] + parts["audio_native_cached_input"] == (cached or sum(details.values()))


def test_without_a_cached_count_all_input_is_fresh_and_marked() -> None:
    one = usage(100, 50)
    one["input_token_details"] = {"text_tokens": 100, "audio_tokens": 50}

    found = bill(one, NATIVE)

    assert found.estimated
    assert found.total == bill(usage(100, 50), NATIVE).total


@pytest.mark.parametrize("part", ["input", "output"])
def test_tokens_without_details_are_unpriced_and_never_zero(part: str) -> None:
    one = usage(100, 50, out=(10, 20))
    one[f"{part}_token_details"] = None

    found = bill(one, NATIVE)

    assert not found.complete
    assert [(left.what, left.tokens) for left in found.unpriced] == [
        (f"{part}_tokens", {"input": 150, "output": 30}[part])
    ]
    assert not found.flags


def test_a_kind_that_is_missing_leaves_its_tokens_unpriced() -> None:
    one = usage(100, 50)
    del one["input_token_details"]["audio_tokens"]

    [left] = bill(one, NATIVE).unpriced

    assert (left.what, left.tokens) == ("input_tokens", 50)


def test_an_empty_usage_is_flagged() -> None:
    found = bill({}, NATIVE)

    assert found.total == 0
    assert len(found.flags) == 2
    assert "input_tokens is missing, and so is text_tokens and audio_tokens" in found.flags[0]


def test_images_have_no_price() -> None:
    one = usage(100, 50)
    one["input_tokens"] += 300
    one["total_tokens"] += 300
    one["input_token_details"]["image_tokens"] = 300

    found = bill(one, NATIVE)

    assert [(left.what, left.tokens) for left in found.unpriced] == [("input images", 300)]
    assert found.total == bill(usage(100, 50), NATIVE).total
    assert not found.flags


def test_images_alone_are_unpriced_cached_or_not() -> None:
    one = usage()
    one["input_tokens"] = one["total_tokens"] = 300
    one["input_token_details"] = {"image_tokens": 300, "text_tokens": 0, "audio_tokens": 0, "cached_tokens": 100}

    found = bill(one, NATIVE)

    assert [left.tokens for left in found.unpriced] == [300]
    assert not found.flags


def test_an_unsplit_cache_beside_images_is_an_estimate() -> None:
    one = usage(100)
    one["input_tokens"] = one["total_tokens"] = 400
    one["input_token_details"] = {"image_tokens": 300, "text_tokens": 100, "audio_tokens": 0, "cached_tokens": 100}

    assert bill(one, NATIVE).estimated


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({"total_tokens": 1}, r"total_tokens is 1, input and output together are 150 \+ 30"),
        ({"input_tokens": 151, "total_tokens": 181}, "input_tokens is 151, its details together are 150"),
        ({"input_tokens": 149, "total_tokens": 179}, "input_tokens is 149, its details together are 150"),
        ({"output_tokens": 29, "total_tokens": 179}, "output_tokens is 29, its details together are 30"),
    ],
)
def test_sums_that_disagree_are_flagged_and_details_kept(change: dict[str, int], flag: str) -> None:
    found = bill(usage(100, 50, out=(10, 20)) | change, NATIVE)

    assert len(found.flags) == 1
    assert re.match(flag, found.flags[0])
    assert found.total == bill(usage(100, 50, out=(10, 20)), NATIVE).total


def test_more_cached_than_there_is_is_flagged_and_not_negative() -> None:
    found = bill(usage(100, 50, cached=(120, 50)), NATIVE)

    assert tokens_of(found)["text_input"] == 0
    assert tokens_of(found)["text_cached_input"] == 120
    assert found.flags == ("120 cached text_tokens are more than the 100 that they are part of",)


@pytest.mark.parametrize("cached", [10, 400])
def test_a_cached_count_that_its_details_or_the_input_contradict_is_flagged(cached: int) -> None:
    one = usage(100, 50, cached=(20, 10))
    one["input_token_details"]["cached_tokens"] = cached
    assert bill(one, NATIVE).flags == (f"cached_tokens is {cached}, its details together are 30",)

    del one["input_token_details"]["cached_tokens_details"]
    flags = bill(one, NATIVE).flags
    assert flags == (() if cached == 10 else ("cached_tokens is 400, the input has 150 tokens",))


def test_reasoning_is_part_of_the_text_and_flagged_where_it_is_more() -> None:
    one = usage(100, out=(29, 0))
    one["output_token_details"]["reasoning_tokens"] = 19
    assert bill(one, NATIVE).total == bill(usage(100, out=(29, 0)), NATIVE).total

    one["output_token_details"]["reasoning_tokens"] = 30
    assert "reasoning_tokens is 30" in bill(one, NATIVE).flags[0]


@pytest.mark.parametrize("wrong", [1.5, "5", True, -1])
def test_a_count_that_is_none_is_refused_by_name(wrong: Any) -> None:
    one = usage(100)
    one["input_token_details"]["text_tokens"] = wrong
    with pytest.raises(ConfigurationError, match=r"usage\.input_token_details\.text_tokens is"):
        bill(one, NATIVE)


@pytest.mark.parametrize("wrong", [None, "usage", 5, []])
def test_what_is_no_usage_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="usage is a"):
        bill(wrong, NATIVE)


def test_what_is_no_mode_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"mode is a str; write BillingMode"):
        bill(usage(), "pro")  # type: ignore[arg-type]


def test_a_meter_without_a_price_is_unpriced() -> None:
    mode = BillingMode(tier="lite", audio_input="custom", audio_output="standard")

    found = bill(usage(audio=500), mode)

    [line] = [line for line in found.lines if line.category == "audio_custom_input"]
    assert line.usd is None
    assert [(left.what, left.tokens) for left in found.unpriced] == [("lite audio_custom_input", 500)]
    assert bill(usage(text=5), mode).complete, "nothing is missing where the meter counts nothing"


def test_of_an_own_deployment_only_azure_s_speech_is_billed() -> None:
    found = bill(usage(100, 1500, out=(10, 3000)), BYO)

    assert tokens_of(found) == {
        "audio_standard_input": 1500,
        "audio_standard_cached_input": 0,
        "audio_standard_output": 3000,
    }
    assert str(found.total) == "0.08775"
    assert "own deployment" in found.notes[0]
    assert not bill(usage(100), BillingMode(tier="byo", audio_input="native", audio_output="native")).lines


def test_a_custom_voice_on_a_lite_model_says_that_the_pro_rate_is_a_choice() -> None:
    found = bill(usage(out=(0, 1000)), BillingMode(tier="lite", audio_input="native", audio_output="custom"))

    assert found.lines[-1].tier == "pro"
    assert str(found.total) == "0.055"
    assert "billed at the Pro rate" in found.notes[0]


def test_money_never_passes_through_a_float() -> None:
    digits = "12345678901234567890.123456789012345678901234567890123456789"
    listed = PriceList(
        currency="USD",
        region=None,
        as_of=prices.as_of,
        source="a test",
        tokens={("pro", "text_output"): Decimal(digits)},
    )

    found = bill(usage(out=(1_000_000, 0)), NATIVE, prices=listed)

    assert str(found.total) == digits
    assert {type(line.amount) for line in found.lines if line.amount is not None} == {Decimal}


def test_a_product_keeps_every_digit() -> None:
    long = Decimal("1." + "3" * 200)
    assert product(long, 3) == Decimal("3." + "9" * 200)


COUNTS = st.integers(0, 10**7)


@st.composite
def usages(draw: st.DrawFn) -> dict[str, Any]:
    text, audio = draw(COUNTS), draw(COUNTS)
    cached = draw(st.integers(0, text)), draw(st.integers(0, audio))
    return dict(usage(text, audio, cached=cached, out=(draw(COUNTS), draw(COUNTS))))


MODES = st.builds(
    BillingMode,
    tier=st.sampled_from(["pro", "standard", "lite", "byo"]),
    audio_input=st.sampled_from(["native", "standard", "custom"]),
    audio_output=st.sampled_from(["native", "standard", "custom"]),
)


@given(st.lists(st.tuples(usages(), MODES), min_size=1, max_size=6), st.randoms())
def test_a_session_costs_the_sum_of_its_responses_in_whatever_order(
    responses: Sequence[tuple[dict[str, Any], BillingMode]], random: Any
) -> None:
    bills = [bill(one, mode) for one, mode in responses]
    shuffled = list(bills)
    random.shuffle(shuffled)

    joined = Bill.joined(bills)

    assert joined == Bill.joined(shuffled)
    assert joined.total == sum((one.total for one in bills), Decimal(0))
    assert joined.total == sum((line.amount or 0 for line in joined.lines), Decimal(0))
    half = len(bills) // 2
    if half:
        assert Bill.joined([Bill.joined(bills[:half]), Bill.joined(bills[half:])]) == joined


@given(usages(), usages(), MODES)
def test_two_responses_cost_what_one_of_all_their_tokens_costs(one: Any, other: Any, mode: BillingMode) -> None:
    def added(a: Any, b: Any) -> Any:
        return {k: added(a[k], b[k]) for k in a} if isinstance(a, dict) else a + b

    assert Bill.joined([bill(one, mode), bill(other, mode)]).lines == Bill.joined([bill(added(one, other), mode)]).lines


@given(usages(), MODES, st.sampled_from(["text", "audio", "text_out", "audio_out"]), st.integers(1, 1000))
def test_more_tokens_never_cost_less(one: dict[str, Any], mode: BillingMode, kind: str, more: int) -> None:
    larger = json.loads(json.dumps(one))
    side = "output" if "out" in kind else "input"
    larger[f"{side}_token_details"][f"{kind.removesuffix('_out')}_tokens"] += more
    larger[f"{side}_tokens"] += more
    larger["total_tokens"] += more

    assert bill(larger, mode).total >= bill(one, mode).total


@given(usages(), MODES)
def test_an_estimated_split_never_costs_less_than_the_real_one(one: dict[str, Any], mode: BillingMode) -> None:
    real = bill(one, mode)
    del one["input_token_details"]["cached_tokens_details"]
    guessed = bill(one, mode)

    if guessed.complete and real.complete:
        assert guessed.total >= real.total


@given(usages(), MODES)
def test_no_token_is_lost(one: dict[str, Any], mode: BillingMode) -> None:
    found = bill(one, mode)

    if mode.tier != "byo":
        assert sum(line.tokens for line in found.lines) == one["total_tokens"]


def test_bills_of_several_currencies_or_none_make_no_sum() -> None:
    euros = bill(usage(100), NATIVE, prices=prices.converted(Decimal("0.868"), "EUR"))
    with pytest.raises(ConfigurationError, match="bills in EUR and USD"):
        Bill.joined([euros, bill(usage(100), NATIVE)])
    with pytest.raises(ConfigurationError, match="there is no bill"):
        Bill.joined([])


def test_a_joined_bill_keeps_what_has_no_price_and_what_was_assumed() -> None:
    bare = {"total_tokens": 30, "input_tokens": 30, "output_tokens": 0}
    joined = Bill.joined([bill(bare, NATIVE), bill(bare, NATIVE), bill(usage(5), BYO)])

    assert [(left.what, left.tokens) for left in joined.unpriced] == [("input_tokens", 60)]
    assert len(joined.notes) == 2
    assert joined.as_of == prices.as_of

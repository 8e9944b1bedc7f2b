"""Price lists: exact amounts, words that exist, and no price where there is none."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.catalogue import PriceList, prices
from voicelive.catalogue.price_list import read_price_list
from voicelive.errors import ConfigurationError


def a_list(**facts: Any) -> PriceList:
    standard: dict[str, Any] = {
        "currency": "USD",
        "region": None,
        "as_of": date(2026, 10, 3),
        "source": "a test",
        "tokens": {("pro", "text_input"): Decimal(4)},
    }
    return PriceList(**{**standard, **facts})


def test_a_price_is_found_by_tier_and_category() -> None:
    assert prices.token_price("pro", "audio_native_output") == 64
    assert prices.avatar_price("avatar_realtime_standard") == Decimal("0.50")
    assert prices.custom_price("custom_voice_hosting") == Decimal("4.032")
    assert prices.custom_caps["custom_voice_training"] == 936


@pytest.mark.parametrize("word", ["basic", "Basic", "std", " Standard "])
def test_the_older_names_of_a_tier_mean_the_same(word: str) -> None:
    assert prices.token_price(word, "text_input") == Decimal("0.66")


def test_a_price_that_is_not_published_is_none_and_not_zero() -> None:
    assert prices.token_price("lite", "audio_custom_input") is None
    assert prices.token_price("byo", "text_input") is None
    assert a_list().avatar_price("avatar_batch_custom") is None
    assert a_list().custom_price("photo_avatar_creation") is None


def test_all_amounts_of_the_package_are_decimal() -> None:
    amounts = [*prices.tokens.values(), *prices.avatar_per_minute.values(), *prices.custom.values()]

    assert len(amounts) == 38 + 8 + 7
    assert {type(amount) for amount in amounts} == {Decimal}


def test_amounts_never_pass_through_a_float() -> None:
    digits = "0.1000000000000000055511151231257827021181583404541015625001"
    text = (
        '{"currency": "USD", "region": null, "as_of": "2026-10-03", "source": "", "avatar_per_minute": [],'
        f'"custom": [], "tokens": [{{"tier": "pro", "category": "text_input", "per_1m_tokens": {digits}}}]}}'
    )

    assert str(read_price_list(text).token_price("pro", "text_input")) == digits


@pytest.mark.parametrize(
    ("facts", "complaint"),
    [
        ({"currency": "usd"}, "currency is 'usd'"),
        ({"tokens": {("gold", "text_input"): Decimal(1)}}, "tier is 'gold'; allowed: 'pro', 'standard'"),
        ({"tokens": {("pro", "words"): Decimal(1)}}, "category is 'words'"),
        ({"tokens": {("pro", "text_input"): 0.1}}, r"the float 0\.1; write Decimal\('0\.1'\)"),
        ({"tokens": {("pro", "text_input"): Decimal("NaN")}}, "must be finite"),
        ({"tokens": {("pro", "text_input"): Decimal(-1)}}, "at least 0"),
        ({"tokens": {("pro", "text_input"): True}}, "is a bool; it must be a Decimal"),
        ({"avatar_per_minute": {"avatar": Decimal(1)}}, "avatar_per_minute is 'avatar'"),
        ({"custom": {"voice": Decimal(1)}}, "custom is 'voice'"),
        ({"custom_caps": {"voice": Decimal(1)}}, "custom_caps is 'voice'"),
    ],
)
def test_what_is_no_price_is_refused(facts: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        a_list(**facts)


@pytest.mark.parametrize("method", ["avatar_price", "custom_price"])
def test_an_unknown_category_is_an_error_and_not_a_missing_price(method: str) -> None:
    with pytest.raises(ConfigurationError, match="category is 'photo'"):
        getattr(prices, method)("photo")


def test_an_unknown_tier_is_an_error_and_not_a_missing_price() -> None:
    with pytest.raises(ConfigurationError, match="tier is 'premium'"):
        prices.token_price("premium", "text_input")
    with pytest.raises(ConfigurationError, match="tier is 3"):
        prices.token_price(3, "text_input")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="category is 'text'"):
        prices.token_price("pro", "text")  # type: ignore[arg-type]


def test_a_list_is_converted_by_an_explicit_rate() -> None:
    kroner = prices.converted(Decimal("6.577"), "DKK")

    assert kroner.currency == "DKK"
    assert kroner.token_price("byo", "audio_standard_output") == Decimal("151.271")
    assert kroner.avatar_price("avatar_realtime_custom_hd") == Decimal("5.2616")
    assert kroner.custom_price("custom_voice_hosting") == Decimal("26.518464")
    assert kroner.custom_caps["custom_voice_training"] == Decimal("6156.072")
    assert kroner.source.endswith("6.577 DKK for one USD")


@pytest.mark.parametrize(
    ("rate", "currency", "complaint"),
    [
        (0.84, "EUR", r"rate is the float 0\.84"),
        (Decimal(0), "EUR", "greater than 0"),
        ("0.84", "EUR", "rate is a str"),
        (Decimal("0.84"), "euro", "currency is 'euro'"),
    ],
)
def test_a_rate_that_is_not_exact_is_refused(rate: Any, currency: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        prices.converted(rate, currency)


@given(st.decimals(min_value="0.0001", max_value=10_000, places=12), st.decimals(min_value=0, max_value=100, places=9))
def test_converting_is_exact(rate: Decimal, amount: Decimal) -> None:
    converted = a_list(tokens={("pro", "text_input"): amount}).converted(rate, "EUR")

    numerator, denominator = converted.tokens["pro", "text_input"].as_integer_ratio()
    (a, b), (c, d) = rate.as_integer_ratio(), amount.as_integer_ratio()
    assert numerator * b * d == a * c * denominator


def test_a_list_survives_pickle_and_cannot_be_changed() -> None:
    assert pickle.loads(pickle.dumps(prices)) == prices
    with pytest.raises(TypeError):
        prices.tokens["pro", "text_input"] = Decimal(0)  # type: ignore[index]
    assert replace(prices, region="swedencentral").region == "swedencentral"


@pytest.mark.parametrize("text", ["{}", "[]", "nonsense", '{"currency": "USD", "region": null, "as_of": "today"}'])
def test_text_that_is_no_price_list_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="no price list"):
        read_price_list(text)


def test_a_wrong_amount_in_a_text_is_named() -> None:
    text = (
        '{"currency": "USD", "region": null, "as_of": "2026-10-03", "source": "", "avatar_per_minute": [],'
        '"custom": [], "tokens": [{"tier": "pro", "category": "text_input", "per_1m_tokens": "4"}]}'
    )
    with pytest.raises(ConfigurationError, match=r"tokens\[\('pro', 'text_input'\)\] is a str"):
        read_price_list(text)

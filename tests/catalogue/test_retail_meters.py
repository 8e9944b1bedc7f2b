"""Which meter a name is, misspelt or not, and what its unit makes of its price."""

from __future__ import annotations

import json
from decimal import Decimal
from importlib.resources import files
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.retail import sample, usd_rows

from voicelive.catalogue.retail_meters import (
    AvatarMeter,
    CustomMeter,
    Meter,
    TokenMeter,
    concerns_us,
    meter_of,
    price_per_unit,
)
from voicelive.catalogue.terms import AvatarCategory, CustomCategory

PACKAGED = json.loads((files("voicelive.catalogue") / "data" / "prices.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("line", PACKAGED["tokens"], ids=lambda line: line["meter"])
def test_every_token_meter_of_the_packaged_list_is_known_by_its_real_name(line: dict[str, str]) -> None:
    assert meter_of(line["meter"]) == TokenMeter(line["tier"], line["category"])  # type: ignore[arg-type]  # from JSON


@pytest.mark.parametrize("line", PACKAGED["avatar_per_minute"], ids=lambda line: line["meter"])
def test_every_avatar_meter_is_known(line: dict[str, str]) -> None:
    assert meter_of(line["meter"]) == AvatarMeter(line["category"])  # type: ignore[arg-type]  # from JSON


@pytest.mark.parametrize("line", PACKAGED["custom"], ids=lambda line: line["meter"])
def test_every_meter_of_custom_models_is_known(line: dict[str, str]) -> None:
    assert meter_of(line["meter"]) == CustomMeter(line["category"])  # type: ignore[arg-type]  # from JSON


def test_no_category_is_without_a_meter() -> None:
    known = {meter_of(line["meter"]) for part in ("avatar_per_minute", "custom") for line in PACKAGED[part]}
    categories = {meter.category for meter in known if isinstance(meter, AvatarMeter | CustomMeter)}

    assert categories == {*get_args(AvatarCategory), *get_args(CustomCategory)}


def test_all_rows_of_the_saved_pages_that_concern_us_are_known_but_the_unknown_tier() -> None:
    rows = usd_rows() + sample("synthetic_odd_rows")["Items"] + sample("real_avatar_centralindia_rows")["rows"]
    names = {found["meterName"] for found in rows}

    assert {name for name in names if meter_of(name) is None and concerns_us(name)} == {
        "Voice Live API Ultra - LLM Text Input Tokens"
    }


@pytest.mark.parametrize(
    ("name", "meter"),
    [
        ("Voice Live API Std - Standard Speech Audio Outpt Tokens", ("standard", "audio_standard_output")),
        ("Voice Live API Std - Standard Speech Audio Output Tokens", ("standard", "audio_standard_output")),
        ("Voice Live API Std - Standard Speech Audio Cache Tokens", ("standard", "audio_standard_cached_input")),
        ("Voice Live API Std- LLM Audio Output Tokens", ("standard", "audio_native_output")),
        ("Voice Live API Standard - LLM Audio Output Tokens", ("standard", "audio_native_output")),
        ("voice live api  std -  llm audio OUTPUT tokens ", ("standard", "audio_native_output")),
        ("Voice Live BYO Custom Speech Audio Input Tokens", ("byo", "audio_custom_input")),
        ("Voice Live API BYO - Custom Speech Audio Input Tokens", ("byo", "audio_custom_input")),
    ],
)
def test_misspelt_and_corrected_names_are_the_same_meter(name: str, meter: tuple[str, str]) -> None:
    assert meter_of(name) == TokenMeter(*meter)  # type: ignore[arg-type]  # plain words


@pytest.mark.parametrize(
    "name",
    [
        "Voice Live API Ultra - LLM Text Input Tokens",
        "Voice Live API Pro - LLM Image Input Tokens",
        "Voice Live API Pro - Standard Speech Text Input Tokens",
        "Voice Live API Pro - LLM Text Input",
        "New Voice Live API Pro - LLM Text Input Tokens",
        "TTS Ultra Avatar Realtime Speech",
    ],
)
def test_a_new_name_is_unknown_and_concerns_us(name: str) -> None:
    assert meter_of(name) is None
    assert concerns_us(name)


@pytest.mark.parametrize("name", ["S1 Speech To Text", "", "Fast Transcription Speech To Text"])
def test_other_meters_of_speech_do_not_concern_us(name: str) -> None:
    assert meter_of(name) is None
    assert not concerns_us(name)


@given(st.sampled_from(usd_rows()), st.lists(st.sampled_from([" ", "  ", "\t", "\u00a0"]), min_size=12, max_size=12))
def test_case_and_blanks_of_a_name_decide_nothing(found: dict[str, str], blanks: list[str]) -> None:
    words = found["meterName"].split()
    odd = "".join(blank + word.swapcase() for blank, word in zip(blanks, words, strict=False)) + blanks[-1]

    assert meter_of(odd) == meter_of(found["meterName"]) is not None


TOKENS, MINUTES = TokenMeter("pro", "text_input"), AvatarMeter("avatar_batch_custom")
HOSTING, IMAGES = CustomMeter("custom_voice_hosting"), CustomMeter("photo_avatar_creation")


@pytest.mark.parametrize(
    ("meter", "price", "unit", "per_unit"),
    [
        (TOKENS, "0.004", "1K", "4"),
        (TOKENS, "0.00004", "1k", "0.04"),
        (TOKENS, "32", "1M", "32"),
        (TOKENS, "4", "1", None),
        (TOKENS, "4", "10K", None),
        (TOKENS, "4", "", None),
        (TOKENS, "4", "1 Minute", None),
        (MINUTES, "0.5", "1 Minute", "0.5"),
        (MINUTES, "30", "1 Hour", None),
        (HOSTING, "4.032", "1/Hour", "4.032"),
        (HOSTING, "4.032", "1 Hour", "4.032"),
        (HOSTING, "97", "1/Day", None),
        (HOSTING, "2943", "1/Month", None),
        (IMAGES, "2000", "1K", "2"),
        (IMAGES, "200", "100", "2"),
        (IMAGES, "2", "1", "2"),
        (IMAGES, "2", "1 Hour", None),
    ],
)
def test_a_price_is_converted_by_its_unit_or_not_at_all(
    meter: Meter, price: str, unit: str, per_unit: str | None
) -> None:
    assert price_per_unit(meter, Decimal(price), unit) == (None if per_unit is None else Decimal(per_unit))


@given(st.decimals(min_value=0, max_value=10**6, places=9))
def test_conversion_is_exact(price: Decimal) -> None:
    thousand = price_per_unit(TOKENS, price, "1K")

    assert thousand is not None
    assert price_per_unit(IMAGES, thousand, "1K") == price

"""Models and regions: what each is, where it is, and that the tables agree with one another."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from voicelive import catalogue
from voicelive.catalogue import Model, Region, models, prices, regions
from voicelive.errors import ConfigurationError, NotInCatalogueError

GONE = [model for model in models.values() if model.status in ("gone", "unlisted")]


def ids(found: tuple[Model, ...] | tuple[Region, ...]) -> list[str]:
    return [one.id for one in found]


@pytest.mark.parametrize(
    ("name", "tier", "kind"),
    [
        ("gpt-realtime", "pro", "native_realtime"),
        ("gpt-realtime-mini", "standard", "native_realtime"),
        ("gpt-realtime-2.1", "pro", "native_realtime"),
        ("gpt-realtime-2.1-mini", "standard", "native_realtime"),
        ("gpt-4o", "pro", "cascaded_text"),
        ("gpt-4o-mini", "standard", "cascaded_text"),
        ("gpt-4.1", "pro", "cascaded_text"),
        ("gpt-4.1-mini", "standard", "cascaded_text"),
        ("gpt-4.1-nano", "lite", "cascaded_text"),
        ("gpt-5", "pro", "cascaded_text"),
        ("gpt-5-mini", "standard", "cascaded_text"),
        ("gpt-5-nano", "lite", "cascaded_text"),
        ("gpt-5.6-luna", "standard", "cascaded_text"),
        ("phi4-mm-realtime", "lite", "multimodal_audio_in"),
        ("azure-realtime", "pro", "native_realtime"),
    ],
)
def test_a_model_that_is_offered_tells_tier_kind_regions_and_price(name: str, tier: str, kind: str) -> None:
    model = models[name]

    assert (model.tier, model.kind, model.status) == (tier, kind, "current")
    assert "swedencentral" in model.regions
    assert {meter.removeprefix("text_") for meter in model.prices() if meter.startswith("text")} == {
        "input",
        "cached_input",
        "output",
    }
    known = {meter for meter, price in model.prices().items() if price is not None}
    assert known == set(model.prices()) - ({"audio_custom_input"} if tier == "lite" else set())


@pytest.mark.parametrize("model", GONE, ids=lambda model: model.id)
def test_a_model_that_is_gone_tells_since_when_and_what_replaces_it(model: Model) -> None:
    assert model.gone_since is not None
    assert model.replaced_by is not None
    successor = models[model.replaced_by]
    assert successor.status == "current"
    assert (successor.kind, successor.tier) == (model.kind, model.tier)
    assert not model.regions
    assert not regions.where(model=model.id)


def test_the_models_of_older_texts_are_among_those_that_are_gone() -> None:
    assert {"gpt-5-chat", "phi4-mini", "gpt-4o-realtime-preview"} <= {model.id for model in GONE}
    assert models["phi4-mini"].gone_since == date(2026, 9, 29)


def test_the_meters_of_a_model_are_those_that_it_can_use() -> None:
    assert set(models["phi4-mm-realtime"].prices()) == {
        "text_input",
        "text_cached_input",
        "text_output",
        "audio_native_input",
        "audio_native_cached_input",
        "audio_standard_output",
        "audio_custom_output",
    }
    assert "audio_standard_output" not in models["azure-realtime"].prices()
    assert set(models["gpt-5.5"].prices()) == {
        "audio_standard_input",
        "audio_standard_cached_input",
        "audio_custom_input",
        "audio_custom_cached_input",
        "audio_standard_output",
        "audio_custom_output",
    }
    twice = prices.converted(Decimal(2), "EUR")
    assert models["gpt-realtime"].prices(twice)["audio_native_output"] == 128


@pytest.mark.parametrize(
    ("echoed", "name"),
    [
        ("gpt-realtime", "gpt-realtime"),
        ("GPT-4o ", "gpt-4o"),
        ("gpt-realtime-2025-08-28", "gpt-realtime"),
        ("gpt-realtime-global-standard", "gpt-realtime"),
        ("gpt-realtime-mini-2025-10-06-global-standard", "gpt-realtime-mini"),
        ("gpt-realtime-datazone-standard", "gpt-realtime-datazone"),
        ("gpt-realtime-data-zone-standard", "gpt-realtime-datazone"),
        ("gpt-4.1-data-zone-standard", "gpt-4.1"),
        ("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"),
        ("gpt-5-nano-standard", "gpt-5-nano"),
    ],
)
def test_names_that_the_service_echoes_are_understood(echoed: str, name: str) -> None:
    found = models.resolve(echoed)

    assert found is models[name]
    assert echoed in models


@pytest.mark.parametrize("name", ["gpt-9", "", "my-deployment", "gpt-realtime-3", "-standard", 5, None])
def test_a_name_that_is_not_known_is_none_or_a_key_error(name: Any) -> None:
    assert models.resolve(name) is None
    assert name not in models
    with pytest.raises(NotInCatalogueError) as raised:
        models[name]
    assert isinstance(raised.value, KeyError)
    assert isinstance(raised.value, ConfigurationError)


def test_a_misspelt_name_is_told_what_it_looks_like() -> None:
    with pytest.raises(NotInCatalogueError, match=r"no model 'gpt-realtme'; similar: gpt-realtime,"):
        models["gpt-realtme"]
    with pytest.raises(NotInCatalogueError, match=r"no region 'Sweden Centrale'; similar: swedencentral"):
        regions["Sweden Centrale"]


def test_models_are_found_by_what_they_are_and_where() -> None:
    assert ids(models.where(tier="lite", region="westeurope")) == ["gpt-4.1-nano", "gpt-5-nano"]
    assert ids(models.where(tier="basic", native=True)) == ["gpt-realtime-2.1-mini", "gpt-realtime-mini"]
    assert ids(models.where(kind="multimodal_audio_in")) == ["phi4-mm-realtime"] == ids(models.where(preview=True))
    assert not models.where(native=True, region="westeurope")
    assert ids(models.where(tier="byo", current=None)) == ["gpt-5.5", "gpt-5.4-mini", "gpt-5.4-nano"]
    assert {model.status for model in models.where(current=False)} == {"gone", "unlisted", "own_deployment"}
    assert all(model.status == "current" for model in models.where())


@pytest.mark.parametrize("wish", [{"tier": "gold"}, {"kind": "native"}, {"region": "atlantis"}])
def test_unknown_words_are_refused(wish: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        models.where(**wish)
    with pytest.raises(NotInCatalogueError):
        regions.where(model="gpt-9")


def test_regions_tell_what_they_offer() -> None:
    sweden = regions["Sweden Central"]

    assert sweden is regions["swedencentral"]
    assert sweden.models["gpt-realtime"] == "global"
    assert sweden.avatar
    assert sweden.custom_voice
    assert not regions["northeurope"].voice_live
    assert regions["francecentral"].note == "Avatars: limited capacity."


def test_regions_are_found_by_what_they_offer() -> None:
    both = regions.where(avatar=True)

    assert ids(both) == [
        "southeastasia",
        "centralindia",
        "westeurope",
        "francecentral",
        "italynorth",
        "swedencentral",
        "eastus",
        "eastus2",
        "southcentralus",
        "westus2",
    ]
    wishes: dict[str, Any] = {"model": "gpt-realtime-2025-08-28", "avatar": True, "custom_voice": True}
    assert ids(regions.where(**wishes, geography="europe")) == ["francecentral", "swedencentral"]
    assert ids(regions.where(personal_voice=True, hd_voices=True, geography="Europe")) == [
        "westeurope",
        "swedencentral",
    ]
    assert len(regions.where()) == 28
    assert len(regions.where(voice_live=None)) == len(regions) == 33
    assert "northeurope" in ids(regions.where(voice_live=False))


def test_the_two_tables_name_the_same_models_and_regions() -> None:
    assert {model for region in regions.values() for model in region.models} == {
        model.id for model in models.values() if model.status == "current"
    }
    for model in models.values():
        assert {region: regions[region].models[model.id] for region in model.regions} == model.regions
        assert model.sources


def test_west_europe_has_cascaded_models_alone() -> None:
    assert {models[name].kind for name in regions["westeurope"].models} == {"cascaded_text"}


def test_speech_is_turned_into_tokens() -> None:
    assert models["gpt-realtime"].heard_tokens(60) == 600
    assert models["gpt-realtime"].spoken_tokens(60) == 1200
    assert models["phi4-mm-realtime"].heard_tokens(60) == 750
    assert models["phi4-mm-realtime"].heard_tokens(0.1) == 2  # a started token is one


def test_what_the_lists_are_is_readable() -> None:
    assert repr(models) == "<36 models, as of 2026-10-07>"
    assert repr(regions) == "<33 regions, as of 2026-10-07>"
    assert regions.source.startswith("Microsoft Learn")


def test_names_at_run_time_are_those_that_type_checkers_see_and_documented() -> None:
    import ast
    from pathlib import Path

    tree = ast.parse(Path(catalogue.__file__).read_text(encoding="utf-8"))
    [block] = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    seen = {alias.name for line in block.body if isinstance(line, ast.ImportFrom) for alias in line.names}

    assert set(catalogue.__all__) == seen
    for name in catalogue.__all__:
        assert getattr(catalogue, name) is not None
        assert name in dir(catalogue)
    with pytest.raises(AttributeError, match="no attribute 'modles'"):
        _ = catalogue.modles  # type: ignore[attr-defined]


def test_the_catalogue_loads_no_library() -> None:
    names = "bill, check, estimate, models, prices, recommend, regions"
    program = f"from voicelive.catalogue import {names}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)

    assert "voicelive.catalogue.billing" in done.stdout.split()
    assert not set(done.stdout.split()) & {"pydantic", "httpx", "websockets", "asyncio"}

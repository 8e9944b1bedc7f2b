"""New prices are a change of data: the script runs against saved pages, and against a local server."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import shutil
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.retail import PAGES, Answer, PriceServer, body, row, usd_rows

from voicelive.catalogue.price_list import read_price_list

DAY = "2026-11-22"


def _script() -> ModuleType:
    path = Path(__file__).parents[1] / "scripts" / "update_prices.py"
    spec = importlib.util.spec_from_file_location("update_prices", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for the meaning of their annotations
    spec.loader.exec_module(module)
    return module


script = _script()


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A directory with the two saved pages of one query."""
    directory = tmp_path / "pages"
    directory.mkdir()
    for number in (1, 2):
        shutil.copy(PAGES / f"synthetic_voice_live_usd_page{number}.json", directory)
    return directory


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A copy of the package's price list."""
    return Path(shutil.copy(script.DATA, tmp_path / "prices.json"))


def rows_of(data: Path, part: str = "tokens") -> dict[tuple[str, ...], dict[str, Any]]:
    found = json.loads(data.read_text(encoding="utf-8"), parse_float=Decimal)[part]
    return {(line["tier"], line["category"]) if "tier" in line else (line["category"],): line for line in found}


def with_price(data: Path, part: str, category: str, price: float | None) -> None:
    raw = json.loads(data.read_text(encoding="utf-8"), parse_float=Decimal)
    for line in raw[part]:
        if line["category"] == category and line.get("tier", "pro") == "pro":
            line["per_1m_tokens" if part == "tokens" else "price"] = None if price is None else Decimal(str(price))
    data.write_text(script.written(raw), encoding="utf-8")


def run(data: Path, pages: Path, *more: str) -> int:
    status: int = script.main(["--data", str(data), "--pages", str(pages), "--as-of", DAY, *more])
    return status


def test_the_package_s_list_is_written_as_it_is() -> None:
    text = script.DATA.read_text(encoding="utf-8")

    assert script.written(json.loads(text, parse_float=Decimal)) == text


def test_only_what_changed_or_is_kept_is_shown(pages: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = data.read_bytes()
    with_price(data, "tokens", "text_input", 5)
    changed = data.read_bytes()

    assert run(data, pages) == script.CHANGED
    shown = capsys.readouterr().out
    assert [line.split() for line in shown.splitlines() if line.startswith((" pro", " lite"))] == [
        ["pro", "text_input", "5", "4", "-20.0", "%"],
        ["lite", "audio_custom_input", "-", "38", "new"],
    ]
    assert " custom_voice_hosting" in shown
    assert "avatar_realtime_standard " not in shown
    assert "2 of 54 prices changed; region swedencentral, 2026-11-22, USD" in shown
    assert data.read_bytes() == changed != before


def test_written_prices_are_read_by_the_package_with_date_and_source(pages: Path, data: Path) -> None:
    with_price(data, "tokens", "text_input", 5)

    assert run(data, pages, "--write") == script.CHANGED
    found = read_price_list(data.read_text(encoding="utf-8"))
    assert found.token_price("pro", "text_input") == 4
    assert found.token_price("lite", "audio_custom_input") == 38
    assert (found.as_of, found.region) == (date(2026, 11, 22), "swedencentral")
    assert found.source == "Azure Retail Prices API, region swedencentral"
    assert found.custom_caps["custom_voice_training"] == 936


def test_a_second_run_changes_nothing_and_says_so(pages: Path, data: Path) -> None:
    run(data, pages, "--write")
    written = data.read_bytes()

    assert run(data, pages, "--write") == script.SAME
    assert data.read_bytes() == written


def test_a_price_that_changes_goes_into_history_and_stays_there(pages: Path, data: Path) -> None:
    old = json.loads(data.read_text(encoding="utf-8"))
    with_price(data, "tokens", "text_input", 5)
    run(data, pages, "--write")
    with_price(data, "tokens", "text_input", 6)
    run(data, pages, "--write")

    line = rows_of(data)["pro", "text_input"]
    assert line["per_1m_tokens"] == 4
    assert line["history"] == [
        {"per_1m_tokens": 5, "as_of": old["as_of"], "source": old["source"]},
        {"per_1m_tokens": 6, "as_of": DAY, "source": "Azure Retail Prices API, region swedencentral"},
    ]
    assert line["confidence"] == "high"


def test_what_the_answer_lacks_is_kept_with_the_date_and_source_it_had(pages: Path, data: Path) -> None:
    old = json.loads(data.read_text(encoding="utf-8"))
    run(data, pages, "--write")
    run(data, pages, "--write")

    line = rows_of(data, "custom")["custom_voice_hosting",]
    assert (line["price"], line["as_of"], line["source"]) == (Decimal("4.032"), old["as_of"], old["source"])
    assert "history" not in line


def test_what_was_kept_takes_part_again_when_the_answer_has_it(pages: Path, data: Path) -> None:
    run(data, pages, "--write")
    hosting = row(meterName="S1 Custom Neural Voice Model Hosting Unit", unitOfMeasure="1/Hour", retailPrice=5)
    (pages / "more.json").write_text(body(hosting), encoding="utf-8")
    run(data, pages, "--write")

    line = rows_of(data, "custom")["custom_voice_hosting",]
    assert (line["price"], "as_of" in line, "source" in line) == (5, False, False)
    assert [(old["price"], old["as_of"]) for old in line["history"]] == [(Decimal("4.032"), "2026-10-03")]


def test_no_field_and_no_row_is_ever_dropped(pages: Path, data: Path) -> None:
    raw = json.loads(data.read_text(encoding="utf-8"))
    raw["history"] = [{"date": "2025-07", "note": "launch"}]
    raw["tokens"][0]["remark"] = {"of": ["somebody", None, True, "é"]}
    data.write_text(json.dumps(raw), encoding="utf-8")
    run(data, pages, "--write")
    after = json.loads(data.read_text(encoding="utf-8"))

    assert after["history"] == raw["history"]
    assert after["tokens"][0]["remark"] == raw["tokens"][0]["remark"]
    for part in ("tokens", "avatar_per_minute", "custom"):
        for before, now in zip(raw[part], after[part], strict=True):
            assert set(before) <= set(now)


@pytest.mark.parametrize("part", ["tokens", "avatar_per_minute", "custom"])
def test_a_price_that_the_file_does_not_have_yet_becomes_a_row(pages: Path, data: Path, part: str) -> None:
    hosting = row(meterName="TTS Custom Avatar Hosting Unit", unitOfMeasure="1/Hour", retailPrice=1)
    (pages / "more.json").write_text(body(hosting), encoding="utf-8")
    raw = json.loads(data.read_text(encoding="utf-8"))
    missing = raw[part].pop(0)
    data.write_text(json.dumps(raw), encoding="utf-8")

    assert run(data, pages, "--write") == script.CHANGED
    assert list(rows_of(data, part))[-1][-1] == missing["category"]
    read_price_list(data.read_text(encoding="utf-8"))


def test_odd_meters_are_named(pages: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for page in pages.iterdir():
        page.unlink()
    shutil.copy(PAGES / "synthetic_odd_rows.json", pages)
    with (pages / "more.json").open("w", encoding="utf-8") as file:
        file.write(body(usd_rows()[1], {**usd_rows()[1], "retailPrice": 5}))
    run(data, pages)

    shown = capsys.readouterr().out
    assert "unknown meter: Voice Live API Ultra - LLM Text Input Tokens" in shown
    assert "meter without a usable price: Voice Live API Lite - LLM Text Input Tokens" in shown
    assert "several prices, the highest was taken: Voice Live API Pro - LLM Text Cached Tokens" in shown


@pytest.mark.parametrize("content", ["<html></html>", body(), None])
def test_pages_without_prices_change_nothing(
    pages: Path, data: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    before = data.read_bytes()
    for page in pages.iterdir():
        page.unlink()
    if content is not None:
        (pages / "page.json").write_text(content, encoding="utf-8")

    assert run(data, pages, "--write") == script.FAILED
    assert "Retail Prices API" in capsys.readouterr().err
    assert data.read_bytes() == before


def test_saved_pages_need_their_date(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        script.main(["--pages", str(pages)])

    assert ended.value.code == script.FAILED
    assert "--as-of" in capsys.readouterr().err


async def test_without_pages_the_api_is_asked(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with PriceServer([body(*usd_rows())]) as server:
        arguments = ["--data", str(data), "--base-url", server.base_url]
        first = await asyncio.to_thread(script.main, [*arguments, "--write"])
        second = await asyncio.to_thread(script.main, arguments)
        server.say(Answer(status=400))
        third = await asyncio.to_thread(script.main, arguments)

    assert (first, second, third) == (script.CHANGED, script.SAME, script.FAILED)
    assert "HTTP 400" in capsys.readouterr().err


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.decimals(-(10**9), 10**9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=10,
    )
)
def test_whatever_is_written_is_read_again_as_it_was(value: Any) -> None:
    def numbers(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: numbers(item) for name, item in part.items()}
        if isinstance(part, list):
            return [numbers(item) for item in part]
        return Decimal(part) if isinstance(part, int) and not isinstance(part, bool) else part

    again = json.loads(script.written({"value": value}), parse_float=Decimal)

    assert numbers(again) == numbers({"value": value})

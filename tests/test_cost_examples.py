"""The page about costs shows what the package computes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

_ROOT = Path(__file__).parents[1]
_PAGE = _ROOT / "docs" / "costs.md"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cost_examples", _ROOT / "scripts" / "cost_examples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(script: ModuleType) -> None:
    page = _PAGE.read_text(encoding="utf-8")

    assert page == script.page(page), "run python scripts/cost_examples.py"


def test_another_figure_on_the_page_is_noticed(script: ModuleType) -> None:
    page = _PAGE.read_text(encoding="utf-8")
    wrong = page.replace("0.0200384", "0.0200385")

    assert wrong != page
    assert script.page(wrong) == page


def test_a_page_without_a_place_for_an_example_is_refused(script: ModuleType) -> None:
    with pytest.raises(SystemExit, match="no place for one response"):
        script.page("# Costs")

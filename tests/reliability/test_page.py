"""The page about reliability says what the tests found."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from tests.reliability.phases import PHASES
from tests.reliability.rows import ROWS

_ROOT = Path(__file__).parents[2]


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reliability_table", _ROOT / "scripts" / "reliability_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date() -> None:
    page = (_ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert page == _script().page(page), "run python scripts/reliability_table.py"


def test_every_row_is_on_the_page_once() -> None:
    lines = [line for line in _script().table().splitlines() if line.startswith("| ")]
    assert len(lines) == len(ROWS) + 2 * len(PHASES), "two lines of each table are its head"


def test_every_phase_has_rows() -> None:
    assert {row.phase.name for row in ROWS} == {phase.name for phase in PHASES}

"""What ``voicelive.testing`` offers, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from voicelive import testing

HEAVY = {"numpy", "websockets", "pydantic", "httpx"}


@pytest.mark.parametrize("name", testing.__all__)
def test_every_name_can_be_had_and_is_listed(name: str) -> None:
    assert getattr(testing, name).__name__ == name
    assert name in dir(testing)


def test_no_other_name_is_made_up() -> None:
    with pytest.raises(AttributeError, match="'Emulators'"):
        _ = testing.Emulators  # type: ignore[attr-defined]  # that is the point


@pytest.mark.parametrize("module", ["voicelive.testing", "voicelive.testing.pytest_plugin"])
def test_nothing_heavy_is_imported_with(module: str) -> None:
    program = f"import {module}, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)

    assert not HEAVY & set(done.stdout.split())

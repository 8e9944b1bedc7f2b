"""What ``voicelive`` offers, and what importing it costs."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import voicelive

SOURCE = Path(voicelive.__file__)


def names_for_type_checkers() -> set[str]:
    """The names of the ``TYPE_CHECKING`` block: those listed, and ``__all__`` of modules imported with a star."""
    [block] = [
        node
        for node in ast.parse(SOURCE.read_text(encoding="utf-8")).body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    ]
    found: set[str] = set()
    for line in block.body:
        assert isinstance(line, ast.ImportFrom), ast.dump(line)
        assert line.module is not None
        for alias in line.names:
            if alias.name == "*":
                found.update(importlib.import_module(line.module).__all__)
            else:
                assert alias.asname == alias.name, "the spelling that type checkers take for a public name"
                found.add(alias.name)
    return found


def loaded_after(statement: str) -> set[str]:
    """The modules of a fresh interpreter after one statement."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    return set(done.stdout.split())


def test_the_names_at_run_time_are_those_that_type_checkers_see() -> None:
    assert set(voicelive.__all__) == names_for_type_checkers()


def test_names_are_sorted_and_none_comes_twice() -> None:
    assert voicelive.__all__ == sorted(set(voicelive.__all__))


@pytest.mark.parametrize("name", voicelive.__all__)
def test_every_name_can_be_imported_and_is_documented(name: str) -> None:
    found = getattr(voicelive, name)

    assert name in dir(voicelive)
    if inspect.isclass(found) or inspect.isfunction(found):
        own = found.__dict__.get("__doc__") if inspect.isclass(found) else found.__doc__
        assert own, f"{name} needs a docstring of its own"
        assert not own.startswith(f"{name}("), "the one that dataclasses make says nothing"


@pytest.mark.parametrize(
    "name", ["audio", "avatar", "bridges", "catalogue", "errors", "events", "testing", "transport", "wire"]
)
def test_subpackages_are_there_without_an_import_of_their_own(name: str) -> None:
    assert isinstance(getattr(voicelive, name), ModuleType)
    assert name in dir(voicelive)


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"'voicelive' has no attribute 'VoiceLiveKlient'"):
        _ = voicelive.VoiceLiveKlient


def test_every_error_is_offered_at_the_top() -> None:
    assert set(voicelive.errors.__all__) <= set(voicelive.__all__)


def test_importing_the_package_loads_no_library() -> None:
    loaded = loaded_after("import voicelive")

    assert "voicelive" in loaded
    assert not loaded & {"pydantic", "pydantic_core", "websockets", "httpx", "azure", "tenacity", "asyncio", "ssl"}


def test_client_and_settings_load_neither_websockets_nor_azure_nor_event_classes() -> None:
    loaded = loaded_after("from voicelive import VoiceLiveClient, SessionConfig")

    assert "voicelive.client" in loaded
    assert not loaded & {"websockets", "httpx", "azure", "tenacity"}
    assert not loaded & {"voicelive.wire.server_events", "voicelive.wire.client_events", "voicelive.wire.codec"}
    assert not {name for name in loaded if name.startswith("voicelive.wire.server")}


def test_all_of_it_loads_without_azure() -> None:
    loaded = loaded_after("from voicelive import *")

    assert "voicelive.session" in loaded
    assert not loaded & {"azure", "websockets", "httpx", "tenacity"}

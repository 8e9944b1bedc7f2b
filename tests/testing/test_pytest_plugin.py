"""The fixtures as their users meet them: in this run, and in runs of their own."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import TypeAlias

import pytest

from voicelive import SessionConfig, VoiceLiveClient, wire
from voicelive.testing import Emulator, Script

pytest_plugins = ["pytester"]

PLUGIN = "voicelive.testing.pytest_plugin"
ASYNCIO = ("-p", "pytest_asyncio.plugin", "-o", "asyncio_default_fixture_loop_scope=function")
CONVERSATION = """
from voicelive import SessionConfig, wire
from voicelive.testing import Script, Turn

async def said(client):
    async with client.connect("gpt-realtime", config=SessionConfig(modalities=["text"])) as session:
        await session.send_text("Hello!")
        await session.create_response()
        return (await session.wait_for(wire.ResponseTextDone, timeout_s=10)).text
"""
Run: TypeAlias = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a test file in another process, with no other plugins than those named."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run_tests(source: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(CONVERSATION + source)
        return pytester.runpytest_subprocess("-W", "error", *options, "-p", PLUGIN, timeout=50)

    return run_tests


@pytest.fixture
def voicelive_script() -> Script:
    return Script("From the script of this module.")


async def test_the_fixtures_are_there_without_being_asked_for(
    voicelive_client: VoiceLiveClient, voicelive_emulator: Emulator
) -> None:
    config = SessionConfig(modalities=["text"])
    async with voicelive_client.connect("gpt-realtime", config=config) as session:
        await session.create_response()
        said = await session.wait_for(wire.ResponseTextDone, timeout_s=10)

    assert said.text == "From the script of this module."
    assert [emulated.id for emulated in voicelive_emulator.sessions] == [session.id]


def test_pytest_finds_the_plugin_by_its_entry_point() -> None:
    [found] = entry_points(group="pytest11", name="voicelive")

    assert found.value == PLUGIN


def test_in_strict_mode_the_script_can_be_overridden_test_by_test(run: Run) -> None:
    result = run(
        """
import pytest

@pytest.mark.asyncio
async def test_small_talk(voicelive_client):
    assert await said(voicelive_client)

@pytest.mark.asyncio
@pytest.mark.parametrize("voicelive_script", [Script("Good evening.")])
async def test_script(voicelive_client, voicelive_emulator):
    assert await said(voicelive_client) == "Good evening."
    assert not voicelive_emulator.script.remaining
""",
        *ASYNCIO,
    )

    result.assert_outcomes(passed=2)


def test_tests_of_anyio_on_its_asyncio_backend_can_use_them_too(run: Run) -> None:
    result = run(
        """
import pytest

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_small_talk(voicelive_client):
    assert await said(voicelive_client)
""",
        *ASYNCIO,
        "-p",
        "anyio.pytest_plugin",
    )

    result.assert_outcomes(passed=1)


def test_an_error_in_a_rule_is_an_error_of_the_test(run: Run) -> None:
    result = run(
        """
import pytest

def broken(heard):
    raise LookupError("no such answer")

@pytest.fixture
def voicelive_script():
    return Script(broken)

@pytest.mark.asyncio
async def test_broken(voicelive_client):
    with pytest.raises(Exception):
        await said(voicelive_client)
""",
        *ASYNCIO,
    )

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines("*LookupError: no such answer*")


def test_without_pytest_asyncio_the_fixture_says_what_is_missing(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(without_asyncio="import sys\nsys.modules['pytest_asyncio'] = None")
    result = run("def test_it(voicelive_client): pass", "-p", "without_asyncio")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*voicelive_client needs pytest-asyncio, which is not installed*")

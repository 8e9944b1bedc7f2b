"""Fixtures for the tests of an application: an emulated service, and a client connected to nothing else.

pytest loads this module in every run where the package is installed, so it imports what the fixtures need only once
one is used. The fixtures run on pytest-asyncio's event loop; how the service behaves is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from voicelive import VoiceLiveClient
    from voicelive.testing import Emulator, Script

__all__ = ["voicelive_client", "voicelive_emulator", "voicelive_script"]


def _on_the_loop(fixture: Callable[..., AsyncIterator[Any]]) -> Any:
    """An asynchronous fixture of pytest-asyncio, in its strict mode too; without pytest-asyncio, one that says so."""
    try:
        import pytest_asyncio
    except ImportError:
        message = f"the fixture {fixture.__name__} needs pytest-asyncio, which is not installed"

        def refuse() -> None:
            pytest.fail(message, pytrace=False)

        return pytest.fixture(refuse)
    return pytest_asyncio.fixture(fixture)


@pytest.fixture
def voicelive_script() -> Script | None:
    """What the agent of ``voicelive_emulator`` says; override it. ``None``: small talk about weather and time."""
    return None


@_on_the_loop
async def voicelive_emulator(voicelive_script: Script | None) -> AsyncIterator[Emulator]:
    """An emulated service without waits, on the event loop of the test.

    An error of the script's rules, or of the emulator, becomes an error of the test when it ends.
    """
    from voicelive.testing import Emulator

    async with Emulator(voicelive_script) as emulator:
        yield emulator


@_on_the_loop
async def voicelive_client(voicelive_emulator: Emulator) -> AsyncIterator[VoiceLiveClient]:
    """A client of ``voicelive_emulator``."""
    from voicelive import ClientOptions, VoiceLiveClient

    options = ClientOptions(connections_per_minute=None)  # an emulator has no quota
    async with VoiceLiveClient(voicelive_emulator.endpoint, "any-key", options=options) as client:
        yield client

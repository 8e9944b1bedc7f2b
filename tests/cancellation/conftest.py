"""Nothing may be left behind, and nothing may be said about it."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest


@pytest.fixture(scope="package", autouse=True)
def quick_collections() -> Iterator[None]:
    """The garbage collector need not look at all modules again after each test: that would take most of the time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
async def nothing_is_left_behind(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """No task, no exception that nobody retrieved, no pending task that was destroyed."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    yield
    gc.collect()
    await asyncio.sleep(0)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left
    assert not complaints
    assert not [record for record in caplog.records if record.name == "asyncio" and record.levelno > logging.INFO]

"""A conversation must leave nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest


@pytest.fixture(autouse=True)
async def nothing_is_left_behind() -> AsyncIterator[None]:
    """No task, no complaint of the loop; a socket left open would be a ResourceWarning."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    yield
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left
    assert not complaints

"""A session over memory, whose other end the test plays; and a guard against what a session may leave behind."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from voicelive.options import ClientOptions
from voicelive.session import Session
from voicelive.transport.memory import memory_pair
from voicelive.wire.session import SessionConfig

sys.path.insert(0, str(Path(__file__).parents[1]))  # --import-mode=importlib leaves the path alone

from tests.support.peer import Peer


class OpenSession(Protocol):
    """Makes a session and the peer at its other end."""

    def __call__(
        self,
        options: ClientOptions | None = None,
        requested: SessionConfig | None = None,
        *,
        max_pending_bytes: int | None = None,
    ) -> tuple[Session, Peer]: ...


@pytest.fixture
async def loop_complaints() -> list[dict[str, Any]]:
    """What the event loop finds wrong, such as an exception that nobody asked for."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    return complaints


@pytest.fixture
async def open_session(loop_complaints: list[dict[str, Any]]) -> AsyncIterator[OpenSession]:
    """Sessions over memory. After the test they are closed, and must leave no task and no complaint."""
    sessions: list[Session] = []

    def open_one(
        options: ClientOptions | None = None,
        requested: SessionConfig | None = None,
        *,
        max_pending_bytes: int | None = None,
    ) -> tuple[Session, Peer]:
        ours, theirs = memory_pair(max_pending_bytes=max_pending_bytes)
        session = Session(ours, options, requested)
        sessions.append(session)
        return session, Peer(theirs)

    yield open_one
    for session in sessions:
        await session.close()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, "a session must end its tasks"
    assert not loop_complaints

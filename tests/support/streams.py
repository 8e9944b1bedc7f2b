"""Reading streams of events in tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from typing import TypeVar

__all__ = ["rest_of", "settle", "take"]

_E = TypeVar("_E")


async def take(stream: AsyncIterable[_E], count: int) -> list[_E]:
    """The next events of a stream, which is left afterwards."""
    found: list[_E] = []
    async for event in stream:
        found.append(event)
        if len(found) == count:
            break
    return found


async def rest_of(stream: AsyncIterable[_E]) -> list[_E]:
    """All events until the stream ends."""
    return [event async for event in stream]


async def settle() -> None:
    """Let every task go as far as it can without time passing; enough for any chain of steps in a test."""
    for _ in range(30):
        await asyncio.sleep(0)

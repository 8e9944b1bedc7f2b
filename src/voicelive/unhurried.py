"""Steps that must not stop half-way: what they hold is given back before a cancellation goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["completed", "to_the_end"]

_T = TypeVar("_T")


async def completed(task: asyncio.Future[_T]) -> None:
    """Wait until ``task`` is done, also when cancelled meanwhile, which then goes on. Raises nothing of the task."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # looked at, so that nobody complains
        raise cancelled


async def to_the_end(work: Coroutine[Any, Any, _T]) -> _T:
    """The result of ``work``, which nobody interrupts."""
    task = asyncio.ensure_future(work)
    await completed(task)
    return task.result()

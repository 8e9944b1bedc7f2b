"""Steps that nobody interrupts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from voicelive.unhurried import completed, to_the_end

pytestmark = pytest.mark.looptime


async def test_a_cancellation_waits_for_the_end() -> None:
    done: list[float] = []
    now = asyncio.get_running_loop().time

    async def work() -> None:
        await asyncio.sleep(5)
        done.append(now())

    task = asyncio.ensure_future(to_the_end(work()))
    for moment in (1, 2):
        asyncio.get_running_loop().call_later(moment, task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task

    assert done == [pytest.approx(5)]


async def test_results_and_errors_go_through() -> None:
    async def fail() -> None:
        raise KeyError("mine")

    assert await to_the_end(asyncio.sleep(1, "result")) == "result"
    with pytest.raises(KeyError):
        await to_the_end(fail())


@pytest.mark.parametrize("end", ["fails", "cancelled"])
async def test_how_the_step_ended_makes_no_noise(end: str, loop_complaints: list[dict[str, Any]]) -> None:
    step: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    task = asyncio.ensure_future(completed(step))
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.sleep(1)
    if end == "fails":
        step.set_exception(KeyError("mine"))
    else:
        step.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    del step
    assert not loop_complaints

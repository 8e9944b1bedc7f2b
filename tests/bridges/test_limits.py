"""How many calls there may be, how long they last, and how they end together."""

from __future__ import annotations

import asyncio

import pytest
from tests.support.streams import settle

from voicelive.bridges.limits import CallLimit
from voicelive.errors import CallRefusedError, ConfigurationError


def test_a_call_that_is_too_much_is_refused() -> None:
    limit = CallLimit(max_calls=2)
    with limit.place():
        with limit.place(), pytest.raises(CallRefusedError, match="2 calls are under way") as refused, limit.place():
            pass
        assert limit.active == 1
        with limit.place():
            pass

    assert refused.value.reason == "too_many_calls"
    assert limit.active == 0


@pytest.mark.looptime
async def test_a_call_ends_after_its_time() -> None:
    ended: list[str] = []
    with CallLimit(max_duration_s=60).place() as place:
        place.ends_by(ended.append)
        await asyncio.sleep(59)
        assert not ended
        await asyncio.sleep(2)

    assert ended == ["max_duration"]


@pytest.mark.looptime
async def test_a_call_that_is_over_needs_no_end() -> None:
    ended: list[str] = []
    with CallLimit(max_duration_s=60).place() as place:
        place.ends_by(ended.append)
    await asyncio.sleep(100)

    assert not ended


@pytest.mark.looptime
async def test_draining_waits_for_calls_and_takes_no_more() -> None:
    limit = CallLimit()
    with limit.place():
        draining = asyncio.create_task(limit.drain(timeout_s=30))
        await asyncio.sleep(1)
        assert limit.draining
        with pytest.raises(CallRefusedError) as refused, limit.place():
            pass
    assert await draining == 0
    assert refused.value.reason == "draining"


@pytest.mark.looptime
async def test_what_is_left_after_the_time_is_ended() -> None:
    limit, ended = CallLimit(), asyncio.Event()

    async def call() -> None:
        with limit.place() as place:
            place.ends_by(lambda how: ended.set() if how == "drained" else None)
            await ended.wait()

    calling = asyncio.create_task(call())
    await settle()

    assert await limit.drain(timeout_s=30) == 1
    assert asyncio.get_running_loop().time() == pytest.approx(30, abs=1)
    await calling
    assert await limit.drain(timeout_s=30) == 0


def test_a_place_may_be_told_to_end_before_its_call_is_there() -> None:
    with CallLimit().place() as place:
        place.end("drained")


@pytest.mark.parametrize(("limits", "name"), [({"max_calls": 0}, "max_calls"), ({"max_duration_s": 0}, "max_dur")])
def test_a_limit_that_is_none_is_refused(limits: dict[str, int], name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}.* is 0"):
        CallLimit(**limits)

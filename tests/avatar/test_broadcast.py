"""Consumers are independent, bounded, and nobody waits for them."""

from __future__ import annotations

import asyncio
import gc

import pytest

from voicelive.avatar.broadcast import Broadcast, Stream
from voicelive.errors import AvatarLinkLostError

pytestmark = pytest.mark.looptime


async def test_each_consumer_has_everything_and_its_own_bound() -> None:
    source: Broadcast[int] = Broadcast(3)
    all_of_it, newest = source.stream(limit=10), source.stream()

    for number in range(5):
        source.put(number)
    source.end()

    assert [number async for number in all_of_it] == [0, 1, 2, 3, 4]
    assert [number async for number in newest] == [2, 3, 4]
    assert (all_of_it.dropped, newest.dropped) == (0, 2)


async def test_the_end_comes_after_what_was_kept_and_with_its_reason() -> None:
    source: Broadcast[int] = Broadcast(3)
    stream = source.stream()
    source.put(1)
    source.end(AvatarLinkLostError("gone"))
    source.end()
    source.put(2)

    assert await anext(stream) == 1
    for late in (stream, stream, source.stream()):
        with pytest.raises(AvatarLinkLostError, match="gone"):
            await anext(late)


async def test_a_consumer_that_waits_is_woken_and_may_be_cancelled() -> None:
    source: Broadcast[int] = Broadcast(3)
    stream = source.stream()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await anext(stream)
    asyncio.get_running_loop().call_later(1, source.put, 7)

    assert await anext(stream) == 7


async def test_a_closed_stream_takes_no_more() -> None:
    source: Broadcast[int] = Broadcast(3)
    stream = source.stream()
    source.put(1)
    stream.close()
    source.put(2)
    source.end(AvatarLinkLostError("gone"))

    assert [number async for number in stream] == [1]
    assert stream.ended


async def test_a_stream_that_nobody_holds_costs_nothing() -> None:
    source: Broadcast[int] = Broadcast(3)
    seen: list[Stream[int]] = [source.stream()]
    seen.clear()
    gc.collect()

    assert not source._streams

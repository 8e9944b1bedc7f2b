"""Handshakes begin in order, never too many in a minute, and never later than they must."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.errors import ConnectTimeoutError
from voicelive.transport.limiter import WINDOW_S, Limiter, Window

LATER = 1000.0  # patience that no test uses up

limits = st.integers(1, 5)
asking_times = st.lists(st.integers(0, 300), max_size=30).map(sorted)  # whole seconds: exact as floats


def started(limit: int, asked: list[int]) -> list[float]:
    """When each may start that asks at these times, one behind the other."""
    window, starts = Window(limit), []
    now = 0.0
    for at in asked:
        now = window.next_start(max(now, at))
        window.start(now)
        starts.append(now)
    return starts


@given(limits, asking_times)
def test_no_minute_sees_more_starts_than_the_limit(limit: int, asked: list[int]) -> None:
    starts = started(limit, asked)

    assert starts == sorted(starts)
    for begin in starts:
        assert sum(begin <= start < begin + WINDOW_S for start in starts) <= limit


@given(limits, asking_times)
def test_nobody_starts_later_than_the_limit_and_those_before_demand(limit: int, asked: list[int]) -> None:
    starts = started(limit, asked)

    for index, (start, at) in enumerate(zip(starts, asked, strict=True)):
        reasons = [at, *starts[max(0, index - 1) : index]]
        if index >= limit:
            reasons.append(starts[index - limit] + WINDOW_S)
        assert start == max(reasons)


@given(limits, asking_times, st.integers(0, 300), st.integers(0, 20))
def test_the_start_behind_a_queue_is_the_one_that_comes_true(
    limit: int, before: list[int], later: int, ahead: int
) -> None:
    window = Window(limit)
    for start in started(limit, before):
        window.start(start)
    now = max([0.0, *started(limit, before)]) + later

    told = window.next_start(now, ahead)

    for _ in range(ahead):
        window.start(window.next_start(now))
    assert told == window.next_start(now)


def clock() -> float:
    return asyncio.get_running_loop().time()


async def begin(limiter: Limiter, name: str, begun: list[tuple[str, float]], patience_s: float = LATER) -> None:
    await limiter.turn(clock() + patience_s)
    begun.append((name, round(clock(), 3)))


@pytest.mark.looptime
async def test_turns_come_in_the_order_of_asking() -> None:
    limiter, begun = Limiter(2), list[tuple[str, float]]()

    async with asyncio.TaskGroup() as tasks:
        for name in "abcde":
            tasks.create_task(begin(limiter, name, begun))

    assert begun == [("a", 0), ("b", 0), ("c", 60), ("d", 60), ("e", 120)]


@pytest.mark.looptime
async def test_a_newcomer_does_not_overtake_one_whose_turn_has_just_come() -> None:
    limiter, begun = Limiter(1), list[tuple[str, float]]()
    await begin(limiter, "a", begun)
    waiting = asyncio.create_task(begin(limiter, "b", begun))

    await asyncio.sleep(WINDOW_S)
    await begin(limiter, "c", begun)

    await waiting
    assert begun == [("a", 0), ("b", 60), ("c", 120)]


@pytest.mark.looptime
@pytest.mark.parametrize("position", [0, 1])
async def test_a_cancelled_turn_counts_nothing_and_those_behind_move_up(position: int) -> None:
    limiter, begun = Limiter(1), list[tuple[str, float]]()
    await begin(limiter, "a", begun)
    waiting = [asyncio.create_task(begin(limiter, name, begun)) for name in "bcd"]
    await asyncio.sleep(1)

    waiting.pop(position).cancel()
    await asyncio.gather(*waiting)

    assert begun == [("a", 0), ("c" if position == 0 else "b", 60), ("d", 120)]
    with pytest.raises(ConnectTimeoutError) as caught:
        await limiter.turn(clock() + 1)
    assert caught.value.retry_after_s == pytest.approx(60), "nobody waits any more"


@pytest.mark.looptime
async def test_a_turn_that_would_come_too_late_is_refused_at_once_and_counts_nothing() -> None:
    limiter, begun = Limiter(1), list[tuple[str, float]]()
    await begin(limiter, "a", begun)
    waiting = asyncio.create_task(begin(limiter, "b", begun))
    await asyncio.sleep(18)

    with pytest.raises(
        ConnectTimeoutError, match=r"connections_per_minute is 1, .* in 102\.0 s, .* raise conn"
    ) as caught:
        await limiter.turn(clock() + 100)

    assert caught.value.retry_after_s == pytest.approx(102)
    assert clock() == 18
    await waiting
    await begin(limiter, "c", begun)
    assert begun[1:] == [("b", 60), ("c", 120)]


@pytest.mark.looptime
async def test_a_free_turn_is_taken_even_by_those_who_have_no_time_left() -> None:
    await Limiter(1).turn(clock())

    assert clock() == 0

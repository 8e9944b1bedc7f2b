"""The media clock, on a virtual one."""

from __future__ import annotations

import asyncio

import pytest

from voicelive.testing.avatar.film import Film
from voicelive.testing.avatar.moments import Moment
from voicelive.testing.avatar.playout import Change, Playout

LOUD = b"\x00\x20"
SECOND = 48_000


class Screen:
    """Notes what is shown and when; may hold the film up once."""

    def __init__(self, hold_up: dict[int, float] | None = None) -> None:
        self.shown: list[tuple[float, Moment]] = []
        self._hold_up = hold_up or {}

    async def show(self, moment: Moment) -> None:
        self.shown.append((asyncio.get_running_loop().time(), moment))
        await asyncio.sleep(self._hold_up.get(len(self.shown), 0))


def say(playout: Playout, seconds: int) -> None:
    playout.add("a", LOUD * SECOND * seconds)
    playout.complete("a")


async def play(film: Film, seconds: float) -> None:
    task = asyncio.create_task(film.run())
    await asyncio.wait([task], timeout=seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.looptime
async def test_pictures_come_in_real_time_with_the_sound_of_their_time() -> None:
    screen = Screen()
    begun_s = asyncio.get_running_loop().time()
    await play(Film(Playout(), 25, screen, lambda change: None, None), 0.99)

    assert len(screen.shown) == 25
    for number, (shown_s, moment) in enumerate(screen.shown):
        assert shown_s - begun_s == pytest.approx(number * 0.04, abs=0.002)
        assert moment.position == number * 1920
        assert len(moment.pcm) == 2 * 1920


@pytest.mark.looptime
async def test_the_mouth_is_open_exactly_while_there_is_sound() -> None:
    playout, screen, told = Playout(), Screen(), list[tuple[float, Change]]()
    loop = asyncio.get_running_loop()
    film = Film(playout, 25, screen, lambda change: told.append((loop.time(), change)), None)
    loop.call_later(0.19, say, playout, 1)
    begun_s = loop.time()
    await play(film, 2)

    for _, moment in screen.shown:
        assert (moment.mouth > 0) == any(moment.pcm)
    speaking, idle = told
    assert [change.kind for _, change in told] == ["speaking", "idle"]
    assert speaking[0] - begun_s == pytest.approx(0.2, abs=0.002)
    assert idle[0] - begun_s == pytest.approx(1.2, abs=0.042)


@pytest.mark.looptime
async def test_a_short_delay_is_caught_up_with_and_a_long_one_is_not() -> None:
    screen = Screen({5: 0.3, 20: 3.0})
    await play(Film(Playout(), 25, screen, lambda change: None, None), 6)

    times = [shown_s for shown_s, _ in screen.shown]
    assert times[15] - times[0] == pytest.approx(15 * 0.04, abs=0.002)
    assert times[20] - times[19] == pytest.approx(3.0, abs=0.002)
    assert times[30] - times[20] == pytest.approx(10 * 0.04, abs=0.002)


@pytest.mark.looptime
async def test_a_film_ends_when_nothing_was_said_for_too_long() -> None:
    playout, loop = Playout(), asyncio.get_running_loop()
    loop.call_later(100, say, playout, 3)
    begun_s = loop.time()
    await Film(playout, 5, Screen(), lambda change: None, 300.0).run()

    assert loop.time() - begun_s == pytest.approx(403, abs=1)

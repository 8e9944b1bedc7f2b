"""One direction of a connection on a virtual clock: what arrives when, and who has to wait."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from voicelive.testing.controls import Cut, Faults
from voicelive.testing.pipe import Pipe

pytestmark = pytest.mark.looptime

MIB = 1024 * 1024


class Ends:
    """Both ends of a pipe: whether the source is read, and what arrived when."""

    def __init__(self, faults: Faults | None = None, seed: str | None = None) -> None:
        self.reading = True
        self.arrived: list[tuple[float, bytes | str]] = []
        self._started_s = asyncio.get_running_loop().time()
        self.pipe = Pipe(faults or Faults(), lambda: self._note("reset"), seed)
        self.pipe.connect(source=self, destination=self)

    def listen(self, wanted: bool) -> None:
        self.reading = wanted

    def write(self, data: bytes | memoryview) -> None:
        self._note(bytes(data))

    def finish(self) -> None:
        self._note("fin")

    def _note(self, what: bytes | str) -> None:
        self.arrived.append((round(asyncio.get_running_loop().time() - self._started_s, 2), what))

    @property
    def whole(self) -> bytes:
        return b"".join(data for _, data in self.arrived if isinstance(data, bytes))


def pass_through(**faults: Any) -> Ends:
    return Ends(Faults(**faults))


async def test_without_faults_bytes_arrive_at_once() -> None:
    ends = pass_through()
    ends.pipe.feed(b"now")

    assert ends.arrived == [(0, b"now")]


async def test_latency_is_the_same_for_each_chunk() -> None:
    ends = pass_through(latency_s=10)
    ends.pipe.feed(b"a")
    await asyncio.sleep(3)
    ends.pipe.feed(b"b")
    ends.pipe.end("fin")
    await asyncio.sleep(20)

    assert ends.arrived == [(10, b"a"), (13, b"b"), (13, "fin")]


async def test_a_rate_spreads_a_chunk_over_time() -> None:
    ends = pass_through(rate_bytes_per_s=100, latency_s=5)
    ends.pipe.feed(bytes(300))
    await asyncio.sleep(6)
    assert len(ends.whole) == 100
    await asyncio.sleep(10)

    assert len(ends.whole) == 300
    assert ends.arrived[-1][0] == 8


async def test_time_in_a_black_hole_is_not_made_up_for() -> None:
    ends = pass_through(rate_bytes_per_s=100)
    ends.pipe.feed(bytes(1000))
    await asyncio.sleep(5)
    ends.pipe.change(held=True)
    await asyncio.sleep(100)
    ends.pipe.change(held=False)
    await asyncio.sleep(2)

    assert len(ends.whole) == 700


async def test_a_slower_shape_does_not_let_later_bytes_overtake() -> None:
    ends = pass_through(latency_s=10)
    ends.pipe.feed(b"slow")
    ends.pipe.change(latency_s=1)
    ends.pipe.feed(b"fast")
    await asyncio.sleep(20)

    assert ends.arrived == [(10, b"slow"), (10, b"fast")]


async def test_jitter_is_repeatable_with_a_seed() -> None:
    async def arrivals(seed: str) -> list[tuple[float, bytes | str]]:
        ends = Ends(Faults(jitter_s=5), seed)
        for number in range(10):
            ends.pipe.feed(b"%d" % number)
            await asyncio.sleep(1)
        await asyncio.sleep(5)
        return ends.arrived

    first = await arrivals("a")

    assert first == await arrivals("a")
    assert first != await arrivals("b")
    assert b"".join(data for _, data in first if isinstance(data, bytes)) == b"0123456789"
    assert all(number <= when_s <= number + 5 for number, (when_s, _) in enumerate(first) if number == 0)


async def test_a_source_is_not_read_while_too_much_is_on_its_way() -> None:
    ends = pass_through(latency_s=1)
    seen = []
    for size in (MIB - 1, 1):
        ends.pipe.feed(bytes(size))
        seen.append(ends.reading)
    await asyncio.sleep(1.1)

    assert [*seen, ends.reading] == [True, False, True]


async def test_before_a_limited_rate_little_may_wait() -> None:
    ends = pass_through(rate_bytes_per_s=1000, latency_s=2)
    seen = []
    for size in (16 * 1024 + 1999, 1):
        ends.pipe.feed(bytes(size))
        seen.append(ends.reading)

    assert seen == [True, False]


async def test_a_source_is_not_read_while_the_destination_is_behind() -> None:
    ends = pass_through()
    ends.pipe.clog(True)
    ends.pipe.feed(b"waits")
    seen = ends.reading, ends.whole
    ends.pipe.clog(False)
    await asyncio.sleep(0.1)

    assert seen == (False, b"")
    assert (ends.reading, ends.whole) == (True, b"waits")


async def test_a_reset_of_the_source_is_as_late_as_its_bytes() -> None:
    ends = pass_through(latency_s=3)
    ends.pipe.feed(b"a")
    ends.pipe.end("reset")
    await asyncio.sleep(5)

    assert ends.arrived == [(3, b"a"), (3, "reset")]


async def test_a_reset_is_passed_on_after_a_fin_too() -> None:
    ends = pass_through()
    ends.pipe.end("fin")
    ends.pipe.end("fin")
    ends.pipe.end("reset")
    await asyncio.sleep(1)

    assert [what for _, what in ends.arrived] == ["fin", "reset"]


async def test_a_cut_drops_what_is_on_its_way_and_keeps_reading() -> None:
    ends = pass_through(latency_s=3, held=True)
    ends.pipe.feed(b"dropped")
    ends.pipe.cut("fin")
    ends.pipe.feed(b"dropped too")
    await asyncio.sleep(5)
    ends.pipe.cut("reset")
    await asyncio.sleep(5)

    assert ends.arrived == [(0, "fin")]
    assert ends.reading


async def test_a_cut_overtakes_an_end_that_is_on_its_way() -> None:
    ends = pass_through(latency_s=3)
    ends.pipe.feed(b"dropped")
    ends.pipe.end("fin")
    await asyncio.sleep(1)
    ends.pipe.cut("fin")
    await asyncio.sleep(5)

    assert ends.arrived == [(1, "fin")]


@pytest.mark.parametrize("size", [1, 3, 100])
async def test_a_cut_waits_until_the_last_bytes_are_written_out(size: int) -> None:
    ends = pass_through(cut=Cut(3, "reset"), slice_bytes=size)
    ends.pipe.feed(b"abcdef")
    await asyncio.sleep(0)
    ends.pipe.clog(True)
    await asyncio.sleep(1)
    assert "reset" not in [what for _, what in ends.arrived]
    ends.pipe.clog(False)
    await asyncio.sleep(1)

    assert ends.whole == b"abc"
    assert ends.arrived[-1][1] == "reset"


async def test_another_fault_does_not_restart_the_count_of_a_cut() -> None:
    ends = pass_through(cut=Cut(4, "fin"))
    ends.pipe.feed(b"ab")
    await asyncio.sleep(0.1)
    ends.pipe.change(latency_s=1)
    ends.pipe.feed(b"cdef")
    await asyncio.sleep(2)

    assert ends.whole == b"abcd"


async def test_nothing_arrives_at_a_destination_that_is_gone() -> None:
    ends = pass_through(latency_s=1)
    ends.pipe.feed(b"a")
    ends.pipe.stop()
    ends.pipe.feed(b"b")
    await asyncio.sleep(2)

    assert ends.arrived == []
    assert ends.reading


async def test_healing_hurries_what_is_on_its_way() -> None:
    ends = pass_through(latency_s=3600, rate_bytes_per_s=1, garbled=True)
    ends.pipe.feed(bytes(2))
    await asyncio.sleep(1)
    ends.pipe.heal()
    ends.pipe.feed(b"\0")
    await asyncio.sleep(1)

    assert ends.arrived == [(1, b"\xff\xff"), (1, b"\0")]

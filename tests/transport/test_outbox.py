"""Control overtakes audio, nothing is lost, and a cancelled wait sends nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.errors import LocalProtocolError
from voicelive.transport import MemoryTransport, TransportClosed, memory_pair
from voicelive.transport.outbox import Outbox


async def settle() -> None:
    for _ in range(8):
        await asyncio.sleep(0)


def start(outbox: Outbox, frame: str, *, audio: bool = False) -> asyncio.Task[None]:
    return asyncio.create_task(outbox.send(frame, audio=audio))


async def drain(peer: MemoryTransport, frames: int) -> list[str]:
    return [(await peer.receive()).decode() for _ in range(frames)]


async def blocked() -> tuple[Outbox, MemoryTransport, MemoryTransport]:
    """An outbox whose first frame, ``0``, has filled the transport: the next one sticks in writing."""
    here, there = memory_pair(max_pending_bytes=1)
    outbox = Outbox(here, limit_bytes=1024)
    await outbox.send("0")
    return outbox, here, there


async def test_a_frame_goes_out_at_once_when_nobody_writes() -> None:
    here, there = memory_pair()
    outbox = Outbox(here, limit_bytes=1024)

    sending = outbox.send("now", audio=True)

    with pytest.raises(StopIteration):
        sending.send(None)  # finished without ever giving way to the event loop
    assert await there.receive() == b"now"


async def test_control_overtakes_waiting_audio_and_each_lane_keeps_its_order() -> None:
    outbox, _, there = await blocked()
    tasks = [start(outbox, "w", audio=True)]
    await settle()
    tasks += [start(outbox, name, audio=name.startswith("a")) for name in ("a1", "a2", "c1", "a3", "c2")]
    await settle()

    assert await drain(there, 7) == ["0", "w", "c1", "c2", "a1", "a2", "a3"]
    await asyncio.gather(*tasks)


async def test_a_newcomer_does_not_slip_in_before_those_who_wait() -> None:
    outbox, _, there = await blocked()
    tasks = [start(outbox, "w"), start(outbox, "first")]
    await settle()

    tasks[0].add_done_callback(lambda _: tasks.append(start(outbox, "newcomer")))

    assert await drain(there, 4) == ["0", "w", "first", "newcomer"]


async def test_sending_returns_only_when_the_transport_has_taken_the_frame() -> None:
    outbox, _, there = await blocked()
    writing, waiting = start(outbox, "w"), start(outbox, "x")
    await settle()
    assert not writing.done()

    await there.receive()
    await settle()

    assert writing.done()
    assert not waiting.done()
    waiting.cancel()


async def test_a_cancelled_wait_sends_nothing() -> None:
    outbox, _, there = await blocked()
    writing, gone, staying = start(outbox, "w"), start(outbox, "gone"), start(outbox, "stays")
    await settle()

    gone.cancel()
    await settle()

    assert outbox.waiting_bytes == len("stays")
    assert await drain(there, 3) == ["0", "w", "stays"]
    await asyncio.gather(writing, staying)


async def test_cancelling_the_one_who_writes_hands_the_turn_on() -> None:
    outbox, _, there = await blocked()
    writing, waiting = start(outbox, "w"), start(outbox, "next")
    await settle()

    writing.cancel()
    await settle()

    assert writing.cancelled()
    assert await drain(there, 3) == ["0", "w", "next"]
    await waiting


async def test_cancelling_one_whose_turn_has_just_come_hands_it_on() -> None:
    outbox, _, there = await blocked()

    async def write_then_cancel() -> None:
        await outbox.send("w")
        chosen.cancel()  # after the turn was given, before it is taken

    writing = asyncio.create_task(write_then_cancel())
    await settle()
    chosen, waiting = start(outbox, "chosen"), start(outbox, "next")
    await settle()

    assert await drain(there, 3) == ["0", "w", "next"]
    assert chosen.cancelled()
    await asyncio.gather(writing, waiting)


@pytest.mark.parametrize("how", ["peer closes", "this end closes", "drop"])
async def test_the_end_reaches_everyone_at_once(how: str) -> None:
    outbox, here, there = await blocked()
    tasks = [start(outbox, "w"), start(outbox, "c"), start(outbox, "a", audio=True)]
    await settle()

    match how:
        case "peer closes":
            await there.close(1001, "bye")
        case "this end closes":
            await here.close(1001, "bye")
        case _:
            there.drop("bye")
    results = await asyncio.gather(*tasks, return_exceptions=True)

    ends = [result for result in results if isinstance(result, TransportClosed)]
    assert [(end.code, end.reason) for end in ends] == [(None if how == "drop" else 1001, "bye")] * 3
    with pytest.raises(TransportClosed):
        await outbox.send("later")
    assert outbox.waiting_bytes == 0


class Counting:
    """Passes everything on, and counts how often it is asked to send."""

    def __init__(self, inner: MemoryTransport) -> None:
        self.inner, self.asked = inner, 0
        self.receive, self.close = inner.receive, inner.close

    @property
    def closed(self) -> bool:
        return self.inner.closed

    async def send(self, frame: str | bytes) -> None:
        self.asked += 1
        await self.inner.send(frame)


async def test_after_the_end_the_transport_is_not_asked_again() -> None:
    here, there = memory_pair(max_pending_bytes=1)
    counting = Counting(here)
    outbox = Outbox(counting, limit_bytes=1024)
    await outbox.send("0")
    tasks = [start(outbox, "w"), start(outbox, "c"), start(outbox, "a", audio=True)]
    await settle()

    there.drop()
    await asyncio.wait(tasks)
    with pytest.raises(TransportClosed):
        await outbox.send("later")

    assert counting.asked == 2


async def test_one_cancelled_while_the_end_comes_is_cancelled() -> None:
    outbox, _, there = await blocked()

    async def fail_then_cancel() -> None:
        try:
            await outbox.send("w")
        finally:
            waiting.cancel()

    writing = asyncio.create_task(fail_then_cancel())
    await settle()
    waiting = start(outbox, "x")
    await settle()

    there.drop()
    results = await asyncio.gather(writing, waiting, return_exceptions=True)

    assert [type(result) for result in results] == [TransportClosed, asyncio.CancelledError]


async def test_control_over_the_bound_is_refused_and_audio_waits() -> None:
    here, there = memory_pair(max_pending_bytes=1)
    outbox = Outbox(here, limit_bytes=10)
    await outbox.send("0")
    tasks = [start(outbox, "w"), start(outbox, "ü" * 4)]
    await settle()

    with pytest.raises(
        LocalProtocolError, match=r"1 control frames of 8 bytes wait already, and 3 more .* 10; .*await"
    ):
        await outbox.send("xyz")
    tasks += [start(outbox, "xy"), start(outbox, "a" * 100, audio=True)]
    await settle()

    assert outbox.waiting_bytes == 110
    assert await drain(there, 5) == ["0", "w", "ü" * 4, "xy", "a" * 100]
    await asyncio.gather(*tasks)


async def test_a_single_control_frame_over_the_bound_passes() -> None:
    here, there = memory_pair(max_pending_bytes=1)
    outbox = Outbox(here, limit_bytes=10)
    await outbox.send("0")
    tasks = [start(outbox, "w"), start(outbox, "x" * 50)]
    await settle()

    assert await drain(there, 3) == ["0", "w", "x" * 50]
    await asyncio.gather(*tasks)


@dataclass
class Run:
    """One random course of events, and what the outbox promises about it."""

    outbox: Outbox
    there: MemoryTransport
    started: list[tuple[str, bool, asyncio.Task[None]]] = field(default_factory=list)
    cancelled_waiting: set[str] = field(default_factory=set)
    got: list[str] = field(default_factory=list)

    def start(self, audio: bool) -> None:
        name = f"{'a' if audio else 'c'}{len(self.started)}"
        self.started.append((name, audio, start(self.outbox, name, audio=audio)))

    def cancel(self, which: int) -> None:
        if self.started:
            self.started[which % len(self.started)][2].cancel()

    async def read(self) -> None:
        reading = asyncio.create_task(self.there.receive())
        await settle()
        if reading.done():
            self.got.append((await reading).decode())
        reading.cancel()

    async def finish(self) -> None:
        await settle()
        while not all(task.done() for _, _, task in self.started):
            await self.read()
        for _ in range(2):
            await self.read()


steps = st.lists(
    st.one_of(
        st.tuples(st.just("start"), st.booleans()),
        st.tuples(st.just("cancel"), st.integers(0, 30)),
        st.tuples(st.sampled_from(["read", "turn"]), st.none()),
    ),
    max_size=40,
)


@given(steps)
def test_any_course_of_sends_cancels_and_reads_keeps_order_and_loses_nothing(course: list[tuple[str, int]]) -> None:
    async def run() -> None:
        here, there = memory_pair(max_pending_bytes=3)
        state = Run(Outbox(here, limit_bytes=10_000), there)
        for step, argument in course:
            match step:
                case "start":
                    state.start(bool(argument))
                case "cancel":
                    state.cancel(argument)
                case "turn":
                    await asyncio.sleep(0)
                case _:
                    await state.read()
        await state.finish()
        sent = [name for name, _, task in state.started if not task.cancelled()]
        assert set(sent) <= set(state.got)
        assert len(state.got) == len(set(state.got))
        for lane in "ac":
            arrived = [int(name[1:]) for name in state.got if name.startswith(lane)]
            assert arrived == sorted(arrived)
        assert state.outbox.waiting_bytes == 0
        await asyncio.wait_for(asyncio.gather(state.outbox.send("end"), there.receive()), 1)  # the turn is free again

    asyncio.run(run())


@given(lanes=st.lists(st.booleans(), max_size=20), dropped=st.sets(st.integers(0, 19)))
def test_of_those_who_wait_all_control_goes_before_all_audio(lanes: list[bool], dropped: set[int]) -> None:
    async def run() -> None:
        outbox, _, there = await blocked()
        writing = start(outbox, "w")
        await settle()
        tasks = [start(outbox, f"{index}", audio=audio) for index, audio in enumerate(lanes)]
        await asyncio.sleep(0)
        for index in dropped & set(range(len(lanes))):
            tasks[index].cancel()
        left = [index for index in range(len(lanes)) if index not in dropped]
        expected = [index for index in left if not lanes[index]] + [index for index in left if lanes[index]]
        assert await drain(there, 2 + len(left)) == ["0", "w", *map(str, expected)]
        await writing

    asyncio.run(run())


# -- one transport after another


async def held() -> tuple[Outbox, MemoryTransport, MemoryTransport]:
    """An outbox whose transport has ended, and the two ends of the next one."""
    here, there = memory_pair()
    outbox = Outbox(here, limit_bytes=1024, holds=True)
    there.drop()
    return outbox, *memory_pair()


async def test_what_the_ended_transport_did_not_take_goes_first_over_the_next() -> None:
    outbox, here, there = await held()
    tasks = [start(outbox, name, audio=name.startswith("a")) for name in ("a1", "c1", "a2", "c2")]
    await settle()
    assert outbox.held
    assert not any(task.done() for task in tasks)

    outbox.resume(here)

    assert await drain(there, 4) == ["c1", "c2", "a1", "a2"]
    await asyncio.gather(*tasks)
    assert outbox.idle


async def test_an_end_for_good_reaches_all_who_wait_for_another_transport() -> None:
    outbox, _, _ = await held()
    tasks = [start(outbox, name) for name in ("c1", "c2")]
    await settle()

    outbox.end(TransportClosed(1011, "no more", by_peer=True))
    outbox.end(TransportClosed(1000, "the first call counts", by_peer=False))

    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [getattr(end, "reason", None) for end in ends] == ["no more"] * 2
    with pytest.raises(TransportClosed):
        await outbox.send("late")


async def test_a_held_outbox_finishes_what_is_written_and_begins_nothing() -> None:
    outbox, _, there = await blocked()
    writing = start(outbox, "w")
    await settle()

    outbox.hold()
    waiting = start(outbox, "x")
    assert await drain(there, 2) == ["0", "w"]
    await settle()
    assert writing.done()
    assert outbox.idle
    assert not waiting.done()

    outbox.resume_same()
    assert await drain(there, 1) == ["x"]
    await waiting


async def test_a_frame_that_is_not_wanted_any_more_is_not_written_and_the_next_one_is() -> None:
    outbox, _, there = await blocked()
    writing = start(outbox, "w")
    await settle()
    stale = asyncio.create_task(outbox.send("stale", begin=lambda: False))
    await settle()
    fresh = start(outbox, "fresh")

    assert await drain(there, 3) == ["0", "w", "fresh"]
    await asyncio.gather(writing, stale, fresh)


async def test_a_writer_that_was_stuck_in_the_old_transport_goes_on_over_the_new_one() -> None:
    here, there = memory_pair(max_pending_bytes=1)
    outbox = Outbox(here, limit_bytes=1024, holds=True)
    await outbox.send("0")
    stuck = start(outbox, "stuck")
    await settle()
    new_here, new_there = memory_pair()

    outbox.hold()
    outbox.resume(new_here)
    there.drop()

    assert await drain(new_there, 1) == ["stuck"]
    await stuck


async def test_cancelling_one_who_waits_for_another_transport_sends_nothing() -> None:
    outbox, here, there = await held()
    gone, stays = start(outbox, "gone"), start(outbox, "stays")
    await settle()

    gone.cancel()
    await settle()
    outbox.resume(here)

    assert await drain(there, 1) == ["stays"]
    await stays

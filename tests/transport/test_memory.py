"""The in-memory pair keeps the transport contract."""

from __future__ import annotations

import asyncio

import pytest

from voicelive.errors import ConfigurationError, LocalProtocolError
from voicelive.transport import Transport, TransportClosed, memory_pair


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def ended(transport: Transport) -> tuple[int | None, str, bool]:
    with pytest.raises(TransportClosed) as caught:
        await transport.receive()
    return caught.value.code, caught.value.reason, caught.value.by_peer


async def test_frames_arrive_in_order_as_utf8_bytes() -> None:
    here, there = memory_pair()

    await here.send("grüß")
    await here.send(b"dich")

    assert [await there.receive(), await there.receive()] == ["grüß".encode(), b"dich"]


async def test_a_waiting_receiver_wakes_when_a_frame_comes() -> None:
    here, there = memory_pair()
    receiving = asyncio.create_task(there.receive())
    await settle()

    await here.send("x")

    assert await receiving == b"x"


async def test_a_cancelled_receive_loses_no_frame() -> None:
    here, there = memory_pair()
    receiving = asyncio.create_task(there.receive())
    await settle()

    await here.send("x")
    receiving.cancel()
    await settle()

    assert await there.receive() == b"x"


async def test_two_receivers_are_refused() -> None:
    _, there = memory_pair()
    receiving = asyncio.create_task(there.receive())
    await settle()

    with pytest.raises(LocalProtocolError, match="one task"):
        await there.receive()

    receiving.cancel()


async def test_a_close_passes_its_code_and_reason_to_both_ends() -> None:
    here, there = memory_pair()

    await here.close(1001, "going")

    assert await ended(there) == (1001, "going", True)
    assert await ended(here) == (1001, "going", False)


@pytest.mark.parametrize("how", ["close", "drop"])
async def test_both_ends_know_that_it_is_closed(how: str) -> None:
    here, there = memory_pair()
    await here.send("unread")
    before = [end.closed for end in (here, there)]

    await here.close() if how == "close" else here.drop()

    assert before == [False, False]
    assert [end.closed for end in (here, there)] == [True, True]


async def test_frames_sent_before_the_close_are_still_received() -> None:
    here, there = memory_pair()
    await here.send("last words")

    await here.close()

    assert await there.receive() == b"last words"
    assert await ended(there) == (1000, "", True)


async def test_the_first_close_wins() -> None:
    here, there = memory_pair()
    await here.close(1000, "first")

    await here.close(1001, "second")
    await there.close(1011, "third")

    assert await ended(there) == (1000, "first", True)


async def test_a_drop_has_no_close_code() -> None:
    here, there = memory_pair()
    receiving = asyncio.create_task(ended(there))
    await settle()

    here.drop()

    assert await receiving == (None, "dropped", True)
    assert await ended(here) == (None, "dropped", False)


async def test_sending_after_the_end_raises_on_both_ends() -> None:
    here, there = memory_pair()
    await here.close()

    for end in (here, there):
        with pytest.raises(TransportClosed):
            await end.send("x")


async def test_a_sender_waits_for_room_and_order_holds() -> None:
    here, there = memory_pair(max_pending_bytes=4)
    await here.send("aaa")
    second = asyncio.create_task(here.send("bbb"))
    third = asyncio.create_task(here.send("c"))  # would fit, and must not overtake
    await settle()
    assert not second.done()
    assert not third.done()

    got = [await there.receive() for _ in range(3)]

    assert got == [b"aaa", b"bbb", b"c"]
    await asyncio.gather(second, third)


async def test_a_frame_over_the_bound_passes_alone() -> None:
    here, there = memory_pair(max_pending_bytes=2)

    await here.send("larger than two")

    assert await there.receive() == b"larger than two"


async def test_a_cancelled_waiting_send_has_sent_its_frame_all_the_same() -> None:
    here, there = memory_pair(max_pending_bytes=4)
    await here.send("aaa")
    too_large = asyncio.create_task(here.send("bbbb"))
    fits = asyncio.create_task(here.send("c"))
    await settle()

    too_large.cancel()
    await settle()

    assert too_large.cancelled()
    assert [await there.receive() for _ in range(3)] == [b"aaa", b"bbbb", b"c"]
    await fits


@pytest.mark.parametrize("how", ["close", "drop"])
async def test_the_end_reaches_waiting_senders(how: str) -> None:
    here, there = memory_pair(max_pending_bytes=1)
    await here.send("a")
    waiting = [asyncio.create_task(here.send("b")), asyncio.create_task(here.send("c"))]
    await settle()

    await there.close() if how == "close" else there.drop()

    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [TransportClosed, TransportClosed]
    assert await there.receive() == b"a"


def test_a_bound_below_one_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="max_pending_bytes is 0"):
        memory_pair(max_pending_bytes=0)


async def test_a_reserved_close_code_is_refused() -> None:
    here, _ = memory_pair()

    with pytest.raises(ConfigurationError, match="1006"):
        await here.close(1006)

"""Taps and streams: independent, bounded, in one order."""

import asyncio
import gc
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.streams import rest_of, settle, take

from voicelive.errors import ConfigurationError, ConnectionLostError, LocalProtocolError, SlowConsumerError
from voicelive.events import AudioDropped, UndecodableFrame
from voicelive.streams import Streams
from voicelive.taps import AnyEvent, Overflow, Subscription
from voicelive.wire.server.animation import ResponseVideoDelta
from voicelive.wire.server.response import ResponseAudioDelta, ResponseCreated, ResponseDone, ResponseTextDelta

LOST = ConnectionLostError(1011, "boom", "sess_1")


def voice(number: int = 0) -> ResponseAudioDelta:
    return ResponseAudioDelta(item_id=f"item_{number}")


def text(number: int = 0) -> ResponseTextDelta:
    return ResponseTextDelta(item_id=f"item_{number}")


def tap(limit_bytes: int = 1000, overflow: Overflow = "raise", classes: Sequence[type[Any]] = ()) -> Subscription[Any]:
    return Subscription("a subscription", tuple(classes), limit_bytes, overflow=overflow)


def offer_all(stream: Subscription[Any] | Streams, events: Sequence[AnyEvent], size_bytes: int = 10) -> None:
    for event in events:
        stream.offer(event, size_bytes) if isinstance(stream, Subscription) else stream.deliver(event, size_bytes)


async def test_events_come_in_the_order_in_which_they_were_offered() -> None:
    stream = tap()
    events: list[AnyEvent] = [text(1), voice(2), ResponseDone()]
    offer_all(stream, events)

    assert await take(stream, 3) == events


async def test_a_waiting_reader_is_woken_by_an_event() -> None:
    stream = tap()
    reader = asyncio.ensure_future(anext(stream))
    await settle()

    stream.offer(text(1), 10)

    assert await reader == text(1)


async def test_a_reader_may_wait_as_often_as_it_likes() -> None:
    stream = tap()
    for number in range(3):
        reader = asyncio.ensure_future(anext(stream))
        await settle()
        stream.offer(text(number), 10)
        assert await reader == text(number)


async def test_a_waiting_reader_is_woken_by_the_end() -> None:
    stream = tap()
    reader = asyncio.ensure_future(rest_of(stream))
    await settle()

    stream.end(None)

    assert await reader == []


async def test_a_cancelled_read_loses_no_event() -> None:
    stream = tap()
    reader = asyncio.ensure_future(anext(stream))
    await settle()
    stream.offer(text(1), 10)
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    stream.offer(text(2), 10)

    assert await take(stream, 2) == [text(1), text(2)]


async def test_only_the_classes_asked_for_are_heard() -> None:
    stream = tap(classes=(ResponseTextDelta, UndecodableFrame))
    odd = UndecodableFrame("invalid UTF-8", 3, 1)
    offer_all(stream, [voice(), text(1), odd, ResponseCreated(), text(2)])

    assert await take(stream, 3) == [text(1), odd, text(2)]


async def test_what_was_not_wanted_counts_for_no_bound() -> None:
    stream = tap(limit_bytes=10, classes=(ResponseTextDelta,))
    offer_all(stream, [voice()] * 5)
    stream.offer(text(1), 10)

    assert await anext(stream) == text(1)


async def test_unread_events_stay_readable_after_a_normal_end() -> None:
    stream = tap()
    stream.offer(text(1), 10)
    stream.end(None)
    stream.offer(text(2), 10)

    assert await rest_of(stream) == [text(1)]


async def test_a_failure_comes_after_all_unread_events_and_every_time() -> None:
    stream = tap()
    stream.offer(text(1), 10)
    stream.end(LOST)

    assert await anext(stream) == text(1)
    for _ in range(2):
        with pytest.raises(ConnectionLostError, match="boom"):
            await anext(stream)


async def test_two_streams_raise_errors_of_their_own() -> None:
    streams = Streams(1000)
    one, two = streams.add("one"), streams.add("two")
    streams.end(LOST)

    with pytest.raises(ConnectionLostError) as first:
        await anext(one)
    with pytest.raises(ConnectionLostError) as second:
        await anext(two)
    assert first.value is not second.value
    assert (second.value.code, second.value.reason, second.value.session_id) == (1011, "boom", "sess_1")


async def test_the_first_end_counts() -> None:
    stream = tap()
    stream.end(None)
    stream.end(LOST)

    assert await rest_of(stream) == []


async def test_closing_drops_what_is_unread_and_may_be_repeated() -> None:
    stream = tap()
    stream.offer(text(1), 10)

    stream.close()
    stream.close()

    assert stream.closed
    assert await rest_of(stream) == []


async def test_a_subscription_is_a_context_manager() -> None:
    with tap() as stream:
        assert not stream.closed
    assert stream.closed


async def test_two_tasks_on_one_stream_are_told_to_subscribe_twice() -> None:
    stream = tap()
    first = asyncio.ensure_future(anext(stream))
    await settle()

    with pytest.raises(LocalProtocolError, match="read by two tasks"):
        await anext(stream)
    stream.offer(text(1), 10)
    assert await first == text(1)


@pytest.mark.parametrize("wrong", ["response.done", ResponseDone(), print])
def test_what_is_no_class_is_refused_by_name(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="event classes"):
        tap(classes=(wrong,))


# -- bounds


async def test_a_stream_holds_its_bound_exactly() -> None:
    stream = tap(limit_bytes=30)
    offer_all(stream, [text(1), text(2), text(3)])

    assert not stream.closed
    assert await take(stream, 3) == [text(1), text(2), text(3)]


async def test_reading_makes_room() -> None:
    stream = tap(limit_bytes=20)
    for number in range(10):
        offer_all(stream, [text(number), voice(number)])
        assert await take(stream, 2) == [text(number), voice(number)]


async def test_one_byte_over_the_bound_ends_the_stream_by_name() -> None:
    stream = tap(limit_bytes=30)
    offer_all(stream, [text(1), text(2), text(3)])
    stream.offer(text(4), 1)

    assert stream.closed
    with pytest.raises(SlowConsumerError) as caught:
        await anext(stream)
    assert (caught.value.consumer, caught.value.limit_bytes, caught.value.unread_events) == ("a subscription", 30, 4)


async def test_overflow_wakes_and_fails_a_reader_that_waits() -> None:
    stream = tap(limit_bytes=5)
    reader = asyncio.ensure_future(anext(stream))
    await settle()

    stream.offer(text(1), 6)

    with pytest.raises(SlowConsumerError):
        await reader


async def test_overflow_of_one_stream_does_not_touch_another() -> None:
    streams = Streams(1000)
    slow, other = streams.add("slow", limit_bytes=15), streams.add("other")
    offer_all(streams, [text(1), text(2), text(3)])

    with pytest.raises(SlowConsumerError, match="slow"):
        await anext(slow)
    assert await take(other, 3) == [text(1), text(2), text(3)]
    assert await take(streams.main(), 3) == [text(1), text(2), text(3)]


@pytest.mark.parametrize("limit_bytes", [0, -1])
def test_a_bound_below_one_byte_is_refused(limit_bytes: int) -> None:
    with pytest.raises(ConfigurationError, match=f"limit_bytes is {limit_bytes}"):
        tap(limit_bytes=limit_bytes)


def test_an_unknown_way_to_overflow_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"overflow is 'drop'.*raise.*drop_audio"):
        tap(overflow="drop")  # type: ignore[arg-type]  # the point of the test


async def test_drop_audio_drops_the_oldest_media_and_tells_so_first() -> None:
    stream = tap(limit_bytes=40, overflow="drop_audio")
    offer_all(stream, [text(1), voice(1), voice(2), text(2), voice(3), text(3)])

    assert await take(stream, 5) == [AudioDropped(2, 20), text(1), text(2), voice(3), text(3)]


async def test_drops_are_counted_anew_after_they_were_told() -> None:
    stream = tap(limit_bytes=20, overflow="drop_audio")
    offer_all(stream, [voice(1), voice(2), voice(3)])
    first = await take(stream, 3)
    offer_all(stream, [voice(4), ResponseVideoDelta(), voice(5), voice(6)], 10)
    second = await take(stream, 3)

    assert first == [AudioDropped(1, 10), voice(2), voice(3)]
    assert second == [AudioDropped(2, 20), voice(5), voice(6)]


async def test_drop_audio_that_leaves_too_much_fails_after_the_drop_was_told() -> None:
    stream = tap(limit_bytes=15, overflow="drop_audio")
    offer_all(stream, [voice(1), text(1), text(2)])

    assert await anext(stream) == AudioDropped(1, 10)
    with pytest.raises(SlowConsumerError) as caught:
        await anext(stream)
    assert caught.value.unread_events == 2


async def test_a_slice_larger_than_the_bound_is_dropped_and_told() -> None:
    stream = tap(limit_bytes=15, overflow="drop_audio")
    stream.offer(voice(1), 100)

    assert await anext(stream) == AudioDropped(1, 100)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 30)), max_size=40), st.integers(1, 200))
def test_drop_audio_keeps_every_other_event_in_order_and_counts_every_byte(
    offered: list[tuple[bool, int]], limit_bytes: int
) -> None:
    others_bytes = sum(size for is_media, size in offered if not is_media)
    stream = tap(limit_bytes=max(limit_bytes, others_bytes), overflow="drop_audio")
    events = [voice(number) if is_media else text(number) for number, (is_media, _) in enumerate(offered)]
    for event, (_, size_bytes) in zip(events, offered, strict=True):
        stream.offer(event, size_bytes)
    stream.end(None)

    heard = asyncio.run(rest_of(stream))

    told = [event for event in heard if isinstance(event, AudioDropped)]
    kept = [event for event in heard if not isinstance(event, AudioDropped)]
    gone = [(event, size) for event, (_, size) in zip(events, offered, strict=True) if event not in kept]
    assert kept == [event for event in events if event in kept], "in order"
    assert all(isinstance(event, ResponseAudioDelta) for event, _ in gone)
    assert [(note.events, note.dropped_bytes) for note in told] == (
        [(len(gone), sum(size for _, size in gone))] if gone else []
    )
    media = [event for event in events if isinstance(event, ResponseAudioDelta)]
    assert [event for event, _ in gone] == media[: len(gone)], "the oldest ones"


# -- the session's own stream


async def test_the_main_stream_keeps_all_but_media_until_it_is_first_used() -> None:
    streams = Streams(1000)
    offer_all(streams, [text(1), voice(1), ResponseVideoDelta(), text(2)])
    stream = streams.main()
    offer_all(streams, [voice(2), text(3)])

    assert await take(stream, 4) == [text(1), text(2), voice(2), text(3)]


async def test_media_before_the_first_use_counts_for_no_bound() -> None:
    streams = Streams(25)
    offer_all(streams, [voice(number) for number in range(100)])
    offer_all(streams, [text(1), text(2)])

    assert await take(streams.main(), 2) == [text(1), text(2)]


async def test_a_main_stream_that_nobody_reads_is_bounded_too() -> None:
    streams = Streams(25)
    offer_all(streams, [text(number) for number in range(3)])

    with pytest.raises(SlowConsumerError, match="the session's own stream"):
        await anext(streams.main())


async def test_a_second_loop_at_the_same_time_is_refused_with_the_way_out() -> None:
    streams = Streams(1000)
    first = streams.main()

    with pytest.raises(LocalProtocolError, match=r"session\.subscribe\(\)"):
        streams.main()
    streams.deliver(text(1), 10)
    assert await anext(first) == text(1)


async def test_a_later_loop_goes_on_where_the_one_before_stopped() -> None:
    streams = Streams(1000)
    offer_all(streams, [text(1), text(2)])
    first = await take(streams.main(), 1)
    offer_all(streams, [voice(3), text(4)])
    second = await take(streams.main(), 3)

    assert first + second == [text(1), text(2), voice(3), text(4)]


async def test_a_loop_left_by_an_exception_makes_way_for_the_next() -> None:
    streams = Streams(1000)
    offer_all(streams, [text(1), text(2)])

    async def fails() -> None:
        async for _ in streams.main():
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as kept:
        await fails()

    assert await take(streams.main(), 1) == [text(2)]
    assert kept.value.__traceback__ is not None, "still held, and with it the frame of the loop"


async def test_streams_that_were_closed_are_forgotten() -> None:
    streams = Streams(1000)
    stream = streams.add("short-lived")
    stream.close()
    streams.deliver(text(1), 10)

    assert stream not in gc.get_referents(streams._taps)


async def test_a_stream_hears_only_what_comes_after_it() -> None:
    streams = Streams(1000)
    streams.deliver(text(1), 10)
    stream = streams.add("late")
    streams.deliver(text(2), 10)
    streams.end(None)

    assert await rest_of(stream) == [text(2)]


async def test_all_streams_see_the_same_order() -> None:
    streams = Streams(10_000)
    one, two = streams.add("one"), streams.add("two")
    main = streams.main()
    events: list[AnyEvent] = [voice(1), text(2), ResponseDone(), voice(3)]
    offer_all(streams, events)
    streams.end(None)

    assert [await rest_of(stream) for stream in (one, two, main)] == [events] * 3

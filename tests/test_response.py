"""A handle gives one response: its end, its events from the first on, and what is known of it meanwhile."""

import asyncio
import gc
import weakref
from typing import Any

import pytest
from tests.conftest import OpenSession
from tests.support.service import asked, begins, ends, heard, nothing_more, says
from tests.support.streams import rest_of, settle, take

from voicelive.errors import ConnectionLostError, LocalProtocolError, ServiceError, SessionClosedError
from voicelive.response import ResponseHandle
from voicelive.wire.responses import Response
from voicelive.wire.server.response import ResponseCreated, ResponseDone

COURSE = [
    "response.created",
    "response.output_item.added",
    "response.audio_transcript.delta",
    "response.audio.delta",
    "response.audio.done",
    "response.audio_transcript.done",
    "response.output_item.done",
    "response.done",
]


def types(events: list[Any]) -> list[str]:
    return [event.type for event in events]


async def test_awaiting_a_handle_gives_the_finished_response(open_session: OpenSession) -> None:
    session, peer = open_session()
    handle = await session.create_response(confirm=False)
    await asked(peer)
    waiting = [asyncio.ensure_future(_end_of(handle)) for _ in range(3)]
    await begins(peer, "resp_1", 1)
    await settle()
    assert not any(task.done() for task in waiting)

    await ends(peer, "resp_1")

    assert [(end.id, end.status) for end in await asyncio.gather(*waiting)] == [("resp_1", "completed")] * 3
    assert (await handle).id == "resp_1", "also later"


async def test_a_handle_that_has_no_name_is_held_while_it_is_awaited(open_session: OpenSession) -> None:
    session, peer = open_session()

    async def whole() -> Response:
        return await (await session.create_response())

    waiting = asyncio.create_task(whole())
    await asked(peer)
    await begins(peer, "resp_1", 1)
    await settle()
    gc.collect()
    await ends(peer, "resp_1")

    async with asyncio.timeout(1):
        assert (await waiting).id == "resp_1"


async def test_iterating_gives_the_events_of_this_response_from_the_first_on_to_every_reader(
    open_session: OpenSession,
) -> None:
    session, peer = open_session()
    handle = await session.create_response(confirm=False)
    early = asyncio.ensure_future(rest_of(handle))
    await begins(peer, "resp_1", 1)
    await settle()
    middle = asyncio.ensure_future(rest_of(handle))
    await peer.say("response.text.delta", response_id="another", delta="not this one")
    await says(peer, "resp_1", "hello", audio_ms=20)
    await ends(peer, "resp_1")
    await begins(peer, "resp_2")
    await handle

    assert types(await early) == COURSE
    assert types(await middle) == COURSE
    assert types(await rest_of(handle)) == COURSE, "also after its end"


async def test_a_reader_may_leave_and_a_slow_one_misses_nothing(open_session: OpenSession) -> None:
    session, peer = open_session()
    handle = await session.create_response(confirm=False)
    seen: list[str] = []

    async def read_slowly() -> None:
        async for event in handle:
            for _ in range(7):
                await asyncio.sleep(0)
            seen.append(str(event.type))

    reading = asyncio.ensure_future(read_slowly())
    await begins(peer, "resp_1", 1)
    [first] = await take(handle, 1)
    await says(peer, "resp_1", "hello", audio_ms=20)
    await settle()
    await ends(peer, "resp_1")
    await reading

    assert isinstance(first, ResponseCreated)
    assert seen == COURSE


async def test_what_is_known_grows_with_the_response(open_session: OpenSession) -> None:
    session, peer = open_session()
    handle = await session.create_response(confirm=False)
    assert (handle.id, handle.status, handle.reason, handle.usage, handle.text, handle.audio) == (
        *(None, None, None, None),
        *("", b""),
    )

    await begins(peer, "resp_1", 1)
    await says(peer, "resp_1", "Guten Tag", audio_ms=20)
    await settle()
    assert (handle.id, handle.status, handle.text, len(handle.audio)) == ("resp_1", "in_progress", "Guten Tag", 960)

    output = [{"type": "message", "role": "assistant", "id": "i", "content": [{"type": "text", "text": "Guten Tag."}]}]
    await ends(peer, "resp_1", usage={"total_tokens": 7}, output=output)
    await handle
    assert (handle.status, handle.text) == ("completed", "Guten Tag."), "the finished text wins"
    assert handle.usage is not None
    assert handle.usage.total_tokens == 7


@pytest.mark.parametrize(
    ("status", "details", "reason"),
    [
        ("cancelled", {"type": "cancelled", "reason": "turn_detected"}, "turn_detected"),
        ("incomplete", {"type": "incomplete", "reason": "max_output_tokens"}, "max_output_tokens"),
        ("failed", {"type": "failed", "error": {"code": "rate_limit", "message": "MARKER"}}, "rate_limit"),
        ("strange", {"type": "strange"}, "strange"),
        ("completed", None, None),
    ],
)
async def test_the_reason_of_an_end_is_told(
    open_session: OpenSession, status: str, details: dict[str, Any] | None, reason: str | None
) -> None:
    session, peer = open_session()
    handle = await session.create_response(confirm=False)
    await begins(peer, "resp_1", 1)

    await ends(peer, "resp_1", status, status_details=details)

    assert (await handle).status == status
    assert (handle.status, handle.reason) == (status, reason)


async def test_joined_wishes_each_have_a_handle_that_lives(open_session: OpenSession) -> None:
    session, peer = open_session()
    await begins(peer, "resp_0")
    await settle()
    handles = [await session.create_response(confirm=False) for _ in range(3)]
    await ends(peer, "resp_0")
    await asked(peer)
    await begins(peer, "resp_1", 1)
    await says(peer, "resp_1", "to all of you")
    await ends(peer, "resp_1")

    for handle in handles:
        assert (await asyncio.wait_for(_end_of(handle), 1)).id == "resp_1"
        assert handle.text == "to all of you"
        assert isinstance((await rest_of(handle))[-1], ResponseDone)
    await nothing_more(peer)


# -- refusals and ends


async def test_a_refused_response_raises_out_of_everything_that_waits(open_session: OpenSession) -> None:
    session, peer = open_session()
    handle = await session.create_response(confirm=False)
    waiting = [asyncio.ensure_future(work) for work in (_end_of(handle), handle.began(), rest_of(handle))]
    event = await heard(peer, "response.create")
    await peer.refuse(event["event_id"], "bad_response", param="response.temperature")

    for end in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(end, ServiceError)
        assert (end.code, end.param) == ("bad_response", "response.temperature")
    assert (handle.id, handle.status, handle.usage) == (None, None, None)


@pytest.mark.parametrize("begun", [False, True])
async def test_the_end_of_the_session_raises_out_of_everything_that_waits(
    open_session: OpenSession, begun: bool
) -> None:
    session, peer = open_session()
    handle = await session.create_response(confirm=False)
    if begun:
        await begins(peer, "resp_1", 1)
        await handle.began()
    waiting = [asyncio.ensure_future(work) for work in (_end_of(handle), rest_of(handle))]
    await settle()

    peer.transport.drop("reset")

    ends_of = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(end) for end in ends_of] == [ConnectionLostError] * 2
    await handle.cancel()


async def test_a_response_that_ended_before_the_session_stays_readable(open_session: OpenSession) -> None:
    session, peer = open_session()
    handle = await session.create_response(confirm=False)
    await begins(peer, "resp_1", 1)
    await ends(peer, "resp_1")
    await peer.transport.close(1000)
    await session.wait_closed()

    assert (await handle).status == "completed"
    assert types(await rest_of(handle)) == ["response.created", "response.done"]


@pytest.mark.parametrize("how", ["refused", "dropped"])
async def test_a_handle_that_nobody_awaits_never_complains(
    open_session: OpenSession, loop_complaints: list[dict[str, Any]], how: str
) -> None:
    session, peer = open_session()
    handle = await session.create_response(confirm=False)
    event = await heard(peer, "response.create")
    if how == "refused":
        await peer.refuse(event["event_id"])
    else:
        peer.transport.drop()
    await settle()
    del handle
    gc.collect()

    assert loop_complaints == []


async def test_what_a_handle_collects_goes_with_it(open_session: OpenSession) -> None:
    session, peer = open_session()
    handle = await session.create_response(confirm=False)
    await begins(peer, "resp_1", 1)
    await settle()
    gone = weakref.ref(handle)

    del handle
    gc.collect()
    assert gone() is None
    await says(peer, "resp_1", "to nobody")
    await ends(peer, "resp_1")
    assert (await session.wait_for(ResponseDone)).response.id == "resp_1"


async def test_a_cancelled_waiter_leaves_the_response_to_the_others(open_session: OpenSession) -> None:
    session, peer = open_session()
    handle = await session.create_response(confirm=False)
    one, other = (asyncio.ensure_future(_end_of(handle)) for _ in range(2))
    await settle()
    one.cancel()
    await asyncio.wait([one])
    await begins(peer, "resp_1", 1)
    await ends(peer, "resp_1")

    assert (await other).id == "resp_1"


# -- cancelling


async def test_cancelling_names_the_response_and_its_end_still_comes(open_session: OpenSession) -> None:
    session, peer = open_session()
    handle = await session.create_response(confirm=False)
    await asked(peer)
    await begins(peer, "resp_1", 1)
    await handle.began()

    await handle.cancel()

    assert await peer.hear_bare() == {"type": "response.cancel", "response_id": "resp_1"}
    await ends(peer, "resp_1", "cancelled", status_details={"type": "cancelled", "reason": "client_cancelled"})
    assert (await handle).status == "cancelled"
    assert handle.reason == "client_cancelled"
    await handle.cancel()
    await nothing_more(peer)


async def test_cancelling_one_that_waits_its_turn_stops_no_other_response(open_session: OpenSession) -> None:
    session, peer = open_session()
    await begins(peer, "resp_0")
    await settle()
    handle, other = [await session.create_response(confirm=False) for _ in range(2)]

    await handle.cancel()

    with pytest.raises(LocalProtocolError, match="before its turn came"):
        await handle
    await ends(peer, "resp_0")
    await asked(peer)
    await begins(peer, "resp_1", 2)
    assert (await other.began()).id == "resp_1"
    await handle.cancel()
    await nothing_more(peer)


async def test_cancelling_one_that_is_about_to_begin_stops_it_as_it_begins(open_session: OpenSession) -> None:
    session, peer = open_session()
    handle = await session.create_response(confirm=False)
    await asked(peer)
    cancelling = asyncio.ensure_future(handle.cancel())
    await nothing_more(peer)

    await begins(peer, "resp_1", 1)
    await cancelling

    assert await peer.hear_bare() == {"type": "response.cancel", "response_id": "resp_1"}


async def test_cancelling_one_that_is_refused_meanwhile_is_over(open_session: OpenSession) -> None:
    session, peer = open_session()
    handle = await session.create_response(confirm=False)
    event = await heard(peer, "response.create")
    cancelling = asyncio.ensure_future(handle.cancel())
    await settle()

    await peer.refuse(event["event_id"])

    await asyncio.wait_for(cancelling, 1)
    await nothing_more(peer)


# -- what it shows


async def test_nothing_that_was_said_is_in_its_repr(open_session: OpenSession) -> None:
    session, peer = open_session()
    handle = await session.create_response(confirm=False)
    await begins(peer, "resp_1", 1)
    await says(peer, "resp_1", "MARKER")
    await ends(peer, "resp_1")
    await handle

    assert repr(handle) == "ResponseHandle(id='resp_1', status='completed', 6 events)"


async def test_the_first_word_about_an_end_counts() -> None:
    handle = ResponseHandle(_never, lambda: False)
    handle.end(Response(id="resp_1"))
    handle.end(Response(id="resp_2"))
    handle.fail(SessionClosedError(None, "", "sess_1"))

    assert (await handle).id == "resp_1"
    assert (await handle.began()).id == "resp_1", "what ended has begun"


async def _never(_: str | None) -> None:
    raise AssertionError("nobody cancels here")


async def _end_of(handle: ResponseHandle) -> Response:
    return await handle

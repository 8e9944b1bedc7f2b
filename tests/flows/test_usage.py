"""What a call has used, over a socket: the sum of what the service told, whatever happens to the connection."""

from __future__ import annotations

import asyncio

import pytest
from tests.conftest import OpenSession
from tests.flows.scene import QUIET
from tests.flows.test_resume import TEXT, playing
from tests.support.streams import settle

from voicelive import wire
from voicelive.protocol.usage_book import LOST
from voicelive.testing import EmulatedSession
from voicelive.wire.responses import ResponseCreateParams

pytestmark = pytest.mark.looptime


def told(service: EmulatedSession) -> list[int]:
    """Tokens of the responses that ended in a session of the service."""
    done = [event.response for event in service.sent if isinstance(event, wire.ResponseDone)]
    return [response.usage.total_tokens or 0 for response in done if response.usage is not None]


async def test_over_two_connections_nothing_is_counted_twice_and_nothing_forgotten() -> None:
    async with playing(options=QUIET) as play:
        await play.session.ask("one")
        play.service.abort()
        await play.report()
        await play.session.ask("two")
        used = play.session.usage

        assert used.tokens.total == sum(sum(told(service)) for service in play.emulator.sessions)
        assert [one.status for one in used.responses] == ["completed", "completed"]
        assert [turn.turn_id for turn in used.turns] == ["turn_1", "turn_2"]
        assert len(used.record().session_ids) == 2


async def test_a_reply_that_broke_off_is_missed_and_the_one_in_its_place_counted() -> None:
    async with playing() as play:
        asking = asyncio.ensure_future(play.session.ask("one"))
        await play.session.wait_for(wire.ResponseTextDelta)
        play.service.abort()
        await asking

        lost, again = play.session.usage.responses
        assert (lost.status, lost.usage, lost.bill.complete) == (LOST, None, False)
        assert (again.status, again.bill.complete) == ("completed", True)
        assert {lost.turn_id, again.turn_id} == {"turn_1"}
        assert play.session.usage.estimated


async def test_cancelled_replies_and_those_out_of_band_count() -> None:
    async with playing(config=TEXT) as play:
        handle = await play.session.create_response(ResponseCreateParams(instructions="Speak."))
        await handle.cancel()
        await handle
        beside = await play.session.create_response(ResponseCreateParams(conversation="none"))
        await beside

        used = play.session.usage
        assert used.tokens.total == sum(told(play.service)) > 0
        assert [(one.status, one.turn_id) for one in used.responses] == [("cancelled", "turn_1"), ("completed", None)]


async def test_the_agent_s_audio_is_measured_where_no_usage_comes(open_session: OpenSession) -> None:
    session, peer = open_session()
    await peer.create(model="gpt-realtime")
    await peer.say("response.created", response={"id": "resp_1"})
    await peer.speak("AAAA" * 16_000)  # a second
    await peer.say("response.done", response={"id": "resp_1", "status": "completed", "usage": None})
    await settle()

    record = session.usage.record()

    assert record.agent_audio_ms == 1_000
    assert [(line.category, line.tokens) for line in record.bill.lines if line.tokens] == [("audio_native_output", 20)]

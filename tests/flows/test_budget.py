"""Calls that come to the end of their budget: with the emulator over a socket, and with a service that a test plays."""

from __future__ import annotations

import asyncio
import contextlib
from decimal import Decimal
from typing import Any

import pytest
from tests.conftest import OpenSession
from tests.support.peer import Peer
from tests.support.streams import settle
from tests.test_usage import usage_of

from voicelive import AzureStandardVoice, Budget, CallRecord, SessionConfig, VoiceLiveClient, wire
from voicelive.catalogue import prices
from voicelive.errors import BudgetReachedError, NotInCatalogueError, SessionClosedError
from voicelive.events import BudgetReached, BudgetWarning, HandlerFailed
from voicelive.session import Session
from voicelive.testing import Emulator, Pace
from voicelive.transport.base import TransportClosed
from voicelive.wire.responses import ResponseCreateParams

AZURE: dict[str, Any] = {"type": "azure-standard", "name": "en-US-AvaNeural"}
VAD: dict[str, Any] = {"type": "server_vad"}
CHEAP = usage_of(text=1_000)  # 0.004 USD
CONFIG = SessionConfig(voice=AzureStandardVoice(name="en-US-AvaNeural"))


async def ready(peer: Peer, **settings: Any) -> None:
    await peer.create(**{"model": "gpt-realtime", "voice": AZURE, "turn_detection": VAD, **settings})
    await settle()


async def done(peer: Peer, response_id: str = "r1", used: Any = CHEAP) -> None:
    await peer.say("response.created", response={"id": response_id})
    await peer.say("response.done", response={"id": response_id, "status": "completed", "usage": used})
    await settle()


async def heard_by(peer: Peer) -> list[dict[str, Any]]:
    """What was sent until the session closed."""
    found = []
    with contextlib.suppress(TransportClosed):
        while True:
            found.append(await peer.hear_bare())
    return found


def told(session: Session) -> Any:
    return session.subscribe(BudgetWarning, BudgetReached)


async def everything(stream: Any) -> list[Any]:
    return [event async for event in stream]


async def test_an_emulated_call_ends_within_one_response_of_its_limit_and_its_record_is_exact() -> None:
    seen: list[BudgetReached] = []
    budget = Budget("0.05", action="end_now", on_reached=seen.append)
    async with Emulator(pace=Pace.instant()) as emulator, VoiceLiveClient(emulator.endpoint, "key") as client:
        async with client.connect("gpt-realtime", config=CONFIG, budget=budget) as session:
            with contextlib.suppress(SessionClosedError, BudgetReachedError):
                for _ in range(50):
                    await session.ask("And then? " * 200)
            async with asyncio.timeout(10):
                info = await session.wait_closed()
        (served,) = emulator.sessions

    sent = [event for event in served.sent if isinstance(event, wire.ResponseDone)]
    costs = [one.bill.total for one in session.usage.responses]
    assert (info.normal, info.reason) == (True, "budget reached")
    assert len(seen) == 1
    assert seen[0].spent == session.usage.bill.total >= Decimal("0.05")
    assert sum(costs[:-1]) < Decimal("0.05"), "the response before the last was within the limit"
    assert len(sent) == len(costs)
    told_tokens = [done.response.usage.total_tokens for done in sent if done.response.usage is not None]
    record = session.usage.record()
    assert record.tokens == sum(count or 0 for count in told_tokens)
    assert record.total == sum(costs)
    assert CallRecord.from_json(record.to_json()) == record


async def test_a_polite_end_says_farewell_and_the_record_holds_it() -> None:
    budget = Budget("0.001", action="end_politely", farewell="I have to go now. Good bye!")
    async with (
        Emulator(pace=Pace.instant()) as emulator,
        VoiceLiveClient(emulator.endpoint, "key") as client,
        client.connect("gpt-realtime", config=CONFIG, budget=budget) as session,
    ):
        await session.ask("Hello?")
        await session.wait_closed()

    assert session.conversation.turns[-1].agent_text == "I have to go now. Good bye!"
    assert [one.status for one in session.usage.responses] == ["completed", "completed"]
    assert session.usage.responses[1].bill.total > 0


async def test_a_model_without_a_price_is_refused_before_anything_is_sent() -> None:
    async with Emulator() as emulator, VoiceLiveClient(emulator.endpoint, "key") as client:
        with pytest.raises(NotInCatalogueError, match="gpt-99"):
            client.connect("gpt-99", budget=Budget("1", unpriced="refuse"))
        assert not emulator.sessions


@pytest.mark.looptime
async def test_after_the_limit_nothing_is_asked_for_and_turn_detection_starts_nothing(
    open_session: OpenSession,
) -> None:
    session, peer = open_session()
    await ready(peer)
    session.use_budget(Budget("0.004", action="end_politely"))
    stream = told(session)
    await peer.say("response.created", response={"id": "r1"})
    await settle()
    waiting = asyncio.ensure_future(session.create_response())
    await settle()

    await peer.say("response.done", response={"id": "r1", "status": "completed", "usage": CHEAP})
    await peer.say("response.created", response={"id": "r2"})
    await peer.say("input_audio_buffer.speech_started", item_id="i9", audio_start_ms=0)
    await settle()
    with pytest.raises(BudgetReachedError, match="no response is asked for any more"):
        await waiting
    with pytest.raises(BudgetReachedError):
        await session.create_response()
    await peer.say("response.done", response={"id": "r2", "status": "cancelled", "usage": usage_of(text=1)})
    info = await session.wait_closed()

    sent = await heard_by(peer)
    assert [event["type"] for event in sent] == ["session.update", "response.cancel"]
    assert sent[0]["session"] == {"turn_detection": None}
    assert sent[1]["response_id"] == "r2"
    assert (info.code, info.reason) == (1000, "budget reached")
    assert session.usage.bill.total == Decimal("0.004004"), "what was cancelled counts too"
    assert [type(event) for event in await everything(stream)] == [BudgetWarning, BudgetReached]


@pytest.mark.looptime
async def test_what_is_being_said_is_heard_to_its_end(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer, turn_detection=None)
    session.use_budget(Budget("0.004", action="end_politely"))
    await peer.say("response.created", response={"id": "resp_1"})
    for _ in range(3):
        await peer.speak("AAAA" * 16_000)  # a second each
    await peer.say("response.done", response={"id": "resp_1", "status": "completed", "usage": CHEAP})
    began = asyncio.get_running_loop().time()

    await session.wait_closed()

    assert asyncio.get_running_loop().time() - began == pytest.approx(3, abs=0.1)
    assert await heard_by(peer) == [], "no turn detection was to be turned off"


@pytest.mark.looptime
async def test_a_polite_end_has_a_bound(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    session.use_budget(Budget("0.004", action="end_politely", farewell="Bye.", finish_within_s=7))
    began = asyncio.get_running_loop().time()
    await done(peer)

    await session.wait_closed()  # nobody answers the farewell

    assert asyncio.get_running_loop().time() - began == pytest.approx(7, abs=0.1)


@pytest.mark.looptime
async def test_an_openai_voice_is_asked_to_say_the_farewell(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer, voice={"type": "openai", "name": "alloy"}, turn_detection=None)
    session.use_budget(Budget("0.004", action="end_politely", farewell="Bye."))
    await done(peer)

    asked = await peer.hear_bare()
    assert asked["response"]["instructions"].endswith("nothing else: Bye.")
    assert asked["response"]["tool_choice"] == "none"
    tag = asked["response"].get("metadata")
    await peer.say("response.created", response={"id": "bye", "metadata": tag})
    await peer.say("response.done", response={"id": "bye", "status": "completed", "usage": CHEAP})
    await session.wait_closed()

    assert await heard_by(peer) == [], "the farewell was not cancelled"
    assert session.usage.bill.total == Decimal("0.008")


@pytest.mark.looptime
async def test_a_warning_ends_nothing(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    seen: list[object] = []

    async def reached(event: BudgetReached) -> None:
        await asyncio.sleep(0)
        seen.append(event.action)

    session.use_budget(Budget("0.004", warn_at=(), on_reached=reached))
    await done(peer)
    await done(peer, "r2")

    assert seen == ["warn"]
    assert session.close_info is None
    assert isinstance(await session.create_response(confirm=False), object)


@pytest.mark.looptime
async def test_an_avatar_alone_can_use_up_a_budget(open_session: OpenSession) -> None:
    session, peer = open_session()
    avatar = {"type": "video-avatar", "character": "lisa", "style": "casual-sitting", "output_protocol": "websocket"}
    session.use_budget(Budget("0.05", action="end_now"))
    stream = told(session)
    await ready(peer, avatar=avatar)
    began = asyncio.get_running_loop().time()

    await session.wait_closed()

    assert asyncio.get_running_loop().time() - began == pytest.approx(6, abs=1.1)
    assert session.usage.record().avatar_ms == pytest.approx(6_000, abs=1_100)
    assert [type(event) for event in await everything(stream)] == [BudgetWarning, BudgetReached]


@pytest.mark.looptime
async def test_another_budget_takes_the_place_of_the_one_before(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    await done(peer)
    seen: list[BudgetReached] = []
    session.use_budget(Budget("0.004", action="end_now", on_reached=seen.append))
    session.use_budget(Budget("1", prices=prices.converted(Decimal(2), "EUR")))

    await done(peer, "r2")

    assert session.close_info is None
    assert (session.usage.bill.total, session.usage.bill.currency) == (Decimal("0.016"), "EUR")
    session.use_budget(Budget("0.001"))
    await done(peer, "r3")
    assert seen == [], "it was replaced"


@pytest.mark.looptime
async def test_a_callback_that_fails_is_reported_and_the_call_ends_all_the_same(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)

    def reached(_: BudgetReached) -> None:
        raise LookupError

    session.use_budget(Budget("0.004", action="end_now", on_reached=reached))
    stream = session.subscribe(HandlerFailed)
    await done(peer)
    await session.wait_closed()

    assert [event.event_type for event in await everything(stream)] == ["voicelive.budget_reached"]


@pytest.mark.looptime
async def test_responses_out_of_band_are_held_back_too(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer, turn_detection=None)
    session.use_budget(Budget("0.004", action="end_politely"))
    await done(peer)

    with pytest.raises((BudgetReachedError, SessionClosedError)):
        await session.create_response(ResponseCreateParams(conversation="none"))

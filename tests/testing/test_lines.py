"""A line that falls silent, heard by plain clients."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.asyncio.client import connect

from voicelive import ClientOptions, ConnectionLostError, VoiceLiveClient, wire
from voicelive.errors import ConnectFailedError
from voicelive.testing import Drop, Emulator, Script


@pytest.mark.looptime
async def test_a_silent_session_hears_and_says_nothing(dial: Any) -> None:
    async with Emulator(Script("Hello.")) as emulator:
        peer = await dial(emulator)
        [session] = emulator.sessions
        session.silence()
        await peer.write("Hi")
        await peer.send("response.create")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(peer.socket.recv(), 15)
        heard, said = len(session.received), [event.type for event in session.sent]
        session.silence(False)
        events = await peer.until("response.done")

    assert (heard, said) == (2, ["session.created"])
    assert [event["type"] for event in events][:2] == ["conversation.item.created", "response.created"]
    assert [event.type for event in session.sent] == [event["type"] for event in peer.events]


@pytest.mark.looptime
async def test_a_silent_session_answers_no_ping_until_the_silence_ends(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        emulator.sessions[0].silence()
        pong = await peer.socket.ping()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(pong), 5)
        emulator.sessions[0].silence(False)
        await asyncio.wait_for(pong, 5)


@pytest.mark.looptime
async def test_the_emulator_does_not_take_the_client_for_dead_in_its_own_silence(dial: Any) -> None:
    async with Emulator(ping_interval_s=1, ping_timeout_s=1) as emulator:
        url = emulator.endpoint.replace("http", "ws", 1) + "/voice-live/realtime?api-version=1&model=m&api-key=k"
        async with connect(url, proxy=None, ping_interval=None) as socket:
            await socket.recv()
            emulator.sessions[0].silence()
            await asyncio.sleep(60)
            emulator.sessions[0].silence(False)
            await asyncio.sleep(60)
            still_open = emulator.sessions[0].close_code is None

    assert still_open


@pytest.mark.looptime
async def test_the_client_finds_a_silent_service_dead_by_its_pings() -> None:
    loop = asyncio.get_running_loop()
    options = ClientOptions(ping_interval_s=10, ping_timeout_s=4)
    async with (
        Emulator() as emulator,
        VoiceLiveClient(emulator.endpoint, "key", options=options) as client,
        client.connect("gpt-realtime", resume=None) as session,
    ):
        emulator.sessions[0].silence()
        since_s = loop.time()
        with pytest.raises(ConnectionLostError):
            async for _ in session:
                pass
        noticed_s = loop.time() - since_s

    assert noticed_s < 20


@pytest.mark.looptime
async def test_a_session_can_open_silently() -> None:
    options = ClientOptions(connect_timeout_s=5)
    async with Emulator() as emulator, VoiceLiveClient(emulator.endpoint, "key", options=options) as client:
        emulator.open_silently()
        with pytest.raises(ConnectFailedError):
            await client.connect("gpt-realtime").__aenter__()
        async with client.connect("gpt-realtime") as session:
            assert session.id == emulator.sessions[1].id

    assert [upgrade.status for upgrade in emulator.upgrades] == [101, 101]
    assert emulator.sessions[0].sent == []


@pytest.mark.looptime
async def test_session_created_alone_can_be_missing(dial: Any) -> None:
    async with Emulator() as emulator:
        emulator.tamper = Drop(wire.SessionCreated)
        peer = await dial(emulator, skip_created=False)
        await peer.send("session.update", session={"instructions": "Be brief."})
        first = await peer.receive()

    assert first["type"] == "session.updated"


@pytest.mark.looptime
async def test_closing_drops_silent_sessions_at_once(dial: Any) -> None:
    loop = asyncio.get_running_loop()
    async with Emulator() as emulator:
        peer = await dial(emulator)
        emulator.sessions[0].silence()
        await peer.write("Hi")
        while not emulator.sessions[0].received:  # noqa: ASYNC110 - a list, nothing to await
            await asyncio.sleep(0)
        since_s = loop.time()
    await peer.socket.wait_closed()

    assert loop.time() - since_s < 0.5
    assert peer.socket.close_code == 1006
    assert emulator.sessions[0].close_code == 1006


async def test_ending_the_silence_of_an_ended_session_is_harmless(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        [session] = emulator.sessions
        session.silence()
        peer.socket.transport.abort()
        while session.close_code is None:  # noqa: ASYNC110 - an attribute, nothing to await
            await asyncio.sleep(0)
        session.silence(False)

    assert session.close_code == 1006


@pytest.mark.looptime
async def test_a_close_waits_for_the_end_of_the_silence(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        [session] = emulator.sessions
        session.silence()
        session.close(1011)
        await asyncio.sleep(10)
        waited = session.close_code is None
        session.silence(False)
        await peer.socket.wait_closed()

    assert waited
    assert (peer.socket.close_code, session.close_code) == (1011, 1011)

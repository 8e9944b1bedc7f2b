"""The emulator as a server: admission, records, and how sessions end."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from typing import Any

import pytest
import trustme
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from voicelive import ClientOptions, SessionConfig, VoiceLiveClient, wire
from voicelive.errors import SessionExpiredError
from voicelive.testing import Emulator, Pace, Script

GOOD = "/voice-live/realtime?api-version=2026-07-15&model=gpt-realtime"


async def refusal(emulator: Emulator, target: str, headers: dict[str, str]) -> Any:
    url = emulator.endpoint.replace("http", "ws", 1) + target
    with pytest.raises(InvalidStatus) as caught:
        await connect(url, additional_headers=headers, proxy=None)
    return caught.value.response


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        (GOOD, {}, 401),
        (GOOD, {"api-key": "wrong"}, 401),
        ("/elsewhere", {"api-key": "right"}, 404),
        ("/voice-live/realtime?model=m", {"api-key": "right"}, 400),
    ],
)
async def test_a_refused_upgrade_carries_an_error_envelope(target: str, headers: dict[str, str], status: int) -> None:
    async with Emulator(api_key="right") as emulator:
        response = await refusal(emulator, target, headers)

    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"]
    assert json.loads(response.body)["error"]["message"]
    assert emulator.sessions == []


async def test_closing_says_going_away_to_every_client_and_leaves_no_task(dial: Any) -> None:
    before = asyncio.all_tasks()
    async with Emulator(Script("Never heard."), pace=Pace(first_text_s=3600)) as emulator:
        peer = await dial(emulator)
        await peer.send("response.create")
        await peer.one("response.created")

    with pytest.raises(ConnectionClosed) as caught:
        await peer.socket.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1001
    assert emulator.sessions[0].close_code == 1001
    own = {task for task in asyncio.all_tasks() - before if "keepalive" not in str(task.get_coro())}
    assert not own


async def test_sessions_are_independent_and_named_apart(dial: Any) -> None:
    async with Emulator() as emulator:
        one, two = await dial(emulator), await dial(emulator)
        await one.write("only here")
        await one.one("conversation.item.created")
        await two.no_more()
        first, second = emulator.sessions

    assert first.id != second.id
    assert (len(first.conversation), len(second.conversation)) == (1, 0)


async def test_a_lean_emulator_keeps_nothing_of_ended_sessions(dial: Any) -> None:
    async with Emulator(keep_events=False) as emulator:
        peer = await dial(emulator)
        await peer.ask("Hi")
        running = list(emulator.sessions)
        await peer.socket.close()

    assert len(running) == 1
    assert running[0].sent == []
    assert emulator.sessions == []


async def test_the_endpoint_is_known_once_started() -> None:
    emulator = Emulator()
    with pytest.raises(RuntimeError):
        _ = emulator.endpoint
    async with emulator:
        assert emulator.endpoint.startswith("http://127.0.0.1:")


async def test_clients_that_insist_on_tls_are_served() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with Emulator(Script("Hello over TLS."), ssl=context) as emulator:
        assert emulator.endpoint.startswith("https://127.0.0.1:")
        async with (
            VoiceLiveClient(emulator.endpoint, "any-key", options=ClientOptions(ssl=trusting)) as client,
            client.connect("gpt-realtime", config=SessionConfig(modalities=["text"])) as session,
        ):
            await session.create_response()
            said = await session.wait_for(wire.ResponseTextDone, timeout_s=10)

    assert said.text == "Hello over TLS."


async def test_an_error_in_a_test_is_not_replaced_by_one_of_the_emulator(dial: Any) -> None:
    def broken(heard: object) -> Any:
        raise LookupError

    async def a_test_that_fails() -> None:
        async with Emulator(Script(broken)) as emulator:
            peer = await dial(emulator)
            await peer.send("response.create")
            await peer.socket.wait_closed()
            raise AssertionError

    with pytest.raises(AssertionError):
        await a_test_that_fails()


async def test_an_append_over_the_limit_is_refused(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        await peer.update(turn_detection=None)
        await peer.send("input_audio_buffer.append", audio="A" * (15 * 1024 * 1024 + 8))
        error = await peer.one("error")
        assert (error["error"]["code"], error["error"]["param"]) == ("invalid_value", "audio")


async def test_a_broken_rule_behind_a_commit_ends_the_session(dial: Any) -> None:
    def broken(heard: object) -> Any:
        raise LookupError

    emulator = Emulator(Script(broken))
    await emulator.start()
    peer = await dial(emulator)
    await peer.update(turn_detection=None)
    await peer.say(bytes(4800))
    await peer.send("input_audio_buffer.commit")
    await peer.socket.wait_closed()
    with pytest.raises(LookupError):
        await emulator.close()

    assert peer.socket.close_code == 1011


@pytest.mark.looptime
async def test_almost_an_hour_of_silence_does_not_end_a_session(dial: Any) -> None:
    async with Emulator(Script("Still here.")) as emulator:
        peer = await dial(emulator)
        await asyncio.sleep(3599)
        done = (await peer.ask("Hello?"))[-1]

    assert done["response"]["status"] == "completed"


@pytest.mark.looptime
async def test_a_session_expires_when_its_time_is_over(dial: Any) -> None:
    loop = asyncio.get_running_loop()
    script = Script("I could go on for ever.")
    async with Emulator(script, session_s=90, pace=Pace(first_text_s=89, text_delta_s=1)) as emulator:
        peer = await dial(emulator)
        begun_s = loop.time()
        await peer.send("response.create")
        await peer.one("response.audio_transcript.delta")
        error = await peer.one("error")
        expired_s = loop.time()
        with pytest.raises(ConnectionClosed):
            await peer.receive()

    assert peer.events[0]["session"]["expires_at"] == pytest.approx(time.time() + 90, abs=60)
    assert expired_s - begun_s == pytest.approx(90, abs=0.5)
    assert error["error"]["code"] == "session_expired"
    assert (peer.socket.close_code, peer.socket.close_reason) == (1001, "session_expired")
    assert emulator.sessions[0].close_code == 1001


@pytest.mark.looptime
async def test_the_client_learns_that_its_session_has_expired() -> None:
    async with (
        Emulator(session_s=60) as emulator,
        VoiceLiveClient(emulator.endpoint, "key") as client,
        client.connect("gpt-realtime", resume=None) as session,
    ):
        with pytest.raises(SessionExpiredError):
            async for _ in session:
                pass


def test_a_session_lives_for_some_time() -> None:
    with pytest.raises(ValueError, match="session_s is 0; it must be greater than 0"):
        Emulator(session_s=0)

"""What a test sees of a session, and what it may do to one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from voicelive import ClientOptions, VoiceLiveClient, wire
from voicelive.errors import ConnectionLostError, SessionClosedError, SessionExpiredError
from voicelive.testing import EmulatedSession, Emulator, Script


async def test_a_session_records_what_was_said_on_both_sides(dial: Any) -> None:
    async with Emulator(Script("Hello.")) as emulator:
        peer = await dial(emulator)
        await peer.update(modalities=["text"])
        await peer.ask("Hi")
        [session] = emulator.sessions

    assert [type(event) for event in session.received] == [
        wire.SessionUpdate,
        wire.ConversationItemCreate,
        wire.ResponseCreate,
    ]
    assert [event.type for event in session.sent] == [event["type"] for event in peer.events]
    assert session.received_of(wire.SessionUpdate)[0].session.modalities == ["text"]
    assert [event.text for event in session.sent_of(wire.ResponseTextDone)] == ["Hello."]
    assert session.path == "/voice-live/realtime"
    assert session.query == {"api-version": "2026-07-15", "model": "gpt-realtime"}
    assert "api-key" not in session.headers
    assert [item.type for item in session.conversation] == ["message", "message"]


async def test_the_close_code_of_a_client_is_recorded(dial: Any) -> None:
    async with Emulator() as emulator:
        polite, rude = await dial(emulator), await dial(emulator)
        await polite.socket.close(1000)
        rude.socket.transport.abort()
    assert [session.close_code for session in emulator.sessions] == [1000, 1006]


@pytest.mark.parametrize(
    ("code", "reason"),
    [(1000, ""), (1001, "session_expired"), (1008, "policy"), (1011, ""), (1013, "later"), (4999, "x")],
)
async def test_a_session_closes_with_any_code_behind_what_it_said(code: int, reason: str, dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        [session] = emulator.sessions
        session.flood(100, 10)
        session.close(code, reason)
        session.close(1002, "too late")
        session.send(wire.ErrorEvent())
        with pytest.raises(ConnectionClosed) as caught:
            await peer.until("anything else")

    assert caught.value.rcvd is not None
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (code, reason)
    assert session.close_code == code
    assert [event["type"] for event in peer.events] == ["session.created", *["warning"] * 100]


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999, 5000])
async def test_what_no_close_frame_can_hold_is_refused(code: int, dial: Any) -> None:
    async with Emulator() as emulator:
        await dial(emulator)
        with pytest.raises(ValueError, match=f"code is {code}; allowed: 1000 to 1003"):
            emulator.sessions[0].close(code)
        with pytest.raises(ValueError, match="reason has 124 bytes; at most 123"):
            emulator.sessions[0].close(1000, "é" * 62)


async def test_an_expired_session_says_so_twice(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        emulator.sessions[0].expire()
        error = await peer.receive()
        with pytest.raises(ConnectionClosed) as caught:
            await peer.receive()

    assert error["type"] == "error"
    assert error["error"]["code"] == "session_expired"
    assert caught.value.rcvd is not None
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1001, "session_expired")


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        (EmulatedSession.expire, SessionExpiredError, 1001),
        (EmulatedSession.abort, ConnectionLostError, None),
        (lambda session: session.close(1001, "session_expired"), SessionExpiredError, 1001),
        (lambda session: session.close(1008), ConnectionLostError, 1008),
        (lambda session: session.close(1011), ConnectionLostError, 1011),
    ],
)
async def test_the_client_tells_ends_apart(
    fault: Callable[[EmulatedSession], None], error: type[SessionClosedError], code: int | None
) -> None:
    async with (
        Emulator() as emulator,
        VoiceLiveClient(emulator.endpoint, "key") as client,
        client.connect("gpt-realtime", resume=None) as session,
    ):
        fault(emulator.sessions[-1])
        with pytest.raises(error) as caught:
            async for _ in session:
                pass

    assert caught.value.code == code


async def test_a_normal_close_of_the_service_ends_the_loop_of_the_client() -> None:
    async with (
        Emulator() as emulator,
        VoiceLiveClient(emulator.endpoint, "key") as client,
        client.connect("gpt-realtime", resume=None) as session,
    ):
        emulator.sessions[-1].close()
        async for _ in session:
            pass

    assert emulator.sessions[-1].close_code == 1000


@pytest.mark.parametrize(
    ("data", "binary", "received"),
    [
        ('{"type": "resp', False, '{"type": "resp'),
        ("[]", False, "[]"),
        ("", False, ""),
        ("", True, b""),
        (b"\x00\xff", True, b"\x00\xff"),
        ('{"type":"new.event"}', True, b'{"type":"new.event"}'),
    ],
)
async def test_any_frame_can_be_put_on_the_wire(
    data: str | bytes, binary: bool, received: str | bytes, dial: Any
) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        emulator.sessions[0].send_raw(data, binary=binary)
        frame = await peer.socket.recv()

    assert frame == received


@pytest.mark.parametrize("data", [b"\xff\xfe", "\ud800"])
async def test_a_text_frame_may_hold_what_is_no_text(data: str | bytes, dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        emulator.sessions[0].send_raw(data)
        with pytest.raises(ConnectionClosed):
            await peer.socket.recv()

    assert emulator.sessions[0].close_code == 1007


async def test_the_client_goes_on_after_frames_that_are_no_events() -> None:
    async with (
        Emulator() as emulator,
        VoiceLiveClient(emulator.endpoint, "key") as client,
        client.connect("gpt-realtime") as session,
    ):
        for data in ("{", "[]", "", '{"type":"response.audio.delta","delta":"%%%"}'):
            emulator.sessions[0].send_raw(data)
        emulator.sessions[0].flood(1, 5)
        warning = await session.wait_for(wire.WarningEvent, timeout_s=10)
        counts = session.counts

    assert warning.warning.message == "xxxxx"
    assert (counts.undecodable_frames, counts.malformed_events) == (3, 1)
    [malformed] = emulator.sessions[0].sent_of(wire.UnknownServerEvent)  # the rest is nothing that could be noted
    assert malformed.kind == "response.audio.delta"


async def test_the_client_refuses_a_frame_above_its_limit() -> None:
    options = ClientOptions(max_frame_bytes=1024 * 1024)
    async with (
        Emulator() as emulator,
        VoiceLiveClient(emulator.endpoint, "key", options=options) as client,
        client.connect("gpt-realtime") as session,
    ):
        emulator.sessions[0].flood(1, 16 * 1024 * 1024)
        with pytest.raises(SessionClosedError) as caught:
            async for _ in session:
                pass

    assert caught.value.code == 1009


async def test_a_flood_reaches_a_client_that_reads(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        emulator.sessions[0].flood(5000, 1000)
        for _ in range(5000):
            event = await peer.receive()
            assert len(event["warning"]["message"]) == 1000
        await peer.no_more()

    assert len(emulator.sessions[0].sent_of(wire.WarningEvent)) == 5000


async def test_nothing_can_be_sent_in_a_session_that_has_ended(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        [session] = emulator.sessions
        session.abort()
        await peer.socket.wait_closed()
        while session.close_code is None:  # noqa: ASYNC110 - an attribute, nothing to await
            await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match=f"session {session.id} has ended with code 1006"):
            session.flood(1, 1)
        with pytest.raises(RuntimeError, match="nothing can be sent"):
            session.send_raw("")
        session.close()
        session.expire()
        session.abort()

    assert session.close_code == 1006


async def test_what_was_never_written_is_not_recorded_as_sent(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        [session] = emulator.sessions
        session.send(wire.ErrorEvent())
        session.abort()
        await peer.socket.wait_closed()

    assert [event.type for event in session.sent] == ["session.created"]

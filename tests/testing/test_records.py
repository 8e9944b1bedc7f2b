"""What a session leaves behind for a test to look at."""

from __future__ import annotations

from typing import Any

from voicelive import wire
from voicelive.testing import Emulator, Script


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

"""Events missing, doubled and out of order: what goes out, and that the record says so."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import Any

import pytest

from voicelive import SessionConfig, VoiceLiveClient, wire
from voicelive.testing import Double, Drop, Emulator, Script, Swap
from voicelive.testing.tampering import Tamper

A, B, C = wire.ResponseCreated(event_id="a"), wire.ResponseDone(event_id="b"), wire.ErrorEvent(event_id="c")


def passed(tamper: Tamper, *events: wire.ServerEvent) -> list[wire.ServerEvent]:
    return [out for event in events for out in tamper(event)]


def test_dropped_events_are_missing() -> None:
    assert passed(Drop(wire.ResponseCreated), A, B, A) == [B, A]
    assert passed(Drop(wire.ResponseCreated, times=None), A, B, A) == [B]


def test_doubled_events_come_twice() -> None:
    assert passed(Double(wire.ResponseDone, times=2), B, A, B, B) == [B, B, A, B, B, B]


def test_swapped_events_come_behind_the_next_one() -> None:
    assert passed(Swap(wire.ResponseCreated), A, B, A, C) == [B, A, A, C]
    assert passed(Swap(wire.ResponseCreated, times=None), A, A, B, A, C) == [A, A, B, C, A]


def test_a_copy_counts_for_itself() -> None:
    tamper = Drop(wire.ResponseCreated)
    passed(copy(tamper), A)
    assert passed(tamper, A, A) == [A]


async def test_what_goes_out_is_tampered_with_and_recorded_as_it_went(dial: Any) -> None:
    def without_ends(event: wire.ServerEvent) -> Iterable[wire.ServerEvent]:
        match event:
            case wire.ResponseTextDone():
                return ()
            case wire.ResponseCreated():
                return (event, event)
            case _:
                return (event,)

    async with Emulator(Script("Hello.")) as emulator:
        emulator.tamper = without_ends
        peer = await dial(emulator)
        await peer.update(modalities=["text"])
        await peer.ask("Hi")
        [session] = emulator.sessions

    assert [event.type for event in session.sent] == [event["type"] for event in peer.events]
    assert len(session.sent_of(wire.ResponseCreated)) == 2
    assert session.sent_of(wire.ResponseTextDone) == []


async def test_each_session_counts_for_itself_and_may_be_set_right(dial: Any) -> None:
    async with Emulator() as emulator:
        emulator.tamper = Double(wire.SessionCreated)
        for _ in range(2):
            await (await dial(emulator)).one("session.created")
        emulator.sessions[1].tamper = Drop(wire.ConversationItemCreated)
        third = await dial(emulator)
        emulator.sessions[2].tamper = None
        await third.one("session.created")
        await third.no_more()

    assert [len(session.sent_of(wire.SessionCreated)) for session in emulator.sessions] == [2, 2, 2]
    assert isinstance(emulator.sessions[1].tamper, Drop)
    assert emulator.sessions[2].tamper is None


async def test_the_client_outlives_events_out_of_order() -> None:
    script = Script("First.", "Second.")
    async with (
        Emulator(script) as emulator,
        VoiceLiveClient(emulator.endpoint, "key") as client,
        client.connect("gpt-realtime", config=SessionConfig(modalities=["text"])) as session,
    ):
        emulator.sessions[0].tamper = Swap(wire.ResponseOutputItemAdded)
        assert (await session.ask("One?")).text == "First."
        emulator.sessions[0].tamper = Double(wire.ResponseTextDone)
        assert (await session.ask("Two?")).text == "Second."


async def test_a_tamper_that_gives_no_events_is_an_error_of_the_test(dial: Any) -> None:
    emulator = Emulator()
    emulator.tamper = lambda event: event  # type: ignore[assignment,return-value]  # the mistake
    await emulator.start()
    peer = await dial(emulator, skip_created=False)
    await peer.socket.wait_closed()
    with pytest.raises(TypeError, match="tamper gave a tuple; it must give an iterable of server events"):
        await emulator.close()

    assert peer.socket.close_code == 1011

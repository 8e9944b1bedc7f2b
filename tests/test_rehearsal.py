"""A new session learns what the old one knew before anybody hears of it, and what it says meanwhile is kept."""

from __future__ import annotations

import asyncio

import pytest
from tests.support.peer import JsonObject, Peer

from voicelive.errors import ServiceBusyError, ServiceError
from voicelive.protocol.replay import LeftOut
from voicelive.rehearsal import Part, rehearse
from voicelive.transport import MemoryTransport, memory_pair
from voicelive.wire.client_events import ConversationItemCreate, ConversationItemDelete, KnownClientEvent
from voicelive.wire.items import FunctionCallItem, FunctionCallOutputItem, UserMessageItem
from voicelive.wire.session import SessionConfig

SETTINGS = SessionConfig(temperature=0.5)


def item(item_id: str) -> UserMessageItem:
    return UserMessageItem(id=item_id, content=[])


class Rehearsal:
    """A rehearsal under way, and the service that it is played to."""

    def __init__(self, part: Part) -> None:
        here, there = memory_pair()
        self.transport: MemoryTransport = here
        self.peer = Peer(there)
        self.task = asyncio.create_task(rehearse(here, part))

    async def heard(self, kind: str) -> JsonObject:
        event = await asyncio.wait_for(self.peer.hear(), 5)
        assert event["type"] == kind
        return event

    async def created(self, item_id: str | None) -> None:
        fields = {} if item_id is None else {"id": item_id}
        await self.peer.say("conversation.item.created", item={"type": "message", "role": "user", **fields})

    async def result(self) -> tuple[list[str | bytes], list[LeftOut]]:
        return await asyncio.wait_for(self.task, 5)


async def test_settings_come_first_then_the_conversation_then_what_was_not_answered() -> None:
    unanswered: list[KnownClientEvent] = [
        ConversationItemCreate(event_id="mine", item=item("c")),
        ConversationItemDelete(event_id="d", item_id="a"),
    ]
    play = Rehearsal(Part(SETTINGS, [item("a"), item("b")], unanswered))
    await play.peer.create()
    assert (await play.heard("session.update"))["session"] == {"temperature": 0.5}
    await play.peer.say("session.updated", session={"id": "sess_1"})
    told = [(await play.heard("conversation.item.create"))["item"]["id"] for _ in range(3)]
    assert (await play.heard("conversation.item.delete"))["event_id"] == "d"
    for item_id in ("b", "a", "c"):
        await play.created(item_id)

    frames, refused = await play.result()

    assert told == ["a", "b", "c"]
    assert len(frames) == 5
    assert refused == []


async def test_without_settings_and_conversation_the_first_event_is_enough() -> None:
    play = Rehearsal(Part(None, []))
    await play.peer.create()

    frames, _ = await play.result()

    assert len(frames) == 1


async def test_an_item_that_the_service_refuses_is_named_and_the_others_are_waited_for() -> None:
    play = Rehearsal(Part(None, [item("a"), item("b")], [ConversationItemCreate(event_id="mine", item=item("c"))]))
    await play.peer.create()
    events = [await play.heard("conversation.item.create") for _ in range(3)]
    await play.peer.refuse(events[0]["event_id"], "too_odd")
    await play.peer.refuse("mine", "the application hears of it later")
    await play.peer.refuse("a stranger")
    await play.created("b")

    frames, refused = await play.result()

    assert refused == [LeftOut("a", "message", "the service refused it: too_odd")]
    assert len(frames) == 5


async def test_strange_items_settle_nothing_and_nameless_ones_the_oldest() -> None:
    play = Rehearsal(Part(None, [item("a"), item("b")]))
    await play.peer.create()
    await play.created("stranger")
    await play.created(None)
    await play.created("b")

    frames, _ = await play.result()

    assert len(frames) == 4


async def test_frames_that_cannot_be_read_are_kept_for_the_session_to_count() -> None:
    play = Rehearsal(Part(None, []))
    await play.peer.transport.send("[]")
    await play.peer.create()

    frames, _ = await play.result()

    assert frames[0] == b"[]"


async def test_refused_settings_raise() -> None:
    play = Rehearsal(Part(SETTINGS, []))
    await play.peer.create()
    await play.peer.refuse("a stranger")
    await play.peer.refuse((await play.heard("session.update"))["event_id"], "bad", param="session.temperature")

    with pytest.raises(ServiceError, match="temperature"):
        await play.result()


async def test_a_connection_that_is_lost_meanwhile_is_worth_another_try() -> None:
    play = Rehearsal(Part(None, [item("a")]))
    await play.peer.create()
    play.peer.transport.drop()

    with pytest.raises(ServiceBusyError, match="lost before the conversation was told"):
        await play.result()


async def test_an_item_whose_id_the_service_chooses_is_waited_for_like_any_other() -> None:
    ours, theirs = memory_pair()
    peer = Peer(theirs)
    call = FunctionCallItem(id="item_call", name="f", call_id="call_1", arguments="{}")
    output = FunctionCallOutputItem(call_id="call_1", output="done")
    part = Part(None, [call], [ConversationItemCreate(event_id="voicelive_3", item=output)])

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        rehearsing = tasks.create_task(rehearse(ours, part))
        await peer.create()
        told = [(await peer.hear())["item"], (await peer.hear())["item"]]
        await peer.say("conversation.item.created", item={**told[1], "id": "item_of_the_service"})
        await peer.say("conversation.item.created", item=told[0])

    frames, refused = rehearsing.result()
    assert (len(frames), refused) == (3, [])

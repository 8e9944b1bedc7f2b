"""A new session of the service learns where the conversation stands."""

from __future__ import annotations

import asyncio

from tests.support.peer import Peer

from voicelive.rehearsal import Part, rehearse
from voicelive.transport.memory import memory_pair
from voicelive.wire.client_events import ConversationItemCreate
from voicelive.wire.items import FunctionCallItem, FunctionCallOutputItem


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

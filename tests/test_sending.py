"""Everything said passes the sender, and the ledger knows of it."""

from __future__ import annotations

import asyncio
import json

from tests.support.streams import settle

from voicelive.protocol.ledger import Ledger, LedgerEntry
from voicelive.sending import Sender
from voicelive.transport.memory import memory_pair
from voicelive.transport.outbox import Outbox
from voicelive.wire.client_events import ResponseCreate


async def test_a_request_made_once_more_before_the_first_was_written_is_in_the_ledger() -> None:
    ours, theirs = memory_pair()
    outbox, ledger = Outbox(ours, 10_000, holds=True), Ledger(15.0)
    sender, request = Sender(outbox, ledger, lambda: 0.0), ResponseCreate(event_id="voicelive_response_1")
    tasks: list[asyncio.Task[None]] = []
    outbox.hold()
    sender.push(request, lambda work: tasks.append(asyncio.create_task(work)))
    await settle()

    sender.new_connection()
    sender.push(request, lambda work: tasks.append(asyncio.create_task(work)))
    outbox.resume(ours)
    await asyncio.wait_for(asyncio.gather(*tasks), 5)

    assert json.loads(await theirs.receive())["event_id"] == "voicelive_response_1"
    assert ledger.entries(0.0) == (LedgerEntry("voicelive_response_1", "response.create", "sent"),)

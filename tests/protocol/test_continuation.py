"""What becomes of events without an answer when their connection is lost."""

from __future__ import annotations

import pytest

from voicelive.protocol.continuation import LostEvent, sort_out
from voicelive.protocol.ledger import Confirmed, Ledger
from voicelive.wire.client_events import (
    ClientEvent,
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    KnownClientEvent,
    OutputAudioBufferClear,
    ResponseCancel,
    ResponseCreate,
    SessionAvatarConnect,
    SessionUpdate,
    UnknownClientEvent,
)
from voicelive.wire.items import MCPApprovalResponseRequestItem, UserMessageItem
from voicelive.wire.server.conversation import ConversationItemTruncated, InputAudioBufferCleared
from voicelive.wire.server.response import OutputAudioBufferCleared, ResponseDone
from voicelive.wire.server_events import KnownServerEvent
from voicelive.wire.session import SessionConfig

NOW = 5.0


def sent(*events: ClientEvent) -> Ledger:
    ledger = Ledger(15)
    for event in events:
        ledger.enter(event.event_id or "", event, str(event.type))
        ledger.written(event.event_id or "", NOW)
    return ledger


AGAIN: list[KnownClientEvent] = [
    ConversationItemCreate(event_id="e", item=UserMessageItem(id="a", content=[])),
    ConversationItemDelete(event_id="e", item_id="a"),
    ConversationItemRetrieve(event_id="e", item_id="a"),
]
DONE: list[tuple[KnownClientEvent, KnownServerEvent]] = [
    (
        ConversationItemTruncate(event_id="e", item_id="a", content_index=0, audio_end_ms=7),
        ConversationItemTruncated(item_id="a", content_index=0, audio_end_ms=7),
    ),
    (InputAudioBufferClear(event_id="e"), InputAudioBufferCleared()),
    (OutputAudioBufferClear(event_id="e"), OutputAudioBufferCleared()),
    (ResponseCancel(event_id="e"), ResponseDone()),
]
LOST: list[ClientEvent] = [
    SessionAvatarConnect(event_id="e", client_sdp="x"),
    ConversationItemCreate(event_id="e", item=MCPApprovalResponseRequestItem(approval_request_id="ask", approve=True)),
    InputAudioBufferCommit(event_id="e"),
    ResponseCreate(event_id="e"),
    UnknownClientEvent(type="brand.new", extra={"event_id": "e"}),
]


@pytest.mark.parametrize("event", AGAIN, ids=lambda event: event.type)
def test_what_names_items_is_said_again_under_its_id(event: KnownClientEvent) -> None:
    ledger = sent(event)

    found = sort_out(ledger, audio_is_kept=False)

    assert found.again == [event]
    assert [entry.status for entry in ledger.entries(NOW)] == ["waiting"]


@pytest.mark.parametrize(("event", "answer"), DONE, ids=lambda event: event.type)
def test_what_the_loss_itself_brought_about_is_confirmed(event: KnownClientEvent, answer: KnownServerEvent) -> None:
    ledger = sent(event)

    found = sort_out(ledger, audio_is_kept=False)

    assert found.settled == [Confirmed("e", answer)]
    assert [entry.status for entry in ledger.entries(NOW)] == ["confirmed"]


@pytest.mark.parametrize("event", LOST, ids=lambda event: str(event.type))
def test_everything_else_is_lost_and_named(event: ClientEvent) -> None:
    ledger = sent(event)

    found = sort_out(ledger, audio_is_kept=False)

    assert found.lost == [LostEvent("e", str(event.type))]
    assert [entry.status for entry in ledger.entries(NOW)] == ["lost"]


def test_settings_belong_to_the_beginning_of_the_new_session() -> None:
    update = SessionUpdate(event_id="e", session=SessionConfig(temperature=0.5))

    found = sort_out(sent(update), audio_is_kept=False)

    assert found.updates == [update]


def test_a_commit_is_made_again_where_all_of_its_audio_can_be() -> None:
    commit = InputAudioBufferCommit(event_id="e")

    assert sort_out(sent(commit), audio_is_kept=True).commits == [commit]


def test_responses_that_the_session_asked_for_are_the_gates_to_ask_again() -> None:
    ledger = sent(ResponseCreate(event_id="voicelive_response_4"))

    found = sort_out(ledger, audio_is_kept=False)

    assert found.lost == []
    assert [entry.status for entry in ledger.entries(NOW)] == ["lost"], "until the gate asks again"


def test_what_was_not_written_yet_stays_as_it_is() -> None:
    ledger = Ledger(15)
    ledger.enter("e", SessionAvatarConnect(event_id="e", client_sdp="x"), "session.avatar.connect")

    assert sort_out(ledger, audio_is_kept=False).lost == []
    assert [entry.status for entry in ledger.entries(NOW)] == ["waiting"]

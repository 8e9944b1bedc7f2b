"""What became of every event that was sent, and which event of the service answers it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.protocol.ledger import RULES, Confirmed, Ledger, LedgerEntry, Refused
from voicelive.wire.client_events import (
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    InputAudioClear,
    KnownClientEvent,
    OutputAudioBufferClear,
    ResponseCancel,
    RtcCallSdpCreate,
    SessionAvatarConnect,
    SessionUpdate,
)
from voicelive.wire.codec import decode
from voicelive.wire.items import UserMessageItem
from voicelive.wire.server.calls import RtcCallSdpCreated
from voicelive.wire.server.conversation import (
    ConversationItemCreated,
    ConversationItemDeleted,
    ConversationItemRetrieved,
    ConversationItemTruncated,
    InputAudioBufferCleared,
    InputAudioBufferCommitted,
)
from voicelive.wire.server.response import OutputAudioBufferCleared, ResponseAudioDelta, ResponseDone
from voicelive.wire.server.session import (
    ErrorEvent,
    ServerEventErrorDetails,
    SessionAvatarConnecting,
    SessionCreated,
    SessionUpdated,
)
from voicelive.wire.server_events import KnownServerEvent, ServerEvent
from voicelive.wire.session import SessionConfig

NOW = 100.0


class Sent(Ledger):
    """A ledger whose events are written at once, at one moment."""

    def __init__(self) -> None:
        super().__init__(expire_after_s=15)

    def expect(self, request_id: str, event: KnownClientEvent) -> None:
        self.enter(request_id, event, event.type)
        self.written(request_id, NOW)

    def receive(self, event: ServerEvent, now: float = NOW) -> Confirmed | Refused | None:
        return super().receive(event, now)


def update() -> SessionUpdate:
    return SessionUpdate(session=SessionConfig())


def create_item(item_id: str = "i1") -> ConversationItemCreate:
    return ConversationItemCreate(item=UserMessageItem(id=item_id, content=[]))


def item_created(item_id: str = "i1") -> ServerEvent:
    return decode(json.dumps({"type": "conversation.item.created", "item": {"type": "message", "id": item_id}}))


def refusal(request_id: str | None) -> ErrorEvent:
    return ErrorEvent(error=ServerEventErrorDetails(type="invalid_request_error", code="bad", event_id=request_id))


PAIRS: list[tuple[KnownClientEvent, str, type[KnownServerEvent]]] = [
    (update(), '{"type":"session.updated"}', SessionUpdated),
    (SessionAvatarConnect(client_sdp="x"), '{"type":"session.avatar.connecting"}', SessionAvatarConnecting),
    (RtcCallSdpCreate(sdp_offer="v=0"), '{"type":"rtc.call.sdp.created"}', RtcCallSdpCreated),
    (InputAudioBufferCommit(), '{"type":"input_audio_buffer.committed","item_id":"i9"}', InputAudioBufferCommitted),
    (InputAudioBufferClear(), '{"type":"input_audio_buffer.cleared"}', InputAudioBufferCleared),
    (OutputAudioBufferClear(), '{"type":"output_audio_buffer.cleared"}', OutputAudioBufferCleared),
    (
        create_item(),
        '{"type":"conversation.item.created","item":{"type":"message","id":"i1"}}',
        ConversationItemCreated,
    ),
    (
        ConversationItemRetrieve(item_id="i1"),
        '{"type":"conversation.item.retrieved","item":{"type":"message","id":"i1"}}',
        ConversationItemRetrieved,
    ),
    (
        ConversationItemDelete(item_id="i1"),
        '{"type":"conversation.item.deleted","item_id":"i1"}',
        ConversationItemDeleted,
    ),
    (ResponseCancel(response_id="i1"), '{"type":"response.done","response":{"id":"i1"}}', ResponseDone),
    (
        ConversationItemTruncate(item_id="i1", content_index=0, audio_end_ms=5),
        '{"type":"conversation.item.truncated","item_id":"i1"}',
        ConversationItemTruncated,
    ),
]
every_kind = pytest.mark.parametrize(("asked", "answer", "answer_class"), PAIRS, ids=[pair[0].type for pair in PAIRS])


def test_every_rule_is_tried_here() -> None:
    assert {type(asked) for asked, _, _ in PAIRS} == set(RULES)


@every_kind
def test_a_request_is_confirmed_by_its_event(
    asked: KnownClientEvent, answer: str, answer_class: type[KnownServerEvent]
) -> None:
    ledger = Sent()
    ledger.expect("r1", asked)
    event = decode(answer)

    outcome = ledger.receive(event)

    assert outcome == Confirmed("r1", event)  # type: ignore[arg-type]  # the next line says that it is known
    assert type(event) is answer_class
    assert ledger.receive(event) is None, "it was settled already"


@every_kind
def test_a_request_is_refused_by_the_error_that_names_it(
    asked: KnownClientEvent, answer: str, answer_class: type[KnownServerEvent]
) -> None:
    ledger = Sent()
    ledger.expect("r1", asked)
    error = refusal("r1")

    assert ledger.receive(error) == Refused("r1", error.error)
    assert ledger.receive(decode(answer)) is None, "it was settled already"


@every_kind
def test_no_other_event_settles_a_request(
    asked: KnownClientEvent, answer: str, answer_class: type[KnownServerEvent]
) -> None:
    ledger = Sent()
    ledger.expect("r1", asked)
    strange: list[ServerEvent] = [decode(other) for other_asked, other, _ in PAIRS if other_asked is not asked]
    unnamed = [] if isinstance(asked, RtcCallSdpCreate) else [refusal(None)]  # which concern the call
    strange += [*unnamed, refusal("r2"), SessionCreated(), ResponseAudioDelta(), decode('{"type":"new"}')]

    assert [ledger.receive(event) for event in strange] == [None] * len(strange)
    assert ledger.receive(decode(answer)) is not None


def test_nothing_expected_means_nothing_settled() -> None:
    ledger = Sent()

    assert ledger.receive(SessionUpdated()) is None
    assert ledger.receive(refusal("r1")) is None


def test_where_nothing_is_named_requests_are_confirmed_in_the_order_of_sending() -> None:
    ledger = Sent()
    for request_id in ("r1", "r2", "r3"):
        ledger.expect(request_id, update())

    settled = [ledger.receive(SessionUpdated()) for _ in range(4)]

    assert [outcome and outcome.request_id for outcome in settled] == ["r1", "r2", "r3", None]


def test_where_ids_are_named_they_decide_and_not_the_order() -> None:
    ledger = Sent()
    for number in (1, 2, 3):
        ledger.expect(f"r{number}", create_item(f"i{number}"))

    settled = [ledger.receive(item_created(item_id)) for item_id in ("i3", "i1", "i7", "i2")]

    assert [outcome and outcome.request_id for outcome in settled] == ["r3", "r1", None, "r2"]


def test_an_answer_that_names_nothing_confirms_the_oldest_request() -> None:
    ledger = Sent()
    ledger.expect("r1", ConversationItemDelete(item_id="i1"))
    ledger.expect("r2", ConversationItemDelete(item_id="i2"))

    outcome = ledger.receive(ConversationItemDeleted())

    assert outcome is not None
    assert outcome.request_id == "r1"


@pytest.mark.parametrize("item", [None, {"type": "brand_new"}, {"type": "brand_new", "id": 5}])
def test_an_answer_with_an_odd_item_still_confirms(item: object) -> None:
    ledger = Sent()
    ledger.expect("r1", create_item())

    outcome = ledger.receive(decode(json.dumps({"type": "conversation.item.created", "item": item})))

    assert outcome is not None


def test_a_refusal_reaches_the_one_it_names_and_leaves_the_others_their_order() -> None:
    ledger = Sent()
    for request_id in ("r1", "r2", "r3"):
        ledger.expect(request_id, update())

    refused = ledger.receive(refusal("r2"))
    confirmed = [ledger.receive(SessionUpdated()) for _ in range(3)]

    assert refused is not None
    assert refused.request_id == "r2"
    assert [outcome and outcome.request_id for outcome in confirmed] == ["r1", "r3", None]


def test_a_withdrawn_request_is_neither_confirmed_nor_refused() -> None:
    ledger = Sent()
    ledger.enter("r1", update(), "session.update")
    ledger.expect("r2", update())

    for request_id in ("r1", "r2", "never heard of"):
        ledger.withdraw_unwritten(request_id)

    assert ledger.receive(refusal("r1")) is None
    outcome = ledger.receive(SessionUpdated())
    assert outcome is not None
    assert outcome.request_id == "r2"
    assert ledger.entry("r1", NOW) is None


def test_what_was_not_written_yet_cannot_be_confirmed() -> None:
    ledger = Ledger(15)
    ledger.enter("r1", update(), "session.update")

    assert ledger.receive(SessionUpdated(), NOW) is None
    assert ledger.entry("r1", NOW) == LedgerEntry("r1", "session.update", "waiting")
    assert list(ledger.unanswered()) == []

    ledger.written("r1", NOW)
    assert [entry.event_id for entry in ledger.unanswered()] == ["r1"]
    assert ledger.receive(SessionUpdated(), NOW) is not None


def test_every_entry_says_what_became_of_it() -> None:
    ledger = Sent()
    for request_id in ("confirmed", "rejected", "lost", "sent"):
        ledger.expect(request_id, update())
    ledger.receive(SessionUpdated())
    ledger.receive(refusal("rejected"))
    ledger.settle("lost", "lost")
    ledger.settle("never heard of", "lost")

    assert ledger.entries(NOW) == (
        LedgerEntry("confirmed", "session.update", "confirmed"),
        LedgerEntry("rejected", "session.update", "rejected", "bad"),
        LedgerEntry("lost", "session.update", "lost"),
        LedgerEntry("sent", "session.update", "sent"),
    )
    assert ledger.entry("rejected", NOW) == LedgerEntry("rejected", "session.update", "rejected", "bad")


def test_an_entry_expires_with_time_or_when_nobody_waits_any_more() -> None:
    ledger = Sent()
    ledger.expect("r1", update())

    assert statuses(ledger, NOW + 15) == ["sent"]
    assert statuses(ledger, NOW + 15.1) == ["expired"]
    ledger.expire("r1")
    ledger.expire("never heard of")
    assert statuses(ledger, NOW) == ["expired"]


def test_a_late_answer_settles_an_expired_entry_unless_a_younger_one_waits_for_it() -> None:
    ledger = Sent()
    ledger.expect("old", update())
    ledger.expire("old")
    ledger.expect("young", update())

    settled = [ledger.receive(SessionUpdated()) for _ in range(3)]

    assert [outcome and outcome.request_id for outcome in settled] == ["young", "old", None]


def test_the_last_thousand_settled_entries_and_so_many_open_ones_are_kept() -> None:
    ledger = Sent()
    for number in range(1200):
        ledger.expect(f"r{number}", update())
        ledger.receive(SessionUpdated())
    assert len(ledger.entries(NOW)) == 1000
    assert ledger.entry("r199", NOW) is None
    assert ledger.entry("r200", NOW) is not None

    for number in range(5000):
        ledger.expect(f"s{number}", InputAudioClear())
    assert len(list(ledger.unanswered())) == 4096


def test_a_request_that_was_lost_and_is_made_once_more_has_one_entry() -> None:
    ledger = Sent()
    ledger.expect("r1", update())
    ledger.settle("r1", "lost")
    assert statuses(ledger, NOW) == ["lost"]

    ledger.enter("r1", update(), "session.update")
    assert statuses(ledger, NOW) == ["waiting"]
    ledger.withdraw_unwritten("r1")

    assert statuses(ledger, NOW) == ["lost"]
    ledger.expect("r1", update())
    ledger.settle("r1", "confirmed")
    assert statuses(ledger, NOW) == ["confirmed"]


def statuses(ledger: Ledger, now: float) -> list[str]:
    return [entry.status for entry in ledger.entries(now)]


KINDS: list[KnownClientEvent] = [update(), InputAudioBufferCommit(), create_item("i1"), create_item("i2")]
ANSWERS: list[ServerEvent] = [
    SessionUpdated(),
    InputAudioBufferCommitted(item_id="i9"),
    item_created("i1"),
    item_created("i2"),
    item_created("i3"),
]
steps = st.lists(
    st.one_of(
        st.tuples(st.just("expect"), st.sampled_from(KINDS)),
        st.tuples(st.just("lose"), st.integers(0, 12)),
        st.tuples(st.just("refuse"), st.integers(0, 12)),
        st.tuples(st.just("answer"), st.sampled_from(ANSWERS)),
    ),
    max_size=40,
)


@given(steps)
def test_whatever_the_order_each_request_is_settled_once_and_by_an_answer_of_its_own(
    steps: list[tuple[str, Any]],
) -> None:
    ledger = Sent()
    pending: dict[str, KnownClientEvent] = {}
    for number, (what, detail) in enumerate(steps):
        match what:
            case "expect":
                pending[f"r{number}"] = detail
                ledger.expect(f"r{number}", detail)
            case "lose":
                pending.pop(f"r{detail}", None)
                ledger.settle(f"r{detail}", "lost")
            case "refuse":
                outcome = ledger.receive(refusal(f"r{detail}"))
                assert (outcome is not None) == (f"r{detail}" in pending)
                assert outcome is None or (isinstance(outcome, Refused) and outcome.request_id == f"r{detail}")
                pending.pop(f"r{detail}", None)
            case _:
                outcome = ledger.receive(detail)
                fitting = [name for name, asked in pending.items() if fits(asked, detail)]
                assert (outcome and outcome.request_id) == (fitting[0] if fitting else None)
                assert outcome is None or isinstance(outcome, Confirmed)
                pending.pop(fitting[0] if fitting else "", None)


def fits(asked: KnownClientEvent, answer: Any) -> bool:
    if isinstance(asked, ConversationItemCreate):
        assert asked.item is not None
        return isinstance(answer, ConversationItemCreated) and answer.item.id == asked.item.id  # type: ignore[union-attr]  # both have an item here
    return isinstance(answer, SessionUpdated if isinstance(asked, SessionUpdate) else InputAudioBufferCommitted)

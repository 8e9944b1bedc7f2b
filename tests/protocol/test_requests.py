"""Which event of the service answers which request of ours."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.protocol.requests import RULES, Confirmed, Refused, Requests
from voicelive.wire.client_events import (
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    KnownClientEvent,
    OutputAudioBufferClear,
    SessionAvatarConnect,
    SessionUpdate,
)
from voicelive.wire.codec import decode
from voicelive.wire.items import UserMessageItem
from voicelive.wire.server.conversation import (
    ConversationItemCreated,
    ConversationItemDeleted,
    ConversationItemRetrieved,
    ConversationItemTruncated,
    InputAudioBufferCleared,
    InputAudioBufferCommitted,
)
from voicelive.wire.server.response import OutputAudioBufferCleared, ResponseAudioDelta
from voicelive.wire.server.session import (
    ErrorEvent,
    ServerEventErrorDetails,
    SessionAvatarConnecting,
    SessionCreated,
    SessionUpdated,
)
from voicelive.wire.server_events import KnownServerEvent, ServerEvent
from voicelive.wire.session import SessionConfig


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
    requests = Requests()
    requests.expect("r1", asked)
    event = decode(answer)

    outcome = requests.receive(event)

    assert outcome == Confirmed("r1", event)  # type: ignore[arg-type]  # the next line says that it is known
    assert type(event) is answer_class
    assert requests.receive(event) is None, "it was settled already"


@every_kind
def test_a_request_is_refused_by_the_error_that_names_it(
    asked: KnownClientEvent, answer: str, answer_class: type[KnownServerEvent]
) -> None:
    requests = Requests()
    requests.expect("r1", asked)
    error = refusal("r1")

    assert requests.receive(error) == Refused("r1", error.error)
    assert requests.receive(decode(answer)) is None, "it was settled already"


@every_kind
def test_no_other_event_settles_a_request(
    asked: KnownClientEvent, answer: str, answer_class: type[KnownServerEvent]
) -> None:
    requests = Requests()
    requests.expect("r1", asked)
    strange: list[ServerEvent] = [decode(other) for other_asked, other, _ in PAIRS if other_asked is not asked]
    strange += [refusal(None), refusal("r2"), SessionCreated(), ResponseAudioDelta(), decode('{"type":"new"}')]

    assert [requests.receive(event) for event in strange] == [None] * len(strange)
    assert requests.receive(decode(answer)) is not None


def test_nothing_expected_means_nothing_settled() -> None:
    requests = Requests()

    assert requests.receive(SessionUpdated()) is None
    assert requests.receive(refusal("r1")) is None


def test_an_event_that_nothing_confirms_cannot_be_expected() -> None:
    with pytest.raises(KeyError):
        Requests().expect("r1", InputAudioBufferAppend(audio=b""))


def test_where_nothing_is_named_requests_are_confirmed_in_the_order_of_sending() -> None:
    requests = Requests()
    for request_id in ("r1", "r2", "r3"):
        requests.expect(request_id, update())

    settled = [requests.receive(SessionUpdated()) for _ in range(4)]

    assert [outcome and outcome.request_id for outcome in settled] == ["r1", "r2", "r3", None]


def test_where_ids_are_named_they_decide_and_not_the_order() -> None:
    requests = Requests()
    for number in (1, 2, 3):
        requests.expect(f"r{number}", create_item(f"i{number}"))

    settled = [requests.receive(item_created(item_id)) for item_id in ("i3", "i1", "i7", "i2")]

    assert [outcome and outcome.request_id for outcome in settled] == ["r3", "r1", None, "r2"]


def test_an_answer_that_names_nothing_confirms_the_oldest_request() -> None:
    requests = Requests()
    requests.expect("r1", ConversationItemDelete(item_id="i1"))
    requests.expect("r2", ConversationItemDelete(item_id="i2"))

    outcome = requests.receive(ConversationItemDeleted())

    assert outcome is not None
    assert outcome.request_id == "r1"


@pytest.mark.parametrize("item", [None, {"type": "brand_new"}, {"type": "brand_new", "id": 5}])
def test_an_answer_with_an_odd_item_still_confirms(item: object) -> None:
    requests = Requests()
    requests.expect("r1", create_item())

    outcome = requests.receive(decode(json.dumps({"type": "conversation.item.created", "item": item})))

    assert outcome is not None


def test_a_refusal_reaches_the_one_it_names_and_leaves_the_others_their_order() -> None:
    requests = Requests()
    for request_id in ("r1", "r2", "r3"):
        requests.expect(request_id, update())

    refused = requests.receive(refusal("r2"))
    confirmed = [requests.receive(SessionUpdated()) for _ in range(3)]

    assert refused is not None
    assert refused.request_id == "r2"
    assert [outcome and outcome.request_id for outcome in confirmed] == ["r1", "r3", None]


def test_a_forgotten_request_is_neither_confirmed_nor_refused() -> None:
    requests = Requests()
    requests.expect("r1", update())
    requests.expect("r2", update())

    requests.forget("r1")
    requests.forget("never heard of")

    assert requests.receive(refusal("r1")) is None
    outcome = requests.receive(SessionUpdated())
    assert outcome is not None
    assert outcome.request_id == "r2"


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
        st.tuples(st.just("forget"), st.integers(0, 12)),
        st.tuples(st.just("refuse"), st.integers(0, 12)),
        st.tuples(st.just("answer"), st.sampled_from(ANSWERS)),
    ),
    max_size=40,
)


@given(steps)
def test_whatever_the_order_each_request_is_settled_once_and_by_an_answer_of_its_own(
    steps: list[tuple[str, Any]],
) -> None:
    requests = Requests()
    pending: dict[str, KnownClientEvent] = {}
    for number, (what, detail) in enumerate(steps):
        match what:
            case "expect":
                pending[f"r{number}"] = detail
                requests.expect(f"r{number}", detail)
            case "forget":
                pending.pop(f"r{detail}", None)
                requests.forget(f"r{detail}")
            case "refuse":
                outcome = requests.receive(refusal(f"r{detail}"))
                assert (outcome is not None) == (f"r{detail}" in pending)
                assert outcome is None or (isinstance(outcome, Refused) and outcome.request_id == f"r{detail}")
                pending.pop(f"r{detail}", None)
            case _:
                outcome = requests.receive(detail)
                fitting = [name for name, asked in pending.items() if fits(asked, detail)]
                assert (outcome and outcome.request_id) == (fitting[0] if fitting else None)
                assert outcome is None or isinstance(outcome, Confirmed)
                pending.pop(fitting[0] if fitting else "", None)


def fits(asked: KnownClientEvent, answer: Any) -> bool:
    if isinstance(asked, ConversationItemCreate):
        assert asked.item is not None
        return isinstance(answer, ConversationItemCreated) and answer.item.id == asked.item.id  # type: ignore[union-attr]  # both have an item here
    return isinstance(answer, SessionUpdated if isinstance(asked, SessionUpdate) else InputAudioBufferCommitted)

"""Whatever the service leaves out or nulls, an event is still of its class and is written back unchanged."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.wire import schema
from tests.wire.schema import SERVER, Json

from voicelive import wire
from voicelive.wire.base import Wire

EACH_SERVER_EVENT = pytest.mark.parametrize(
    ("cls", "fields"),
    [pytest.param(wire.SERVER_EVENTS[name], event["fields"], id=name) for name, event in SERVER.items()],
)


def written(value: Wire) -> Any:
    return json.loads(value.model_dump_json(by_alias=True, exclude_unset=True))


@EACH_SERVER_EVENT
def test_a_server_event_decodes_without_any_one_of_its_fields(cls: type[Wire], fields: list[Json]) -> None:
    whole = schema.body(fields, cls)
    for missing in whole.keys() - {"type"}:
        message = {key: value for key, value in whole.items() if key != missing}

        found = wire.decode(json.dumps(message))

        assert type(found) is cls, missing
        assert written(found) == message
        assert repr(getattr(found, schema.wire_names(cls)[missing])), "a missing field has a neutral value"


@EACH_SERVER_EVENT
def test_a_server_event_decodes_with_any_one_of_its_fields_null(cls: type[Wire], fields: list[Json]) -> None:
    whole = schema.body(fields, cls)
    for nulled in whole.keys() - {"type"}:
        message = {**whole, nulled: None}

        found = wire.decode(json.dumps(message))

        assert type(found) is cls, nulled
        assert written(found) == message


@EACH_SERVER_EVENT
def test_a_server_event_decodes_from_its_type_alone(cls: type[Wire], fields: list[Json]) -> None:
    message = {"type": schema.tag(cls, "type")}

    found = wire.decode(json.dumps(message))

    assert type(found) is cls
    assert written(found) == message


@EACH_SERVER_EVENT
def test_a_server_event_decodes_whatever_is_missing_or_null_deeper_inside(cls: type[Wire], fields: list[Json]) -> None:
    whole = schema.body(fields, cls)
    for message in damaged(whole):
        found = wire.decode(json.dumps(message))

        assert type(found) is cls, message
        assert written(found) == message


def damaged(value: Any, *, top: bool = True) -> Iterator[Any]:
    """The same JSON with one key missing or null somewhere inside; the keys of the top level stay."""
    if isinstance(value, list):
        for index, member in enumerate(value):
            for other in damaged(member, top=False):
                yield [*value[:index], other, *value[index + 1 :]]
    elif isinstance(value, dict):
        for key, member in value.items():
            if not top:
                yield {name: other for name, other in value.items() if name != key}
                yield {**value, key: None}
            for other in damaged(member, top=False):
                yield {**value, key: other}


def test_a_client_event_with_a_null_for_a_value_is_not_forgiven() -> None:
    found = wire.decode_client('{"type":"conversation.item.delete","item_id":null}')

    assert isinstance(found, wire.UnknownClientEvent)
    assert found.raw == {"type": "conversation.item.delete", "item_id": None}


@pytest.mark.parametrize(
    "event",
    [
        wire.InputAudioBufferClear(),
        wire.SessionUpdate(session=wire.SessionConfig(temperature=0.5), extra={"new": 1}),
        wire.ConversationItemDelete(item_id="item_1", event_id="old"),
    ],
)
def test_an_event_under_another_id_is_the_same_else_and_the_first_stays(event: wire.KnownClientEvent) -> None:
    before = wire.encode(event)

    named = event.with_id("mine")

    assert named == event.model_copy(update={"event_id": "mine"})
    assert json.loads(wire.encode(named)) == {**json.loads(before), "event_id": "mine"}
    assert wire.encode(event) == before


FAULTY = '{{"type":"response.done","response":{{"id":"r","output":[{}]}}}}'


@pytest.mark.parametrize("count", [10, 100_000])
def test_an_event_that_is_nothing_but_faults_is_kept_whole(count: int) -> None:
    frame = FAULTY.format(",".join(["null"] * count))

    assert json.loads(wire.encode(wire.decode(frame))) == json.loads(frame)


def test_an_event_with_more_faults_than_are_worth_naming_is_kept_as_unknown() -> None:
    found = wire.decode(FAULTY.format(",".join(["null"] * 100_000)))

    assert isinstance(found, wire.UnknownServerEvent)
    assert found.malformed

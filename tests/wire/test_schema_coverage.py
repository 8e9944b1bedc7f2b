"""Every event, object, field, enum value and null of the published schema has its place in ``voicelive.wire``."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter
from tests.wire import schema
from tests.wire.schema import CLIENT, ENUMS, MODELS, OBJECTS, RENAMED_IN_V1, SERVER, UNIONS, Json

from voicelive import wire
from voicelive.wire.base import Unknown, Wire

OPEN_TEXT: Mapping[tuple[str, str], str] = {
    ("AudioInputTranscriptionOptions", "model"): "transcription models come without notice",
    ("AzureRealtimeNativeVoice", "name"): "voices come without notice",
    ("OpenAIVoice", "name"): "voices come without notice",
    ("VideoAvatar", "model"): "base models are for photo avatars; a video avatar only carries what it was sent",
    ("RateLimitsItem", "name"): "the schema calls it a list of examples",
}
"""Fields with listed words that are plain text all the same, and why."""

INLINE_ENUMS: Mapping[str, tuple[str, str]] = {
    "EchoCancellationType": ("AudioEchoCancellation", "type"),
    "FileSearchCallStatus": ("ResponseFileSearchCallItem", "status"),
    "InputTranscriptionModel": ("AudioInputTranscriptionOptions", "model"),
    "NoiseReductionType": ("AudioNoiseReduction", "type"),
    "ResponseCancelReason": ("ResponseCancelledDetails", "reason"),
    "ResponseIncompleteReason": ("ResponseIncompleteDetails", "reason"),
    "SemanticVadEagerness": ("OpenAISemanticVad", "eagerness"),
    "WebSearchCallStatus": ("ResponseWebSearchCallItem", "status"),
}
"""Enums that no field of the schema names: the field they belong to."""

TAG_ENUMS: Mapping[str, str] = {
    "AvatarConfigTypes": "AvatarConfig",
    "AzureVoiceType": "Voice",
    "ContentPartType": "ContentPart",
    "EouModel": "EouDetection",
    "InterimResponseConfigType": "InterimResponseConfig",
    "ItemType": "ResponseItem",
    "ToolType": "Tool",
    "TurnDetectionType": "TurnDetection",
}
"""Enums whose values tell classes apart: the union of these classes."""

OTHER_ENUMS: Mapping[str, str] = {
    "ByomProfile": "a query parameter of the connection, on no message",
    "ClientEventType": "checked against CLIENT_EVENTS",
    "ErrorType": "open text: the service publishes no complete list",
    "OpenAIVoiceName": "also a bare word in Voice",
    "ServerEventType": "checked against SERVER_EVENTS",
    "ToolChoiceLiteral": "a bare word in ToolChoice",
    "V1McpErrorType": "part of the v1 contract only",
}


def owners() -> Iterator[tuple[str, type[Wire], list[Json]]]:
    """Every class that stands for an object or an event of the schema, with the schema's fields."""
    for name, model in OBJECTS.items():
        for cls in schema.classes(name) if "variants" not in model else ():  # a base's fields are on its variants too
            yield name, cls, model["fields"]
    for event_type, event in CLIENT.items():
        if event_type not in wire.BODYLESS_CLIENT_EVENTS:
            yield event_type, wire.CLIENT_EVENTS[event_type], event["fields"]
    for event_type, event in SERVER.items():
        yield event_type, wire.SERVER_EVENTS[event_type], event["fields"]


EACH_OWNER = pytest.mark.parametrize(
    ("cls", "fields"), [pytest.param(cls, fields, id=f"{name}-{cls.__name__}") for name, cls, fields in owners()]
)


@cache
def adapter(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(hint)


def read(hint: Any, value: Any) -> Any:
    """Decode one value as the service's side of the wire would be decoded."""
    return adapter(hint).validate_json(json.dumps(value), strict=True)


def written(value: Wire) -> Any:
    return json.loads(value.model_dump_json(by_alias=True, exclude_unset=True))


def read_field(cls: type[Wire], fields: list[Json], name: str, value: Any) -> tuple[Wire, Any]:
    """An instance with little more than this field, and the field's value on it."""
    message = {**schema.needed(fields, cls), name: value}
    found = read(cls, message)
    assert name not in (found.model_extra or {}), f"{cls.__name__} has no field {name}"
    assert written(found) == message
    return found, getattr(found, schema.wire_names(cls)[name])


# --- names and counts ---------------------------------------------------------------------------------------------


def test_the_schema_is_the_one_that_was_counted() -> None:
    assert (len(CLIENT), len(SERVER), len(OBJECTS), len(UNIONS), len(ENUMS)) == (22, 73, 98, 3, 47)


def test_the_20_client_events_with_a_body_have_a_class_and_the_two_without_have_a_reason() -> None:
    bodyless = {name for name, event in CLIENT.items() if event["model"] is None and event["status"] != "preview"}

    assert set(wire.BODYLESS_CLIENT_EVENTS) == bodyless == {"mcp_approval_response", "transcription_session.update"}
    assert all(len(reason) > 20 for reason in wire.BODYLESS_CLIENT_EVENTS.values())
    assert set(wire.CLIENT_EVENTS) == set(CLIENT) - bodyless
    assert len(wire.CLIENT_EVENTS) == 20
    assert set(ENUMS["ClientEventType"]) <= set(wire.CLIENT_EVENTS) | bodyless


def test_the_73_server_events_have_a_class_and_nothing_else_has_but_what_is_said_here() -> None:
    seen_in_traffic = {"conversation.item.done"}

    assert set(wire.SERVER_EVENTS) == set(SERVER) | set(RENAMED_IN_V1.values()) | seen_in_traffic
    assert set(ENUMS["ServerEventType"]) <= set(SERVER)


@pytest.mark.parametrize("event_type", [*wire.SERVER_EVENTS, *wire.CLIENT_EVENTS])
def test_an_event_class_is_named_after_its_type(event_type: str) -> None:
    cls = wire.SERVER_EVENTS.get(event_type) or wire.CLIENT_EVENTS[event_type]
    dated = {new: old for old, new in RENAMED_IN_V1.items()}.get(event_type, event_type)

    assert cls.__name__ == schema.event_class_name(dated)
    assert getattr(wire, cls.__name__) is cls


@pytest.mark.parametrize("name", [*OBJECTS, *UNIONS])
def test_an_object_of_the_schema_has_a_class_or_a_stand_in(name: str) -> None:
    if name in schema.EMPTY_MARKERS:
        assert OBJECTS[name]["fields"] == []
        assert not hasattr(wire, name)
    else:
        assert schema.classes(name)


@pytest.mark.parametrize("name", schema.STAND_INS)
def test_a_stand_in_is_needed(name: str) -> None:
    assert name in OBJECTS or name in UNIONS
    assert not isinstance(getattr(wire, name, None), type), f"{name} is a class of its own"


def test_every_enum_is_checked_somewhere() -> None:
    named_by_a_field = {
        holder["enum"]
        for model in OBJECTS.values()
        for field in model["fields"]
        for holder in (field, field.get("items", {}), *field.get("any_of", ()))
        if "enum" in holder
    } | {field["enum"] for event in SERVER.values() for field in event["fields"] if "enum" in field}

    assert set(ENUMS) == named_by_a_field | set(INLINE_ENUMS) | set(TAG_ENUMS) | set(OTHER_ENUMS)


# --- fields -------------------------------------------------------------------------------------------------------


@EACH_OWNER
def test_a_whole_object_decodes_into_declared_fields_only(cls: type[Wire], fields: list[Json]) -> None:
    message = schema.body(fields, cls)

    found = read(cls, message)

    assert type(found) is cls
    assert not found.model_extra
    assert written(found) == message


@pytest.mark.parametrize("event_type", wire.CLIENT_EVENTS)
def test_a_whole_client_event_crosses_the_wire(event_type: str) -> None:
    cls = wire.CLIENT_EVENTS[event_type]
    message = schema.body(CLIENT[event_type]["fields"], cls)

    found = wire.decode_client(json.dumps(message))

    assert type(found) is cls
    assert json.loads(wire.encode(found)) == message


@pytest.mark.parametrize("event_type", SERVER)
def test_a_whole_server_event_crosses_the_wire(event_type: str) -> None:
    cls = wire.SERVER_EVENTS[event_type]
    message = schema.body(SERVER[event_type]["fields"], cls)

    found = wire.decode(json.dumps(message))

    assert type(found) is cls
    assert json.loads(wire.encode(found)) == message


@EACH_OWNER
def test_a_field_holds_its_declared_type(cls: type[Wire], fields: list[Json]) -> None:
    for field in fields:
        for kind in field.get("any_of", [field]):
            _, value = read_field(cls, fields, field["name"], schema.value_for({**kind, "name": field["name"]}, cls))

            assert_declared(kind, value)


def assert_declared(field: Json, value: Any) -> None:
    """The Python value is of the type that the schema declares, all the way into lists and objects."""
    match field["type"]:
        case "string" if field.get("encoding") == "base64":
            assert value == schema.SPEECH
        case "string":
            assert isinstance(value, str)
        case "integer" | 'integer|"inf"':
            assert type(value) is int
        case "number":
            assert type(value) is float
        case "boolean":
            assert type(value) is bool
        case "array":
            assert isinstance(value, list)
            for member in value:
                assert_declared(field["items"], member)
        case "object" if "model" in field:
            assert type(value) in schema.classes(field["model"])
        case "object" if "map_of" in field:
            assert isinstance(value, dict)
        case "union" if "union" in field:
            assert type(value) in schema.classes(field["union"])


def test_the_type_of_a_field_is_really_looked_at() -> None:
    """A field declared as text refuses a number: the event comes back whole, as malformed."""
    found = wire.decode('{"type":"response.text.delta","delta":5}')

    assert isinstance(found, wire.UnknownServerEvent)
    assert found.malformed


@EACH_OWNER
def test_a_nullable_field_takes_null_as_none(cls: type[Wire], fields: list[Json]) -> None:
    for field in fields:
        if field["nullable"]:
            found, value = read_field(cls, fields, field["name"], None)

            assert value is None, field["name"]
            assert schema.wire_names(cls)[field["name"]] in found.model_fields_set


# --- enums --------------------------------------------------------------------------------------------------------


def worded_fields() -> Iterator[tuple[type[Wire], list[Json], Json, list[str]]]:
    inline = {place: ENUMS[name] for name, place in INLINE_ENUMS.items()}
    for name, cls, fields in owners():
        for field in fields:
            listed = [*schema.words(field), *inline.get((name, field["name"]), [])]
            for kind in field.get("any_of", ()):
                listed += schema.words(kind)
            is_tag = schema.tag(cls, field["name"]) is not None if field["name"] in ("type", "role") else False
            if listed and not is_tag:
                yield cls, fields, field, list(dict.fromkeys(listed))


WORDED = [
    pytest.param(cls, fields, field, listed, id=f"{cls.__name__}.{field['name']}")
    for cls, fields, field, listed in worded_fields()
]


@pytest.mark.parametrize(("cls", "fields", "field", "listed"), WORDED)
def test_a_listed_word_is_plain_text(cls: type[Wire], fields: list[Json], field: Json, listed: list[str]) -> None:
    for word in listed:
        is_list = field["type"] == "array"
        _, value = read_field(cls, fields, field["name"], [word] if is_list else word)

        assert type(value[0] if is_list else value) is str


@pytest.mark.parametrize(("cls", "fields", "field", "listed"), WORDED)
def test_an_unlisted_word_says_so_and_survives(
    cls: type[Wire], fields: list[Json], field: Json, listed: list[str]
) -> None:
    is_list = field["type"] == "array"
    _, value = read_field(cls, fields, field["name"], ["nobody-knows"] if is_list else "nobody-knows")

    expected = str if (cls.__name__, field["name"]) in OPEN_TEXT else wire.Unlisted
    assert type(value[0] if is_list else value) is expected


def test_open_text_still_suggests_the_listed_words() -> None:
    plain = {"VideoAvatar", "RateLimitsItem"}
    for cls, _, field, listed in worded_fields():
        if (cls.__name__, field["name"]) in OPEN_TEXT and cls.__name__ not in plain:
            assert set(listed) == set(get_args(get_args(cls.model_fields[field["name"]].annotation)[0]))


def test_every_exception_for_open_text_is_needed() -> None:
    checked = {(cls.__name__, field["name"]) for cls, _, field, _ in worded_fields()}

    assert set(OPEN_TEXT) <= checked


@pytest.mark.parametrize("word", ENUMS["ToolChoiceLiteral"])
def test_tool_choice_is_a_mode_word(word: str) -> None:
    assert type(read(wire.ToolChoice, word)) is str
    assert type(read(wire.ToolChoice, "nobody-knows")) is wire.Unlisted


@pytest.mark.parametrize("word", [*ENUMS["OpenAIVoiceName"], "nobody-knows"])
def test_a_voice_is_also_a_bare_name(word: str) -> None:
    assert read(wire.Voice, word) == word


# --- classes told apart -------------------------------------------------------------------------------------------

TAGGED = [
    pytest.param(entry["base"], entry["key"], word, model, id=f"{entry['base']}-{word}")
    for entry in MODELS["discriminators"]
    for word, model in entry["map"].items()
]


@pytest.mark.parametrize(("base", "key", "word", "model"), TAGGED)
def test_a_discriminator_leads_to_its_class(base: str, key: str, word: str, model: str) -> None:
    message = {**schema.sample_of(model), key: word}

    found = read(schema.annotation(base), message)

    assert type(found) in schema.classes(model)
    assert written(found) == message


@pytest.mark.parametrize(
    ("base", "key"),
    [(entry["base"], entry["key"]) for entry in MODELS["discriminators"] if entry["base"] != "ToolChoiceSelection"],
)
def test_an_unknown_kind_is_kept_whole(base: str, key: str) -> None:
    message = {key: "nobody-knows", "more": {"inside": [1, None]}}

    if base in ("AzureVoice", "MessageItem"):
        base = {"AzureVoice": "Voice", "MessageItem": "ConversationRequestItem"}[base]
    found = read(schema.annotation(base), message)

    assert isinstance(found, Unknown)
    assert found.raw == message == written(found)


@pytest.mark.parametrize(("name", "word"), [(union, word) for name, union in TAG_ENUMS.items() for word in ENUMS[name]])
def test_every_listed_kind_has_a_class(name: str, word: str) -> None:
    keys = {"EouDetection": "model"}

    assert word in {schema.tag(cls, keys.get(name, "type")) for cls in schema.classes(name)}


@pytest.mark.parametrize(("dated", "renamed"), RENAMED_IN_V1.items())
def test_an_event_renamed_in_v1_decodes_to_the_dated_class(dated: str, renamed: str) -> None:
    cls = wire.SERVER_EVENTS[dated]
    message = {**schema.body(SERVER[dated]["fields"], cls), "type": renamed}

    found = wire.decode(json.dumps(message))

    assert type(found) is cls
    assert found.type == renamed
    assert written(found) == message

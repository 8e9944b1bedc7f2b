"""No repr shows speech, text of a conversation or a secret; ids, types, codes, names and numbers may show."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter
from tests.wire import schema
from tests.wire.schema import Json

from voicelive import wire
from voicelive.errors import ConfigurationError
from voicelive.wire.base import Settings, Wire

MARKER = "XYZZY-5ecret"
MARKED_AUDIO = base64.b64encode(MARKER.encode()).decode()
MARKED_NUMBER = 7_654_321.5

WITHHELD = {
    *("audio", "delta", "text", "texts", "transcript", "words", "phrases", "token", "bytes", "logprobs", "frames"),
    *("instructions", "additional_instructions", "appended_text_after_truncation", "prompt", "phrase_list"),
    *("arguments", "output", "query", "queries", "pattern", "annotation", "invoke_input", "metadata", "attributes"),
    *("message", "error", "reason"),  # the service's sentences may quote what was said
    *("client_sdp", "server_sdp", "sdp_offer", "sdp_answer", "username", "credential"),
    *("authorization", "headers", "server_url", "image_url", "custom_lexicon_url", "custom_text_normalization_url"),
}
"""Keys of the schema whose free-form values never show."""

SHOWN = {
    *("id", "type", "object", "role", "name", "model", "model_name", "status", "code", "param", "operation", "codec"),
    *("language", "languages", "locale", "prefer_locales", "style", "pitch", "rate", "volume", "character", "color"),
    *("conversation", "custom_speech", "description", "parameters", "input_schema", "annotations", "server_label"),
    *("allowed_tools", "require_approval", "agent_name", "agent_version", "project_name", "filename", "url", "urls"),
    *("foundry_resource_override", "error_code", "obfuscation", "top_left", "bottom_right", "max_output_tokens"),
    *("max_response_output_tokens", "tool_choice", "animation"),
}
"""Keys of the schema with free-form values that may show: what a developer needs to tell things apart."""

MAY_SHOW_AFTER_ALL = {
    "realtime.call.transfer.succeeded": "reason",  # a SIP phrase
    "realtime.call.transfer.failed": "reason",
}


def owners() -> Iterator[tuple[str, type[Wire], list[Json]]]:
    for name, model in schema.OBJECTS.items():
        for cls in schema.classes(name) if "variants" not in model else ():
            yield name, cls, model["fields"]
    for classes, events in ((wire.CLIENT_EVENTS, schema.CLIENT), (wire.SERVER_EVENTS, schema.SERVER)):
        for event_type, event in events.items():
            if event_type in classes:
                yield event_type, classes[event_type], event["fields"]


def is_free_form(field: Json) -> bool:
    """Text or more that no list and no class of ours bounds."""
    kinds = [field, *field.get("any_of", ()), field.get("items", {})]
    if any(key in kind for kind in kinds for key in ("const", "enum", "values", "model", "union")):
        return False
    return field["type"] in ("string", "any", "object", "array", "union") and not field["name"].endswith("_id")


def marked(field: Json) -> Any:
    """A value of the field's type that holds the marker wherever it can."""
    if field.get("encoding") == "base64":
        return MARKED_AUDIO
    match field["type"]:
        case "string":
            return MARKER
        case "array":
            return [marked(field["items"])]
        case "union":
            return marked(field["any_of"][0])
        case "integer":
            return int(MARKED_NUMBER)
        case "number":
            return MARKED_NUMBER
        case _:
            return {"a": MARKER}


FIELDS = [
    pytest.param(cls, fields, field, id=f"{name}.{field['name']}")
    for name, cls, fields in owners()
    for field in fields
    if is_free_form(field) and field["name"] in WITHHELD and MAY_SHOW_AFTER_ALL.get(name) != field["name"]
]


def assert_nothing_shows(value: object) -> None:
    for text in (repr(value), str(value), f"{value}", repr([value]), repr({"a": value})):
        for secret in (MARKER, MARKED_AUDIO, str(int(MARKED_NUMBER)), repr(MARKER.encode())):
            assert secret not in text


def test_every_free_form_field_is_decided_upon() -> None:
    found = {field["name"] for _, _, fields in owners() for field in fields if is_free_form(field)}

    assert found <= WITHHELD | SHOWN
    assert not WITHHELD & SHOWN


@pytest.mark.parametrize(("cls", "fields", "field"), FIELDS)
def test_a_withheld_field_shows_nothing(cls: type[Wire], fields: list[Json], field: Json) -> None:
    message = {**schema.needed(fields, cls), field["name"]: marked(field)}

    found = TypeAdapter(cls).validate_json(json.dumps(message), strict=True)

    assert MARKER in found.model_dump_json() or MARKED_AUDIO in found.model_dump_json() or "765432" in repr(message)
    assert f"{field['name']}=<" in repr(found)
    assert_nothing_shows(found)
    if issubclass(cls, Settings):
        try:
            assert_nothing_shows(cls(**{name: getattr(found, name) for name in found.model_fields_set}))
        except ConfigurationError as refusal:  # the sample of the schema need not be what an application may write
            assert_nothing_shows(refusal)


@pytest.mark.parametrize("event_type", [*schema.SERVER, *wire.CLIENT_EVENTS])
def test_a_whole_event_shows_nothing_at_any_depth(event_type: str) -> None:
    is_server = event_type in schema.SERVER
    cls = wire.SERVER_EVENTS[event_type] if is_server else wire.CLIENT_EVENTS[event_type]
    fields = (schema.SERVER if is_server else schema.CLIENT)[event_type]["fields"]
    message = with_markers(schema.body(fields, cls))

    found = (wire.decode if is_server else wire.decode_client)(json.dumps(message))

    assert type(found) is cls
    if event_type not in MAY_SHOW_AFTER_ALL:
        assert_nothing_shows(found)


def with_markers(value: Any, *, withheld: bool = False) -> Any:
    """The same JSON with the marker for every text of a withheld key, also in lists and free-form objects."""
    if isinstance(value, dict):
        free_form = value.keys() <= {"free", "key"}
        return {
            key: with_markers(member, withheld=key in WITHHELD or (withheld and free_form))
            for key, member in value.items()
        }
    if isinstance(value, list):
        return [with_markers(member, withheld=withheld) for member in value]
    marks = {"text": MARKER, "form": MARKER, schema.SPEECH_BASE64: MARKED_AUDIO}
    return marks.get(value, value) if withheld and isinstance(value, str) else value


@pytest.mark.parametrize(
    "message",
    [
        {"type": "nobody.knows", "words": MARKER, "delta": MARKED_AUDIO},
        {"type": "response.text.delta", "delta": {"a": MARKER}},
        {"type": "response.text.delta", "delta": "a", "brand_new": MARKER},
        {"type": "response.text.done", "text": f"\ud800{MARKER}"},
        {"type": "byom_credential.updated", "authorization_headers": {"Authorization": MARKER}},
        {"type": "session.updated", "session": {"turn_detection": {"type": "new_vad", "words": MARKER}}},
        {"type": "session.updated", "session": {"turn_detection": {"type": "server_vad", "extra": MARKER}}},
        {"type": "conversation.item.created", "item": {"type": "new_item", "text": MARKER}},
    ],
    ids=["unknown", "malformed", "more keys", "surrogate", "credential", "unknown inside", "key extra", "unknown item"],
)
def test_what_is_unknown_shows_its_kind_and_keys_only(message: dict[str, Any]) -> None:
    found = wire.decode(json.dumps(message))

    assert_nothing_shows(found)
    assert message["type"] in repr(found)


def test_a_key_that_is_not_modelled_shows_its_name() -> None:
    found = wire.decode('{"type":"response.text.delta","event_id":"event_1","delta":"hello","brand_new":"world"}')

    assert repr(found) == (
        "ResponseTextDelta(event_id='event_1', type='response.text.delta', delta=<5 characters>, "
        "more_keys=['brand_new'])"
    )


def test_audio_shows_its_size() -> None:
    assert repr(wire.InputAudioBufferAppend(audio=bytes(960))) == (
        "InputAudioBufferAppend(type='input_audio_buffer.append', audio=<960 bytes>)"
    )


def test_an_extra_key_of_an_application_shows_its_name_only() -> None:
    assert_nothing_shows(wire.SessionConfig(extra={"a_key": MARKER}))
    assert "a_key" in repr(wire.SessionConfig(extra={"a_key": MARKER}))

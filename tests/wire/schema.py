"""The published schema as test data, and JSON built from it.

Reads ``tests/data/schema``; knows which class stands for which name of the schema, and nothing about how a class works.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin

from voicelive import wire
from voicelive.wire.base import Unknown, Wire

Json: TypeAlias = dict[str, Any]

DATA = Path(__file__).parents[1] / "data"
EVENTS: Json = json.loads((DATA / "schema/events.json").read_text())
MODELS: Json = json.loads((DATA / "schema/models.json").read_text())

ENUMS: Mapping[str, list[str]] = {enum["name"]: [v["value"] for v in enum["values"]] for enum in MODELS["enums"]}
OBJECTS: Mapping[str, Json] = {m["name"]: m for m in MODELS["models"] if m["kind"] == "object" and m["status"] != "v1"}
UNIONS: Mapping[str, Json] = {m["name"]: m for m in MODELS["models"] if m["kind"] == "union"}
CLIENT: Mapping[str, Json] = {event["type"]: event for event in EVENTS["client_events"]}
SERVER: Mapping[str, Json] = {event["type"]: event for event in EVENTS["server_events"]}
RENAMED_IN_V1: Mapping[str, str] = EVENTS["v1_contract"]["renamed"]

_BASE = "the schema's common base; the classes told apart by its discriminator stand for it"
STAND_INS: Mapping[str, tuple[str, str]] = {
    "RequestSession": ("SessionConfig", "what applications write is named for them"),
    "ResponseSession": ("SessionResource", "must not be taken for what applications write"),
    "AvatarConfig": ("AvatarConfig", "two kinds with different rules: VideoAvatar and PhotoAvatar"),
    "AzureVoice": ("AzureVoice", _BASE),
    "ContentPart": ("ContentPart", _BASE),
    "ConversationRequestItem": ("ConversationRequestItem", _BASE),
    "EouDetection": ("EouDetection", _BASE),
    "InterimResponseConfigBase": ("InterimResponse", _BASE),
    "InterimResponseConfig": ("InterimResponse", _BASE),
    "MessageContentPart": ("MessageContentPart", _BASE),
    "MessageItem": ("MessageItem", _BASE),
    "ResponseItem": ("ResponseItem", _BASE),
    "ResponseStatusDetails": ("ResponseStatusDetails", _BASE),
    "Tool": ("Tool", _BASE),
    "ToolChoice": ("ToolChoice", "a mode word or a forced function"),
    "TurnDetection": ("TurnDetection", _BASE),
    "Voice": ("Voice", "a bare name or an object"),
}
"""Names of the schema that are no class of that name here: what stands for them, and why."""

EMPTY_MARKERS: Mapping[str, str] = {
    "ConversationItemBase": "an empty type of the schema, nothing refers to it",
    "SessionBase": "an empty type of the schema, nothing refers to it",
}
"""Names of the schema that nothing stands for, and why."""

SPEECH = b"\xfb\xef\xff\x00\x01"
"""Media bytes whose base64 needs both characters that the URL-safe alphabet replaces."""
SPEECH_BASE64 = "++//AAE="


def annotation(name: str) -> Any:
    """The class or union that stands for a name of the schema."""
    return getattr(wire, STAND_INS[name][0] if name in STAND_INS else name)


def members(hint: Any) -> Iterator[type[Wire]]:
    """The classes of a type hint, those for unknown things left out."""
    if isinstance(hint, type) and issubclass(hint, Wire):
        if not issubclass(hint, Unknown):
            yield hint
    elif get_origin(hint) in (Union, UnionType, Annotated):
        for part in get_args(hint):
            yield from members(part)


@cache
def classes(name: str) -> tuple[type[Wire], ...]:
    """The classes that stand for an object of the schema."""
    return () if name in EMPTY_MARKERS else tuple(dict.fromkeys(members(annotation(name))))


def event_class_name(event_type: str) -> str:
    """CamelCase of the type string; two names would hide builtins or say too little alone."""
    if event_type in ("error", "warning"):
        return f"{event_type.title()}Event"
    return "".join(word[0].upper() + word[1:] for word in re.split(r"[._]", event_type))


def wire_names(cls: type[Wire]) -> dict[str, str]:
    """Key on the wire to field name."""
    return {field.alias or name: name for name, field in cls.model_fields.items() if name != "extra"}


def tag(cls: type[Wire], key: str) -> str | None:
    """The constant that a class answers to; the first where it answers to several."""
    field = cls.model_fields[wire_names(cls)[key]]
    return field.default if isinstance(field.default, str) and field.default else None


def sample(field: Json) -> Any:
    """A JSON value of the field's declared type."""
    if "const" in field:
        return field["const"]
    if "enum" in field or "values" in field:
        return words(field)[0]
    if field.get("encoding") == "base64":
        return SPEECH_BASE64
    match field["type"]:
        case "array":
            return [sample(field["items"])]
        case "union":
            return sample_of(field["union"]) if "union" in field else sample(field["any_of"][0])
        case "object" if "model" in field:
            return sample_of(field["model"])
        case "object":
            return {"key": ["one", "two"]} if field.get("map_of") == "array" else {"key": "text"}
        case plain:
            plain_samples = {"string": "text", "integer": 7, "number": 0.25, "boolean": True, 'integer|"inf"': 7}
            return {"free": ["form", 1, None]} if plain == "any" else plain_samples[plain]


def words(field: Json) -> list[str]:
    """The values that the schema lists for a field, or for the members of a list."""
    if "enum" in field.get("items", {}):
        return words(field["items"])
    named: list[str] = ENUMS[field["enum"]] if "enum" in field else []
    return list(dict.fromkeys([*named, *field.get("values", [])]))


@cache
def _sample_text(name: str) -> str:
    if name in UNIONS:
        first = next(kind["model"] for kind in UNIONS[name]["any_of"] if "model" in kind)
        return _sample_text(first)
    model = OBJECTS[name]
    if "variants" in model:
        return _sample_text(next(iter(model["variants"].values())))
    return json.dumps(body(model["fields"], classes(name)[-1]))


def sample_of(name: str) -> Any:
    """A whole JSON object for a name of the schema, every field present; bases give their first variant."""
    return json.loads(_sample_text(name))


def body(fields: list[Json], cls: type[Wire]) -> Json:
    """JSON with all these fields, the constants those of the class."""
    return {field["name"]: value_for(field, cls) for field in fields}


def value_for(field: Json, cls: type[Wire]) -> Any:
    """A sample; for the keys that tell classes apart, the word of this class."""
    is_tag = field["name"] in ("type", "role", "model") and field["name"] in wire_names(cls)
    return (tag(cls, field["name"]) if is_tag else None) or sample(field)


def needed(fields: list[Json], cls: type[Wire]) -> Json:
    """The least JSON that makes an instance of the class."""
    required = {name for name, field in wire_names(cls).items() if cls.model_fields[field].is_required()}
    tags = {"type", "role", "model"} & {f["name"] for f in fields if f["name"] in wire_names(cls)}
    return {f["name"]: value_for(f, cls) for f in fields if f["name"] in required | {t for t in tags if tag(cls, t)}}

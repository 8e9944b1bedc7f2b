"""Frames that nobody would send on purpose: Hypothesis strategies, shared by the tests and by ``make fuzz``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from hypothesis import strategies as st
from tests.support.histories import RECORDINGS, SCENARIOS, messages_of
from tests.wire import schema

from voicelive import wire

__all__ = ["BODIES", "CLIENT_BODIES", "JSON", "SERVER_BODIES", "damaged", "frames", "scenes"]

ODD_KEYS: Final = [
    *("type", "kind", "extra", "event_id", "session", "item", "raw", "known", "malformed", "always_sent"),
    *("self", "cls", "data", "context", "values", "_fields_set", "__class__", "__dict__", "__init__", "_accept"),
    *("model_config", "model_fields", "model_extra", "model_fields_set", "model_construct", "model_dump"),
    *("__pydantic_extra__", "__pydantic_fields_set__", "__pydantic_private__", "", "\ud800", "\x00", "naïve"),
]
KEYS: Final = st.sampled_from(ODD_KEYS) | st.text(max_size=5)
SURROGATES: Final = st.sampled_from(["\ud800", "\udfff\ud800", "a\udc00b"])
WORDS: Final = st.text(max_size=8) | SURROGATES | st.sampled_from(["unknown", "inf", "++//", "_-8"])
EDGES: Final = st.sampled_from([1e400, -0.0, 24000.0, 2**53 + 1, 10**400])
SCALARS: Final = st.none() | st.booleans() | st.integers() | st.floats() | EDGES | WORDS
JSON: Final = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def _bodies(classes: Any, events: Any) -> list[Any]:
    found = ((classes.get(name), event) for name, event in events.items())
    return [schema.body(event["fields"], cls) for cls, event in found if cls is not None]


SERVER_BODIES: Final = _bodies(wire.SERVER_EVENTS, schema.SERVER)
CLIENT_BODIES: Final = _bodies(wire.CLIENT_EVENTS, schema.CLIENT)
_RECORDED: Final = [
    [message for side, message in messages_of(path) if side == "server"] for path in (*RECORDINGS, *SCENARIOS)
]
BODIES: Final = [*SERVER_BODIES, *CLIENT_BODIES]


@st.composite
def damaged(draw: st.DrawFn, bodies: Sequence[Any]) -> Any:
    """A valid event after a few changes at any depth: keys gone, new or of another type."""
    event = json.loads(json.dumps(draw(st.sampled_from(bodies))))
    damage(draw, event, draw(st.integers(1, 4)))
    return event


def damage(draw: st.DrawFn, event: Any, changes: int) -> None:
    """Change an event in so many places."""
    for _ in range(changes):
        container, key = draw(st.sampled_from(list(places(event)) or [(event, "type")]))
        match draw(st.sampled_from(["delete", "replace", "null", "add"])):
            case "delete":
                container.pop(key, None) if isinstance(container, dict) else container.clear()
            case "replace":
                container[key] = draw(JSON | EDGES)
            case "null":
                container[key] = None
            case _ if isinstance(container, dict):
                container[draw(KEYS)] = draw(JSON)
            case _:
                container.append(draw(JSON))


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with each of its keys or indices."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in list(members):
        yield value, key
        yield from places(member)


@st.composite
def related(draw: st.DrawFn, bodies: Sequence[Any], ids: Sequence[str]) -> Any:
    """A valid event whose ids are among a few, so that several of them are about the same things."""
    event = json.loads(json.dumps(draw(st.sampled_from(bodies))))
    for container, key in list(places(event)):
        if isinstance(key, str) and isinstance(container[key], str) and (key == "id" or key.endswith("_id")):
            container[key] = draw(st.sampled_from(ids))
    return event


def frames(bodies: Sequence[Any], ids: Sequence[str]) -> st.SearchStrategy[str | bytes]:
    """Frames of one direction: valid, damaged, any JSON, and no JSON at all."""
    events = related(bodies, ids) | related(bodies, ids) | damaged(bodies) | JSON
    return events.map(json.dumps) | st.binary(max_size=60) | st.text(max_size=60)


@st.composite
def scenes(draw: st.DrawFn) -> list[str]:
    """What a service said in a recorded scenario, with events missing, doubled, out of order and damaged."""
    events = draw(st.sampled_from(_RECORDED))
    begin = draw(st.integers(0, max(0, len(events) - 5)))
    said: list[str] = []
    for event in events[begin : begin + draw(st.integers(5, 40))]:
        match draw(st.sampled_from(["keep"] * 8 + ["drop", "double", "swap", "damage"])):
            case "drop":
                continue
            case "double":
                said += [json.dumps(event)] * 2
            case "swap":
                said.insert(max(0, len(said) - 1), json.dumps(event))
            case "damage":
                event = json.loads(json.dumps(event))
                damage(draw, event, draw(st.integers(1, 2)))
                said.append(json.dumps(event))
            case _:
                said.append(json.dumps(event))
    return said

"""Text frame to event and back: the only place that sees JSON.

Decoding is strict about types, because lax parsing loses information (``"5"`` would become 5), and generous about
everything else: what does not fit a class comes back whole as ``UnknownServerEvent``. Only a frame that is not a
JSON object raises.
"""

import json
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from pybase64 import b64encode
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from voicelive.errors import ConfigurationError, DecodeError
from voicelive.wire.base import Unknown, Wire, to_base64
from voicelive.wire.client_events import ClientEvent, InputAudioBufferAppend, UnknownClientEvent
from voicelive.wire.server_events import SERVER_EVENTS, KnownServerEvent, ServerEvent, UnknownServerEvent
from voicelive.wire.shortcut import WORTH_BYTES, media_event

__all__ = ["decode", "decode_client", "encode"]

_U = TypeVar("_U", bound=Unknown)

_APPEND_FIELDS = frozenset({"type", "audio"})
_MOST_PROBLEMS = 1000  # nulls and gaps of one event, each counted once for every class that was tried


@cache
def _parse() -> Callable[..., ServerEvent]:
    """The adapter's own validator: the adapter would look at options that are never given, for every frame."""
    return TypeAdapter[ServerEvent](ServerEvent).validator.validate_json


@cache
def _client_adapter() -> TypeAdapter[ClientEvent]:
    return TypeAdapter(ClientEvent)


def decode(frame: str | bytes) -> ServerEvent:
    """The server event in a frame.

    An unknown type, or a known one whose fields do not fit, is an ``UnknownServerEvent`` that holds everything.
    A null where a value should be counts as absent, and is written back all the same.

    Raises:
        DecodeError: The frame is not a JSON object.
    """
    if len(frame) >= WORTH_BYTES and isinstance(frame, bytes):
        media = media_event(frame, _parse())
        if media is not None:
            return media
    try:
        event = _parse()(frame, strict=True)
    except ValidationError:
        return _salvage(frame, UnknownServerEvent)
    return _reread(event) if type(event) is UnknownServerEvent else event


def decode_client(frame: str | bytes) -> ClientEvent:
    """The client event in a frame; for the service's side of the wire: what does not fit is not forgiven.

    Raises:
        DecodeError: The frame is not a JSON object.
    """
    try:
        return _client_adapter().validate_json(frame, strict=True)
    except ValidationError:
        return _salvage(frame, UnknownClientEvent)


def encode(event: Wire) -> str | bytes:
    """The frame of an event: compact JSON, set fields only, explicit ``None`` as null.

    Bytes are UTF-8 text; a ``str`` comes back only for text with lone surrogates, escaped, and for deep nesting.

    Raises:
        ConfigurationError: A free-form value, such as a tool's ``parameters``, is nothing that JSON can say.
    """
    if type(event) is InputAudioBufferAppend and event.model_fields_set == _APPEND_FIELDS and not event.extra:
        return encode_audio(event.audio)
    if not isinstance(event, Unknown):
        event.__pydantic_fields_set__.add("type")  # constructed server events leave it to us
    try:
        return event.__pydantic_serializer__.to_json(event, by_alias=True, exclude_unset=True)
    except ValueError:  # also where pydantic takes deep nesting for a circle
        plain = event.raw if isinstance(event, Unknown) else event.model_dump(by_alias=True, exclude_unset=True)
        return json.dumps(plain, ensure_ascii=True, separators=(",", ":"), default=_media)


def encode_audio(audio: bytes) -> bytes:
    """The frame of ``input_audio_buffer.append``: a constant envelope, because it is sent fifty times a second."""
    return b'{"type":"input_audio_buffer.append","audio":"' + b64encode(audio) + b'"}'


def _salvage(frame: str | bytes, unknown: type[_U]) -> _U:
    """A second try with a parser that takes what pydantic's does not: lone surrogates, deep nesting, long integers."""
    try:
        found: Any = json.loads(frame)
    except (ValueError, RecursionError) as error:
        problem = "nested too deeply" if isinstance(error, RecursionError) else _without_content(error)
        raise DecodeError(problem, len(frame)) from None
    if not isinstance(found, dict):
        raise DecodeError(f"JSON {type(found).__name__} instead of an object", len(frame)) from None
    event = unknown.model_construct()
    assert event.__pydantic_extra__ is not None, "extra='allow' always makes the dict"
    event.__pydantic_extra__.update(found)  # not as arguments: the parameters' own names are keys like any other
    return event


def _without_content(error: ValueError) -> str:
    """What a parser says, without the piece of the frame that it may quote."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    if isinstance(error, UnicodeDecodeError):
        return f"invalid UTF-8 at byte {error.start}"
    return "a number is too long"


def _reread(event: UnknownServerEvent) -> ServerEvent:
    """A known event with nulls or gaps where values should be: what does not fit counts as absent, but is kept."""
    cls = SERVER_EVENTS.get(event.kind or "")
    if cls is None:
        return event
    message = {key: dict(value) if isinstance(value, dict) else value for key, value in event.raw.items()}
    aside: dict[tuple[str, ...], Any] = {}
    problems = _problems(cls, message)
    if problems is None:
        return event
    for problem in problems:
        if problem["type"] != "missing" and problem["input"] is not None:
            return event
        aside.update(_cut(message, problem["loc"]))
    if _problems(cls, message) != []:
        return event
    found: Any = cls.__pydantic_validator__.validate_json(json.dumps(message), strict=True)
    for path, value in aside.items():
        owner = found if len(path) == 1 else getattr(found, path[0])
        owner.__pydantic_extra__[path[-1]] = value
    return found  # type: ignore[no-any-return]  # what a class validates is an instance of it


def _problems(cls: type[KnownServerEvent], message: dict[str, Any]) -> list[ErrorDetails] | None:
    """What does not fit; ``None``: so much that naming it all would hold up the event loop."""
    try:
        cls.__pydantic_validator__.validate_json(json.dumps(message), strict=True)
    except ValidationError as error:
        if error.error_count() > _MOST_PROBLEMS:
            return None
        return error.errors(include_url=False, include_context=False)
    return []


def _cut(message: dict[str, Any], place: tuple[str | int, ...]) -> dict[tuple[str, ...], Any]:
    """Take out the value at fault: a key of the event, or a key of an object right below it."""
    path = tuple(map(str, place[:2]))
    owner = message.get(path[0])
    if len(path) == 1 or not isinstance(owner, dict):
        owner, path = message, path[:1]
    return {path: owner.pop(path[-1])} if path[-1] in owner else {}


def _media(value: object) -> str:
    if isinstance(value, bytes):
        return to_base64(value)
    raise ConfigurationError(f"a {type(value).__name__} cannot be sent; allowed: what JSON can say") from None

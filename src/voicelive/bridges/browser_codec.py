"""Messages of a web page in frames: read generously, written strictly.

Binary frames are voice: signed 16-bit little-endian samples, mono, at the rate of the start message, both ways. Text
frames are JSON objects with a ``type``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from voicelive.bridges import fields
from voicelive.bridges.browser_messages import (
    Audio,
    AvatarAnswer,
    AvatarOffer,
    AvatarState,
    Command,
    End,
    Failure,
    Flush,
    IceServers,
    Interrupt,
    Message,
    Played,
    SessionState,
    Start,
    Stop,
    Text,
    Tool,
    Transcript,
    Voice,
)
from voicelive.bridges.events import BrokenMessage, UnknownMessage

__all__ = ["decode", "encode"]

_NAMES: Final[dict[type[Any], str]] = {
    Audio: "audio",
    Flush: "flush",
    Transcript: "transcript",
    Tool: "tool",
    SessionState: "session",
    IceServers: "avatar.ice_servers",
    AvatarAnswer: "avatar.answer",
    AvatarState: "avatar.state",
    Failure: "error",
    End: "end",
}


def decode(data: str | bytes) -> Message:
    """The message in one frame of a page. Never raises."""
    if isinstance(data, bytes):
        return Voice(data)
    message = fields.load(data)
    if isinstance(message, BrokenMessage):
        return message
    kind = message.get("type")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        return UnknownMessage(kind if isinstance(kind, str) else "", message)
    try:
        return read(message)
    except fields.MisfitError as misfit:
        return BrokenMessage(f"{kind}: {misfit}", len(data))


def encode(command: Command) -> str:
    """The text frame that tells a page something; what is ``None`` is left out."""
    content = {name: value for name, value in asdict(command).items() if value is not None}
    return json.dumps({"type": _NAMES[type(command)], **content})


def _start(message: Mapping[str, Any]) -> Start:
    return Start(
        version=int(fields.number(message, "version")),
        rate_hz=int(fields.number(message, "rate_hz", 24_000)),
        parameters=fields.texts(message, "parameters"),
    )


def _played(message: Mapping[str, Any]) -> Played:
    ms = fields.number(message, "ms")
    if ms < 0:
        raise fields.MisfitError("ms is negative")
    return Played(fields.text(message, "item_id"), ms)


def _unicode(message: Mapping[str, Any], name: str) -> str:
    found = fields.text(message, name)
    if not found.isascii() and any("\ud800" <= character <= "\udfff" for character in found):
        raise fields.MisfitError(f"{name} holds half a character")  # JSON can write one, and no frame can carry it on
    return found


_READERS: Final[dict[str, Callable[[Mapping[str, Any]], Message]]] = {
    "start": _start,
    "played": _played,
    "text": lambda message: Text(_unicode(message, "text")),
    "interrupt": lambda _: Interrupt(),
    "avatar.offer": lambda message: AvatarOffer(_unicode(message, "sdp")),
    "stop": lambda _: Stop(),
}

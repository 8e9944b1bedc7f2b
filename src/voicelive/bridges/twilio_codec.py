"""Messages of Twilio Media Streams: read generously, written strictly.

Source: https://www.twilio.com/docs/voice/media-streams/websocket-messages. Twilio reports every message with a missing
or an extra field (warning 31951), so what is written has exactly the documented keys.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, assert_never

from pybase64 import b64encode

from voicelive.bridges import fields
from voicelive.bridges.events import BrokenMessage, Dtmf, UnknownMessage

__all__ = ["Clear", "Command", "Connected", "Mark", "Media", "Message", "Start", "Stop", "decode", "encode"]


@dataclass(frozen=True, slots=True)
class Connected:
    """The first message of a stream; it says nothing of the call yet."""

    protocol: str
    version: str


@dataclass(frozen=True, slots=True)
class Start:
    """What the stream is.

    Attributes:
        stream_sid: The stream's id, 34 characters, ``MZ`` first.
        call_sid: The call's id, ``CA`` first.
        account_sid: The account's id, ``AC`` first. Compare it with your own.
        parameters: The ``<Parameter>`` elements of the TwiML.
        tracks: Which sides are streamed; ``inbound`` on a two-way stream.
        encoding: ``audio/x-mulaw``.
        rate_hz: 8000.
        channels: 1.
    """

    stream_sid: str
    call_sid: str = ""
    account_sid: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    tracks: tuple[str, ...] = ()
    encoding: str = "audio/x-mulaw"
    rate_hz: int = 8000
    channels: int = 1


@dataclass(frozen=True, slots=True)
class Media:
    """Mu-law audio: the caller's, or to be played to the caller.

    Attributes:
        audio: Samples without a header, any number of them.
        timestamp_ms: Where in the stream it belongs; only of the caller's audio.
        track: Whose audio it is; only of the caller's audio.
    """

    audio: bytes = field(repr=False)
    timestamp_ms: int | None = None
    track: str = "inbound"


@dataclass(frozen=True, slots=True)
class Mark:
    """A name to be sent back when the audio before it has been played; or that name, sent back."""

    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Drop the audio that waits to be played. Every mark that waits is sent back, too."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The stream has ended, because the call has or because new TwiML took over."""

    call_sid: str = ""


Message: TypeAlias = Connected | Start | Media | Dtmf | Mark | Stop | UnknownMessage | BrokenMessage
Command: TypeAlias = Media | Mark | Clear


def decode(data: str | bytes) -> Message:
    """The message in one frame of Twilio. Never raises."""
    message = fields.load(data)
    if isinstance(message, BrokenMessage):
        return message
    kind = message.get("event")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        return UnknownMessage(kind if isinstance(kind, str) else "", message)
    try:
        return read(message)
    except fields.MisfitError as misfit:
        return BrokenMessage(f"{kind}: {misfit}", len(data))


def encode(command: Command, stream_sid: str) -> str:
    """The frame that tells Twilio a command, for this stream."""
    match command:
        case Media(audio=audio):
            payload = b64encode(audio).decode("ascii")  # nothing in it has to be escaped
            return f'{{"event": "media", "streamSid": {_quoted(stream_sid)}, "media": {{"payload": "{payload}"}}}}'
        case Mark(name=name):
            return f'{{"event": "mark", "streamSid": {_quoted(stream_sid)}, "mark": {{"name": {_quoted(name)}}}}}'
        case Clear():
            return json.dumps({"event": "clear", "streamSid": stream_sid})
        case _:
            assert_never(command)


def _connected(message: Mapping[str, Any]) -> Connected:
    return Connected(fields.text(message, "protocol", ""), fields.text(message, "version", ""))


def _start(message: Mapping[str, Any]) -> Start:
    start = fields.mapping(message, "start")
    media = fields.mapping(start, "mediaFormat")
    tracks = start.get("tracks")
    return Start(
        stream_sid=fields.text(start, "streamSid", fields.text(message, "streamSid", "")) or _missing("streamSid"),
        call_sid=fields.text(start, "callSid", ""),
        account_sid=fields.text(start, "accountSid", ""),
        parameters=fields.texts(start, "customParameters"),
        tracks=tuple(track for track in tracks if isinstance(track, str)) if isinstance(tracks, list) else (),
        encoding=fields.text(media, "encoding", "audio/x-mulaw"),
        rate_hz=int(fields.number(media, "sampleRate", 8000)),
        channels=int(fields.number(media, "channels", 1)),
    )


def _media(message: Mapping[str, Any]) -> Media:
    media = fields.mapping(message, "media")
    timestamp_ms = fields.number(media, "timestamp", -1)
    return Media(
        audio=fields.audio(media, "payload"),
        timestamp_ms=int(timestamp_ms) if timestamp_ms >= 0 else None,
        track=fields.text(media, "track", "inbound"),
    )


def _dtmf(message: Mapping[str, Any]) -> Dtmf:
    return Dtmf(fields.text(fields.mapping(message, "dtmf"), "digit"))


def _mark(message: Mapping[str, Any]) -> Mark:
    return Mark(fields.text(fields.mapping(message, "mark"), "name"))


def _stop(message: Mapping[str, Any]) -> Stop:
    return Stop(fields.text(fields.mapping(message, "stop"), "callSid", ""))


def _missing(name: str) -> str:
    raise fields.MisfitError(f"{name} is missing")


_quoted: Final = json.encoder.encode_basestring_ascii  # what json.dumps does for a text, without the way there

_READERS: Final[dict[str, Callable[[Mapping[str, Any]], Message]]] = {
    "connected": _connected,
    "start": _start,
    "media": _media,
    "dtmf": _dtmf,
    "mark": _mark,
    "stop": _stop,
}

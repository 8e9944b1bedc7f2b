"""Messages of Genesys AudioHook, protocol version 2: read generously, written strictly.

Text frames hold an envelope with numbers and one body; audio travels in binary frames, which have neither. Source: the
type definitions of https://github.com/purecloudlabs/audiohook-reference-implementation, by Genesys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, assert_never

from voicelive.bridges import fields
from voicelive.bridges.events import BrokenMessage, Dtmf, UnknownMessage

__all__ = [
    "BargeIn",
    "Body",
    "Close",
    "Closed",
    "Command",
    "Discarded",
    "Disconnect",
    "LanguageChanged",
    "LineError",
    "Media",
    "Message",
    "Open",
    "Opened",
    "Paused",
    "Ping",
    "PlaybackCompleted",
    "PlaybackStarted",
    "Pong",
    "Resumed",
    "Updated",
    "decode",
    "encode",
]

VERSION: Final = "2"
NULL_UUID: Final = "00000000-0000-0000-0000-000000000000"

_DURATION: Final = re.compile(r"PT(\d{1,12}(?:\.\d{1,9})?)S")  # seconds only, as the reference code checks


@dataclass(frozen=True, slots=True)
class Media:
    """One way to stream the audio, as it is offered.

    Attributes:
        format: ``PCMU``, or ``L16``.
        rate_hz: 8000.
        channels: ``external`` is the caller, ``internal`` the agent's side; interleaved where there are two.
        offer: The provider's own words, to be sent back unchanged.
    """

    format: str
    rate_hz: int
    channels: tuple[str, ...]
    offer: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Open:
    """What the stream is; the first message.

    Attributes:
        organization_id: Whose call it is. Compare it with your own.
        conversation_id: The conversation's id.
        media: What is offered.
        participant_id: The caller's id in the conversation.
        ani: The caller's number, such as ``tel:+15550100001``.
        ani_name: The caller's name.
        dnis: The number that was called.
        language: Such as ``en-US``; empty where none is told.
        input_variables: What the flow passes to an Audio Connector.
        custom_config: What the integration's settings hold.
        is_probe: Whether this is only a test of the integration's settings, and no call.
    """

    organization_id: str
    conversation_id: str
    media: tuple[Media, ...]
    participant_id: str = ""
    ani: str = field(default="", repr=False)
    ani_name: str = field(default="", repr=False)
    dnis: str = ""
    language: str = ""
    input_variables: Mapping[str, str] = field(default_factory=dict)
    custom_config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_probe(self) -> bool:
        return self.conversation_id == NULL_UUID


@dataclass(frozen=True, slots=True)
class Ping:
    """The provider asks whether anybody is there."""


@dataclass(frozen=True, slots=True)
class Paused:
    """No audio flows from here on."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """Audio flows again; so much of the caller's was left out."""

    discarded_ms: float


@dataclass(frozen=True, slots=True)
class Discarded:
    """So much of the caller's audio was left out."""

    discarded_ms: float


@dataclass(frozen=True, slots=True)
class LanguageChanged:
    """The conversation goes on in another language, such as ``es-ES``."""

    language: str


@dataclass(frozen=True, slots=True)
class PlaybackStarted:
    """The caller hears the first sample of what was queued."""


@dataclass(frozen=True, slots=True)
class PlaybackCompleted:
    """The caller has heard everything that was queued."""


@dataclass(frozen=True, slots=True)
class LineError:
    """The provider complains.

    Attributes:
        code: Modelled on HTTP: 429 is too much, 408 too late, 415 audio where none is allowed.
        message: The provider's words.
        retry_after_s: How long nothing should be sent, with 429.
    """

    code: int
    message: str
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Close:
    """The provider ends the stream: ``end``, ``error``, ``disconnect`` (we asked for it), ``reconnect``."""

    reason: str


Body: TypeAlias = (
    Open
    | Ping
    | Paused
    | Resumed
    | Discarded
    | LanguageChanged
    | Dtmf
    | PlaybackStarted
    | PlaybackCompleted
    | LineError
    | Close
    | UnknownMessage
    | BrokenMessage
)


@dataclass(frozen=True, slots=True)
class Message:
    """One text frame of the provider.

    Attributes:
        id: Of the stream; the same in all of its messages.
        seq: The provider's number of this message; the first is 1.
        serverseq: The last number of ours that the provider had seen.
        position_ms: Place in the caller's audio.
        body: What is said. An ``UnknownMessage`` has the body's parameters as content.
    """

    id: str
    seq: int
    serverseq: int
    position_ms: float
    body: Body


@dataclass(frozen=True, slots=True)
class Opened:
    """The stream may begin, with one of the media offered, or without audio."""

    media: Media | None


@dataclass(frozen=True, slots=True)
class Pong:
    """Somebody is there."""


@dataclass(frozen=True, slots=True)
class Updated:
    """The other language was taken note of."""


@dataclass(frozen=True, slots=True)
class BargeIn:
    """The caller speaks over the agent: drop the audio that waits to be played."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Please end the stream; the provider answers with ``Close``.

    Attributes:
        reason: ``completed``, ``unauthorized`` or ``error``.
        info: For a reader of logs.
        output_variables: What an Audio Connector passes back to the flow.
    """

    reason: Literal["completed", "unauthorized", "error"]
    info: str = ""
    output_variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Closed:
    """The last message: the end was understood."""


Command: TypeAlias = Opened | Pong | Updated | BargeIn | Disconnect | Closed


def decode(data: str) -> Message | BrokenMessage:
    """The message in one text frame of the provider. Never raises."""
    message = fields.load(data)
    if isinstance(message, BrokenMessage):
        return message
    try:
        return _message(message, len(data))
    except fields.MisfitError as misfit:
        return BrokenMessage(str(misfit), len(data))


def encode(command: Command, *, stream_id: str, seq: int, clientseq: int) -> str:
    """The frame that tells the provider a command.

    Args:
        command: What is said.
        stream_id: Of the stream.
        seq: Our number of this message: 1 first, without a gap.
        clientseq: The last number of the provider's that we have seen; of a ping, for its pong.
    """
    kind, parameters = _spelt(command)
    envelope = {"version": VERSION, "type": kind, "seq": seq, "clientseq": clientseq, "id": stream_id}
    return json.dumps({**envelope, "parameters": parameters})


def _spelt(command: Command) -> tuple[str, dict[str, Any]]:
    match command:
        case Opened(media=media):
            return "opened", {"startPaused": False, "media": [] if media is None else [media.offer]}
        case Pong():
            return "pong", {}
        case Updated():
            return "updated", {}
        case BargeIn():
            return "event", {"entities": [{"type": "barge_in", "data": {}}]}
        case Disconnect(reason=reason, info=info, output_variables=variables):
            optional: dict[str, Any] = {"info": info, "outputVariables": dict(variables)}
            return "disconnect", {"reason": reason, **{name: value for name, value in optional.items() if value}}
        case Closed():
            return "closed", {}
        case _:
            assert_never(command)


def _message(message: Mapping[str, Any], size: int) -> Message:
    version = fields.text(message, "version", VERSION)
    if version != VERSION:
        raise fields.MisfitError(f"version is not {VERSION!r}")
    kind = fields.text(message, "type")
    return Message(
        id=fields.text(message, "id"),
        seq=int(fields.number(message, "seq")),
        serverseq=int(fields.number(message, "serverseq", 0)),
        position_ms=_duration_ms(message, "position") or 0.0,
        body=_body(kind, message, size),
    )


def _body(kind: str, message: Mapping[str, Any], size: int) -> Body:
    read = _READERS.get(kind)
    try:
        parameters = fields.mapping(message, "parameters")
        return UnknownMessage(kind, parameters) if read is None else read(parameters)
    except fields.MisfitError as misfit:
        return BrokenMessage(f"{kind}: {misfit}", size)


def _duration_ms(parameters: Mapping[str, Any], name: str) -> float | None:
    found = fields.text(parameters, name, "")
    if not found:
        return None
    match = _DURATION.fullmatch(found)
    if match is None:
        raise fields.MisfitError(f"{name} is no duration in seconds")
    return float(match[1]) * 1000


def _open(parameters: Mapping[str, Any]) -> Open:
    participant, config = fields.mapping(parameters, "participant"), parameters.get("customConfig")
    return Open(
        organization_id=fields.text(parameters, "organizationId"),
        conversation_id=fields.text(parameters, "conversationId"),
        media=_offers(parameters.get("media")),
        participant_id=fields.text(participant, "id", ""),
        ani=fields.text(participant, "ani", ""),
        ani_name=fields.text(participant, "aniName", ""),
        dnis=fields.text(participant, "dnis", ""),
        language=fields.text(parameters, "language", ""),
        input_variables=fields.texts(parameters, "inputVariables"),
        custom_config=config if isinstance(config, dict) else {},
    )


def _offers(media: object) -> tuple[Media, ...]:
    if not isinstance(media, Sequence) or isinstance(media, str):
        raise fields.MisfitError("media is no list")
    return tuple(_offer(offer) for offer in media if isinstance(offer, dict))


def _offer(offer: Mapping[str, Any]) -> Media:
    channels = offer.get("channels")
    return Media(
        format=fields.text(offer, "format"),
        rate_hz=int(fields.number(offer, "rate")),
        channels=tuple(str(channel) for channel in channels) if isinstance(channels, list) else (),
        offer=offer,
    )


def _error(parameters: Mapping[str, Any]) -> LineError:
    retry_after_ms = _duration_ms(parameters, "retryAfter")
    return LineError(
        code=int(fields.number(parameters, "code")),
        message=fields.text(parameters, "message", ""),
        retry_after_s=None if retry_after_ms is None else retry_after_ms / 1000,
    )


_READERS: Final[dict[str, Callable[[Mapping[str, Any]], Body]]] = {
    "open": _open,
    "ping": lambda _: Ping(),
    "paused": lambda _: Paused(),
    "resumed": lambda parameters: Resumed(_duration_ms(parameters, "discarded") or 0.0),
    "discarded": lambda parameters: Discarded(_duration_ms(parameters, "discarded") or 0.0),
    "update": lambda parameters: LanguageChanged(fields.text(parameters, "language")),
    "dtmf": lambda parameters: Dtmf(fields.text(parameters, "digit")),
    "playback_started": lambda _: PlaybackStarted(),
    "playback_completed": lambda _: PlaybackCompleted(),
    "error": _error,
    "close": lambda parameters: Close(fields.text(parameters, "reason", "")),
}

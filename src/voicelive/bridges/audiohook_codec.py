"""Messages of Genesys AudioHook, protocol version 2: read generously, written strictly.

Text frames hold an envelope with numbers and one body; audio travels in binary frames, which have neither. Source: the
type definitions of https://github.com/purecloudlabs/audiohook-reference-implementation, by Genesys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, assert_never

from voicelive.bridges import fields
from voicelive.bridges.audiohook_messages import (
    BargeIn,
    Body,
    Close,
    Closed,
    Command,
    Discarded,
    Disconnect,
    LanguageChanged,
    LineError,
    Media,
    Message,
    Open,
    Opened,
    Paused,
    Ping,
    PlaybackCompleted,
    PlaybackStarted,
    Pong,
    Resumed,
    Updated,
)
from voicelive.bridges.events import BrokenMessage, Dtmf, UnknownMessage

__all__ = ["decode", "encode"]

VERSION: Final = "2"

_DURATION: Final = re.compile(r"PT(\d{1,12}(?:\.\d{1,9})?)S")  # seconds only, as the reference code checks


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

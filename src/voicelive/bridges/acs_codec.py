"""Messages of Azure Communication Services, bidirectional audio streaming: read generously, written as documented.

Source: https://learn.microsoft.com/azure/communication-services/how-tos/call-automation/audio-streaming-quickstart.
What comes in is spelt in camelCase, what goes out is documented in PascalCase, and the service's SDKs send both. So
keys are read without regard to case, and what is written has one spelling: that of the documentation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, assert_never

from pybase64 import b64encode

from voicelive.bridges import fields
from voicelive.bridges.events import BrokenMessage, Dtmf, UnknownMessage

__all__ = ["AudioData", "AudioMetadata", "Command", "Message", "StopAudio", "decode", "encode"]


@dataclass(frozen=True, slots=True)
class AudioMetadata:
    """What the stream is; its first message.

    Attributes:
        rate_hz: 16000 or 24000, as ``audioFormat`` of the media streaming options says.
        subscription_id: The stream's id.
        encoding: ``PCM``, which is signed 16-bit little-endian.
        channels: 1.
        frame_bytes: Bytes of one frame: 640 at 16 kHz.
    """

    rate_hz: int
    subscription_id: str = ""
    encoding: str = "PCM"
    channels: int = 1
    frame_bytes: int = 0


@dataclass(frozen=True, slots=True)
class AudioData:
    """PCM audio: a caller's, or to be played to the caller.

    Attributes:
        audio: 16-bit little-endian samples without a header. Empty, or zeros, in a silent frame.
        participant: Who speaks; ``None`` in a mixed stream, and for audio to be played.
        silent: Whether the frame is silence.
        timestamp: When it was spoken, as the service wrote it (ISO 8601, UTC).
    """

    audio: bytes = field(repr=False)
    participant: str | None = None
    silent: bool = False
    timestamp: str | None = None


@dataclass(frozen=True, slots=True)
class StopAudio:
    """Drop the audio that waits to be played."""


Message: TypeAlias = AudioMetadata | AudioData | Dtmf | StopAudio | UnknownMessage | BrokenMessage
Command: TypeAlias = AudioData | StopAudio


def decode(data: str | bytes) -> Message:
    """The message in one frame of the service. Never raises."""
    message = fields.load(data)
    if isinstance(message, BrokenMessage):
        return message
    lower = _lower(message)
    kind = lower.get("kind")
    read = _READERS.get(kind.lower()) if isinstance(kind, str) else None
    if read is None:
        return UnknownMessage(kind if isinstance(kind, str) else "", message)
    try:
        return read(lower)
    except fields.MisfitError as misfit:
        return BrokenMessage(f"{kind}: {misfit}", len(data))


def encode(command: Command) -> str:
    """The frame that tells the service a command."""
    match command:
        case AudioData(audio=audio):
            data = b64encode(audio).decode("ascii")  # nothing in it has to be escaped
            return f'{{"Kind": "AudioData", "AudioData": {{"Data": "{data}"}}, "StopAudio": null}}'
        case StopAudio():
            return json.dumps({"Kind": "StopAudio", "AudioData": None, "StopAudio": {}})
        case _:
            assert_never(command)


def _lower(message: Mapping[str, Any]) -> dict[str, Any]:
    return {key.lower(): value for key, value in message.items()}


def _part(message: Mapping[str, Any], name: str) -> dict[str, Any]:
    return _lower(fields.mapping(message, name))


def _metadata(message: Mapping[str, Any]) -> AudioMetadata:
    metadata = _part(message, "audiometadata")
    return AudioMetadata(
        rate_hz=int(fields.number(metadata, "samplerate")),
        subscription_id=fields.text(metadata, "subscriptionid", ""),
        encoding=fields.text(metadata, "encoding", "PCM"),
        channels=int(fields.number(metadata, "channels", 1)),
        frame_bytes=int(fields.number(metadata, "length", 0)),
    )


def _audio(message: Mapping[str, Any]) -> AudioData:
    audio = _part(message, "audiodata")
    silent = fields.boolean(audio, "silent")
    return AudioData(
        audio=b"" if silent and audio.get("data") is None else fields.audio(audio, "data"),
        participant=fields.text(audio, "participantrawid", "") or None,
        silent=silent,
        timestamp=fields.text(audio, "timestamp", "") or None,
    )


def _dtmf(message: Mapping[str, Any]) -> Dtmf:
    dtmf = _part(message, "dtmfdata")
    return Dtmf(fields.text(dtmf, "data"), fields.text(dtmf, "participantrawid", "") or None)


def _stop(_: Mapping[str, Any]) -> StopAudio:
    return StopAudio()


_READERS: Final[dict[str, Callable[[Mapping[str, Any]], Message]]] = {
    "audiometadata": _metadata,
    "audiodata": _audio,
    "dtmfdata": _dtmf,
    "stopaudio": _stop,
}

"""What the two sides of a Genesys AudioHook stream, protocol version 2, say to each other.

How it is written is ``audiohook_codec``'s. Source: the type definitions of
https://github.com/purecloudlabs/audiohook-reference-implementation, by Genesys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

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
]

NULL_UUID: Final = "00000000-0000-0000-0000-000000000000"


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

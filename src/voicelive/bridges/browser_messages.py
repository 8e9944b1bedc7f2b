"""What a web page and its server say to each other, version 1 of the protocol. Plain data; the table is in
docs/browser.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from voicelive.bridges.events import BrokenMessage, UnknownMessage

__all__ = [
    "VERSION",
    "Audio",
    "AvatarAnswer",
    "AvatarOffer",
    "AvatarState",
    "Command",
    "End",
    "Failure",
    "Flush",
    "IceServers",
    "Interrupt",
    "Message",
    "Played",
    "SessionState",
    "Start",
    "Stop",
    "Text",
    "Tool",
    "Transcript",
    "Voice",
]

VERSION: Final = 1


# -- up: the page says


@dataclass(frozen=True, slots=True)
class Start:
    """The first message: what the page speaks. Nothing in it is proven.

    Attributes:
        version: Of the protocol.
        rate_hz: Of the voice, both ways.
        parameters: The page's own, texts by name.
    """

    version: int = VERSION
    rate_hz: int = 24_000
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Voice:
    """A binary frame: the caller's voice."""

    audio: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Played:
    """The page's loudspeaker has played this much of an item, from its start."""

    item_id: str
    ms: float


@dataclass(frozen=True, slots=True)
class Text:
    """The caller typed something, and wants an answer."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Interrupt:
    """The agent shall be silent now."""


@dataclass(frozen=True, slots=True)
class AvatarOffer:
    """The page's end of an avatar's WebRTC link: SDP, complete with its candidates."""

    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stop:
    """The caller has ended the call."""


Message: TypeAlias = Start | Voice | Played | Text | Interrupt | AvatarOffer | Stop | UnknownMessage | BrokenMessage


# -- down: the page is told


@dataclass(frozen=True, slots=True)
class Audio:
    """The binary frames that follow are this item's voice, from this place on."""

    item_id: str
    start_ms: float


@dataclass(frozen=True, slots=True)
class Flush:
    """The agent was cut off: drop all voice that was not played."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said, in text.

    Attributes:
        who: ``caller`` or ``agent``.
        item_id: The message it belongs to.
        text: All of it where ``final``, otherwise a further piece.
        final: Whether the text is whole.
        heard_text: What was heard of a reply that was cut off; it comes after the whole text.
    """

    who: Literal["caller", "agent"]
    item_id: str
    text: str = field(repr=False)
    final: bool = True
    heard_text: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Tool:
    """How a tool call gets on; neither arguments nor results leave the server."""

    call_id: str
    name: str
    state: Literal["started", "finished", "failed"]


@dataclass(frozen=True, slots=True)
class SessionState:
    """The session behind the server: there, for a moment without a connection, or there again under a new id."""

    id: str
    state: Literal["running", "interrupted", "resumed"]


@dataclass(frozen=True, slots=True)
class IceServers:
    """An avatar's link can be offered now; ``servers`` is what ``RTCPeerConnection`` takes."""

    servers: tuple[Mapping[str, Any], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class AvatarAnswer:
    """The service's end of an avatar's WebRTC link."""

    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AvatarState:
    """What the avatar does, as far as the service tells: a hint for a sign on the page."""

    state: Literal["speaking", "idle"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Something went wrong, and the call goes on.

    Attributes:
        problem: A code; the words are in the server's log.
        retry_after_s: When to try the same again, where the service told.
    """

    problem: str
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class End:
    """The last message. ``how`` is that of ``CallEnd``; ``problem`` is not empty where something went wrong."""

    how: str
    problem: str = ""


Command: TypeAlias = (
    Audio | Flush | Transcript | Tool | SessionState | IceServers | AvatarAnswer | AvatarState | Failure | End
)

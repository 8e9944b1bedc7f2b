"""What a bridge's line decides, and what its call does: the seam between the two.

A line takes frames of one provider and says what they mean, as a list of actions. It owns no task, reads no clock
(time is an argument) and touches no socket. A call performs the actions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from voicelive.audio.formats import AudioFormat
from voicelive.audio.playback import PlaybackFrame
from voicelive.bridges.events import How

__all__ = ["Action", "Ask", "Ended", "Frame", "Gap", "Hear", "Line", "Played", "Refuse", "Say", "Tell"]

Frame: TypeAlias = str | bytes
"""A text frame or a binary frame."""

S_co = TypeVar("S_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Hear:
    """The caller's audio, in the line's format."""

    audio: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Gap:
    """So much of the caller's audio is missing here."""

    ms: float


@dataclass(frozen=True, slots=True)
class Say:
    """A frame for the provider; it overtakes audio."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class Played:
    """The caller has heard this much of an item, from its start."""

    item_id: str
    ms: float


@dataclass(frozen=True, slots=True)
class Tell:
    """An event for the application."""

    event: Any


@dataclass(frozen=True, slots=True)
class Ask:
    """Something that the session shall do; a companion of the call knows it."""

    wish: Any


@dataclass(frozen=True, slots=True)
class Ended:
    """The provider has ended the call."""

    how: How
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The stream is nothing that can be served."""

    problem: str


Action: TypeAlias = Hear | Gap | Say | Played | Tell | Ask | Ended | Refuse


class Line(Protocol, Generic[S_co]):
    """One stream of one provider."""

    @property
    def frame_ms(self) -> int:
        """How much of the agent's voice goes out at once, at most."""
        ...

    @property
    def answers_farewell(self) -> bool:
        """Whether the provider is there and ends the stream when it is asked to; otherwise closing the socket does."""
        ...

    @property
    def start(self) -> S_co | None:
        """The start message, once it has come."""
        ...

    @property
    def format(self) -> AudioFormat:
        """Of the audio, both ways. Known from the start message on."""
        ...

    @property
    def advice(self) -> str:
        """How to make a session whose formats fit."""
        ...

    def receive(self, data: Frame, now: float) -> Iterable[Action]:
        """Take in one frame. Never raises."""
        ...

    def gone(self) -> How:
        """What it means that the socket has ended."""
        ...

    def room_in_s(self, now: float) -> float:
        """How long until the line takes more of the agent's voice; infinite while nobody can tell."""
        ...

    def voice(self, frame: PlaybackFrame, now: float) -> Iterable[Frame]:
        """The frames that carry this piece of the agent's voice; they are being written."""
        ...

    def flush(self, now: float) -> Iterable[Frame]:
        """The caller speaks over the agent: the frames that drop what was not heard yet."""
        ...

    def heard(self, now: float) -> Iterable[Played]:
        """What has been heard since the last call, where the line goes by the clock."""
        ...

    @property
    def sounding(self) -> bool:
        """Whether audio is being heard that the line counts by the clock, so that ``heard`` should be asked."""
        ...

    def farewell(self, how: How, problem: str) -> Iterable[Frame]:
        """The frames that end the call; ``problem`` is not empty where something went wrong."""
        ...

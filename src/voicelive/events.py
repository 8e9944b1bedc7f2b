"""What the session itself has to say. These events never travel on the wire.

They come through the same streams as the service's events, each right after the server event that caused it.
``type`` starts with ``voicelive.``, which no type of the service does, so that both can be matched side by side.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = ["AudioDropped", "HandlerFailed", "SessionEvent", "UndecodableFrame"]


@dataclass(frozen=True, slots=True)
class UndecodableFrame:
    """The service sent a frame that is no JSON object; the session goes on.

    Attributes:
        problem: What is wrong with it, without any of its content.
        frame_bytes: Its size.
        count: How many there were in this session, this one included.
    """

    problem: str
    frame_bytes: int
    count: int
    type: Literal["voicelive.undecodable_frame"] = "voicelive.undecodable_frame"


@dataclass(frozen=True, slots=True)
class HandlerFailed:
    """A handler registered with ``Session.on`` raised; later handlers and events are not affected.

    Attributes:
        handler: Qualified name of the handler.
        event_type: Type of the event it was given.
        error: What it raised. Not part of the repr: its text may hold speech.
    """

    handler: str
    event_type: str
    error: BaseException = field(repr=False)
    type: Literal["voicelive.handler_failed"] = "voicelive.handler_failed"


@dataclass(frozen=True, slots=True)
class AudioDropped:
    """A stream subscribed with ``overflow="drop_audio"`` fell behind and lost media; only that stream is affected.

    Attributes:
        events: How many deltas were dropped since the last such event.
        dropped_bytes: Their size as received.
    """

    events: int
    dropped_bytes: int
    type: Literal["voicelive.audio_dropped"] = "voicelive.audio_dropped"


SessionEvent: TypeAlias = UndecodableFrame | HandlerFailed | AudioDropped
"""Any of them."""

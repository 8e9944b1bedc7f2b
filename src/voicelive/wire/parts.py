"""Content parts: what a message item is made of.

The same word means slightly different things on the two sides, so the classes differ: what a client puts into a
message (``MessageContentPart``) and what the service reports of one (``ContentPart``).
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from voicelive.wire.base import Audio, Private, Settings, Tagged, Unknown, Unlisted, tags

__all__ = [
    "ContentPart",
    "InputAudioContentPart",
    "InputTextContentPart",
    "MessageContentPart",
    "OutputTextContentPart",
    "RequestAudioContentPart",
    "RequestImageContentPart",
    "RequestTextContentPart",
    "ResponseAudioContentPart",
    "ResponseTextContentPart",
    "UnknownContentPart",
    "UnknownMessageContentPart",
]


class InputTextContentPart(Settings):
    """Text of a user or system message."""

    always_sent = ("type",)

    type: Literal["input_text"] = "input_text"
    text: Private


class InputAudioContentPart(Settings):
    """Audio of a user message, in the session's input format."""

    always_sent = ("type",)

    type: Literal["input_audio"] = "input_audio"
    audio: Audio
    transcript: Private | None = None


class OutputTextContentPart(Settings):
    """Text of an assistant message. ``output_text`` is also accepted by the service and comes back as ``text``."""

    always_sent = ("type",)

    type: Literal["text", "output_text"] = "text"
    text: Private


class RequestImageContentPart(Settings):
    """An image of a user message: an https or data URL. The key was ``url`` up to 2026-04-10."""

    always_sent = ("type",)

    type: Literal["input_image"] = "input_image"
    image_url: Private | None = None
    detail: Literal["auto", "low", "high"] | Unlisted | None = None
    url: Private | None = None
    """The older spelling of ``image_url``."""


class UnknownMessageContentPart(Unknown):
    """A kind of content part that this version does not know."""

    known = frozenset({"input_text", "input_audio", "text", "output_text", "input_image"})


MessageContentPart: TypeAlias = Annotated[
    Annotated[
        InputTextContentPart | InputAudioContentPart | OutputTextContentPart | RequestImageContentPart,
        Field(discriminator="type"),
    ]
    | UnknownMessageContentPart,
    Field(union_mode="left_to_right"),
]
"""A part of a message that the client sends."""


class RequestTextContentPart(Tagged):
    """Text of a user or system message, as reported."""

    type: Literal["input_text"] = "input_text"
    text: Private | None = None


class RequestAudioContentPart(Tagged):
    """Audio of a user message, as reported; the audio itself comes with ``conversation.item.retrieved`` only."""

    type: Literal["input_audio"] = "input_audio"
    audio: Audio | None = None
    transcript: Private | None = None


class ResponseTextContentPart(Tagged):
    """Text of the agent."""

    type: Literal["text", "output_text"] = "text"
    text: Private | None = None


class ResponseAudioContentPart(Tagged):
    """Voice of the agent; ``audio`` comes with ``conversation.item.retrieved`` only."""

    type: Literal["audio", "output_audio"] = "audio"
    transcript: Private | None = None
    audio: Audio | None = None


_KnownContentPart: TypeAlias = (
    RequestTextContentPart
    | RequestAudioContentPart
    | RequestImageContentPart
    | ResponseTextContentPart
    | ResponseAudioContentPart
)


class UnknownContentPart(Unknown):
    """A kind of content part that this version does not know."""

    known = tags(_KnownContentPart)


ContentPart: TypeAlias = Annotated[
    Annotated[_KnownContentPart, Field(discriminator="type")] | UnknownContentPart, Field(union_mode="left_to_right")
]
"""A part of a message as the service reports it."""

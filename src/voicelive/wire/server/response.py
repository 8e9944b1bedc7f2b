"""The course of a response: its items and parts, text, voice and transcript.

The ``v1`` dialect renames six of these types; they decode to the same classes, and ``type`` keeps the wire's spelling.
"""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from voicelive.wire.base import Audio, Private
from voicelive.wire.items import ResponseItem
from voicelive.wire.parts import ContentPart
from voicelive.wire.responses import Response
from voicelive.wire.server.base import PartEvent, ServerEventBase

__all__ = [
    "OutputAudioBufferCleared",
    "OutputAudioBufferStarted",
    "OutputAudioBufferStopped",
    "ResponseAudioDelta",
    "ResponseAudioDone",
    "ResponseAudioTranscriptAnnotationAdded",
    "ResponseAudioTranscriptDelta",
    "ResponseAudioTranscriptDone",
    "ResponseContentPartAdded",
    "ResponseContentPartDone",
    "ResponseCreated",
    "ResponseDone",
    "ResponseInvocationDelta",
    "ResponseOutputItemAdded",
    "ResponseOutputItemDone",
    "ResponseServerEvent",
    "ResponseTextDelta",
    "ResponseTextDone",
]


class ResponseCreated(ServerEventBase):
    """A response began."""

    type: Literal["response.created"] = "response.created"
    response: Response = Field(default_factory=Response)


class ResponseDone(ServerEventBase):
    """A response ended; always its last event, whatever its status."""

    type: Literal["response.done"] = "response.done"
    response: Response = Field(default_factory=Response)


class _OutputItem(ServerEventBase):
    response_id: str = ""
    output_index: int = 0
    item: ResponseItem | None = None


class ResponseOutputItemAdded(_OutputItem):
    """A response got a new item, still empty."""

    type: Literal["response.output_item.added"] = "response.output_item.added"


class ResponseOutputItemDone(_OutputItem):
    """An item of a response is whole, also after a cancel."""

    type: Literal["response.output_item.done"] = "response.output_item.done"


class ResponseContentPartAdded(PartEvent):
    """An item got a new content part, still empty."""

    type: Literal["response.content_part.added"] = "response.content_part.added"
    part: ContentPart | None = None


class ResponseContentPartDone(PartEvent):
    """A content part is whole."""

    type: Literal["response.content_part.done"] = "response.content_part.done"
    part: ContentPart | None = None


class ResponseTextDelta(PartEvent):
    """A piece of the agent's text."""

    type: Literal["response.text.delta", "response.output_text.delta"] = "response.text.delta"
    delta: Private = ""


class ResponseTextDone(PartEvent):
    """The agent's whole text."""

    type: Literal["response.text.done", "response.output_text.done"] = "response.text.done"
    text: Private = ""


class ResponseAudioDelta(PartEvent):
    """The next slice of the agent's voice; slices of one item arrive in playing order, faster than real time."""

    type: Literal["response.audio.delta", "response.output_audio.delta"] = "response.audio.delta"
    delta: Audio = b""
    """Samples in the session's output format. A slice may end in the middle of a sample."""


class ResponseAudioDone(PartEvent):
    """The agent's voice of one part is complete."""

    type: Literal["response.audio.done", "response.output_audio.done"] = "response.audio.done"


class ResponseAudioTranscriptDelta(PartEvent):
    """A piece of what the agent says."""

    type: Literal["response.audio_transcript.delta", "response.output_audio_transcript.delta"] = (
        "response.audio_transcript.delta"
    )
    delta: Private = ""


class ResponseAudioTranscriptDone(PartEvent):
    """What the agent says in full, heard or not."""

    type: Literal["response.audio_transcript.done", "response.output_audio_transcript.done"] = (
        "response.audio_transcript.done"
    )
    transcript: Private = ""


class ResponseAudioTranscriptAnnotationAdded(PartEvent):
    """A citation or another note on what the agent says."""

    type: Literal["response.audio_transcript.annotation.added"] = "response.audio_transcript.annotation.added"
    annotation_index: int = 0
    annotation: Annotated[Any, Field(repr=False)] = None


class ResponseInvocationDelta(ServerEventBase):
    """An event of a hosted agent that is not speech, as the agent wrote it."""

    type: Literal["response.invocation.delta"] = "response.invocation.delta"
    delta: Annotated[dict[str, Any], Field(repr=False, default_factory=dict)]


class OutputAudioBufferCleared(ServerEventBase):
    """Audio that waited for playback on the service's side was dropped."""

    type: Literal["output_audio_buffer.cleared"] = "output_audio_buffer.cleared"
    response_id: str | None = None


class OutputAudioBufferStarted(ServerEventBase):
    """The service began to play a response; preview, WebRTC."""

    type: Literal["output_audio_buffer.started"] = "output_audio_buffer.started"
    response_id: str | None = None


class OutputAudioBufferStopped(ServerEventBase):
    """The service played a response to its end; preview, WebRTC."""

    type: Literal["output_audio_buffer.stopped"] = "output_audio_buffer.stopped"
    response_id: str | None = None


ResponseServerEvent: TypeAlias = (
    ResponseCreated
    | ResponseDone
    | ResponseOutputItemAdded
    | ResponseOutputItemDone
    | ResponseContentPartAdded
    | ResponseContentPartDone
    | ResponseTextDelta
    | ResponseTextDone
    | ResponseAudioDelta
    | ResponseAudioDone
    | ResponseAudioTranscriptDelta
    | ResponseAudioTranscriptDone
    | ResponseAudioTranscriptAnnotationAdded
    | ResponseInvocationDelta
    | OutputAudioBufferCleared
    | OutputAudioBufferStarted
    | OutputAudioBufferStopped
)

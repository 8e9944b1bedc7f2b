"""What moves with the voice: word timestamps, visemes, blendshapes, video."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from voicelive.wire.audio import AudioTimestampType
from voicelive.wire.base import Audio, Private, Unlisted
from voicelive.wire.server.base import OutputEvent, PartEvent, ServerEventBase

__all__ = [
    "AnimationServerEvent",
    "ResponseAnimationBlendshapesDelta",
    "ResponseAnimationBlendshapesDone",
    "ResponseAnimationVisemeDelta",
    "ResponseAnimationVisemeDone",
    "ResponseAudioTimestampDelta",
    "ResponseAudioTimestampDone",
    "ResponseVideoDelta",
]


class ResponseAudioTimestampDelta(PartEvent):
    """When a word is spoken, in milliseconds of the part's audio."""

    type: Literal["response.audio_timestamp.delta"] = "response.audio_timestamp.delta"
    audio_offset_ms: int = 0
    audio_duration_ms: int = 0
    text: Private = ""
    timestamp_type: AudioTimestampType | Unlisted = "word"


class _Done(OutputEvent):
    output_index: int | None = None  # type: ignore[assignment]  # known to be missing in these two events
    content_index: int | None = None


class ResponseAudioTimestampDone(_Done):
    """All words of a part have their times."""

    type: Literal["response.audio_timestamp.done"] = "response.audio_timestamp.done"


class ResponseAnimationVisemeDelta(PartEvent):
    """The shape of the mouth from this millisecond of the part's audio on."""

    type: Literal["response.animation_viseme.delta"] = "response.animation_viseme.delta"
    audio_offset_ms: int = 0
    viseme_id: int = 0


class ResponseAnimationVisemeDone(_Done):
    """All visemes of a part have come."""

    type: Literal["response.animation_viseme.done"] = "response.animation_viseme.done"


class ResponseAnimationBlendshapesDelta(PartEvent):
    """Frames of facial blendshapes."""

    type: Literal["response.animation_blendshapes.delta"] = "response.animation_blendshapes.delta"
    frames: Annotated[list[list[float]] | str, Field(repr=False, default_factory=list)]
    """One list of weights per frame, or a string."""
    frame_index: int = 0
    """Number of the first frame."""


class ResponseAnimationBlendshapesDone(OutputEvent):
    """All blendshapes of an item have come."""

    type: Literal["response.animation_blendshapes.done"] = "response.animation_blendshapes.done"


class ResponseVideoDelta(ServerEventBase):
    """The next bytes of one fragmented MP4 stream, not cut at fragments: join them all."""

    type: Literal["response.video.delta"] = "response.video.delta"
    output_index: int = 0
    codec: str = ""
    delta: Audio = b""


AnimationServerEvent: TypeAlias = (
    ResponseAudioTimestampDelta
    | ResponseAudioTimestampDone
    | ResponseAnimationVisemeDelta
    | ResponseAnimationVisemeDone
    | ResponseAnimationBlendshapesDelta
    | ResponseAnimationBlendshapesDone
    | ResponseVideoDelta
)

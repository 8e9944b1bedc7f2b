"""Items of the conversation, the caller's audio and its transcription."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from voicelive.wire.audio import LogProbProperties, TranscriptionPhrase
from voicelive.wire.base import Private
from voicelive.wire.items import ResponseItem
from voicelive.wire.server.base import ItemEvent, ServerEventBase
from voicelive.wire.server.session import VoiceLiveErrorDetails

__all__ = [
    "ConversationItemCreated",
    "ConversationItemDeleted",
    "ConversationItemDone",
    "ConversationItemInputAudioTranscriptionCompleted",
    "ConversationItemInputAudioTranscriptionDelta",
    "ConversationItemInputAudioTranscriptionFailed",
    "ConversationItemRetrieved",
    "ConversationItemTruncated",
    "ConversationServerEvent",
    "InputAudioBufferCleared",
    "InputAudioBufferCommitted",
    "InputAudioBufferSpeechStarted",
    "InputAudioBufferSpeechStopped",
]


class ConversationItemCreated(ServerEventBase):
    """An item entered the conversation: from the client, from committed audio, or from the model."""

    type: Literal["conversation.item.created"] = "conversation.item.created"
    previous_item_id: str | None = None
    item: ResponseItem | None = None


class ConversationItemDone(ServerEventBase):
    """An item is whole. Seen in real traffic of dated versions; in the schema of ``v1`` only."""

    type: Literal["conversation.item.done"] = "conversation.item.done"
    previous_item_id: str | None = None
    item: ResponseItem | None = None


class ConversationItemRetrieved(ServerEventBase):
    """The service's copy of an item, audio included."""

    type: Literal["conversation.item.retrieved"] = "conversation.item.retrieved"
    item: ResponseItem | None = None


class ConversationItemDeleted(ItemEvent):
    """An item left the conversation."""

    type: Literal["conversation.item.deleted"] = "conversation.item.deleted"


class ConversationItemTruncated(ItemEvent):
    """An item was cut, on request or by ``auto_truncate``."""

    type: Literal["conversation.item.truncated"] = "conversation.item.truncated"
    content_index: int = 0
    audio_end_ms: int = 0


class ConversationItemInputAudioTranscriptionDelta(ItemEvent):
    """A piece of the caller's transcript."""

    type: Literal["conversation.item.input_audio_transcription.delta"] = (
        "conversation.item.input_audio_transcription.delta"
    )
    content_index: int | None = None
    delta: Private | None = None
    logprobs: Annotated[list[LogProbProperties] | None, Field(repr=False)] = None


class ConversationItemInputAudioTranscriptionCompleted(ItemEvent):
    """The caller's transcript; it may come before, between or after the events of the reply: go by ``item_id``."""

    type: Literal["conversation.item.input_audio_transcription.completed"] = (
        "conversation.item.input_audio_transcription.completed"
    )
    content_index: int = 0
    transcript: Private = ""
    logprobs: Annotated[list[LogProbProperties] | None, Field(repr=False)] = None
    phrases: Annotated[list[TranscriptionPhrase] | None, Field(repr=False)] = None


class ConversationItemInputAudioTranscriptionFailed(ItemEvent):
    """The caller's audio was not transcribed; the turn itself goes on."""

    type: Literal["conversation.item.input_audio_transcription.failed"] = (
        "conversation.item.input_audio_transcription.failed"
    )
    content_index: int = 0
    error: VoiceLiveErrorDetails = Field(default_factory=VoiceLiveErrorDetails)


class InputAudioBufferSpeechStarted(ItemEvent):
    """The caller began to speak; stop playback now. ``item_id`` is the future user item."""

    type: Literal["input_audio_buffer.speech_started"] = "input_audio_buffer.speech_started"
    audio_start_ms: int = 0


class InputAudioBufferSpeechStopped(ItemEvent):
    """The caller stopped speaking."""

    type: Literal["input_audio_buffer.speech_stopped"] = "input_audio_buffer.speech_stopped"
    audio_end_ms: int = 0


class InputAudioBufferCommitted(ItemEvent):
    """The buffered audio became a user item."""

    type: Literal["input_audio_buffer.committed"] = "input_audio_buffer.committed"
    previous_item_id: str | None = None


class InputAudioBufferCleared(ServerEventBase):
    """The buffer was dropped."""

    type: Literal["input_audio_buffer.cleared"] = "input_audio_buffer.cleared"


ConversationServerEvent: TypeAlias = (
    ConversationItemCreated
    | ConversationItemDone
    | ConversationItemRetrieved
    | ConversationItemDeleted
    | ConversationItemTruncated
    | ConversationItemInputAudioTranscriptionDelta
    | ConversationItemInputAudioTranscriptionCompleted
    | ConversationItemInputAudioTranscriptionFailed
    | InputAudioBufferSpeechStarted
    | InputAudioBufferSpeechStopped
    | InputAudioBufferCommitted
    | InputAudioBufferCleared
)

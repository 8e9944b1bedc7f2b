"""Everything a client may say, one class per event type.

Two type strings of the official client have no class, because they have no body that any schema describes:
see ``BODYLESS_CLIENT_EVENTS``. ``Session.send_raw`` sends them all the same.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, TypeAlias, get_args

from pydantic import Field

from voicelive.wire.base import Audio, Private, Settings, Unknown, tags_of
from voicelive.wire.items import ConversationRequestItem
from voicelive.wire.responses import ResponseCreateParams
from voicelive.wire.session import SessionConfig

__all__ = [
    "BODYLESS_CLIENT_EVENTS",
    "CLIENT_EVENTS",
    "ClientEvent",
    "ClientEventBase",
    "ConversationItemCreate",
    "ConversationItemDelete",
    "ConversationItemRetrieve",
    "ConversationItemTruncate",
    "InputAudioBufferAppend",
    "InputAudioBufferClear",
    "InputAudioBufferCommit",
    "InputAudioClear",
    "InputAudioTurnAppend",
    "InputAudioTurnCancel",
    "InputAudioTurnEnd",
    "InputAudioTurnStart",
    "InputTextDelta",
    "InputTextDone",
    "KnownClientEvent",
    "OutputAudioBufferClear",
    "ResponseCancel",
    "ResponseCreate",
    "RtcCallSdpCreate",
    "SessionAvatarConnect",
    "SessionUpdate",
    "UnknownClientEvent",
]

BODYLESS_CLIENT_EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "mcp_approval_response": "listed in the client event enum without a body; approvals travel as an item "
        "inside conversation.item.create (MCPApprovalResponseRequestItem)",
        "transcription_session.update": "sent by a helper of the official SDK, in no schema; "
        "whether the service supports it is unknown",
    }
)
"""Type strings without a class, and why. ``Session.send_raw`` sends them."""


class ClientEventBase(Settings):
    """What every client event can carry."""

    always_sent = ("type",)

    event_id: str | None = None
    """At most 512 characters; an ``error`` event names it. ``Session`` chooses one where there is none."""

    def with_id(self, event_id: str) -> Self:
        """The same event under this id. What ``model_copy`` does, at a fifth of its cost: every verb pays for it."""
        named = type(self).__new__(type(self))
        object.__setattr__(named, "__dict__", self.__dict__ | {"event_id": event_id})
        object.__setattr__(named, "__pydantic_fields_set__", self.__pydantic_fields_set__ | {"event_id"})
        object.__setattr__(named, "__pydantic_extra__", self.__pydantic_extra__)
        object.__setattr__(named, "__pydantic_private__", None)
        return named


class SessionUpdate(ClientEventBase):
    """Change settings; only the keys present change."""

    type: Literal["session.update"] = "session.update"
    session: SessionConfig


class SessionAvatarConnect(ClientEventBase):
    """Offer the WebRTC link of an avatar."""

    type: Literal["session.avatar.connect"] = "session.avatar.connect"
    client_sdp: Private
    """Base64 of the JSON text ``{"type": "offer", "sdp": "..."}``, sent after ICE gathering (no trickle)."""


class InputAudioBufferAppend(ClientEventBase):
    """A piece of the caller's audio, at most 15 MiB; never acknowledged."""

    type: Literal["input_audio_buffer.append"] = "input_audio_buffer.append"
    audio: Audio
    """Raw samples in the session's input format, no WAV header."""


class InputAudioBufferCommit(ClientEventBase):
    """Turn the buffered audio into a user item; this alone starts no response."""

    type: Literal["input_audio_buffer.commit"] = "input_audio_buffer.commit"


class InputAudioBufferClear(ClientEventBase):
    """Drop audio that is not committed yet."""

    type: Literal["input_audio_buffer.clear"] = "input_audio_buffer.clear"


class InputAudioTurnStart(ClientEventBase):
    """Open a turn that the caller delimits. In the schema only."""

    type: Literal["input_audio.turn.start"] = "input_audio.turn.start"
    turn_id: str


class InputAudioTurnAppend(ClientEventBase):
    """Audio of a turn that the caller delimits. In the schema only."""

    type: Literal["input_audio.turn.append"] = "input_audio.turn.append"
    turn_id: str
    audio: Audio


class InputAudioTurnEnd(ClientEventBase):
    """Close a turn that the caller delimits. In the schema only."""

    type: Literal["input_audio.turn.end"] = "input_audio.turn.end"
    turn_id: str


class InputAudioTurnCancel(ClientEventBase):
    """Abandon a turn that the caller delimits. In the schema only."""

    type: Literal["input_audio.turn.cancel"] = "input_audio.turn.cancel"
    turn_id: str


class InputAudioClear(ClientEventBase):
    """Drop all audio that is being streamed in. In the schema only."""

    type: Literal["input_audio.clear"] = "input_audio.clear"


class InputTextDelta(ClientEventBase):
    """Stream a piece of text into an item that exists."""

    type: Literal["input_text.delta"] = "input_text.delta"
    id: str
    """The item that receives the text."""
    delta: Private
    content_index: int | None = None


class InputTextDone(ClientEventBase):
    """Close the streamed text of an item."""

    type: Literal["input_text.done"] = "input_text.done"
    id: str
    content_index: int | None = None


class OutputAudioBufferClear(ClientEventBase):
    """Stop audio that waits for playback on the service's side; for avatars and WebRTC."""

    type: Literal["output_audio_buffer.clear"] = "output_audio_buffer.clear"


class ConversationItemCreate(ClientEventBase):
    """Insert an item into the conversation."""

    type: Literal["conversation.item.create"] = "conversation.item.create"
    previous_item_id: str | None = None
    """The item directly before this one; ``"root"`` inserts at the front; left out: at the end."""
    item: ConversationRequestItem | None = None
    """Optional by the schema; send it always."""


class ConversationItemRetrieve(ClientEventBase):
    """Ask for the service's copy of an item, audio included."""

    type: Literal["conversation.item.retrieve"] = "conversation.item.retrieve"
    item_id: str


class ConversationItemTruncate(ClientEventBase):
    """Cut the agent's audio to what was heard; the stored transcript of that part goes away."""

    type: Literal["conversation.item.truncate"] = "conversation.item.truncate"
    item_id: str
    content_index: int
    audio_end_ms: int
    """End of what was heard; beyond the item's length is an error."""


class ConversationItemDelete(ClientEventBase):
    """Remove an item from the conversation."""

    type: Literal["conversation.item.delete"] = "conversation.item.delete"
    item_id: str


class ResponseCreate(ClientEventBase):
    """Ask for a response."""

    type: Literal["response.create"] = "response.create"
    response: ResponseCreateParams | None = None
    additional_instructions: Private | None = None
    """Added to the session's instructions for this response."""


class ResponseCancel(ClientEventBase):
    """Stop a response; an error comes back when none runs."""

    type: Literal["response.cancel"] = "response.cancel"
    response_id: str | None = None
    """Left out: the running response of the conversation."""


class RtcCallSdpCreate(ClientEventBase):
    """Offer a WebRTC call, plain SDP; preview, on the path ``/voice-live/realtime/calls``."""

    type: Literal["rtc.call.sdp.create"] = "rtc.call.sdp.create"
    sdp_offer: Private
    session: SessionConfig | None = None


KnownClientEvent: TypeAlias = (
    SessionUpdate
    | SessionAvatarConnect
    | InputAudioBufferAppend
    | InputAudioBufferCommit
    | InputAudioBufferClear
    | InputAudioTurnStart
    | InputAudioTurnAppend
    | InputAudioTurnEnd
    | InputAudioTurnCancel
    | InputAudioClear
    | InputTextDelta
    | InputTextDone
    | OutputAudioBufferClear
    | ConversationItemCreate
    | ConversationItemRetrieve
    | ConversationItemTruncate
    | ConversationItemDelete
    | ResponseCreate
    | ResponseCancel
    | RtcCallSdpCreate
)

CLIENT_EVENTS: Mapping[str, type[KnownClientEvent]] = MappingProxyType(
    {tag: cls for cls in get_args(KnownClientEvent) for tag in tags_of(cls)}
)
"""Type string to class."""


class UnknownClientEvent(Unknown):
    """A client event whose type has no class here, or whose fields do not fit its class."""

    known = frozenset(CLIENT_EVENTS)

    @property
    def event_id(self) -> str | None:
        """The event's id, where it has one."""
        found: Any = self.raw.get("event_id")
        return found if isinstance(found, str) else None


ClientEvent: TypeAlias = Annotated[
    Annotated[KnownClientEvent, Field(discriminator="type")] | UnknownClientEvent, Field(union_mode="left_to_right")
]
"""Any client event."""

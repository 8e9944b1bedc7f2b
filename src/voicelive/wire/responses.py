"""Responses: what is asked for, what the service reports of one, and what it costs in tokens."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from voicelive.wire.audio import OutputAudioFormat
from voicelive.wire.avatar import Animation
from voicelive.wire.base import Private, Settings, Tagged, Unknown, Unlisted, Wire, tags
from voicelive.wire.checks import at_most, within
from voicelive.wire.items import AssistantMessageItem, ConversationRequestItem, ResponseItem
from voicelive.wire.parts import OutputTextContentPart
from voicelive.wire.tools import Tool, ToolChoice
from voicelive.wire.voices import Voice

__all__ = [
    "CachedTokenDetails",
    "InputTokenDetails",
    "InterimResponse",
    "InterimResponseTrigger",
    "LlmInterimResponseConfig",
    "MaxOutputTokens",
    "Metadata",
    "Modality",
    "OutputTokenDetails",
    "ReasoningEffort",
    "Response",
    "ResponseCancelledDetails",
    "ResponseCreateParams",
    "ResponseFailedDetails",
    "ResponseIncompleteDetails",
    "ResponseStatus",
    "ResponseStatusDetails",
    "StaticInterimResponseConfig",
    "TokenUsage",
    "UnknownInterimResponse",
    "UnknownStatusDetails",
]

Modality: TypeAlias = Literal["text", "audio", "animation", "avatar"]
ReasoningEffort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh"]
ResponseStatus: TypeAlias = Literal["completed", "cancelled", "failed", "incomplete", "in_progress"]
InterimResponseTrigger: TypeAlias = Literal["latency", "tool"]
MaxOutputTokens: TypeAlias = Annotated[int | Literal["inf"] | None, within(1, 4096, "or 'inf'")]
Metadata: TypeAlias = Annotated[dict[str, str] | None, at_most(16, "pairs"), Field(repr=False)]
"""At most 16 pairs, keys up to 64 characters, values up to 512."""


class _InterimResponse(Settings):
    always_sent = ("type",)

    triggers: list[InterimResponseTrigger | Unlisted] | None = None
    latency_threshold_ms: Annotated[int | None, within(0, unit="ms")] = None
    """The service's default is 2000 ms."""


class LlmInterimResponseConfig(_InterimResponse):
    """A small model bridges a wait with a fitting phrase."""

    type: Literal["llm_interim_response"] = "llm_interim_response"
    model: str | None = None
    instructions: Private | None = None
    max_completion_tokens: Annotated[int | None, within(1)] = None


class StaticInterimResponseConfig(_InterimResponse):
    """Ready phrases bridge a wait."""

    type: Literal["static_interim_response"] = "static_interim_response"
    texts: Annotated[list[str] | None, Field(repr=False)] = None


class UnknownInterimResponse(Unknown):
    """A kind of interim response that this version does not know."""

    known = frozenset({"llm_interim_response", "static_interim_response"})


InterimResponse: TypeAlias = Annotated[
    Annotated[LlmInterimResponseConfig | StaticInterimResponseConfig, Field(discriminator="type")]
    | UnknownInterimResponse,
    Field(union_mode="left_to_right"),
]
"""What is said while the answer takes its time; for cascaded text models with Azure voices, or agents."""


class ResponseCreateParams(Settings):
    """Settings of one response; what is left out is the session's."""

    commit: bool | None = None
    """``False`` keeps the output out of the history."""
    cancel_previous: bool | None = None
    """Replace a running response instead of failing."""
    append_input_items: list[ConversationRequestItem] | None = None
    """Added to the context before the model answers."""
    input_items: list[ConversationRequestItem] | None = None
    """Used instead of the history; an empty list means an empty context."""
    modalities: list[Modality | Unlisted] | None = None
    instructions: Private | None = None
    voice: Voice | None = None
    output_audio_format: OutputAudioFormat | Unlisted | None = None
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    temperature: float | None = None
    """Sources disagree on the range, so it is not checked here."""
    max_output_tokens: MaxOutputTokens = None
    pre_generated_assistant_message: AssistantMessageItem | None = None
    """One text part that is spoken as it stands, without asking the model."""
    reasoning_effort: ReasoningEffort | Unlisted | None = None
    metadata: Metadata = None
    interim_response: InterimResponse | None = None
    invoke_input: Annotated[dict[str, Any] | None, Field(repr=False)] = None
    """Free-form input of a hosted agent."""
    conversation: Literal["auto", "none"] | Unlisted | None = None
    """``"none"``: out of band, beside the conversation. In the public reference only."""
    max_response_output_tokens: MaxOutputTokens = None
    """The public reference's name of ``max_output_tokens``."""
    animation: Animation | None = None

    def _refuse_impossible(self) -> None:
        message = self.pre_generated_assistant_message
        if message is not None and [type(part) for part in message.content] != [OutputTextContentPart]:
            raise ValueError("pre_generated_assistant_message must hold exactly one text part")
        if self.max_output_tokens is not None and self.max_response_output_tokens is not None:
            raise ValueError("max_output_tokens and max_response_output_tokens are two names of one setting; give one")


class CachedTokenDetails(Wire):
    """Input tokens that were cached, by kind; part of ``cached_tokens``."""

    text_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None


class InputTokenDetails(Wire):
    """Input tokens by kind; cached ones are counted inside. ``None``: the service did not say."""

    cached_tokens: int | None = None
    text_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None
    cached_tokens_details: CachedTokenDetails | None = None


class OutputTokenDetails(Wire):
    """Output tokens by kind. ``None``: the service did not say."""

    text_tokens: int | None = None
    audio_tokens: int | None = None
    reasoning_tokens: int | None = None


class TokenUsage(Wire):
    """The tokens of one response."""

    total_tokens: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_token_details: InputTokenDetails | None = None
    output_token_details: OutputTokenDetails | None = None


class ResponseCancelledDetails(Tagged):
    """Why a response was cancelled."""

    type: Literal["cancelled"] = "cancelled"
    reason: Literal["turn_detected", "client_cancelled"] | Unlisted | None = None


class ResponseIncompleteDetails(Tagged):
    """Why a response stopped short."""

    type: Literal["incomplete"] = "incomplete"
    reason: Literal["max_output_tokens", "content_filter"] | Unlisted | None = None


class ResponseFailedDetails(Tagged):
    """What went wrong."""

    type: Literal["failed"] = "failed"
    error: Annotated[Any, Field(repr=False)] = None
    """Free-form, commonly ``{type, code, message}``."""


_KnownStatusDetails: TypeAlias = ResponseCancelledDetails | ResponseIncompleteDetails | ResponseFailedDetails


class UnknownStatusDetails(Unknown):
    """A kind of status that this version does not know."""

    known = tags(_KnownStatusDetails)


ResponseStatusDetails: TypeAlias = Annotated[
    Annotated[_KnownStatusDetails, Field(discriminator="type")] | UnknownStatusDetails,
    Field(union_mode="left_to_right"),
]


class Response(Wire):
    """A response as ``response.created`` and ``response.done`` report it; its items come without audio."""

    id: str | None = None
    object: str | None = None
    status: ResponseStatus | Unlisted | None = None
    status_details: ResponseStatusDetails | None = None
    output: list[ResponseItem] | None = None
    usage: TokenUsage | None = None
    conversation_id: str | None = None
    """``None`` for an out-of-band response."""
    voice: Voice | None = None
    modalities: list[Modality | Unlisted] | None = None
    output_audio_format: OutputAudioFormat | Unlisted | None = None
    temperature: float | None = None
    max_output_tokens: int | Literal["inf"] | None = None
    metadata: Annotated[dict[str, str] | None, Field(repr=False)] = None
    max_response_output_tokens: int | Literal["inf"] | None = None
    """The public reference's name of ``max_output_tokens``."""

"""How the service decides that the caller's turn begins and ends.

Nested settings replace as a whole, so an object sent here is the whole truth: what it leaves out falls back to
the service's defaults (threshold 0.5; prefix 400 ms for ``server_vad``, 420 ms for the semantic kinds; silence
500 ms; speech 200 ms and 80 ms).
"""

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import Field

from voicelive.wire.base import Private, Settings, Unknown, Unlisted, tags
from voicelive.wire.checks import within

__all__ = [
    "AzureSemanticDetection",
    "AzureSemanticDetectionEn",
    "AzureSemanticDetectionMultilingual",
    "AzureSemanticVad",
    "AzureSemanticVadEn",
    "AzureSemanticVadMultilingual",
    "EouDetection",
    "OpenAISemanticVad",
    "ServerVad",
    "SmartEndOfTurnDetection",
    "TurnDetection",
    "UnknownEouDetection",
    "UnknownTurnDetection",
]

Milliseconds: TypeAlias = Annotated[int | None, within(0, unit="ms")]
ThresholdLevel: TypeAlias = Literal["low", "medium", "high", "default"]


class _EndOfUtterance(Settings):
    """End of utterance by meaning; for cascaded models only."""

    always_sent = ("model",)

    threshold_level: ThresholdLevel | Unlisted | None = None
    timeout_ms: Milliseconds = None
    """The service's default is 1000 ms."""


class AzureSemanticDetection(_EndOfUtterance):
    """End of utterance by meaning, English first."""

    model: Literal["semantic_detection_v1"] = "semantic_detection_v1"


class AzureSemanticDetectionEn(_EndOfUtterance):
    """End of utterance by meaning, English only."""

    model: Literal["semantic_detection_v1_en"] = "semantic_detection_v1_en"


class AzureSemanticDetectionMultilingual(_EndOfUtterance):
    """End of utterance by meaning, many languages."""

    model: Literal["semantic_detection_v1_multilingual"] = "semantic_detection_v1_multilingual"


class SmartEndOfTurnDetection(_EndOfUtterance):
    """End of turn by a model of its own; preview surface of ``v1`` only, not in dated versions since 2026-07-15."""

    model: Literal["smart_end_of_turn_detection"] = "smart_end_of_turn_detection"


_KnownEou: TypeAlias = (
    AzureSemanticDetection | AzureSemanticDetectionEn | AzureSemanticDetectionMultilingual | SmartEndOfTurnDetection
)


class UnknownEouDetection(Unknown):
    """An end-of-utterance detection that this version does not know."""

    known = tags(_KnownEou, "model")
    told_by = "model"

    if TYPE_CHECKING:  # what the constructor takes, see Unknown
        kind: str | None = Field(None, alias="model")


EouDetection: TypeAlias = Annotated[
    Annotated[_KnownEou, Field(discriminator="model")] | UnknownEouDetection, Field(union_mode="left_to_right")
]


class _Vad(Settings):
    """What all kinds share. Left out, ``create_response`` and ``interrupt_response`` are the service's choice."""

    always_sent = ("type",)

    create_response: bool | None = None
    """Answer by itself when the turn ends."""
    interrupt_response: bool | None = None
    """Barge-in cancels the running response."""
    auto_truncate: bool | None = None
    """On barge-in the service cuts the item itself; needs ``interrupt_response``."""

    def _refuse_impossible(self) -> None:
        if self.auto_truncate and self.interrupt_response is False:
            raise ValueError("auto_truncate needs interrupt_response, which is False; leave one of them out")


class _EnergyVad(_Vad):
    threshold: Annotated[float | None, within(0, 1)] = None
    """0 to 1; higher is less sensitive."""
    prefix_padding_ms: Milliseconds = None
    silence_duration_ms: Milliseconds = None
    speech_duration_ms: Milliseconds = None
    end_of_utterance_detection: EouDetection | None = None
    """Cascaded models only."""


class ServerVad(_EnergyVad):
    """Turn detection by energy; the service's default kind."""

    type: Literal["server_vad"] = "server_vad"
    idle_timeout_ms: Milliseconds = None
    """Seen in real traffic, in no dated schema."""
    appended_text_after_truncation: Private | None = None
    """Seen in real traffic; text that is glued to a truncated reply in the model's context."""


class _SemanticVad(_EnergyVad):
    remove_filler_words: bool | None = None
    """Ignore um and uh while the agent speaks."""
    idle_timeout_ms: Milliseconds = None
    """Seen in real traffic, in no dated schema."""
    appended_text_after_truncation: Private | None = None
    """Text that is glued to a truncated reply in the model's context; documented in a guide only."""


class AzureSemanticVad(_SemanticVad):
    """Turn detection by meaning, English first."""

    type: Literal["azure_semantic_vad"] = "azure_semantic_vad"
    languages: list[str] | None = None
    """Helps to remove filler words; English here, others are ignored."""
    speech_duration_assistant_speaking_ms: Milliseconds = None
    """Speech needed for a barge-in; seen only in live tests of the official SDK."""


class AzureSemanticVadEn(_SemanticVad):
    """Turn detection by meaning, English only; in the schema, not in the public reference."""

    type: Literal["azure_semantic_vad_en"] = "azure_semantic_vad_en"


class AzureSemanticVadMultilingual(_SemanticVad):
    """Turn detection by meaning, ten languages."""

    type: Literal["azure_semantic_vad_multilingual"] = "azure_semantic_vad_multilingual"
    languages: list[str] | None = None
    """Helps to remove filler words: en, es, fr, it, de, ja, pt, zh, ko, hi; others are ignored."""


class OpenAISemanticVad(_Vad):
    """OpenAI's turn detection by meaning; gpt-realtime family only. Documented, in no dated schema."""

    type: Literal["semantic_vad"] = "semantic_vad"
    eagerness: Literal["low", "medium", "high", "auto"] | Unlisted | None = None


_KnownTurnDetection: TypeAlias = (
    ServerVad | AzureSemanticVad | AzureSemanticVadEn | AzureSemanticVadMultilingual | OpenAISemanticVad
)


class UnknownTurnDetection(Unknown):
    """A kind of turn detection that this version does not know."""

    known = tags(_KnownTurnDetection)


TurnDetection: TypeAlias = Annotated[
    Annotated[_KnownTurnDetection, Field(discriminator="type")] | UnknownTurnDetection,
    Field(union_mode="left_to_right"),
]

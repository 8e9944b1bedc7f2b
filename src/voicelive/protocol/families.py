"""Which settings a family of models takes, decided by a model's name: newer names of a family start the same way.

A name that starts like no family is unknown, and nothing is said about it. The facts are those of Microsoft Learn, "How
to use the Voice Live API" and the API reference of 2026-04-10 and later. Settings may be objects or plain mappings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

__all__ = ["Family", "Misfit", "family_of", "misfits", "setting", "voice_kind"]

Family: TypeAlias = Literal["gpt-realtime", "gpt-live", "azure-realtime", "phi4-mm-realtime", "cascaded", "agent"]

_NATIVE: tuple[Family, ...] = ("gpt-realtime", "gpt-live", "azure-realtime", "phi4-mm-realtime")
"""Models that hear by themselves, by how their names start."""

_CASCADED = ("gpt-4o", "gpt-4.1", "gpt-5", "phi4-mini")
"""Models between Azure speech to text and Azure voices."""

_NOT_REALTIME: tuple[Family, ...] = ("cascaded", "phi4-mm-realtime", "azure-realtime", "agent")
"""All but the gpt-realtime family, and gpt-live, of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """A setting that the family does not take.

    Attributes:
        code: Names the rule.
        field: Path of the setting, from ``config`` on.
        reason: Why it cannot be.
        instead: What to write.
        certain: The service refuses it or cannot do it; otherwise it is documented for other families alone.
    """

    code: str
    field: str
    reason: str
    instead: str
    certain: bool = True


def family_of(model: str | None, *, agent: bool = False) -> Family | None:
    """The family of a model, or ``agent``; ``None``: a name of no family that is known here."""
    if agent:
        return "agent"
    name = (model or "").lower()
    if "realtime-preview" in name:  # gpt-4o-realtime-preview and its kin: native models under a cascaded name
        return None
    for family in _NATIVE:
        if name.startswith(family):
            return family
    return "cascaded" if name.startswith(_CASCADED) else None


def misfits(config: object, *, model: str | None, agent: bool = False) -> tuple[Misfit, ...]:
    """What in the settings does not go with the model or agent.

    Args:
        config: A ``SessionConfig``, what the service reports, or a mapping of the wire.
        model: The model's name, with no deployment of one's own behind it.
        agent: An agent answers instead of a model.
    """
    family = family_of(model, agent=agent)
    if config is None or family is None:
        return ()
    who = "an agent" if agent else repr(model)
    return tuple(misfit for rule in _RULES for misfit in rule(config, family, who))


def setting(config: object, *path: str) -> Any:
    """A setting by its path; ``None`` where it, or something on the way, is not there."""
    for name in path:
        config = config.get(name) if isinstance(config, Mapping) else getattr(config, name, None)
    return config


def voice_kind(voice: object) -> str | None:
    """The ``type`` of a voice. A bare name is an OpenAI voice; names of Azure voices begin with a locale."""
    if isinstance(voice, str):
        return None if "-" in voice else "openai"
    kind = setting(voice, "type")
    word = setting(voice, "kind") if kind == "unknown" else kind
    return word if isinstance(word, str) else None


def _end_of_utterance(config: object, family: Family, who: str) -> Iterator[Misfit]:
    if family in _NATIVE and setting(config, "turn_detection", "end_of_utterance_detection") is not None:
        yield Misfit(
            "end_of_utterance_on_native_model",
            "turn_detection.end_of_utterance_detection",
            f"{who} hears audio itself; it belongs to cascaded models such as gpt-4.1",
            "leave it out, or choose another model",
        )


def _semantic_vad(config: object, family: Family, who: str) -> Iterator[Misfit]:
    if family in _NOT_REALTIME and setting(config, "turn_detection", "type") == "semantic_vad":
        yield Misfit(
            "turn_detection_of_another_family",
            "turn_detection",
            f"semantic_vad belongs to the gpt-realtime family, and {who} is none of it",
            "use AzureSemanticVad() or ServerVad()",
        )


def _transcription(config: object, family: Family, who: str) -> Iterator[Misfit]:
    model = setting(config, "input_audio_transcription", "model")
    if not isinstance(model, str):
        return
    of_openai = model == "whisper-1" or (model.startswith("gpt-4o-") and "transcribe" in model)
    if family == "gpt-realtime" and model == "azure-speech":
        taken, instead = "whisper-1, gpt-4o-transcribe, gpt-4o-mini-transcribe and mai-transcribe", "whisper-1"
    elif family in _NOT_REALTIME and of_openai:
        taken, instead = "azure-speech and mai-transcribe", "azure-speech"
    else:
        return
    yield Misfit(
        "transcription_model_of_another_family",
        "input_audio_transcription.model",
        f"it is {model!r}, and {who} takes {taken}",
        f"use {instead!r}",
    )


def _voice(config: object, family: Family, who: str) -> Iterator[Misfit]:
    kind = voice_kind(setting(config, "voice"))
    azure = kind in ("azure-standard", "azure-custom", "azure-personal", "avatar-voice-sync")
    if kind == "openai" and family in ("cascaded", "phi4-mm-realtime", "azure-realtime"):
        yield Misfit(
            "openai_voice_on_other_model",
            "voice",
            f"voices of OpenAI belong to the gpt-realtime family, and {who} is none of it",
            "use an AzureRealtimeNativeVoice" if family == "azure-realtime" else "use an AzureStandardVoice",
        )
    elif kind == "azure-realtime-native" and family in ("cascaded", "phi4-mm-realtime", "gpt-realtime"):
        yield Misfit(
            "azure_realtime_voice_on_other_model",
            "voice",
            f"voices of type azure-realtime-native belong to azure-realtime, and this is {who}",
            "use an AzureStandardVoice",
        )
    elif azure and family == "azure-realtime":
        yield Misfit(
            "azure_voice_on_azure_realtime",
            "voice",
            f"{who} speaks with its own voices alone, and this one is of type {kind}",
            "use an AzureRealtimeNativeVoice",
        )


def _noise_reduction(config: object, family: Family, who: str) -> Iterator[Misfit]:
    kind = setting(config, "input_audio_noise_reduction", "type")
    if kind in ("near_field", "far_field") and family in _NOT_REALTIME:
        yield Misfit(
            "noise_reduction_of_another_family",
            "input_audio_noise_reduction",
            f"{kind} belongs to the gpt-realtime family, and {who} is none of it",
            "use azure_deep_noise_suppression",
        )


def _interim_response(config: object, family: Family, who: str) -> Iterator[Misfit]:
    if family in _NATIVE and setting(config, "interim_response") is not None:
        yield Misfit(
            "interim_response_on_native_model",
            "interim_response",
            f"it is documented for cascaded models and agents, and {who} hears audio itself",
            "leave it out, or choose another model",
            certain=False,
        )


def _mcp(config: object, family: Family, who: str) -> Iterator[Misfit]:
    if family == "phi4-mm-realtime" and any(setting(tool, "type") == "mcp" for tool in setting(config, "tools") or ()):
        yield Misfit("mcp_on_phi", "tools", f"MCP servers are not for Phi models, and this is {who}", "leave them out")


_Rule: TypeAlias = Callable[[object, Family, str], Iterator[Misfit]]
_RULES: tuple[_Rule, ...] = (
    _end_of_utterance,
    _semantic_vad,
    _transcription,
    _voice,
    _noise_reduction,
    _interim_response,
    _mcp,
)

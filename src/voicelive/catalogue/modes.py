"""On which meters a session runs: decided by its model, its voice and its speech model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self, cast, get_args

from voicelive.catalogue.listed import models
from voicelive.catalogue.model_list import Model
from voicelive.catalogue.terms import Category, Speech, Tier, allowed, as_tier
from voicelive.errors import ConfigurationError
from voicelive.protocol.families import setting, voice_kind

__all__ = ["BillingMode", "require_mode"]

_LITE_CUSTOM = (
    "a custom voice on a Lite model is billed at the Pro rate, as in scenario 4 of the documentation; "
    "a cheaper Lite meter exists"
)
_UNPRICED_VOICE = "what a voice of type {kind} costs is not published; it is billed as a custom voice"
_OWN_TEXT = "text, and what the model hears or speaks itself, is on the bill of your own deployment"

_SPEECH_OF_VOICE: dict[str, Speech] = {
    "openai": "native",
    "azure-realtime-native": "native",
    "azure-standard": "standard",
    "azure-custom": "custom",
    "azure-personal": "custom",
    "avatar-voice-sync": "custom",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingMode:
    """Whose meters count what is said.

    Attributes:
        tier: ``pro``, ``standard`` (``basic`` is taken too), ``lite`` or ``byo``.
        audio_input: Who hears the caller: the model (``native``), Azure's speech to text (``standard``), or a speech
            model of one's own (``custom``).
        audio_output: Who speaks, likewise.
        audio_output_tier: The tier at which the voice is billed. Left out, that of the model, except that a custom
            voice on a Lite model is billed at the Pro rate.
        notes: What about this is a choice or not published.

    Raises:
        ConfigurationError: A word is unknown.
    """

    tier: Tier
    audio_input: Speech
    audio_output: Speech
    audio_output_tier: Tier = None  # type: ignore[assignment]  # never None once made
    notes: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        tier = as_tier(self.tier)
        for name in ("audio_input", "audio_output"):
            allowed(name, getattr(self, name), get_args(Speech))
        by_scenario = tier == "lite" and self.audio_output == "custom" and self.audio_output_tier is None
        notes = [*self.notes, *([_LITE_CUSTOM] if by_scenario else []), *([_OWN_TEXT] if tier == "byo" else [])]
        at = "pro" if by_scenario else tier if self.audio_output_tier is None else as_tier(self.audio_output_tier)
        for name, value in (("tier", tier), ("audio_output_tier", at), ("notes", tuple(dict.fromkeys(notes)))):
            object.__setattr__(self, name, value)

    @property
    def meters(self) -> tuple[tuple[Tier, Category] | None, ...]:
        """Tier and category of text that is new and that is cached, of speech heard that is new and that is cached, of
        text that is written, and of speech that is spoken. ``None``: on the bill of one's own deployment."""
        heard, spoken = f"audio_{self.audio_input}", f"audio_{self.audio_output}"
        words: list[tuple[Tier, str]] = [
            (self.tier, "text_input"),
            (self.tier, "text_cached_input"),
            (self.tier, f"{heard}_input"),
            (self.tier, f"{heard}_cached_input"),
            (self.tier, "text_output"),
            (self.audio_output_tier, f"{spoken}_output"),
        ]
        return tuple(
            None if tier == "byo" and ("text" in word or "native" in word) else (tier, cast("Category", word))
            for tier, word in words
        )

    @classmethod
    def of(cls, model: str | Model, config: Any = None, *, byom: Any = None) -> Self:
        """The mode of a session with that model and those settings.

        Args:
            model: Its name, as asked for or as the service echoes it; with ``byom`` the deployment's.
            config: ``SessionConfig``, what the service reports (``session.config``), or a mapping of the wire. Its
                voice and its custom speech models count; without a voice, the model's own is meant, or a standard one.
            byom: The ``Byom`` that was connected with, or its profile.

        Raises:
            NotInCatalogueError: The model is unknown, so nobody can say its tier.
        """
        if byom is not None:
            profile = getattr(byom, "profile", byom)
            tier: Tier = "byo"
            hears = speaks = profile == "byom-azure-openai-realtime"
        else:
            known = model if isinstance(model, Model) else models[model]
            tier, hears, speaks = known.tier, known.native_in, known.native_out
        custom_speech = setting(config, "input_audio_transcription", "custom_speech")
        output, notes = _output(setting(config, "voice"), speaks=speaks)
        heard: Speech = "native" if hears else "custom" if custom_speech else "standard"
        return cls(tier=tier, audio_input=heard, audio_output=output, notes=notes)


def _output(voice: object, *, speaks: bool) -> tuple[Speech, tuple[str, ...]]:
    kind = voice_kind(voice)
    speech = _SPEECH_OF_VOICE.get(kind, "custom") if kind else "native" if speaks else "standard"
    if speech == "native" and not speaks:  # a refused setting, or what a session reports before it has one
        speech = "standard"
    if kind in ("azure-personal", "avatar-voice-sync") or (kind and kind not in _SPEECH_OF_VOICE):
        return speech, (_UNPRICED_VOICE.format(kind=kind),)
    if isinstance(voice, str) and kind is None:  # the name of an Azure voice
        return "standard", ()
    return speech, ()


def require_mode(mode: object) -> BillingMode:
    """The mode, or a clear refusal of what is none."""
    if not isinstance(mode, BillingMode):
        raise ConfigurationError(f"mode is a {type(mode).__name__}; write BillingMode(...) or BillingMode.of(model)")
    return mode

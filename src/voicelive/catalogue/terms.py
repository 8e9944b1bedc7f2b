"""The words of prices: tiers, meters, kinds of speech, and how a user may write a tier.

They are those of the service's price page and meters, in lower case. Nothing here knows a figure.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, cast, get_args

from voicelive.errors import ConfigurationError

__all__ = [
    "AvatarCategory",
    "Category",
    "CustomCategory",
    "Kind",
    "Scope",
    "Speech",
    "Status",
    "Tier",
    "allowed",
    "as_tier",
]

Tier: TypeAlias = Literal["pro", "standard", "lite", "byo"]
"""What a model costs; ``byo``: a deployment of one's own, of which Voice Live bills the audio alone."""

Speech: TypeAlias = Literal["native", "standard", "custom"]
"""Who hears or speaks: the model itself, Azure's speech, or a custom speech model or voice."""

Category: TypeAlias = Literal[
    "text_input",
    "text_cached_input",
    "text_output",
    "audio_standard_input",
    "audio_standard_cached_input",
    "audio_standard_output",
    "audio_custom_input",
    "audio_custom_cached_input",
    "audio_custom_output",
    "audio_native_input",
    "audio_native_cached_input",
    "audio_native_output",
]
"""A meter of tokens within a tier."""

AvatarCategory: TypeAlias = Literal[
    "avatar_realtime_standard",
    "avatar_realtime_standard_hd",
    "avatar_realtime_custom",
    "avatar_realtime_custom_hd",
    "avatar_batch_standard",
    "avatar_batch_standard_hd",
    "avatar_batch_custom",
    "avatar_batch_custom_hd",
]
"""A meter of avatar minutes; ``hd`` is what the price page calls 4K. Sessions use the ``realtime`` ones."""

CustomCategory: TypeAlias = Literal[
    "custom_voice_training",
    "custom_voice_hosting",
    "custom_speech_training",
    "custom_speech_hosting",
    "custom_avatar_training",
    "custom_avatar_hosting",
    "photo_avatar_creation",
]
"""What custom models cost beside their use: hosting per hour of a deployed endpoint, training per compute hour,
photo avatars per image."""

Kind: TypeAlias = Literal["native_realtime", "multimodal_audio_in", "cascaded_text"]
"""Hears and speaks by itself; hears by itself and speaks with Azure voices; reads and writes, between Azure's speech to
text and Azure voices."""

Scope: TypeAlias = Literal["global", "data_zone", "regional"]
"""Where a request may be processed, wherever the resource is."""

Status: TypeAlias = Literal["current", "unlisted", "own_deployment", "gone"]
"""In the service's tables; on its price list alone; to be deployed by oneself; no longer there."""

_ALIASES: Final[dict[str, Tier]] = {
    "basic": "standard",  # the documentation's word until mid 2026
    "std": "standard",  # the word of the meters
    "byom": "byo",
}


def as_tier(value: str) -> Tier:
    """A tier as a user may write it, in any case; ``basic`` is the older name of ``standard``.

    Raises:
        ConfigurationError: There is no such tier.
    """
    word = value.strip().lower() if isinstance(value, str) else value
    return cast("Tier", allowed("tier", _ALIASES.get(word, word), get_args(Tier)))


def allowed(field: str, value: str, values: tuple[str, ...]) -> str:
    """The value, if it is one of those.

    Raises:
        ConfigurationError: It is not; the message names the field and what is allowed.
    """
    if value not in values:
        raise ConfigurationError(f"{field} is {value!r}; allowed: {', '.join(map(repr, values))}")
    return value

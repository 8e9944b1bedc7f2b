"""Session settings with the formats of a line, so that nothing has to be resampled.

Which settings an application may change on top is not decided here: everything it names wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from voicelive.errors import ConfigurationError
from voicelive.wire.session import SessionConfig

__all__ = ["PCM_RATES_HZ", "mulaw_session", "pcm_session"]

_PCM_OUTPUT_NAMES: Final = {16_000: "pcm16_16000hz", 24_000: "pcm16"}
PCM_RATES_HZ: Final = frozenset(_PCM_OUTPUT_NAMES)
"""The rates that a line and the service have in common."""


def pcm_session(rate_hz: int, overrides: Mapping[str, Any]) -> SessionConfig:
    """16-bit PCM both ways at this rate.

    Raises:
        ConfigurationError: A rate other than 16000 and 24000.
    """
    if rate_hz not in PCM_RATES_HZ:
        raise ConfigurationError(f"rate_hz is {rate_hz!r}; allowed: 16000, 24000")
    formats = {
        "input_audio_format": "pcm16",
        "input_audio_sampling_rate": rate_hz,
        "output_audio_format": _PCM_OUTPUT_NAMES[rate_hz],
    }
    return SessionConfig(**{**formats, **overrides})


def mulaw_session(overrides: Mapping[str, Any]) -> SessionConfig:
    """G.711 mu-law both ways."""
    return SessionConfig(**{"input_audio_format": "g711_ulaw", "output_audio_format": "g711_ulaw", **overrides})

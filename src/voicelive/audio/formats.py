"""Raw audio formats of the service, and all arithmetic between durations and bytes.

Decides which combinations of encoding, rate and channels exist, what a session's settings
strings mean, and how long a number of bytes sounds. Knows nothing of sample values
(``codecs``), of chunks (``chunking``) or of files (``wav``).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from voicelive.errors import ConfigurationError

__all__ = ["AudioEncoding", "AudioFormat"]

AudioEncoding: TypeAlias = Literal["pcm16", "g711_ulaw", "g711_alaw"]
"""How one sample is written: signed 16-bit little-endian, or one companded byte (ITU-T G.711)."""

# Voice Live API reference, input_audio_sampling_rate; G.711 is defined at 8 kHz alone.
_RATES_HZ: Final[dict[str, tuple[int, ...]]] = {
    "pcm16": (8_000, 16_000, 24_000),
    "g711_ulaw": (8_000,),
    "g711_alaw": (8_000,),
}
_DEFAULT_RATE_HZ: Final = 24_000  # of pcm16, in both directions
_SILENCE: Final[dict[str, bytes]] = {"pcm16": b"\x00", "g711_ulaw": b"\xff", "g711_alaw": b"\xd5"}
# Seconds times 1000 may come out a hair low (1.001 * 1000 does); a millionth of a frame is beyond hearing.
_FLOAT_NOISE_FRAMES: Final = 1e-6


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """Raw audio without a container, as it travels in one direction of a session.

    Attributes:
        encoding: How one sample is written.
        rate_hz: Sample frames a second: 8000, 16000 or 24000 for ``pcm16``, 8000 for G.711.
        channels: 1, or 2 for ``pcm16`` with a client echo reference (microphone and reference interleaved).

    Raises:
        ConfigurationError: A combination that the service does not have.
    """

    encoding: AudioEncoding
    rate_hz: int
    channels: int = 1

    def __post_init__(self) -> None:
        if self.encoding not in _RATES_HZ:
            raise ConfigurationError(f"encoding is {self.encoding!r}; allowed: {_listed(_RATES_HZ)}")
        if self.rate_hz not in _RATES_HZ[self.encoding]:
            allowed = _listed(_RATES_HZ[self.encoding])
            raise ConfigurationError(f"rate_hz is {self.rate_hz!r}; allowed with {self.encoding}: {allowed}")
        if self.channels not in ((1, 2) if self.encoding == "pcm16" else (1,)):
            raise ConfigurationError(
                f"channels is {self.channels!r} with {self.encoding}; allowed: 1, or 2 with pcm16 for an echo reference"
            )

    @classmethod
    def of_input(
        cls, input_audio_format: str | None, input_audio_sampling_rate: int | None, channels: int = 1
    ) -> AudioFormat:
        """The format that ``send_audio`` takes under these session settings; ``None`` is the service's default.

        With G.711 the rate is 8000 whatever ``input_audio_sampling_rate`` holds: the service's default of 24000
        may stand beside it in the settings in effect.

        Raises:
            ConfigurationError: An unknown format or rate; the message lists the allowed ones.
        """
        name = "pcm16" if input_audio_format is None else input_audio_format
        match name:
            case "pcm16":
                rate_hz = _DEFAULT_RATE_HZ if input_audio_sampling_rate is None else input_audio_sampling_rate
                return cls(name, rate_hz, channels)
            case "g711_ulaw" | "g711_alaw":
                return cls(name, 8_000, channels)
            case _:
                raise ConfigurationError(f"input_audio_format is {name!r}; allowed: {_listed(_RATES_HZ)}")

    @classmethod
    def of_output(cls, output_audio_format: str | None) -> AudioFormat:
        """The format of the service's audio deltas under this setting; ``None`` is the default, ``pcm16``.

        The older spellings with a hyphen, which the service may still send, are understood too.

        Raises:
            ConfigurationError: An unknown format; the message lists the allowed ones.
        """
        name = "pcm16" if output_audio_format is None else output_audio_format.replace("-", "_")
        known = _OUTPUT_FORMATS.get(name)
        if known is None:
            raise ConfigurationError(
                f"output_audio_format is {output_audio_format!r}; allowed: {_listed(_OUTPUT_FORMATS)}"
            )
        return known

    @classmethod
    def known_output(cls, output_audio_format: str | None) -> AudioFormat | None:
        """As ``of_output``; ``None`` for a format that this version does not know, so that nothing can be counted."""
        try:
            return cls.of_output(output_audio_format)
        except ConfigurationError:
            return None

    @property
    def bytes_per_frame(self) -> int:
        """Bytes of one sample frame: one sample of every channel."""
        return 2 * self.channels if self.encoding == "pcm16" else 1

    @property
    def bytes_per_second(self) -> int:
        """Bytes of one second of audio."""
        return self.bytes_per_frame * self.rate_hz

    def duration_ms(self, byte_count: int) -> float:
        """How long ``byte_count`` bytes sound, in milliseconds, fractions kept."""
        return byte_count * 1000 / self.bytes_per_second

    def byte_count(self, duration_ms: float) -> int:
        """Bytes of the whole sample frames within ``duration_ms``, rounded down.

        Gives back the bytes that ``duration_ms()`` was asked about, for up to a day of audio.

        Raises:
            ConfigurationError: A negative, infinite or undefined duration.
        """
        if not 0 <= duration_ms < math.inf:
            raise ConfigurationError(f"duration_ms is {duration_ms!r}; it must be a finite number, at least 0")
        return math.floor(duration_ms * self.rate_hz / 1000 + _FLOAT_NOISE_FRAMES) * self.bytes_per_frame

    def whole_frames(self, byte_count: int) -> int:
        """How many complete sample frames ``byte_count`` bytes hold."""
        return byte_count // self.bytes_per_frame

    def silence(self, duration_ms: float) -> bytes:
        """Digital silence of ``duration_ms``, in whole sample frames, rounded down."""
        return self.silence_of(self.byte_count(duration_ms))

    def silence_of(self, byte_count: int) -> bytes:
        """Digital silence of so many bytes."""
        return _SILENCE[self.encoding] * byte_count


_OUTPUT_FORMATS: Final[dict[str, AudioFormat]] = {
    "pcm16": AudioFormat("pcm16", _DEFAULT_RATE_HZ),
    "pcm16_16000hz": AudioFormat("pcm16", 16_000),
    "pcm16_8000hz": AudioFormat("pcm16", 8_000),
    "g711_ulaw": AudioFormat("g711_ulaw", 8_000),
    "g711_alaw": AudioFormat("g711_alaw", 8_000),
}


def _listed(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in values)

"""How the caller's audio is cleaned and transcribed, and what a transcription says in detail."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from voicelive.wire.base import Private, Settings, Unlisted, Wire
from voicelive.wire.checks import at_most

__all__ = [
    "AudioEchoCancellation",
    "AudioInputTranscriptionOptions",
    "AudioNoiseReduction",
    "AudioTimestampType",
    "InputAudioFormat",
    "InputTranscriptionModel",
    "LogProbProperties",
    "OutputAudioFormat",
    "TranscriptionPhrase",
    "TranscriptionWord",
]

InputAudioFormat: TypeAlias = Literal["pcm16", "g711_ulaw", "g711_alaw"]
OutputAudioFormat: TypeAlias = Literal["pcm16", "pcm16_8000hz", "pcm16_16000hz", "g711_ulaw", "g711_alaw"]
"""Up to 2025-10-01 the sized values were spelled with a hyphen; they arrive as ``Unlisted``."""
AudioTimestampType: TypeAlias = Literal["word"]
InputTranscriptionModel: TypeAlias = Literal[
    "whisper-1",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-transcribe-diarize",
    "azure-speech",
    "mai-transcribe",
    "mai-transcribe-1",
    "mai-transcribe-2",
]


class AudioNoiseReduction(Settings):
    """Noise reduction on the caller's audio; ``near_field`` and ``far_field`` need the gpt-realtime family."""

    always_sent = ("type",)

    type: Literal["azure_deep_noise_suppression", "near_field", "far_field"] | Unlisted


class AudioEchoCancellation(Settings):
    """Removes the agent's own voice from the caller's audio.

    The service knows what it said (``reference_source`` left out or ``"server"``, one channel), or the client
    sends what its loudspeaker plays: ``reference_source="client"`` and ``channels=2``, samples interleaved,
    microphone first. The client's reference also needs the connection feature ``client_ec_reference:true``.
    """

    always_sent = ("type",)

    type: Literal["server_echo_cancellation"] | Unlisted = "server_echo_cancellation"
    reference_source: Literal["server", "client"] | Unlisted | None = None
    channels: int | None = None

    def _refuse_impossible(self) -> None:
        source, channels = self.reference_source or "server", self.channels or 1
        if (source, channels) not in {("server", 1), ("client", 2)} and source in {"server", "client"}:
            raise ValueError(
                f"channels is {channels} with reference_source {str(source)!r}; "
                "allowed: 1 with 'server', 2 with 'client'"
            )


class AudioInputTranscriptionOptions(Settings):
    """How the caller is transcribed. The gpt-realtime family takes whisper-1, gpt-4o-*transcribe* and mai-transcribe*;
    every other model, and agents, take azure-speech or mai-transcribe*."""

    always_sent = ()

    model: InputTranscriptionModel | str
    language: str | None = None
    """BCP-47 or ISO 639-1; a comma list such as ``"en,zh"`` is told apart automatically."""
    custom_speech: Annotated[dict[str, str] | None, at_most(10, "languages")] = None
    """Locale to custom model id; azure-speech only."""
    phrase_list: Annotated[list[str] | None, at_most(499, "phrases"), Field(repr=False)] = None
    """Hints; azure-speech and mai-transcribe only."""
    prompt: Private | None = None
    """Documented for whisper-1 and gpt-4o-*transcribe*, in no dated schema."""


class LogProbProperties(Wire):
    """How sure the transcription is of one token."""

    token: Private = ""
    logprob: float | None = None
    bytes: Annotated[list[int] | None, Field(repr=False)] = None


class TranscriptionWord(Wire):
    """A word of a transcription with its place in the turn's audio."""

    text: Private = ""
    offset_milliseconds: int = 0
    duration_milliseconds: int = 0


class TranscriptionPhrase(Wire):
    """A phrase of a transcription with its place in the turn's audio."""

    text: Private = ""
    offset_milliseconds: int = 0
    duration_milliseconds: int = 0
    words: list[TranscriptionWord] | None = None
    locale: str | None = None
    confidence: float | None = None
    """0 to 1."""

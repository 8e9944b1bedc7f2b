"""The session's settings: what a client may send, and what the service says is in effect."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from voicelive.wire.audio import (
    AudioEchoCancellation,
    AudioInputTranscriptionOptions,
    AudioNoiseReduction,
    AudioTimestampType,
    InputAudioFormat,
    OutputAudioFormat,
)
from voicelive.wire.avatar import Animation, AvatarConfig, PhotoAvatar, VideoAvatar
from voicelive.wire.base import Private, Settings, Tagged, Unlisted, Wire
from voicelive.wire.responses import InterimResponse, MaxOutputTokens, Metadata, Modality, ReasoningEffort
from voicelive.wire.tools import Tool, ToolChoice
from voicelive.wire.turn_detection import TurnDetection
from voicelive.wire.voices import AzureAvatarVoiceSyncVoice, OpenAIVoice, Voice

__all__ = ["AgentConfig", "SessionConfig", "SessionIncludeOption", "SessionResource"]

SessionIncludeOption: TypeAlias = Literal[
    "item.input_audio_transcription.logprobs", "item.input_audio_transcription.phrases", "file_search_call.results"
]

_PCM_RATES_HZ = (8000, 16000, 24000)


class SessionConfig(Settings):
    """Settings of a session. What is left out stays as it is; ``None`` sends null, which turns a thing off
    (turn detection, noise reduction, echo cancellation, transcription). An empty string clears ``instructions``,
    an empty list clears ``tools``. Nested objects replace as a whole.
    """

    model: str | None = None
    """Fixed by the connection; a later change is refused by the service."""
    modalities: list[Modality | Unlisted] | None = None
    """``["text"]`` or ``["text", "audio"]``, plus ``"animation"`` and ``"avatar"``."""
    instructions: Private | None = None
    """The system prompt; not in agent mode."""
    voice: Voice | None = None
    """Frozen once audio was produced."""
    input_audio_format: InputAudioFormat | Unlisted | None = None
    input_audio_sampling_rate: int | None = None
    """Hz. 8000, 16000 or 24000 with pcm16, 8000 with G.711."""
    output_audio_format: OutputAudioFormat | Unlisted | None = None
    turn_detection: TurnDetection | None = None
    """``None``: no turn detection, the client commits and asks for responses."""
    input_audio_noise_reduction: AudioNoiseReduction | None = None
    input_audio_echo_cancellation: AudioEchoCancellation | None = None
    input_audio_transcription: AudioInputTranscriptionOptions | None = None
    output_audio_timestamp_types: list[AudioTimestampType | Unlisted] | None = None
    """Needs an Azure voice."""
    avatar: AvatarConfig | None = None
    animation: Animation | None = None
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    temperature: float | None = None
    """Sources disagree on the range, so it is not checked here."""
    max_response_output_tokens: MaxOutputTokens = None
    reasoning_effort: ReasoningEffort | Unlisted | None = None
    interim_response: InterimResponse | None = None
    include: list[SessionIncludeOption | Unlisted] | None = None
    metadata: Metadata = None

    def _refuse_impossible(self) -> None:
        if self.modalities is not None and "text" not in self.modalities:
            raise ValueError("modalities must include 'text'; the service refuses audio alone")
        self._check_rate()
        self._check_names()
        voice = self.voice
        if isinstance(voice, OpenAIVoice):
            for wish in ("output_audio_timestamp_types", "animation"):
                if getattr(self, wish):
                    raise ValueError(f"{wish} needs an Azure voice; voice is the OpenAI voice {voice.name!r}")
        elif isinstance(voice, AzureAvatarVoiceSyncVoice):
            self._check_voice_sync()

    def _check_voice_sync(self) -> None:
        """Without an avatar here, the session may have one that was set before."""
        avatar = self.avatar
        if isinstance(avatar, PhotoAvatar) or (isinstance(avatar, VideoAvatar) and not avatar.customized):
            raise ValueError(
                "voice is 'avatar-voice-sync', which is trained together with a custom video avatar; "
                f"avatar is the {'photo' if isinstance(avatar, PhotoAvatar) else 'standard video'} avatar "
                f"{avatar.character!r}: choose another voice, or VideoAvatar(..., customized=True)"
            )

    def _check_rate(self) -> None:
        rate_hz = self.input_audio_sampling_rate
        if rate_hz is None:
            return
        g711 = str(self.input_audio_format).startswith("g711")
        allowed = (8000,) if g711 else _PCM_RATES_HZ
        if rate_hz not in allowed:
            form = "G.711" if g711 else "pcm16"
            raise ValueError(
                f"input_audio_sampling_rate is {rate_hz}; allowed with {form}: {', '.join(map(str, allowed))}"
            )

    def _check_names(self) -> None:
        for key, value in (self.metadata or {}).items():
            if len(key) > 64 or len(value) > 512:
                raise ValueError("metadata keys have at most 64 characters and values at most 512")
        names = [tool.name for tool in self.tools or () if tool.type == "function"]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"tools has {twice[0]!r} twice; every function needs a name of its own")


class AgentConfig(Tagged):
    """The agent behind the session, as the service reports it."""

    type: Literal["agent"] = "agent"
    name: str | None = None
    description: str | None = None
    agent_id: str | None = None
    thread_id: str | None = None
    """Conversation thread of the agent service."""


class SessionResource(Wire):
    """The settings in effect, as ``session.created`` and ``session.updated`` report them.

    Explicit nulls are everywhere. ``model`` is a deployment's name, such as ``gpt-realtime-global-standard``,
    not what was asked for.
    """

    id: str | None = None
    object: str | None = None
    model: str | None = None
    expires_at: int | None = None
    """Unix seconds."""
    modalities: list[Modality | Unlisted] | None = None
    instructions: Private | None = None
    voice: Voice | None = None
    input_audio_format: InputAudioFormat | Unlisted | None = None
    input_audio_sampling_rate: int | None = None
    output_audio_format: OutputAudioFormat | Unlisted | None = None
    turn_detection: TurnDetection | None = None
    input_audio_noise_reduction: AudioNoiseReduction | None = None
    input_audio_echo_cancellation: AudioEchoCancellation | None = None
    input_audio_transcription: AudioInputTranscriptionOptions | None = None
    output_audio_timestamp_types: list[AudioTimestampType | Unlisted] | None = None
    avatar: AvatarConfig | None = None
    animation: Animation | None = None
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    temperature: float | None = None
    max_response_output_tokens: int | Literal["inf"] | None = None
    reasoning_effort: ReasoningEffort | Unlisted | None = None
    interim_response: InterimResponse | None = None
    include: list[SessionIncludeOption | Unlisted] | None = None
    metadata: Annotated[dict[str, str] | None, Field(repr=False)] = None
    agent: AgentConfig | None = None
    """In agent mode."""
    truncation_strategy: Any = None
    """Seen in real traffic, in no dated schema."""
    greeting: Annotated[Any, Field(repr=False)] = None
    """Seen in real traffic, in no dated schema."""
    handoff: Any = None
    """Seen in real traffic, in no dated schema."""

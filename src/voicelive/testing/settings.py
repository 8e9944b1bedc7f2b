"""The settings of one emulated session: what is in effect, and what an update changes.

Only keys present in an update change; nested objects are replaced as a whole and completed with defaults, as in
recorded traffic. Knows no sockets and no conversation; whether audio came in or out is told by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from voicelive.audio.formats import AudioFormat
from voicelive.testing import avatars
from voicelive.testing.avatar_rules import verify, verify_voice
from voicelive.testing.checks import Refusal
from voicelive.testing.settings_rules import SESSION

__all__ = ["JsonObject", "Settings", "TurnDetection"]

JsonObject = dict[str, Any]

DEFAULT_INSTRUCTIONS = "You are a friendly voice agent. Answer briefly and call a function wherever one helps."

# Defaults of a nested object that was sent: recorded for server_vad and transcription on api-version 2026-04-10.
# prefix and speech durations of the Azure kinds are those of the published schema.
_DETECTION: JsonObject = {
    "create_response": True,
    "interrupt_response": True,
    "idle_timeout_ms": None,
    "auto_truncate": False,
    "appended_text_after_truncation": None,
}
_BY_LEVEL: JsonObject = {
    "threshold": 0.5,
    "prefix_padding_ms": 400,
    "silence_duration_ms": 500,
    "speech_duration_ms": None,
    "end_of_utterance_detection": None,
    **_DETECTION,
}
_AZURE_SEMANTIC: JsonObject = {
    **_BY_LEVEL,
    "prefix_padding_ms": 420,
    "speech_duration_ms": 80,
    "remove_filler_words": False,
    "languages": None,
}
_DETECTION_DEFAULTS: Mapping[str, JsonObject] = {
    "server_vad": _BY_LEVEL,
    "semantic_vad": {"eagerness": "auto", **_DETECTION},
    "azure_semantic_vad": _AZURE_SEMANTIC,
    "azure_semantic_vad_en": _AZURE_SEMANTIC,
    "azure_semantic_vad_multilingual": _AZURE_SEMANTIC,
}
_TRANSCRIPTION_DEFAULTS: JsonObject = {"language": None, "prompt": None, "custom_speech": None, "phrase_list": None}

_SERVER_SPEECH_MS = 200  # reference: speech_duration_ms of server_vad; reported as null
# semantic_vad has no durations of its own; an eager model waits less. Not documented, chosen to be told apart.
_EAGERNESS_SILENCE_MS = {"low": 1000, "medium": 500, "auto": 500, "high": 300}

_INPUT_FORMAT_KEYS = ("input_audio_format", "input_audio_sampling_rate")


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """How the caller's turns are found; every value in effect."""

    threshold: float
    prefix_padding_ms: int
    silence_duration_ms: int
    speech_duration_ms: int
    create_response: bool
    interrupt_response: bool
    auto_truncate: bool


class Settings:
    """Settings in effect, in the wire's own terms.

    Args:
        ice_servers: What a client with an avatar over WebRTC is given, unless it names its own.

    Attributes:
        deployment: What ``session.model`` reports; a deployment's name, not the model asked for.
    """

    def __init__(
        self,
        *,
        session_id: str,
        model: str,
        expires_at: int,
        agent: JsonObject | None = None,
        ice_servers: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        self._ice_servers = avatars.ICE_SERVERS if ice_servers is None else ice_servers
        self._model = model
        self.deployment = f"{model}-global-standard"
        self._in_agent_mode = agent is not None
        self._values: JsonObject = {
            "id": session_id,
            "object": "realtime.session",
            "model": self.deployment,
            "expires_at": expires_at,
            **deepcopy(_CREATED),
            **({"agent": agent} if agent is not None else {}),
        }

    def view(self) -> JsonObject:
        """The session resource as ``session.created`` and ``session.updated`` report it; a copy."""
        values = deepcopy(self._values)
        if values["avatar"] is not None and "avatar" not in values["modalities"]:
            values["modalities"].append("avatar")  # seen: the service adds what the client need not list
        return values

    def apply(self, update: object, *, audio_in: bool = False, audio_out: bool = False) -> None:
        """Change what the update names, or nothing at all.

        Args:
            update: The ``session`` object of ``session.update``.
            audio_in: Audio of the caller has come: the input format stays as it is, without an error (seen in
                real sessions).
            audio_out: Audio of the agent was produced: the voice is frozen.

        Raises:
            Refusal: The update is invalid; ``param`` names the field.
        """
        SESSION(update, "session")
        assert isinstance(update, dict), "SESSION passes objects only"
        self._refuse_impossible(update)
        changes = {key: self._completed(key, value) for key, value in update.items()}
        if audio_in:
            changes = {key: value for key, value in changes.items() if key not in _INPUT_FORMAT_KEYS}
        if audio_out and changes.get("voice", self._values["voice"]) != self._values["voice"]:
            raise Refusal("cannot_update_voice", "The voice is fixed once the agent has spoken.", "session.voice")
        _refuse_echo_mismatch(self._values | changes)
        verify_voice(self._values | changes)
        self._values.update(changes)

    @property
    def turn_detection(self) -> TurnDetection | None:
        """``None``: the client commits and asks for responses itself."""
        value = self._values["turn_detection"]
        if value is None:
            return None
        speech_ms = value.get("speech_duration_ms")
        silence_ms = value.get("silence_duration_ms", _EAGERNESS_SILENCE_MS.get(value.get("eagerness"), 500))
        return TurnDetection(
            threshold=value.get("threshold", 0.5),
            prefix_padding_ms=value.get("prefix_padding_ms", _BY_LEVEL["prefix_padding_ms"]),
            silence_duration_ms=silence_ms,
            speech_duration_ms=_SERVER_SPEECH_MS if speech_ms is None else speech_ms,
            create_response=value["create_response"],
            interrupt_response=value["interrupt_response"],
            auto_truncate=value["auto_truncate"],
        )

    @property
    def input_format(self) -> AudioFormat:
        """How the caller's audio is written; two channels with an echo reference of the client."""
        echo = self._values["input_audio_echo_cancellation"] or {}
        return AudioFormat.of_input(
            self._values["input_audio_format"], self._values["input_audio_sampling_rate"], echo.get("channels", 1)
        )

    @property
    def transcribes(self) -> bool:
        """The caller's turns are transcribed."""
        return self._values["input_audio_transcription"] is not None

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def get(self, key: str) -> Any:
        """A setting that is reported only once a client has set it; ``None`` before."""
        return self._values.get(key)

    def _refuse_impossible(self, update: JsonObject) -> None:
        model = update.get("model")
        if model is not None and model not in (self._model, self.deployment):
            raise Refusal("invalid_value", "The model of a session is fixed by its URL.", "session.model")
        if "modalities" in update and "text" not in update["modalities"]:
            raise Refusal(
                "invalid_value",
                "Invalid modalities: 'text' must be among them; audio alone is not supported.",
                "session.modalities",
            )
        if self._in_agent_mode and update.get("instructions"):
            raise Refusal(
                "invalid_value", "Instructions belong to the agent and cannot be set.", "session.instructions"
            )
        if update.get("avatar") is not None:
            verify(update["avatar"])

    def _completed(self, key: str, value: Any) -> Any:
        """The value as the service reports it: bare names as objects, nested objects with their defaults."""
        match key, value:
            case "model", _:
                return self.deployment
            case "instructions", "" | None:
                return DEFAULT_INSTRUCTIONS  # recorded: an empty string brings the default back
            case "voice", None:
                return deepcopy(_CREATED["voice"])
            case "voice", str():
                return {"name": value, "type": "openai"}
            case "turn_detection", {"type": kind}:
                return _DETECTION_DEFAULTS[kind] | {name: own for name, own in value.items() if own is not None}
            case "input_audio_transcription", {}:
                return _TRANSCRIPTION_DEFAULTS | value
            case "avatar", _ if self._values["avatar"] is not None:
                return avatars.updated(self._values["avatar"], value)
            case "avatar", {}:
                return avatars.completed(value, self._ice_servers)
            case _:
                return deepcopy(value)


def _refuse_echo_mismatch(values: JsonObject) -> None:
    """Source of the codes: the API reference; only server with 1 and client with 2 channels are pairs."""
    echo = values["input_audio_echo_cancellation"] or {}
    source, channels = echo.get("reference_source", "server"), echo.get("channels", 1)
    where = "session.input_audio_echo_cancellation.channels"
    if channels == 2 and values["input_audio_format"] != "pcm16":
        raise Refusal("invalid_value", "Two channels need input_audio_format 'pcm16'.", where)
    if source == "server" and channels == 2:
        raise Refusal("invalid_ec_channels_requires_client", "Two channels need reference_source 'client'.", where)
    if source == "client" and channels == 1:
        raise Refusal("invalid_ec_reference_channels", "reference_source 'client' needs two channels.", where)


# As recorded on 2026-04-10 and later: the union of the keys of all recordings, nulls included.
_CREATED: JsonObject = {
    "modalities": ["audio"],
    "instructions": DEFAULT_INSTRUCTIONS,
    "voice": {"name": "alloy", "type": "openai"},
    "input_audio_format": "pcm16",
    "output_audio_format": None,
    "input_audio_transcription": None,
    "input_audio_noise_reduction": None,
    "turn_detection": {"type": "server_vad", **_BY_LEVEL, "prefix_padding_ms": 300, "silence_duration_ms": 200},
    "tools": [],
    "tool_choice": "auto",
    "max_response_output_tokens": "inf",
    "input_audio_sampling_rate": 24000,
    "animation": None,
    "input_audio_echo_cancellation": None,
    "avatar": None,
    "output_audio_timestamp_types": None,
    "truncation_strategy": None,
    "include": None,
    "greeting": None,
    "handoff": None,
}

"""Which settings the emulated service takes and reports without acting on them, and what it does not do for each.

Only reads. Where a voice, a model or a transcription model is merely named, the emulator's own voice, script and
detector stand in for it; that is no setting without effect. Who is told, and how often, is decided in ``service``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

__all__ = ["Unplayed", "unplayed"]

_WORDS = "the script decides on the words"
_SOUND = "the emulator's own voice speaks"
_NO_RECOGNITION = "speech is not recognised; transcripts come from the script"
_NO_LANGUAGE = "turns are found by the level of speech alone, whatever is said"

_BY_PATH: Mapping[str, str] = {
    "avatar.video.background.image_url": "the image is not fetched; grey stands in for it",
    "animation.model_name": "visemes are guessed from the letters, blendshapes from visemes and loudness",
    "interim_response": "no interim response is given while a reply is awaited",
    "include": "nothing is added to events",
    "greeting": "no greeting is said unasked",
    "handoff": "nobody is handed over",
    "invoke_input": "no hosted agent is invoked",
    "truncation_strategy": "the conversation is never shortened",
    "temperature": _WORDS,
    "reasoning_effort": _WORDS,
    "input_audio_noise_reduction": "noise is not reduced",
    "input_audio_echo_cancellation": "echo is not cancelled; of two channels, the microphone's is heard",
    "turn_detection.end_of_utterance_detection": _NO_LANGUAGE,
    "turn_detection.remove_filler_words": _NO_LANGUAGE,
    "turn_detection.languages": _NO_LANGUAGE,
    "turn_detection.speech_duration_assistant_speaking_ms": "speech_duration_ms holds while the agent speaks too",
    "turn_detection.idle_timeout_ms": "a silent caller is not spoken to",
    "turn_detection.appended_text_after_truncation": "nothing is put behind a truncated reply",
    **{f"input_audio_transcription.{name}": _NO_RECOGNITION for name in ("language", "prompt", "phrase_list")},
    "input_audio_transcription.custom_speech": _NO_RECOGNITION,
    **{
        f"voice.{name}": _SOUND
        for name in (
            "temperature",
            "custom_lexicon_url",
            "custom_text_normalization_url",
            "locale",
            "prefer_locales",
            "style",
            "pitch",
            "rate",
            "volume",
        )
    },
}

_BY_ELEMENT: Mapping[str, Mapping[str, str]] = {
    "tools": {
        "mcp": "MCP servers are not asked, their tools not called",
        "foundry_agent": "Foundry agents are not called",
    },
}
"""Of a list, the elements without effect: by their value, or by their ``type``."""


class Unplayed(NamedTuple):
    """A setting that was set, and has no effect here."""

    param: str
    lack: str

    @property
    def message(self) -> str:
        """A sentence for the developer."""
        return f"The emulator does not play what '{self.param}' asks for: {self.lack}."


def unplayed(settings: Mapping[str, Any], root: str) -> Iterator[Unplayed]:
    """What is newly set to something and has no effect.

    Args:
        settings: A valid ``session`` of ``session.update``, or ``response`` of ``response.create``.
        root: Which of the two; the first part of each ``param``.
    """
    for path, lack in _BY_PATH.items():
        if _says_something(_at(settings, path)):
            yield Unplayed(f"{root}.{path}", lack)
    for path, lacks in _BY_ELEMENT.items():
        for element in _at(settings, path) or ():
            kind = element["type"] if isinstance(element, dict) else element
            if kind in lacks:
                yield Unplayed(f"{root}.{path}", lacks[kind])


def _at(settings: Any, path: str) -> Any:
    for name in path.split("."):
        settings = settings.get(name) if isinstance(settings, dict) else None
    return settings


def _says_something(value: object) -> bool:
    """Zero does; what switches a setting off, or leaves it empty, does not."""
    return value is not False and value not in (None, "", [], {})

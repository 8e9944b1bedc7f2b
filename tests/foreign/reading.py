"""Reading what a foreign client received, and a question for it to ask. Knows no connection."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from azure.ai.voicelive import models

from voicelive.audio import AudioFormat, WavFile

__all__ = ["PCM16_24K", "QUESTION", "SENTENCE", "SILENCE", "names", "only", "sound", "the", "transcript"]

_T = TypeVar("_T")

PCM16_24K = AudioFormat("pcm16", 24_000)
QUESTION = WavFile(Path(__file__).parents[2] / "examples" / "audio" / "question.wav").read(PCM16_24K)
SILENCE = bytes(PCM16_24K.byte_count(1_000))  # twice what ends a turn by default
SENTENCE = "It is sunny in Lisbon, with 24 degrees."  # three seconds, in a recording that the emulator brings along


def only(kind: type[_T], events: Iterable[object]) -> list[_T]:
    """Those of a class."""
    return [event for event in events if isinstance(event, kind)]


def the(kind: type[_T], events: Iterable[object]) -> _T:
    """The only one of a class."""
    [event] = only(kind, events)
    return event


def names(events: Iterable[object]) -> list[str]:
    """Classes of the events; what repeats at once stands there once."""
    found: list[str] = []
    for event in events:
        name = type(event).__name__.removeprefix("ServerEvent")
        if found[-1:] != [name]:
            found.append(name)
    return found


def sound(events: Iterable[object]) -> bytes:
    """All audio in a list of events."""
    return b"".join(event.delta for event in only(models.ServerEventResponseAudioDelta, events))


def transcript(item: models.ResponseItem) -> str | None:
    """What a spoken message says; ``None`` once it is cut."""
    part = the(models.ResponseAudioContentPart, the(models.ResponseMessageItem, [item]).content)
    return part.transcript

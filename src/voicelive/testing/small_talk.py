"""The default agent: a rule that always has something fitting to say, in sentences that ship with a voice.

Typed questions are answered by their words. Spoken ones cannot be read from samples, so the caller is taken to
ask the three questions of the shipped example recordings, one after the other, and again from the start.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from voicelive.testing.script import Call, Heard, Script, Turn

__all__ = ["default_script", "small_talk"]

GREETING = "Hello, how can I help you?"
SUNNY = "It is sunny in Lisbon, with 24 degrees."
HALF_PAST_THREE = "It is half past three in the afternoon in Lisbon."
TOMORROW = "Tomorrow will be cloudy, with a chance of rain in the evening."
NOT_UNDERSTOOD = "Sorry, I did not catch that."

QUESTIONS = (
    "What is the weather in Lisbon today?",
    "And what time is it there?",
    "Wait, stop. Tell me about tomorrow instead.",
)
"""The recordings in examples/audio, in order."""

WEATHER_TOOL = "get_weather"

_PLACE = re.compile(r"\bin\s+([A-Z][\w-]*(?:\s[A-Z][\w-]*)*)")
_GREETING_WORDS = re.compile(r"\b(hello|hi|hey|greet|greeting|good (morning|afternoon|evening))\b", re.IGNORECASE)


def default_script() -> Script:
    """A script without fixed turns that never runs dry."""
    return Script(then=small_talk)


def small_talk(heard: Heard) -> Turn:
    """A friendly turn for whatever was heard."""
    if heard.outputs:
        return Turn(" ".join(heard.outputs))
    if heard.spoken:
        question = heard.text or QUESTIONS[(heard.voice_turns - 1) % len(QUESTIONS)]
        return _answer(question, heard, transcript=question)
    return _answer(heard.text, heard, transcript=None)


def weather_sentence(city: str, output: str) -> str:
    """A sentence from what a weather function answered: its own text, or the sky and the degrees of its JSON."""
    try:
        found = json.loads(output)
    except ValueError:
        return output
    values = list(found.values()) if isinstance(found, dict) else [found]
    skies = [value for value in values if isinstance(value, str) and value != city]
    degrees = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    match skies[:1], degrees[:1]:
        case [sky], [number]:
            return f"It is {sky} in {city}, with {number:g} degrees."
        case [sky], []:
            return sky if sky.endswith(".") else f"It is {sky} in {city}."
        case [], [number]:
            return f"It is {number:g} degrees in {city}."
        case _:
            return output


def _answer(question: str, heard: Heard, *, transcript: str | None) -> Turn:
    asked = question.lower()
    if not asked:
        return Turn(GREETING)
    if "tomorrow" in asked:
        return Turn(TOMORROW, transcript=transcript)
    if "weather" in asked:
        return _weather(question, heard, transcript)
    if re.search(r"\btime\b", asked):
        return Turn(HALF_PAST_THREE, transcript=transcript)
    if _GREETING_WORDS.search(asked):
        return Turn(GREETING, transcript=transcript)
    return Turn(NOT_UNDERSTOOD, transcript=transcript)


def _weather(question: str, heard: Heard, transcript: str | None) -> Turn:
    if WEATHER_TOOL not in heard.tools:
        return Turn(SUNNY, transcript=transcript)
    named = _PLACE.search(question)
    city = named.group(1) if named else "Lisbon"

    def tell(outputs: Sequence[str]) -> str:
        return weather_sentence(city, outputs[0])

    return Turn(transcript=transcript, calls=[Call(WEATHER_TOOL, {"city": city})], reply_after_calls=tell)

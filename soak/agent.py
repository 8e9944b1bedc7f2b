"""What is said in a soak: questions that can be told apart, and an agent whose answers show which one it heard."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from voicelive import tool
from voicelive.testing import Call, Heard, Script, ToneVoice, Turn

__all__ = ["SPEECH", "agent", "look_up", "question", "tool_question"]

SPEECH: Final = ToneVoice().speak("What is it?", 24_000)
"""A spoken question, as pcm16 at 24 kHz."""

_LOOK_UP: Final = re.compile(r"look up (\S+)")


def question(tag: str) -> str:
    """A question whose answer holds the tag."""
    return f"Is it {tag}?"


def tool_question(tag: str) -> str:
    """The same with a tool call in between."""
    return f"Please look up {tag}"


@tool
async def look_up(name: str) -> str:
    """Look up a name."""
    return f"found {name}"


def agent() -> Script:
    """Repeats what it heard."""
    return Script(then=_answer)


def _answer(heard: Heard) -> Turn:
    if heard.outputs:
        return Turn(" ".join(heard.outputs))
    wanted = _LOOK_UP.search(heard.text)
    if wanted is not None and "look_up" in heard.tools:
        return Turn(calls=[Call("look_up", {"name": wanted.group(1)})], reply_after_calls=_told)
    if heard.spoken:
        return Turn("You said it.", transcript="What is it?")
    return Turn(f"You wrote: {heard.text}")


def _told(outputs: Sequence[str]) -> str:
    return f"It is {outputs[0]}"

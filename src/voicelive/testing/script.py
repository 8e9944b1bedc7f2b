"""What the emulated agent says: turns in order, rules for the rest, and a record of what was never used.

A script chooses words and tool calls. When they are sent, in what form and at what pace is not known here.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, TypeAlias

__all__ = ["Call", "Heard", "Rule", "Script", "ScriptExhausted", "Turn"]


@dataclass(frozen=True, slots=True)
class Heard:
    """What the emulated model knows when it chooses a turn.

    Attributes:
        text: What the user wrote last, or the known transcript of what they said; empty where nothing is known.
        spoken: The turn came by voice. Its words are then unknown, unless earlier turns of the script tell.
        voice_turns: Spoken turns of this session so far, the present one included.
        tools: Names of the functions that the session, or this response, declares.
        outputs: Answers of functions that came since the last response, in order.
        instructions: The instructions in effect.
        audio: The spoken turn as 16-bit little-endian mono samples.
        rate_hz: Its sampling rate, 0 where there is no audio.
    """

    text: str = field(default="", repr=False)
    spoken: bool = False
    voice_turns: int = 0
    tools: frozenset[str] = frozenset()
    outputs: tuple[str, ...] = field(default=(), repr=False)
    instructions: str = field(default="", repr=False)
    audio: bytes = field(default=b"", repr=False)
    rate_hz: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function: its name, and its arguments as a mapping or as JSON text sent verbatim."""

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict)

    @property
    def arguments_json(self) -> str:
        """The arguments as they stand on the wire."""
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments, ensure_ascii=False)


AfterCalls: TypeAlias = "str | Turn | Callable[[Sequence[str]], str | Turn | None]"


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer of the agent.

    Attributes:
        reply: What the agent says; ``None`` with calls: it says nothing before them.
        transcript: What the transcription makes of the caller's speech that this turn answers.
        calls: Functions to call, in parallel where there are several.
        reply_after_calls: The answer once all calls have outputs: its text, a further turn, or a function of
            the outputs (in the order of the calls) that gives one of these. ``None``: the next turn of the script.
    """

    reply: str | None = None
    _: KW_ONLY
    transcript: str | None = None
    calls: Sequence[Call] = ()
    reply_after_calls: AfterCalls | None = None

    def __post_init__(self) -> None:
        if self.reply_after_calls is not None and not self.calls:
            raise ValueError("reply_after_calls is given, but calls is empty; put the reply into reply")

    def after_calls(self, outputs: Sequence[str]) -> Turn | None:
        """The turn that follows once the calls are answered; ``None``: the script's next."""
        follow_up = self.reply_after_calls
        if callable(follow_up):
            follow_up = follow_up(outputs)
        return Turn(follow_up) if isinstance(follow_up, str) else follow_up


Rule: TypeAlias = Callable[[Heard], Turn]
"""Chooses a turn by what was heard; must not block."""


class ScriptExhausted(Exception):  # noqa: N818 - a state of the script, told to the client as a failed response
    """The script has no turn left and no rule for the rest."""


class Script:
    """Turns in the order in which they are used.

    Every response takes the next turn, except that a spoken turn takes its own when it is committed (its
    transcript is needed then), and that the answer to tool outputs belongs to the turn that made the calls.
    All sessions of an emulator share its script.

    Args:
        turns: Turns, texts (a turn that says just that), or rules that give a turn.
        then: Rule for everything after the last turn; without one, further responses fail with the error
            code ``script_exhausted``.
    """

    def __init__(self, *turns: Turn | str | Rule, then: Rule | None = None) -> None:
        self._waiting: deque[Turn | Rule] = deque(Turn(turn) if isinstance(turn, str) else turn for turn in turns)
        self._then = then

    @property
    def remaining(self) -> tuple[Turn | Rule, ...]:
        """Turns that no response has used yet; a test ends well when it is empty."""
        return tuple(self._waiting)

    def add(self, *turns: Turn | str | Rule) -> None:
        """Put further turns behind the waiting ones."""
        self._waiting.extend(Turn(turn) if isinstance(turn, str) else turn for turn in turns)

    def take(self, heard: Heard) -> Turn:
        """The next turn.

        Raises:
            ScriptExhausted: There is none.
        """
        if self._waiting:
            entry = self._waiting.popleft()
            return entry(heard) if callable(entry) else entry
        if self._then is None:
            raise ScriptExhausted
        return self._then(heard)

    @classmethod
    def from_json(cls, text: str, *, then: Rule | None = None) -> Script:
        """A script from JSON: a list of texts and of objects with the fields of ``Turn``.

        Raises:
            ValueError: It is not such a list; the message names the entry.
        """
        entries = json.loads(text)
        if not isinstance(entries, list):
            raise ValueError("a script is a JSON list of turns")
        return cls(*(_turn_from_json(entry, f"turn {number}") for number, entry in enumerate(entries, 1)), then=then)


def allowed(turn: Turn, *, tool_choice: object, tools: Iterable[str], parallel: bool) -> Turn:
    """The turn as the session's tool settings leave it.

    ``none`` forbids calls, a named function forces that one, ``required`` some call, and without parallel calls
    the functions are called one a response.
    """
    calls = list(turn.calls)
    match tool_choice:
        case "none":
            calls = []
        case {"name": str(name)}:
            calls = [call for call in calls if call.name == name] or [Call(name)]
        case "required" if not calls:
            calls = [Call(name) for name in list(tools)[:1]]
        case _:
            pass
    if not calls:
        return replace(turn, reply=turn.reply or _said_without_calls(turn), calls=(), reply_after_calls=None)
    turn = replace(turn, calls=tuple(calls))
    return turn if parallel or len(calls) == 1 else _one_by_one(turn, ())


def _one_by_one(turn: Turn, answered: Sequence[str]) -> Turn:
    """The same calls, each in a response of its own; the follow-up still sees all outputs."""
    first, *rest = turn.calls

    def follow_up(outputs: Sequence[str]) -> Turn | None:
        so_far = (*answered, *outputs)
        return _one_by_one(replace(turn, reply=None, calls=tuple(rest)), so_far) if rest else turn.after_calls(so_far)

    return replace(turn, calls=(first,), reply_after_calls=follow_up)


def _said_without_calls(turn: Turn) -> str | None:
    return turn.reply_after_calls if isinstance(turn.reply_after_calls, str) else None


def _turn_from_json(entry: object, where: str) -> Turn:
    if isinstance(entry, str):
        return Turn(entry)
    if not isinstance(entry, dict):
        raise ValueError(f"{where} is a {type(entry).__name__}; a text or an object is needed")
    known = {"reply", "transcript", "calls", "reply_after_calls"}
    if unknown := sorted(entry.keys() - known):
        raise ValueError(f"{where} has the unknown field {unknown[0]!r}; known: {', '.join(sorted(known))}")
    for name in ("reply", "transcript"):
        if not isinstance(entry.get(name), str | None):
            raise ValueError(f"{where}: {name} is a {type(entry[name]).__name__}; a text is needed")
    fields = dict(entry)
    try:
        fields["calls"] = tuple(Call(call["name"], call.get("arguments", {})) for call in entry.get("calls", ()))
    except (TypeError, KeyError, AttributeError):
        raise ValueError(f"{where}: calls is a list of objects with a name and arguments") from None
    if fields.get("reply_after_calls") is not None:
        fields["reply_after_calls"] = _turn_from_json(fields["reply_after_calls"], f"{where}, reply_after_calls")
    return Turn(**fields)

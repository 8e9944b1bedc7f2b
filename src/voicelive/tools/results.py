"""What comes of a call: the text for the model, and what the application learns when it failed.

The model is told enough to go on with the conversation and nothing of the program's inside: the text of an exception
may hold secrets, so only that of a ``ToolError`` reaches it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pydantic_core import to_json

from voicelive.errors import VoiceLiveError
from voicelive.tools.arguments import ArgumentProblem

__all__ = ["FailureKind", "ToolError", "ToolFailure", "ToolResult", "to_output"]

FailureKind: TypeAlias = Literal[
    "unknown_tool", "invalid_arguments", "raised", "timeout", "cancelled", "unserialisable_result"
]


class ToolError(VoiceLiveError):
    """Raise it in a tool to tell the model, in your own words, what went wrong and what it may do instead.

    Attributes:
        message: What the model reads. Put nothing there that the user must not hear.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class ToolFailure:
    """Why a call gave no result.

    Attributes:
        kind: ``unknown_tool``: no tool has the name. ``invalid_arguments``: they do not fit the schema; nothing ran.
            ``raised``: the function did. ``timeout``: its ``timeout_s`` ran out. ``cancelled``: by a barge-in, or the
            function gave itself up. ``unserialisable_result``: it answered with something JSON has no form for.
        message: What the model is told. Not part of the repr: it may be the application's own text.
        problems: The arguments at fault, for ``invalid_arguments``.
        exception: What was raised, if anything. Not part of the repr, for the same reason.
    """

    kind: FailureKind
    message: str = field(repr=False)
    problems: tuple[ArgumentProblem, ...] = ()
    exception: BaseException | None = field(default=None, repr=False)

    def output(self) -> str:
        """The structured error for the model, as compact JSON."""
        error: dict[str, Any] = {"type": self.kind, "message": self.message}
        if self.problems:
            error["problems"] = [
                {"argument": problem.argument, "problem": problem.problem}
                if problem.argument
                else {"problem": problem.problem}
                for problem in self.problems
            ]
        return to_json({"error": error}).decode()


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The answer to one call, always ready to be sent.

    Attributes:
        call_id: The call that it answers.
        name: The name that the model called.
        output: What the model gets. Not part of the repr.
        failure: What went wrong, ``None`` where the function answered.
        duration_s: From the start of the run to its end, waiting for a free slot included.
    """

    call_id: str
    name: str
    output: str = field(repr=False)
    failure: ToolFailure | None
    duration_s: float


def to_output(value: object) -> str:
    """A tool's return value as text for the model.

    Text stays as it is; everything else becomes compact JSON by pydantic, so that models, dataclasses, dates, decimals
    and enums need no help, ``None`` is ``null``, and NaN and the infinities, which JSON lacks, are ``null`` too.

    Raises:
        ValueError: There is no JSON for it, or it is bytes, whose meaning the model could only guess.
    """
    if isinstance(value, str):
        text = str.__str__(value)  # of an enum that is a string too, its value
        text.encode()  # half of a surrogate pair could not be sent
        return text
    if isinstance(value, bytes | bytearray | memoryview):
        raise ValueError(f"{type(value).__name__} cannot be a result; return text, or a structure that describes it")
    return to_json(value, inf_nan_mode="null").decode()

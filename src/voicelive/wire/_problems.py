"""Turns pydantic's list of problems into one sentence per field: name, what is wrong, what is allowed.

The refused value is shown where a word of a closed list was expected, and by our own limits; elsewhere only its
type is, because settings also hold secrets and speech.
"""

from __future__ import annotations

import re

from pydantic import ValidationError
from pydantic_core import ErrorDetails

__all__ = ["KNOWN_TYPE", "describe"]

KNOWN_TYPE = "known_type"
"""What the class for unknown things says of a known one with wrong fields; the known class says what is wrong."""

_BRANCH = re.compile(r"[\[(]|^[A-Z]|^(int|str|float|bool|none|list|dict|constrained-\w+)$")


def describe(error: ValidationError, model: str) -> str:
    """All problems of one constructor call, each field once."""
    fields: dict[str, list[ErrorDetails]] = {}
    for problem in _telling(error.errors(include_url=False, include_context=True)):
        fields.setdefault(_path(problem), []).append(problem)
    deepest = {path for path in fields if not any(other.startswith(f"{path}.") for other in fields)}
    return f"{model}: " + "; ".join(_sentence(path, fields[path]) for path in fields if path in deepest)


def _telling(problems: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without the complaints of a union's other branches: a sentence of our own knows best what is wrong."""
    problems = [problem for problem in problems if problem["type"] != KNOWN_TYPE]
    ours = {problem["loc"][:1] for problem in problems if problem["type"] == "value_error"}
    tagged = [problem for problem in problems if problem["type"] != "union_tag_invalid"]
    return [
        problem for problem in tagged or problems if problem["type"] == "value_error" or problem["loc"][:1] not in ours
    ]


def _path(problem: ErrorDetails) -> str:
    """The field's place, without the names that pydantic gives to the branches of a union."""
    steps: list[str] = []
    before = ""
    for step in map(str, problem["loc"]):
        if not _BRANCH.search(step) and not before.startswith("tagged-union"):  # a tag follows its union's name
            steps.append(step)
        before = step
    return ".".join(steps)


def _sentence(path: str, problems: list[ErrorDetails]) -> str:
    where = f"{path}: " if path else ""
    for problem in problems:  # our own sentences already say everything
        if problem["type"] == "value_error":
            return where + str(problem["ctx"]["error"])
    allowed = [word for problem in problems if problem["type"] == "literal_error" for word in _expected(problem)]
    first = problems[0]
    if allowed:
        hint = '; to send another on purpose, wrap it: Unlisted("...")' if len(problems) > 1 else ""
        return f"{where}{_shown(problems[0]['input'])} is refused, allowed: {', '.join(dict.fromkeys(allowed))}{hint}"
    first = problems[0]
    if first["type"] == "union_tag_invalid":
        return f"{where}{first['msg']}"
    if first["type"] == "missing":
        return f"{where}is required"
    wanted = dict.fromkeys(problem["msg"][:1].lower() + problem["msg"][1:] for problem in problems)
    return f"{where}{_shown(first['input'], secret=True)} is refused, {' or '.join(wanted)}"


def _shown(value: object, *, secret: bool = False) -> str:
    return f"{type(value).__name__}" if secret or not isinstance(value, str | int | float) else f"{value!r:.60}"


def _expected(problem: ErrorDetails) -> list[str]:
    return re.findall(r"'([^']*)'", str(problem["ctx"]["expected"]))

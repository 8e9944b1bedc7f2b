"""Turns pydantic's list of problems into one sentence per field: name, what is wrong, what is allowed.

The refused value is shown where a word of a closed list was expected, and by our own limits; elsewhere only its
type is, because settings also hold secrets and speech.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

__all__ = ["KNOWN_TYPE", "describe"]

KNOWN_TYPE = "known_type"
"""What the class for unknown things says of a known one with wrong fields; the known class says what is wrong."""

_QUOTE = "'"
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
            return where + str(_context(problem)["error"])
    allowed = [word for problem in problems if problem["type"] == "literal_error" for word in _expected(problem)]
    first = problems[0]
    if allowed:
        open_ended = any(problem["type"] == "is_instance_of" for problem in problems)
        hint = '; to send another on purpose, wrap it: Unlisted("...")' if open_ended else ""
        words = ", ".join(dict.fromkeys(allowed))
        return f"{where}{_shown(first['input'])} is refused, allowed: {words}{_others(problems)}{hint}"
    if first["type"] == "union_tag_not_found":
        return f"{where}{_context(first)['discriminator'].strip(_QUOTE)} is required"
    if first["type"] == "union_tag_invalid":
        return f"{where}{problems[-1]['msg']}"  # of a message without a known role, the role's union speaks last
    if first["type"] == "missing":
        return f"{where}is required"
    wanted = dict.fromkeys(problem["msg"][:1].lower() + problem["msg"][1:] for problem in problems)
    return f"{where}{_shown(first['input'], secret=True)} is refused, {' or '.join(wanted)}"


def _others(problems: list[ErrorDetails]) -> str:
    """What the other branches of a union would take, such as a number beside a word."""
    kinds = {"int_type": "an integer", "int_parsing": "an integer", "string_type": "any text", "dict_type": "a mapping"}
    return "".join(f", {kind}" for kind in dict.fromkeys(kinds.get(problem["type"]) for problem in problems) if kind)


def _shown(value: object, *, secret: bool = False) -> str:
    return f"{type(value).__name__}" if secret or not isinstance(value, str | int | float) else f"{value!r:.60}"


def _context(problem: ErrorDetails) -> dict[str, Any]:
    return problem.get("ctx", {})


def _expected(problem: ErrorDetails) -> list[str]:
    return re.findall(r"'([^']*)'", str(_context(problem)["expected"]))

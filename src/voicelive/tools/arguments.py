"""From the model's JSON text to a checked object, and from what is wrong with it to words for the model.

Knows limits and wording; knows no function and no schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Never

from pydantic import ValidationError
from pydantic_core import ErrorDetails

__all__ = ["MAX_ARGUMENTS_BYTES", "MAX_DEPTH", "ArgumentProblem", "InvalidArgumentsError", "problems_of", "read_object"]

MAX_ARGUMENTS_BYTES = 1024 * 1024  # far above what a model writes in one response; bounds the work of a bad one
MAX_DEPTH = 100  # objects and arrays inside each other; well below the recursion limits of json and pydantic
_MAX_PROBLEMS = 10  # enough for the model to correct itself
_MAX_PROBLEM_CHARS = 300  # of one problem: a validator of the application may quote a whole argument

_WORDING = {
    "missing": "is required",
    "extra_forbidden": "is not an argument of this function",
    "model_type": "should be an object",
    "model_attributes_type": "should be an object",
    "dataclass_type": "should be an object",
    "dict_type": "should be an object",
}
"""Where pydantic's own message speaks of Python."""


@dataclass(frozen=True, slots=True)
class ArgumentProblem:
    """One argument and what is wrong with it, in words for the model.

    Attributes:
        argument: Its place, such as ``city`` or ``orders.0.city``; empty for the arguments as a whole.
        problem: What is wrong. Not part of the repr: it may quote what the user said.
    """

    argument: str
    problem: str

    def __repr__(self) -> str:
        return f"ArgumentProblem(argument={self.argument!r})"


class InvalidArgumentsError(Exception):
    """The model's arguments were refused. Stays inside the package: the runner turns it into a result."""

    def __init__(self, *problems: ArgumentProblem) -> None:
        super().__init__(*problems)
        self.problems = problems


def read_object(text: str) -> dict[str, Any]:
    """The arguments of a call; blank text, which models write for functions without parameters, is ``{}``.

    A number without a fraction, such as ``3.0``, becomes an ``int``, as JSON schema has it.

    Raises:
        InvalidArgumentsError: Not a JSON object, over ``MAX_ARGUMENTS_BYTES`` or ``MAX_DEPTH``, or with a number that
            no float can hold.
    """
    if len(text) > MAX_ARGUMENTS_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_ARGUMENTS_BYTES:
        _refuse(f"must not be longer than {MAX_ARGUMENTS_BYTES} bytes")
    try:
        found = json.loads(text if text.strip() else "{}", parse_float=_number, parse_constant=_no_number)
    except RecursionError:
        _refuse(f"must not nest deeper than {MAX_DEPTH} levels")
    except ValueError:  # the decoder's own words quote nothing, but give places that mean nothing to the model
        _refuse("must be valid JSON")
    if not isinstance(found, dict):
        _refuse("must be a JSON object")
    if _deeper_than(MAX_DEPTH, found):
        _refuse(f"must not nest deeper than {MAX_DEPTH} levels")
    return found


def problems_of(error: ValidationError, arguments: dict[str, Any]) -> Iterator[ArgumentProblem]:
    """What pydantic found, each place once, the branches of a union joined by "or"."""
    places: dict[str, list[str]] = {}
    for detail in error.errors(include_url=False, include_context=False):
        wording = _WORDING.get(detail["type"]) or detail["msg"].removeprefix("Input ").removeprefix("Value error, ")
        places.setdefault(_place(detail, arguments), []).append(wording)
    for place, wordings in list(places.items())[:_MAX_PROBLEMS]:
        yield ArgumentProblem(place, " or ".join(dict.fromkeys(wordings))[:_MAX_PROBLEM_CHARS])


def _place(detail: ErrorDetails, arguments: dict[str, Any]) -> str:
    """The way to the argument, without the names that pydantic gives to the branches of a union."""
    steps: list[str] = []
    here: Any = arguments
    for step in detail["loc"]:
        inside: dict[Any, Any] = (
            here if isinstance(here, dict) else dict(enumerate(here)) if isinstance(here, list) else {}
        )
        if step in inside:
            here = inside[step]
            steps.append(str(step))
    if detail["type"] == "missing":
        steps.append(str(detail["loc"][-1]))  # the one step that is not in the arguments
    return ".".join(steps)


def _deeper_than(levels: int, value: Any) -> bool:
    """Level by level instead of recursively: the depth is what is in doubt."""
    layer = [value]
    for _ in range(levels):
        layer = [
            inner
            for outer in layer
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not layer:
            return False
    return True


def _number(text: str) -> int | float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        _no_number(text)
    return int(value) if value.is_integer() else value


def _no_number(text: str) -> Never:
    raise ValueError(f"{text:.20} is not a JSON number that a float can hold")


def _refuse(problem: str) -> Never:
    raise InvalidArgumentsError(ArgumentProblem("", problem)) from None

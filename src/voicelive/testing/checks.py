"""How a value in a client event is judged: small checks that compose, each naming the field it turns down.

A check takes a JSON value and the path of the field (``session.voice.name``) and either returns or raises
``Refusal``. What the fields of each event are is not known here; see ``settings_rules`` and ``requests``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

__all__ = [
    "Check",
    "Refusal",
    "anything",
    "boolean",
    "each",
    "either",
    "integer",
    "nullable",
    "number",
    "one_of",
    "record",
    "tagged",
    "text",
]

Check: TypeAlias = Callable[[object, str], None]


class Refusal(Exception):  # noqa: N818 - what the service does, not a fault of this package
    """A request that the service turns down; it becomes an ``error`` event and the session goes on.

    Attributes:
        code: One of the service's error codes, such as ``invalid_value``; ``None`` where it gives none.
        message: A sentence for the developer.
        param: Path of the field at fault, where there is one.
        kind: The error's ``type``.
        names_request: Whether the error says which event of the client it is about; those of avatars do not (seen).
    """

    def __init__(
        self,
        code: str | None,
        message: str,
        param: str | None = None,
        kind: str = "invalid_request_error",
        *,
        names_request: bool = True,
    ) -> None:
        super().__init__(code, message, param, kind)
        self.code, self.message, self.param, self.kind = code, message, param, kind
        self.names_request = names_request


def anything(value: object, path: str) -> None:
    """Every value passes: the field is documented as free, or its form is not judged."""


def text(value: object, path: str) -> None:
    if not isinstance(value, str):
        raise _invalid(path, value, "a string")


def boolean(value: object, path: str) -> None:
    if not isinstance(value, bool):
        raise _invalid(path, value, "true or false")


def number(least: float | None = None, most: float | None = None) -> Check:
    """A number, whole or not, within the bounds given (both included)."""

    def check(value: object, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not _within(value, least, most):
            raise _invalid(path, value, f"a number{_bounds(least, most)}")

    return check


def integer(least: int | None = None, most: int | None = None) -> Check:
    """A whole number within the bounds given (both included)."""

    def check(value: object, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not _within(value, least, most):
            raise _invalid(path, value, f"an integer{_bounds(least, most)}")

    return check


def one_of(*allowed: str | int) -> Check:
    def check(value: object, path: str) -> None:
        if isinstance(value, bool) or value not in allowed:
            raise _invalid(path, value, "one of " + ", ".join(repr(choice) for choice in allowed))

    return check


def nullable(check: Check) -> Check:
    """``null`` passes too: it switches the setting off."""

    def checked(value: object, path: str) -> None:
        if value is not None:
            check(value, path)

    return checked


def either(*checks: Check) -> Check:
    """The first check that passes decides; where none does, the last one's refusal is raised."""

    def checked(value: object, path: str) -> None:
        for check in checks[:-1]:
            try:
                return check(value, path)
            except Refusal:
                continue
        return checks[-1](value, path)

    return checked


def each(check: Check, *, most: int | None = None) -> Check:
    """A list whose every element passes ``check``."""

    def checked(value: object, path: str) -> None:
        if not isinstance(value, list):
            raise _invalid(path, value, "a list")
        if most is not None and len(value) > most:
            raise Refusal("invalid_value", f"'{path}' has {len(value)} entries; at most {most} are allowed", path)
        for index, element in enumerate(value):
            check(element, f"{path}[{index}]")

    return checked


def record(fields: Mapping[str, Check], required: Collection[str] = ()) -> Check:
    """An object with these fields and no others; ``path`` may be empty for the event itself."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise _invalid(path, value, "an object")
        prefix = f"{path}." if path else ""
        for name in required:
            if name not in value:
                raise Refusal(
                    "missing_required_parameter", f"Missing required parameter: '{prefix}{name}'.", prefix + name
                )
        for name, field_value in value.items():
            if name not in fields:
                raise Refusal("unknown_parameter", f"Unknown parameter: '{prefix}{name}'.", prefix + name)
            fields[name](field_value, prefix + name)

    return check


def tagged(key: str, kinds: Mapping[str, Check]) -> Check:
    """An object whose field ``key`` says which check holds for the whole of it."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise _invalid(path, value, "an object")
        where = f"{path}.{key}" if path else key
        if key not in value:
            raise Refusal("missing_required_parameter", f"Missing required parameter: '{where}'.", where)
        one_of(*kinds)(value[key], where)
        kinds[value[key]](value, path)

    return check


def _invalid(path: str, value: object, wanted: str) -> Refusal:
    return Refusal("invalid_value", f"Invalid value for '{path}': {_shown(value)}. Allowed: {wanted}.", path)


def _shown(value: object) -> str:
    """Short values as they are, anything that could hold speech or text of a caller by its kind."""
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, str) and len(value) <= 40:  # characters: names and numbers fit, sentences mostly do not
        return repr(value)
    return f"a value of type {type(value).__name__}"


def _within(value: float, least: float | None, most: float | None) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)


def _bounds(least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f" from {least:g} to {most:g}"
    if least is not None:
        return f" of at least {least:g}"
    return "" if most is None else f" of at most {most:g}"

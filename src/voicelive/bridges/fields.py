"""Fields of messages that others wrote: read generously, and named where they do not fit."""

from __future__ import annotations

import json
from binascii import Error
from collections.abc import Mapping
from typing import Any, Final

from pybase64 import b64decode

from voicelive.bridges.events import BrokenMessage

__all__ = ["MisfitError", "audio", "boolean", "load", "mapping", "number", "text", "texts"]

MOST_CHARACTERS: Final = 64 * 1024
"""Of one text message: a 20 ms frame needs 0.4 to 1.5 KiB, and AudioHook allows 65,535 characters."""

_LONGEST_NUMBER: Final = 30  # digits; time stamps have 13


class MisfitError(ValueError):
    """A field is missing or of the wrong kind; the text names it and none of its content."""


def load(data: str | bytes) -> dict[str, Any] | BrokenMessage:
    """The JSON object that a text frame holds."""
    if isinstance(data, bytes):
        return BrokenMessage("a binary frame where text is expected", len(data))
    if len(data) > MOST_CHARACTERS:
        return BrokenMessage(f"longer than {MOST_CHARACTERS} characters", len(data))
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        return BrokenMessage(f"not JSON: {type(error).__name__}", len(data))
    if not isinstance(found, dict):
        return BrokenMessage("no JSON object", len(data))
    return found


def mapping(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object; empty where it is missing."""
    found = fields.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise MisfitError(f"{name} is no object")
    return found


def text(fields: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """A text; required unless there is a default."""
    found = fields.get(name)
    if found is None and default is not None:
        return default
    if not isinstance(found, str):
        raise MisfitError(f"{name} is no text")
    return found


def texts(fields: Mapping[str, Any], name: str) -> dict[str, str]:
    """An object of texts; values of other kinds are left out."""
    return {key: value for key, value in mapping(fields, name).items() if isinstance(value, str)}


def boolean(fields: Mapping[str, Any], name: str) -> bool:
    """Whether a field is true; anything else, and nothing, is false."""
    return fields.get(name) is True


def number(fields: Mapping[str, Any], name: str, default: float | None = None) -> float:
    """A number, or a text that holds one; required unless there is a default."""
    found = fields.get(name)
    if found is None and default is not None:
        return default
    if isinstance(found, str) and len(found) <= _LONGEST_NUMBER:
        try:
            found = float(found)
        except ValueError:
            raise MisfitError(f"{name} is no number") from None
    if isinstance(found, bool) or not isinstance(found, int | float) or not abs(found) < 10**_LONGEST_NUMBER:
        raise MisfitError(f"{name} is no number")
    return found


def audio(fields: Mapping[str, Any], name: str) -> bytes:
    """Audio in base64; required."""
    found = text(fields, name)
    try:
        return b64decode(found, validate=True)
    except (Error, ValueError):
        raise MisfitError(f"{name} is no base64") from None

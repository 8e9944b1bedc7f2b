"""Warnings about settings that the service takes and that will not do what they seem to."""

import sys
import warnings

from voicelive.errors import VoiceLiveWarning

__all__ = ["voice"]

_NOT_THE_CALLERS = ("voicelive.", "pydantic.")


def voice(doubt: str) -> None:
    """Warn at the line of the application that made the settings, however deep inside them the doubt arose."""
    level = 2
    while sys._getframe(level - 1).f_back is not None and _module(level).startswith(_NOT_THE_CALLERS):
        level += 1
    warnings.warn(doubt, VoiceLiveWarning, stacklevel=level)


def _module(level: int) -> str:
    return f"{sys._getframe(level).f_globals.get('__name__', '')}."

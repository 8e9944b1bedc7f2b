"""The cases of ``data/avatar/session_updates.jsonl``, and what each of them is to be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["CASES", "Case"]

_PATH = Path(__file__).parents[1] / "data/avatar/session_updates.jsonl"


class Case(NamedTuple):
    """One client event."""

    name: str
    when: str
    """``start``, ``connecting`` or ``connected``."""
    expect: str
    message: dict[str, Any]
    answer: dict[str, Any] | None
    """Of the service, where it was seen; keys that it leaves out may be anything."""

    @property
    def session(self) -> dict[str, Any]:
        """The settings of a ``session.update``."""
        settings: dict[str, Any] = self.message["session"]
        return settings


def _case(line: str) -> Case:
    found = json.loads(line)
    return Case(found["case"], found["when"], found["expect"], found["message"], found.get("server"))


CASES = tuple(map(_case, _PATH.read_text(encoding="utf-8").splitlines()))

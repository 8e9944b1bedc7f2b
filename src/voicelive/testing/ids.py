"""Names of sessions, items, responses, calls and events: the service's prefixes, counted so that runs repeat."""

from __future__ import annotations

import itertools

__all__ = ["Ids"]


class Ids:
    """Ids of one session: ``item_s1_0003`` is the third id given out in the emulator's first session."""

    def __init__(self, session_number: int) -> None:
        self._session = f"s{session_number}"
        self._count = itertools.count(1)

    def session(self) -> str:
        return self._new("sess")

    def conversation(self) -> str:
        return self._new("conv")

    def item(self) -> str:
        return self._new("item")

    def response(self) -> str:
        return self._new("resp")

    def call(self) -> str:
        return self._new("call")

    def event(self) -> str:
        return self._new("event")

    def _new(self, prefix: str) -> str:
        return f"{prefix}_{self._session}_{next(self._count):04d}"

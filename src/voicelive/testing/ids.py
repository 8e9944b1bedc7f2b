"""Names of sessions, items, responses, calls and events: the service's prefixes, counted so that runs repeat."""

from __future__ import annotations

import itertools
from uuid import NAMESPACE_OID, uuid5

__all__ = ["Ids"]


class Ids:
    """Ids of one session: ``item_s1_0003`` is the third id given out in the emulator's first session.

    An id that the client chose is not given out again: it may replay the items of another emulator's session.
    """

    def __init__(self, session_number: int) -> None:
        self._session = f"s{session_number}"
        self._count = itertools.count(1)
        self._taken: set[str] = set()

    def reserve(self, *names: str) -> None:
        """Never give out these."""
        self._taken.update(names)

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

    def thread(self) -> str:
        return self._new("thread")

    def turn(self) -> str:
        """A turn of the avatar: 32 hexadecimal digits, as seen of the service."""
        return uuid5(NAMESPACE_OID, self._new("turn")).hex

    def _new(self, prefix: str) -> str:
        while (name := f"{prefix}_{self._session}_{next(self._count):04d}") in self._taken:
            pass
        return name

"""Conversations of agents, which outlive the sessions they are held in.

A session in agent mode continues the conversation that it names, and begins one otherwise. Sessions with a model
have none.
"""

from __future__ import annotations

from voicelive.testing.handshake import Admission
from voicelive.testing.history import History
from voicelive.testing.ids import Ids
from voicelive.testing.items import own_ids

__all__ = ["Threads"]

_KEPT_THREADS = 100


class Threads:
    """The conversations of an emulator's agents, by id; the 100 used last."""

    def __init__(self) -> None:
        self._histories: dict[str, History] = {}

    def of(self, admission: Admission, ids: Ids) -> tuple[str | None, History]:
        """Id and items of a new session's conversation; without an agent, no id and no items.

        A conversation that is named and not known was begun elsewhere: it is empty, and known from now on.
        """
        if admission.agent is None:
            return None, History()
        thread_id = admission.query.get("conversation-id") or ids.thread()
        history = self._histories.pop(thread_id, History())
        self._histories[thread_id] = history
        for item in history:
            ids.reserve(*own_ids(item))
        if len(self._histories) > _KEPT_THREADS:
            del self._histories[next(iter(self._histories))]
        return thread_id, history

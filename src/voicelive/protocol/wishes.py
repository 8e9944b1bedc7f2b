"""What a response is wanted for, and how the request for it is recognised.

Knows nothing of when it may be asked for; that is in ``responses.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from voicelive.wire.responses import ResponseCreateParams

__all__ = ["TAG", "Kind", "Wish", "tagged"]

TAG: Final = "voicelive"  # key in a response's metadata
MAX_METADATA: Final = 16  # pairs that a response's metadata may hold


class Kind(Enum):
    """What a wish is for."""

    ANSWER = "answer"
    """The application asks; waits for owed tool results."""
    SAY = "say"
    """Something to say meanwhile; does not wait for tool results."""
    FOLLOW_UP = "follow_up"
    """The answer to tool results; an automatic response that already sees them makes it needless."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A response that is wanted.

    Attributes:
        id: Unique in the session; also the ``event_id`` of the request and the tag in its metadata.
        params: Settings of this response only.
        additional_instructions: See ``ResponseCreate``.
        kind: What it is for.
        unseen: Of a follow-up: calls whose outputs the service has not confirmed yet. A response that began before
            may not know them.
    """

    id: str
    params: ResponseCreateParams | None = None
    additional_instructions: str | None = None
    kind: Kind = Kind.ANSWER
    unseen: frozenset[str] = frozenset()

    @property
    def plain(self) -> bool:
        """Whether it can be joined with another one."""
        return self.params is None and self.additional_instructions is None and self.kind is not Kind.SAY

    @property
    def beside(self) -> bool:
        """Whether it is out of band."""
        return self.params is not None and self.params.conversation == "none"

    @property
    def replaces(self) -> bool:
        """Whether it is to cut a running response off."""
        return self.params is not None and self.params.cancel_previous is True


def tagged(wish: Wish) -> ResponseCreateParams:
    """The wish's settings with its tag, unless the application's own metadata leave no room."""
    params = wish.params or ResponseCreateParams()
    metadata = dict(params.metadata or {})
    if len(metadata) < MAX_METADATA:
        metadata[TAG] = wish.id
    return params.model_copy(update={"metadata": metadata})

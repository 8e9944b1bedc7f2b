"""What an avatar's media need of whoever talks to the service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

__all__ = ["FollowedSignalling", "Offering", "Signalling"]


class Offering(Protocol):
    """Whoever takes an offer to the service and brings its answer."""

    async def connect(self, offer: Mapping[str, str], *, timeout_s: float | None = None) -> str | Mapping[str, str]:
        """``{"type": "offer", "sdp": ...}`` to ``{"type": "answer", "sdp": ...}``; an answer as text is refused."""
        ...


class Signalling(Offering, Protocol):
    """What media need of a session; ``session.avatar`` has it."""

    async def ice_servers_ready(self, *, timeout_s: float | None = None) -> Sequence[Mapping[str, Any]]:
        """The service's servers, as ``RTCPeerConnection`` takes them."""
        ...


@runtime_checkable
class FollowedSignalling(Signalling, Protocol):
    """What a new link needs on top, as ``session.avatar`` has it.

    ``ice_servers_ready`` waits until the service's present session can take an offer, and gives that one's servers.
    """

    @property
    def linked(self) -> bool:
        """Whether an offer was answered in the service's present session; false again once another takes over."""
        ...

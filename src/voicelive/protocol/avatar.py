"""The link of a visual agent over WebRTC: whether it is wanted, and whether it stands.

The service answers one offer for each of its sessions, so a link is asked for once a session, and anew when another
session of the service takes over. Whether media still flow is not to be seen on this socket.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from voicelive.events import AvatarLinkNeeded
from voicelive.wire.avatar import IceServer
from voicelive.wire.server.session import (
    SessionAvatarConnecting,
    SessionAvatarSwitchToIdle,
    SessionAvatarSwitchToSpeaking,
    SessionUpdated,
)
from voicelive.wire.server_events import ServerEvent
from voicelive.wire.session import SessionResource

__all__ = ["AvatarLink", "Delivery", "delivery", "servers"]

Delivery: TypeAlias = Literal["webrtc", "websocket"]
"""How the picture comes."""

HEARS: Final = frozenset(
    {SessionUpdated, SessionAvatarConnecting, SessionAvatarSwitchToSpeaking, SessionAvatarSwitchToIdle}
)
"""Events that concern the link; others need not be shown."""


def delivery(settings: SessionResource) -> Delivery | None:
    """How the picture comes under these settings; ``None`` without an avatar, or with one of an unknown kind."""
    avatar = settings.avatar
    if avatar is None or avatar.type == "unknown":
        return None
    return "websocket" if avatar.output_protocol == "websocket" else "webrtc"


class AvatarLink:
    """The link of one session. Pure: same calls, same answers.

    Attributes:
        linked: Whether the service answered an offer.
        speaking: Whether the avatar speaks, as far as the service told; its word may be lost.
        asked_for: Whether the application was told that a link is needed, in the service's present session.
    """

    def __init__(self) -> None:
        self.linked = self.speaking = False
        self.asked_for = self._had_one = False

    def receive(self, event: ServerEvent, settings: SessionResource) -> list[AvatarLinkNeeded]:
        """Take in an event; ``settings`` are those in effect with it."""
        if isinstance(event, SessionAvatarConnecting):
            self.linked = self._had_one = True
        elif isinstance(event, SessionAvatarSwitchToSpeaking):
            self.speaking = True
        elif isinstance(event, SessionAvatarSwitchToIdle):
            self.speaking = False
        elif delivery(settings) != "webrtc":
            self.linked = self.asked_for = False
        elif isinstance(event, SessionUpdated) and not self.asked_for:
            self.asked_for = True
            return [AvatarLinkNeeded(settings.id or "", servers(settings), again=self._had_one)]
        return []

    def flushed(self) -> None:
        """The avatar was told to be silent."""
        self.speaking = False

    def connection_lost(self) -> None:
        """A link belongs to one session of the service."""
        self.linked = self.speaking = self.asked_for = False


def servers(settings: SessionResource) -> tuple[IceServer, ...]:
    """The ICE servers that these settings name."""
    avatar = settings.avatar
    return () if avatar is None or avatar.type == "unknown" else tuple(avatar.ice_servers or ())

"""What the avatars of all sessions of an emulator have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from voicelive import wire
from voicelive.testing.avatar.limits import AvatarLedger, AvatarLimits
from voicelive.testing.avatar.look import AvatarPicture

__all__ = ["Avatars"]


@dataclass(frozen=True, slots=True)
class Avatars:
    """Quotas, picture and network of the emulated avatars.

    Attributes:
        peer_ice_servers: What the emulator's own end of a WebRTC link uses.
    """

    ledger: AvatarLedger = field(default_factory=lambda: AvatarLedger(AvatarLimits()))
    picture: AvatarPicture = field(default_factory=AvatarPicture)
    peer_ice_servers: Sequence[wire.IceServer] = field(default=(), repr=False)

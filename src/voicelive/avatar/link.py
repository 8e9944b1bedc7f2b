"""One WebRTC link of an avatar, from its offer until all of it is given back. Needs the extra ``avatar``.

When a link is made, and what follows its loss, is decided elsewhere.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from voicelive.avatar.broadcast import Broadcast
from voicelive.avatar.contracts import Signalling
from voicelive.avatar.data_channel import AvatarEvent, read_event
from voicelive.avatar.frames import AudioFrame, VideoFrame
from voicelive.avatar.ice import Server, understood
from voicelive.avatar.media_clock import MediaClock
from voicelive.avatar.media_stats import MediaStats, stats_of
from voicelive.avatar.peer import Peer
from voicelive.avatar.pump import Pump
from voicelive.errors import AvatarLinkFailedError
from voicelive.unhurried import to_the_end

__all__ = ["Link", "Linking", "Outlets"]


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where frames and messages go, whichever link brings them."""

    pictures: Broadcast[VideoFrame]
    sounds: Broadcast[AudioFrame]
    messages: Broadcast[AvatarEvent]

    def end(self, failure: Exception | None) -> None:
        """Nothing more will come."""
        for source in (self.pictures, self.sounds, self.messages):
            source.end(failure)


class Link:
    """A link that stands."""

    def __init__(self, peer: Peer, pump: Pump, before: MediaStats | None) -> None:
        """``before``: the numbers of the links before."""
        self._peer, self._pump, self._before = peer, pump, before
        self.number = 1 if before is None else before.links + 1
        self._tasks = [asyncio.ensure_future(pump.run(kind, track)) for kind, track in peer.tracks.items()]

    @property
    def clock(self) -> MediaClock:
        """Of its frames."""
        return self._pump.clock

    @property
    def ended(self) -> bool:
        """Whether the service has ended it, or ICE has given it up."""
        return self._pump.ended or self._peer.state in {"failed", "closed"}

    async def stats(self) -> MediaStats:
        """Of this link and those before; also after its end."""
        stats = await stats_of(self._peer.receivers, self._pump)
        return stats if self._before is None else stats.following(self._before)

    async def close(self) -> None:
        """Give all back; may be called often. No frame comes after it."""
        for task in self._tasks:
            task.cancel()
        await self._peer.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking:
    """How the links of one ``receive`` are made: its arguments."""

    signalling: Signalling
    outlets: Outlets
    direction: Literal["recvonly", "sendrecv"]
    data_channel: bool
    own_servers: list[Server] | None
    relay_only: bool
    gather_timeout_s: float
    connect_timeout_s: float

    async def servers(self, timeout_s: float) -> list[Server]:
        """Those to be used, once the session can take an offer."""
        found = await self.signalling.ice_servers_ready(timeout_s=timeout_s)
        return understood(found) if self.own_servers is None else self.own_servers

    async def make(self, servers: list[Server], after: Link | None = None) -> Link:
        """A link that stands, its frames on the way. ``after``: the link whose clock and numbers go on; it is closed.

        Raises:
            AvatarLinkFailedError: See ``stage``.
            VoiceLiveError: What ``signalling`` raises.

        Whatever is raised, cancellation included, leaves nothing behind.
        """
        if self.relay_only and not any(server.relays for server in servers):
            message = "relay_only needs a TURN server, and there is none; give ice_servers"
            raise AvatarLinkFailedError(message, "gathering")
        outlets, now = self.outlets, asyncio.get_running_loop().time
        before = None if after is None else await after.stats()
        clock = MediaClock(None if after is None else after.clock)
        peer = Peer(
            servers,
            direction=self.direction,
            data_channel=self.data_channel,
            relay_only=self.relay_only,
            on_message=lambda message: outlets.messages.put(read_event(message)),
        )
        pump = Pump(outlets.pictures, outlets.sounds, clock, now)
        try:
            pump.listen(peer.receivers)
            await peer.open(
                self.signalling, gather_timeout_s=self.gather_timeout_s, connect_timeout_s=self.connect_timeout_s
            )
        except BaseException:
            await to_the_end(peer.close())
            raise
        return Link(peer, pump, before)

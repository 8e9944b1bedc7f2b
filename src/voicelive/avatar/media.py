"""Picture and voice of an avatar over WebRTC, in Python: ``async with receive(session.avatar) as media``.

Signalling is somebody else's: see ``Signalling``. No media are sent: the caller's voice goes over the
session's socket, whatever ``direction`` says.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias

from voicelive.avatar.broadcast import Broadcast, Stream
from voicelive.avatar.data_channel import AvatarEvent, read_event
from voicelive.avatar.frames import AudioFrame, VideoFrame
from voicelive.avatar.ice import checked, understood
from voicelive.avatar.link_watch import LinkWatch
from voicelive.avatar.media_stats import MediaStats, stats_of
from voicelive.avatar.merging import FrameStream
from voicelive.avatar.recording import RECORDED_SOUNDS, Recording, recorded
from voicelive.avatar.unhurried import to_the_end
from voicelive.errors import AvatarLinkFailedError, AvatarLinkLostError, ConfigurationError

if TYPE_CHECKING:
    from voicelive.avatar.peer import Peer
    from voicelive.avatar.pump import Pump

__all__ = ["AvatarMedia", "MediaState", "Signalling", "receive"]

Direction: TypeAlias = Literal["recvonly", "sendrecv"]

DIRECTIONS: Final[tuple[Direction, ...]] = ("recvonly", "sendrecv")

MediaState: TypeAlias = Literal["connected", "stalled", "lost", "closed"]
"""``stalled``: for 1.5 s no packet came, or packets but no picture that could be decoded."""

PICTURES: Final = 8
"""Bound of a stream of pictures: a third of a second; full HD takes 3 MB a picture."""

SOUNDS: Final = 250
"""Bound of a stream of sound: 5 s of 20 ms each."""

EVENTS: Final = 256

_LOOK_EVERY_S: Final = 0.25


class Signalling(Protocol):
    """What media need of a session; ``session.avatar`` has it."""

    async def ice_servers_ready(self, *, timeout_s: float | None = None) -> Sequence[Mapping[str, Any]]:
        """The service's servers, as ``RTCPeerConnection`` takes them."""
        ...

    async def connect(self, offer: Mapping[str, str], *, timeout_s: float | None = None) -> str | Mapping[str, str]:
        """``{"type": "offer", "sdp": ...}`` to ``{"type": "answer", "sdp": ...}``; an answer as text is refused."""
        ...


class AvatarMedia:
    """A link that stands. Streams are independent: each has its own bound and drops its own oldest when it is full."""

    def __init__(self, peer: Peer, pump: Pump, messages: Broadcast[AvatarEvent], lost_after_s: float) -> None:
        """Made by ``receive``."""
        self._peer, self._pump, self._messages, self._lost_after_s = peer, pump, messages, lost_after_s
        self._state: MediaState = "connected"
        self._failure: AvatarLinkLostError | None = None
        self._over = asyncio.Event()

    @property
    def state(self) -> MediaState:
        """How the link is, looked at four times a second."""
        return self._state

    def video(self) -> Stream[VideoFrame]:
        """Pictures from now on. At most 8 wait, then the oldest is dropped and counted (``dropped``)."""
        return self._pump.pictures.stream()

    def audio(self) -> Stream[AudioFrame]:
        """Sound from now on. At most 5 s wait, then the oldest is dropped and counted."""
        return self._pump.sounds.stream()

    def frames(self) -> FrameStream:
        """Both, by their timestamps."""
        return FrameStream(self.video(), self.audio())

    def events(self) -> Stream[AvatarEvent]:
        """What comes over the data channel from now on; at most 256 wait."""
        return self._messages.stream()

    def record(self, path: str | os.PathLike[str]) -> AbstractAsyncContextManager[Recording]:
        """Record into an MP4 file (H.264 and AAC) for as long as the block lasts; see ``recording.recorded``."""
        from voicelive.avatar.mp4_writer import Mp4Writer

        def begin() -> Recording:
            sounds = self._pump.sounds.stream(RECORDED_SOUNDS)
            return Recording(FrameStream(self.video(), sounds), Mp4Writer(path))

        return recorded(begin)

    async def stats(self) -> MediaStats:
        """Numbers since the link was made."""
        return await stats_of(self._peer.receivers, self._pump)

    async def wait_closed(self) -> None:
        """Wait until no more media come: because the block ended, or with an error.

        Raises:
            AvatarLinkLostError: The link broke, or the service ended it. All streams raise it too.
        """
        await self._over.wait()
        if self._failure is not None:
            raise self._failure

    async def _watch(self) -> None:
        now = asyncio.get_running_loop().time
        watch = LinkWatch(self._lost_after_s, now())
        while True:
            stats = await self.stats()
            if self._over.is_set():
                return
            verdict = watch.judge(stats.video_packets + stats.audio_packets, stats.pictures, now())
            ended = self._pump.ended or self._peer.state in {"failed", "closed"}
            if verdict == "lost" or ended:
                cause = "the service ended it" if ended else f"nothing came for {self._lost_after_s:g} s"
                self._end("lost", AvatarLinkLostError(f"the avatar's media are lost: {cause}; receive() again"))
                return
            self._state = verdict
            await asyncio.sleep(_LOOK_EVERY_S)

    def _end(self, state: MediaState, failure: AvatarLinkLostError | None = None) -> None:
        if self._over.is_set():
            return
        self._state, self._failure = state, failure
        for source in (self._pump.pictures, self._pump.sounds, self._messages):
            source.end(failure)
        self._over.set()


@asynccontextmanager
async def receive(
    signalling: Signalling,
    *,
    direction: Direction = "recvonly",
    data_channel: bool = True,
    ice_servers: Iterable[Mapping[str, Any]] | None = None,
    relay_only: bool = False,
    gather_timeout_s: float = 10.0,
    connect_timeout_s: float = 20.0,
    lost_after_s: float = 5.0,
) -> AsyncIterator[AvatarMedia]:
    """Make the avatar's link and hold it for as long as the block lasts. Needs ``pip install 'voicelive[avatar]'``.

    Args:
        signalling: ``session.avatar``, or whatever takes an offer to the service.
        direction: ``recvonly``, or ``sendrecv`` as older samples have it. Nothing is sent either way.
        data_channel: Offer a data channel, without which ``events()`` stays silent.
        ice_servers: STUN and TURN servers of your own, ``{"urls", "username", "credential"}``, instead of those that
            the service gives. Of several TURN URLs the first that can be used is (aiortc takes one).
        relay_only: Use TURN servers only, never a direct path.
        gather_timeout_s: How long candidates are gathered; then those that were found are sent.
        connect_timeout_s: For each of: the service's servers, its answer, the way through the network.
        lost_after_s: Without a packet for so long the link is given up.

    Raises:
        ConfigurationError: An argument is refused; nothing was sent.
        AvatarLinkFailedError: No link was made; ``stage`` says where it ended.
        AvatarLinkLostError: Out of streams and ``wait_closed``, never into the block itself.
        VoiceLiveError: What ``signalling`` raises.
        ModuleNotFoundError: The extra is not installed.

    Cancelling closes everything; while candidates are gathered it takes effect when that has ended.
    """
    _check(
        direction,
        gather_timeout_s=gather_timeout_s,
        connect_timeout_s=connect_timeout_s,
        lost_after_s=lost_after_s,
    )
    own = None if ice_servers is None else checked(ice_servers)
    try:
        from voicelive.avatar.peer import Peer
        from voicelive.avatar.pump import Pump
    except ModuleNotFoundError as error:
        if error.name not in {"aiortc", "av", "numpy"}:
            raise
        hint = f"receive() needs {error.name}: pip install 'voicelive[avatar]'"
        raise ModuleNotFoundError(hint, name=error.name) from error
    servers = own if own is not None else understood(await signalling.ice_servers_ready(timeout_s=connect_timeout_s))
    if relay_only and not any(server.relays for server in servers):
        raise AvatarLinkFailedError("relay_only needs a TURN server, and there is none; give ice_servers", "gathering")
    messages: Broadcast[AvatarEvent] = Broadcast(EVENTS)
    peer = Peer(
        servers,
        direction=direction,
        data_channel=data_channel,
        relay_only=relay_only,
        on_message=lambda message: messages.put(read_event(message)),
    )
    pump = Pump(Broadcast(PICTURES), Broadcast(SOUNDS), asyncio.get_running_loop().time)
    media = AvatarMedia(peer, pump, messages, lost_after_s)
    tasks: list[asyncio.Task[None]] = []
    try:
        pump.listen(peer.receivers)
        await peer.open(signalling, gather_timeout_s=gather_timeout_s, connect_timeout_s=connect_timeout_s)
        tasks += [asyncio.ensure_future(pump.run(kind, track)) for kind, track in peer.tracks.items()]
        tasks.append(asyncio.ensure_future(media._watch()))
        yield media
    finally:
        media._end("closed")
        await to_the_end(_give_back(peer, tasks))


async def _give_back(peer: Peer, tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await peer.close()
    await asyncio.gather(*tasks, return_exceptions=True)


def _check(direction: object, **seconds: object) -> None:
    if direction not in DIRECTIONS:
        raise ConfigurationError(f"direction is {direction!r}, allowed: {', '.join(DIRECTIONS)}")
    for name, value in seconds.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
            raise ConfigurationError(f"{name} is {value!r}; it must be a number of seconds above 0")

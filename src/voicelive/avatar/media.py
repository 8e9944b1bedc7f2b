"""Picture and voice of an avatar over WebRTC, in Python: ``async with receive(session.avatar) as media``.

Signalling is somebody else's: see ``Signalling``. No media are sent: the caller's voice goes over the
session's socket, whatever ``direction`` says.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from voicelive.avatar.broadcast import Broadcast, Stream
from voicelive.avatar.contracts import FollowedSignalling, Signalling
from voicelive.avatar.data_channel import AvatarEvent
from voicelive.avatar.frames import AudioFrame, VideoFrame
from voicelive.avatar.ice import checked
from voicelive.avatar.link_watch import LinkWatch
from voicelive.avatar.media_stats import MediaStats
from voicelive.avatar.merging import FrameStream
from voicelive.avatar.recording import RECORDED_SOUNDS, Recording, recorded
from voicelive.avatar.relinking import Relinking
from voicelive.errors import AvatarLinkLostError, ConfigurationError
from voicelive.unhurried import to_the_end

if TYPE_CHECKING:
    from voicelive.avatar.link import Link, Outlets

__all__ = ["AvatarMedia", "FollowedSignalling", "MediaState", "Signalling", "receive"]

log = logging.getLogger("voicelive")

Direction: TypeAlias = Literal["recvonly", "sendrecv"]

DIRECTIONS: Final[tuple[Direction, ...]] = ("recvonly", "sendrecv")

MediaState: TypeAlias = Literal["connected", "stalled", "relinking", "lost", "closed"]
"""``stalled``: for 1.5 s no packet came, or packets but no picture that could be decoded. ``relinking``: the link is
lost, and another one is being made."""

PICTURES: Final = 8
"""Bound of a stream of pictures: a third of a second; full HD takes 3 MB a picture."""

SOUNDS: Final = 250
"""Bound of a stream of sound: 5 s of 20 ms each."""

EVENTS: Final = 256

_LOOK_EVERY_S: Final = 0.25


class AvatarMedia:
    """An avatar's media. Streams are independent: each has its own bound and drops its own oldest when it is full.

    They go on over a link that replaces a lost one: on the same clock, on which the time without media is a gap.
    """

    def __init__(self, link: Link, outlets: Outlets, lost_after_s: float, relinking: Relinking | None) -> None:
        """Made by ``receive``. ``relinking``: makes further links, where one is lost."""
        self._link, self._outlets, self._lost_after_s, self._relinking = link, outlets, lost_after_s, relinking
        self._state: MediaState = "connected"
        self._failure: AvatarLinkLostError | None = None
        self._over = asyncio.Event()
        self._keeper = asyncio.ensure_future(self._keep())

    @property
    def state(self) -> MediaState:
        """How the link is, looked at four times a second."""
        return self._state

    @property
    def links(self) -> int:
        """How many links there were; each above the first is one that was made anew."""
        return self._link.number

    def video(self) -> Stream[VideoFrame]:
        """Pictures from now on. At most 8 wait, then the oldest is dropped and counted (``dropped``)."""
        return self._outlets.pictures.stream()

    def audio(self) -> Stream[AudioFrame]:
        """Sound from now on. At most 5 s wait, then the oldest is dropped and counted."""
        return self._outlets.sounds.stream()

    def frames(self) -> FrameStream:
        """Both, by their timestamps."""
        return FrameStream(self.video(), self.audio())

    def events(self) -> Stream[AvatarEvent]:
        """What comes over the data channel from now on; at most 256 wait."""
        return self._outlets.messages.stream()

    def record(self, path: str | os.PathLike[str]) -> AbstractAsyncContextManager[Recording]:
        """Record into an MP4 file (H.264 and AAC) for as long as the block lasts; see ``recording.recorded``."""
        from voicelive.avatar.mp4_writer import Mp4Writer

        def begin() -> Recording:
            sounds = self._outlets.sounds.stream(RECORDED_SOUNDS)
            return Recording(FrameStream(self.video(), sounds), Mp4Writer(path))

        return recorded(begin)

    async def stats(self) -> MediaStats:
        """Numbers since the first link was made, over all links."""
        return await self._link.stats()

    async def wait_closed(self) -> None:
        """Wait until no more media come: because the block ended, or with an error.

        Raises:
            AvatarLinkLostError: The link is lost, and no other was made. All streams raise it too.
        """
        await self._over.wait()
        if self._failure is not None:
            raise self._failure

    async def _keep(self) -> None:
        while True:
            cause = await self._lost()
            relinking = self._relinking
            if relinking is None:
                self._end("lost", AvatarLinkLostError(f"the avatar's media are lost: {cause}; receive() again"))
                return
            self._state = "relinking"
            log.warning("= an avatar's media are lost: %s; linking anew", cause)
            try:
                self._link = await relinking.replace(self._link)
            except Exception as failure:  # whatever it is, nobody must wait for frames that never come
                message = f"the avatar's media are lost: {cause}, and no new link was made: {type(failure).__name__}"
                lost = AvatarLinkLostError(f"{message}; receive() again, or open another session")
                lost.__cause__ = failure
                self._end("lost", lost)
                return
            self._state = "connected"

    async def _lost(self) -> str:
        """Wait until the link is lost, and say why."""
        now = asyncio.get_running_loop().time
        watch = LinkWatch(self._lost_after_s, now())
        while True:
            if self._relinking is not None and self._relinking.due:
                return "its session of the service is gone"
            stats = await self._link.stats()
            verdict = watch.judge(stats.video_packets + stats.audio_packets, stats.pictures, now())
            if self._link.ended:
                return "the service ended it"
            if verdict == "lost":
                return f"nothing came for {self._lost_after_s:g} s"
            self._state = verdict
            await asyncio.sleep(_LOOK_EVERY_S)

    def _end(self, state: MediaState, failure: AvatarLinkLostError | None = None) -> None:
        if self._over.is_set():
            return
        self._state, self._failure = state, failure
        self._outlets.end(failure)
        self._over.set()

    async def _close(self) -> None:
        self._end("closed")
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)
        await self._link.close()


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
    relink: bool | None = None,
) -> AsyncIterator[AvatarMedia]:
    """Link the avatar and keep it linked for as long as the block lasts. Needs ``pip install 'voicelive[avatar]'``.

    Args:
        signalling: ``session.avatar``, or whatever takes an offer to the service.
        direction: ``recvonly``, or ``sendrecv`` as older samples have it. Nothing is sent either way.
        data_channel: Offer a data channel, without which ``events()`` stays silent.
        ice_servers: STUN and TURN servers of your own, ``{"urls", "username", "credential"}``, instead of those that
            the service gives. Of several TURN URLs the first that can be used is (aiortc takes one).
        relay_only: Use TURN servers only, never a direct path.
        gather_timeout_s: How long candidates are gathered; then those that were found are sent.
        connect_timeout_s: For each of: the service's servers, its answer, the way through the network.
        lost_after_s: Without a packet for so long a link is given up.
        relink: Make another link where one is lost: whenever the session goes on as another session of the service, and
            once within each of them. Needs a ``FollowedSignalling``; ``None``: where ``signalling`` is one.

    Raises:
        ConfigurationError: An argument is refused; nothing was sent.
        AvatarLinkFailedError: The first link was not made; ``stage`` says where it ended.
        AvatarLinkLostError: A link was lost, and no other made. Out of streams and ``wait_closed``, never into the
            block itself.
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
    followed = signalling if relink is not False and isinstance(signalling, FollowedSignalling) else None
    if relink and followed is None:
        raise ConfigurationError("relink is True; it needs signalling that tells whether it is linked, or None")
    own = None if ice_servers is None else checked(ice_servers)
    try:
        from voicelive.avatar.link import Linking, Outlets
    except ModuleNotFoundError as error:
        if error.name not in {"aiortc", "av", "numpy"}:
            raise
        hint = f"receive() needs {error.name}: pip install 'voicelive[avatar]'"
        raise ModuleNotFoundError(hint, name=error.name) from error
    outlets = Outlets(Broadcast(PICTURES), Broadcast(SOUNDS), Broadcast(EVENTS))
    linking = Linking(
        signalling=signalling,
        outlets=outlets,
        direction=direction,
        data_channel=data_channel,
        own_servers=own,
        relay_only=relay_only,
        gather_timeout_s=gather_timeout_s,
        connect_timeout_s=connect_timeout_s,
    )
    link = await linking.make(await linking.servers(connect_timeout_s) if own is None else own)
    media = AvatarMedia(link, outlets, lost_after_s, None if followed is None else Relinking(followed, linking))
    try:
        yield media
    finally:
        await to_the_end(media._close())


def _check(direction: object, **seconds: object) -> None:
    if direction not in DIRECTIONS:
        raise ConfigurationError(f"direction is {direction!r}, allowed: {', '.join(DIRECTIONS)}")
    for name, value in seconds.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
            raise ConfigurationError(f"{name} is {value!r}; it must be a number of seconds above 0")

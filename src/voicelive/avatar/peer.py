"""The WebRTC peer of an avatar: its offer with all candidates in it, the answer, and the way to both tracks.

Owns one ``RTCPeerConnection``. Needs the extra ``avatar``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import aiortc
from aiortc import RTCConfiguration, RTCDataChannel, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcconfiguration import RTCBundlePolicy, RTCIceTransportPolicy

from voicelive.avatar.aiortc_inside import limit_gathering, own_connecting
from voicelive.avatar.contracts import Offering
from voicelive.avatar.ice import Server
from voicelive.avatar.media_clock import Kind
from voicelive.errors import AvatarLinkFailedError
from voicelive.unhurried import completed

__all__ = ["Peer"]

EVENT_CHANNEL: Final = "eventChannel"
"""So the official samples call it. It makes the offer have a section for data; the service opens its own channel."""

_NO_WAY: Final = (
    "no way through the network to the avatar's media; allow UDP 3478 and TCP 443 to relay.communication.microsoft.com,"
    ' give ice_servers of your own, or use output_protocol="websocket"'
)


class Peer:
    """One link, for as long as it lasts."""

    def __init__(
        self,
        servers: Sequence[Server],
        *,
        direction: Literal["recvonly", "sendrecv"],
        data_channel: bool,
        relay_only: bool,
        on_message: Callable[[str | bytes], None],
    ) -> None:
        _keep_logs_quiet()
        self._connection = RTCPeerConnection(
            RTCConfiguration(
                # An empty list, not None: that would ask a public STUN server.
                iceServers=[RTCIceServer(list(it.urls), it.username, it.credential) for it in servers],
                iceTransportPolicy=RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL,
                bundlePolicy=RTCBundlePolicy.MAX_BUNDLE,  # one path for all: one allocation at the TURN server
            )
        )
        self._connecting: set[asyncio.Task[Any]] = set()
        own_connecting(self._connection, self._connecting)
        self.tracks: dict[Kind, MediaStreamTrack] = {}
        self.changed = asyncio.Event()
        """Set when the state of the connection has changed."""
        self._on_message = on_message
        self._connection.on("track", self._take_track)
        self._connection.on("datachannel", self._hear)
        self._connection.on("connectionstatechange", self.changed.set)
        video = self._connection.addTransceiver("video", direction=direction)
        video.setCodecPreferences(_h264_first())
        audio = self._connection.addTransceiver("audio", direction=direction)
        self.receivers: dict[Kind, aiortc.RTCRtpReceiver] = {"video": video.receiver, "audio": audio.receiver}
        if data_channel:
            self._hear(self._connection.createDataChannel(EVENT_CHANNEL))

    @property
    def state(self) -> str:
        """``new``, ``connecting``, ``connected``, ``failed`` or ``closed``."""
        return str(self._connection.connectionState)

    async def open(self, signalling: Offering, *, gather_timeout_s: float, connect_timeout_s: float) -> None:
        """Offer, and wait until media may come. Cancelling takes effect once gathering has ended.

        Raises:
            AvatarLinkFailedError: See ``stage``.
        """
        offer = await self._offer(gather_timeout_s)
        answer = await signalling.connect({"type": "offer", "sdp": offer}, timeout_s=connect_timeout_s)
        await self._take_answer(answer)
        missing = " and no ".join(kind for kind in ("video", "audio") if kind not in self.tracks)
        if missing:
            raise AvatarLinkFailedError(f"the service's answer holds no {missing}; open another session", "tracks")
        try:
            async with asyncio.timeout(connect_timeout_s):
                while self.state != "connected":
                    if self.state in {"failed", "closed"}:
                        raise AvatarLinkFailedError(_NO_WAY, "ice")
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            message = f"not connected within {connect_timeout_s:g} s: {_NO_WAY}"
            raise AvatarLinkFailedError(message, "ice") from None

    async def close(self) -> None:
        """Give back sockets, tasks and threads."""
        # First those that connect: they would go on, and start decoders of a connection that is closed.
        for task in self._connecting:
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        await self._connection.close()

    async def _offer(self, gather_timeout_s: float) -> str:
        """An offer with all candidates there are, at the latest after ``gather_timeout_s``."""
        limit_gathering(self.receivers["video"], gather_timeout_s)
        # Cancelled half-way, aioice would leave sockets and tasks behind.
        gathering = asyncio.ensure_future(self._connection.setLocalDescription(await self._connection.createOffer()))
        await completed(gathering)
        if gathering.exception() is not None or "a=candidate" not in self._connection.localDescription.sdp:
            raise AvatarLinkFailedError(
                f"no candidate was found within {gather_timeout_s:g} s, so nothing was sent; check the network"
                " and the TURN servers, or leave relay_only off",
                "gathering",
            ) from None
        return str(self._connection.localDescription.sdp)

    async def _take_answer(self, answer: str | Mapping[str, str]) -> None:
        if isinstance(answer, str) or answer.get("type") != "answer" or not isinstance(answer.get("sdp"), str):
            raise AvatarLinkFailedError("the service's answer is none; open another session", "answer")
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
        except Exception as error:
            # Parsers fail in many ways, and quote what they read: nothing of that may come along.
            kind = type(error).__name__
            message = f"the service's answer cannot be used ({kind}); open another session"
            raise AvatarLinkFailedError(message, "answer") from None

    def _take_track(self, track: MediaStreamTrack) -> None:
        kind: Kind = "video" if track.kind == "video" else "audio"
        self.tracks[kind] = track

    def _hear(self, channel: RTCDataChannel) -> None:
        channel.on("message", self._on_message)


def _h264_first() -> list[Any]:
    codecs = aiortc.RTCRtpReceiver.getCapabilities("video")
    assert codecs is not None  # None is for kinds other than audio and video
    return sorted(codecs.codecs, key=lambda codec: codec.mimeType.lower() != "video/h264")


def _keep_logs_quiet() -> None:
    """At DEBUG aiortc logs whole SDPs, at INFO aioice logs addresses. Levels that somebody chose for them are kept."""
    for name in ("aiortc", "aioice"):
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)

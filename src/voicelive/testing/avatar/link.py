"""One WebRTC link of an avatar: offer in, answer out, media while it stands. Needs aiortc.

What a link says beside its media goes to the client through a data channel that the service opens.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpCodecCapability,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.exceptions import OperationError

from voicelive import wire
from voicelive.testing.avatar.film import Film
from voicelive.testing.avatar.look import Look
from voicelive.testing.avatar.loopback import offer_loopback
from voicelive.testing.avatar.moments import Moment
from voicelive.testing.avatar.offers import has_data_section, negotiation_failed, without_local_names
from voicelive.testing.avatar.playout import RATE_HZ, Change, Playout
from voicelive.testing.avatar.tracks import FaceTrack, VoiceTrack

__all__ = ["Link"]

_CHANNEL = "eventChannel"  # what the client's own is called in official samples; the service's name is not published

_CONNECT_S = 30.0  # browsers give up about then; a link that never stood must not keep others away


class Link:
    """A peer connection and the film that runs over it.

    Args:
        look: The picture.
        ice_servers: The emulator's own; by default it has host candidates only.
        idle_s: An idle link ends after so long; ``None``: never.
        spawn: Starts the film as a task of the session.
        told: Hears of turns that begin and end.

    Attributes:
        playout: What there is to say.
        over: Called once, when the link is no more.
    """

    def __init__(
        self,
        look: Look,
        ice_servers: Sequence[wire.IceServer],
        idle_s: float | None,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        told: Callable[[Change], None],
    ) -> None:
        servers = [RTCIceServer(server.urls, server.username, server.credential) for server in ice_servers]
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=servers))  # without a list, aiortc asks Google's
        self._peer.on("connectionstatechange", self._changed)
        self._voice, self._face = VoiceTrack(), FaceTrack(look)
        self._channel: RTCDataChannel | None = None
        self._spawn, self._told = spawn, told
        self._film_task: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self.playout = Playout()
        self._film = Film(self.playout, look.frames_per_s, self, self._tell, idle_s)
        self.over: Callable[[], None] = lambda: None

    async def answer(self, offer: str) -> str:
        """The complete answer to an offer.

        Raises:
            Refusal: The peer connection cannot work with it.
        """
        peer = self._peer
        picture = peer.addTransceiver(self._face, direction="sendonly")
        picture.setCodecPreferences(_codecs("video", "video/H264"))
        picture.sender._send_keyframe = self._face.want_key_picture  # type: ignore[method-assign]  # pictures come encoded
        peer.addTransceiver(self._voice, direction="sendonly").setCodecPreferences(_codecs("audio", "audio/opus"))
        try:
            await peer.setRemoteDescription(RTCSessionDescription(without_local_names(offer), "offer"))
            offer_loopback(peer)
            if has_data_section(offer):
                self._channel = peer.createDataChannel(_CHANNEL)
            await peer.setLocalDescription(await peer.createAnswer())
        except OperationError as error:  # no codec in common
            raise negotiation_failed(str(error)) from None
        except Exception as error:  # whatever an SDP can do to aiortc; its text may quote the SDP
            raise negotiation_failed(type(error).__name__) from None
        self._spawn(self._give_up())
        return str(peer.localDescription.sdp)

    def exchange(self, look: Look) -> None:
        """Go on with another scene."""
        self._face.look = look

    async def show(self, moment: Moment) -> None:
        """Send picture and sound."""
        self._voice.put(moment)
        self._face.put(moment)

    async def close(self) -> None:
        """End the media and the connection; may be called often."""
        self._end()
        assert self._closing is not None, "it has begun"
        await asyncio.shield(self._closing)  # aiortc cannot be closed again once its close was cancelled

    def _changed(self) -> None:
        if self._closing is not None:
            return
        if self._peer.connectionState == "connected" and self._film_task is None:
            self._film_task = self._spawn(self._play())
        elif self._peer.connectionState in ("failed", "closed"):
            self._end()

    async def _play(self) -> None:
        await self._film.run()
        self._end()

    async def _give_up(self) -> None:
        await asyncio.sleep(_CONNECT_S)
        if self._film_task is None:
            self._end()

    def _end(self) -> None:
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())

    async def _close(self) -> None:
        self.over()
        if self._film_task is not None:
            self._film_task.cancel()
            await asyncio.wait([self._film_task])
        self._send("EVENT_TYPE_SESSION_END")
        await self._peer.close()

    def _tell(self, change: Change) -> None:
        if change.kind == "speaking":
            self._send("EVENT_TYPE_TURN_START", change.turn_id)
            self._send("EVENT_TYPE_SWITCH_TO_SPEAKING", change.turn_id)
        else:
            self._send("EVENT_TYPE_SWITCH_TO_IDLE", change.turn_id)
        self._told(change)

    def _send(self, kind: str, turn_id: str | None = None) -> None:
        """Say something on the data channel, if it is open: a hint, as documented, which may be lost."""
        if self._channel is None or self._channel.readyState != "open":
            return
        offset_s = self._film.position / RATE_HZ
        event = {"eventType": kind, "offset": f"{offset_s:.3f}s", "duration": "0s"}
        if turn_id is not None:
            event["turnID"] = turn_id
        self._channel.send(json.dumps({"event": event}))


def _codecs(kind: str, mime_type: str) -> list[RTCRtpCodecCapability]:
    """What is preferred; aiortc gives the answer no others."""
    return [codec for codec in RTCRtpSender.getCapabilities(kind).codecs if codec.mimeType == mime_type]

"""The service's side of an avatar's WebRTC link, for tests: flashes and beeps in step, over loopback."""

from __future__ import annotations

import asyncio
import fractions
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import aioice.ice
import av
import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

from voicelive.avatar.aiortc_inside import own_connecting

RATE_HZ: Final = 48_000
FPS: Final = 25
PERIOD_S: Final = 1.0
"""Each second begins with a white picture and a tone, both 120 ms long."""
FLASH_S: Final = 0.12
SIZE: Final = (320, 180)


def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """aioice never offers 127.0.0.1, and a machine may have nothing else."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])


def picture(at_s: float) -> av.VideoFrame:
    """White at the beginning of each second, otherwise grey, with a bar that moves."""
    pixels = np.full((SIZE[1], SIZE[0], 3), 60, np.uint8)
    bar = int(at_s * 100) % SIZE[0]
    pixels[-10:, bar : bar + 8] = 160
    if at_s % PERIOD_S < FLASH_S:
        pixels[:] = 250
    return av.VideoFrame.from_ndarray(pixels, format="rgb24")


def sound(at: int, samples: int) -> av.AudioFrame:
    """A tone at the beginning of each second, otherwise silence."""
    index = np.arange(at, at + samples)
    tone = np.where(index % int(PERIOD_S * RATE_HZ) < FLASH_S * RATE_HZ, 12_000 * np.sin(index * 0.13), 0)
    stereo = np.repeat(tone.astype(np.int16), 2).reshape(1, -1)
    found = av.AudioFrame.from_ndarray(stereo, format="s16", layout="stereo")
    found.sample_rate = RATE_HZ
    return found


class _Track(MediaStreamTrack):
    def __init__(self, kind: str, began_s: float, step_s: float) -> None:
        super().__init__()
        self.kind, self._began_s, self._step_s, self._next = kind, began_s, step_s, 0
        self.muted = asyncio.Event()

    async def recv(self) -> Any:
        while True:
            at_s = self._next * self._step_s
            await asyncio.sleep(max(0.0, self._began_s + at_s - time.monotonic()))
            self._next += 1
            if not self.muted.is_set():
                break
        if self.kind == "video":
            frame: Any = picture(at_s)
            frame.pts, frame.time_base = round(at_s * 90_000), fractions.Fraction(1, 90_000)
        else:
            frame = sound(round(at_s * RATE_HZ), round(self._step_s * RATE_HZ))
            frame.pts, frame.time_base = round(at_s * RATE_HZ), fractions.Fraction(1, RATE_HZ)
        return frame


class AvatarPeer:
    """What ``receive`` takes for a session: answers one offer, and sends."""

    def __init__(
        self,
        *,
        servers: Sequence[Mapping[str, Any]] = (),
        video_later_s: float = 0.0,
        without: str = "",
        edit: Any = None,
        deaf: bool = False,
    ) -> None:
        """``video_later_s``: the picture begins so much later, its RTP timestamps at 0 all the same.
        ``without`` one kind of track, with an answer that is ``edit``ed, ``deaf`` to the offer's candidates.
        """
        self._deaf = deaf
        self.servers, self.offers = tuple(servers), list[str]()
        self._video_later_s, self._without, self._edit = video_later_s, without, edit
        self.connection: RTCPeerConnection | None = None
        self.channels: list[RTCDataChannel] = []
        self.tracks: list[_Track] = []
        self._connecting: set[asyncio.Task[Any]] = set()

    async def ice_servers_ready(self, *, timeout_s: float | None = None) -> Sequence[Mapping[str, Any]]:
        return self.servers

    async def connect(self, offer: Mapping[str, str], *, timeout_s: float | None = None) -> Mapping[str, str]:
        assert offer["type"] == "offer"
        self.offers.append(offer["sdp"])
        connection = self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        own_connecting(connection, self._connecting)
        connection.on("datachannel", self.channels.append)
        began_s = time.monotonic() + 0.3
        for kind in ("video", "audio"):
            if kind == self._without:
                continue
            later_s = self._video_later_s if kind == "video" else 0.0
            track = _Track(kind, began_s + later_s, 1 / FPS if kind == "video" else 0.02)
            self.tracks.append(track)
            sender = connection.addTrack(track)
            if kind == "video":
                # The answerer has to choose before it takes the offer.
                codecs = RTCRtpReceiver.getCapabilities("video")
                assert codecs is not None
                [transceiver] = [it for it in connection.getTransceivers() if it.sender is sender]
                transceiver.setCodecPreferences([it for it in codecs.codecs if it.mimeType == "video/H264"])
        sdp = re.sub(r"a=candidate.*\r\n", "", offer["sdp"]) if self._deaf else offer["sdp"]
        await connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        answer = {"type": "answer", "sdp": connection.localDescription.sdp}
        return self._edit(answer) if self._edit else answer

    def mute(self) -> None:
        """Send nothing more, with everything else in place: what a broken path looks like."""
        for track in self.tracks:
            track.muted.set()

    async def close(self) -> None:
        for task in self._connecting:
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        if self.connection is not None:
            await self.connection.close()


@asynccontextmanager
async def avatar_peer(**options: Any) -> AsyncIterator[AvatarPeer]:
    peer = AvatarPeer(**options)
    try:
        yield peer
    finally:
        await peer.close()

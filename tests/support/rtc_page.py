"""A page of a WebRTC call, by aiortc in this process: it speaks from a file, listens, and forwards what it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from fractions import Fraction
from typing import Self

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from voicelive.testing.avatar.loopback import offer_loopback

__all__ = ["Page"]

RATE_HZ = 48_000
FRAME_SAMPLES = 960
LOUD = 500  # root mean square of 16-bit samples; Opus makes of silence less than 10


class Microphone(MediaStreamTrack):
    """Silence in real time, and what is put in it."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.pcm = bytearray()
        self._frames = 0
        self._began_s: float | None = None

    async def recv(self) -> av.AudioFrame:
        now_s = asyncio.get_running_loop().time()
        self._began_s = self._began_s if self._began_s is not None else now_s
        await asyncio.sleep(max(0.0, self._began_s + self._frames * FRAME_SAMPLES / RATE_HZ - now_s))
        piece = bytes(self.pcm[: FRAME_SAMPLES * 2]).ljust(FRAME_SAMPLES * 2, b"\0")
        del self.pcm[: FRAME_SAMPLES * 2]
        frame = av.AudioFrame.from_ndarray(np.frombuffer(piece, "<i2")[None], format="s16", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = RATE_HZ, Fraction(1, RATE_HZ), self._frames * FRAME_SAMPLES
        self._frames += 1
        return frame


class Page:
    """``async with Page() as page``: ``page.offer`` is to be answered, ``page.begin(answer)`` begins the call.

    Attributes:
        told: Types of all events of the data channel.
        forward: What becomes of each message; by default nothing.
        loud_ms: How much of the agent's voice was heard so far.
    """

    def __init__(self, *, channel: str | None = "voice-live-events") -> None:
        self.told: list[str] = []
        self.forward: Callable[[str], object] = lambda _: None
        self.loud_ms = 0
        self.quiet_ms = 0
        self.microphone = Microphone()
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._peer.addTrack(self.microphone)
        self._channel = self._peer.createDataChannel(channel) if channel else None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._peer.on("track", lambda track: self._tasks.append(asyncio.create_task(self._listen(track))))
        if self._channel is not None:
            self._channel.on("message", self._message)
        offer = await self._peer.createOffer()
        offer_loopback(self._peer)
        await self._peer.setLocalDescription(offer)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._peer.close()
        await asyncio.gather(*self._tasks)

    @property
    def connected(self) -> bool:
        return bool(self._peer.connectionState == "connected")

    @property
    def offer(self) -> str:
        return str(self._peer.localDescription.sdp)

    async def begin(self, answer: str) -> None:
        await self._peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def until(self, happened: Callable[[], object], *, within_s: float = 10) -> None:
        """Wait for something in real time."""
        async with asyncio.timeout(within_s):
            while not happened():  # noqa: ASYNC110 - media have no event of ours
                await asyncio.sleep(0.01)

    def _message(self, message: str) -> None:
        self.told.append(json.loads(message)["type"])
        self.forward(message)

    async def _listen(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.AudioFrame)
                level = float(np.sqrt(np.mean(frame.to_ndarray().astype(float) ** 2)))
                self.loud_ms += 20 if level > LOUD else 0
                self.quiet_ms = 0 if level > LOUD else self.quiet_ms + 20
        except MediaStreamError:
            return

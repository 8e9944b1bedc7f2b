"""A client's end of an avatar's WebRTC link: an aiortc peer that notes what it sees and hears.

What is dark in the picture is an open mouth: nothing else of the emulated face is below ``_THROAT_LUMA``.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from voicelive.testing.avatar.loopback import offer_loopback

_THROAT_LUMA = 45
_LOUD = 300  # of 32767; beyond the noise of Opus


class Viewer:
    """One peer connection.

    Attributes:
        pictures: When each picture is to be shown, in seconds of the media, and how many pixels of it are dark.
        key_pictures: When each picture is shown that stands by itself.
        sounds: When each frame of sound is to be heard, and its largest sample.
        sizes: Width and height of the pictures.
        messages: What came on data channels.
    """

    def __init__(self) -> None:
        self.pictures: list[tuple[float, int]] = []
        self.key_pictures: list[float] = []
        self.sounds: list[tuple[float, int]] = []
        self.sizes: set[tuple[int, int]] = set()
        self.messages: list[dict[str, Any]] = []
        self.peer = RTCPeerConnection(RTCConfiguration([]))
        self._tasks: list[asyncio.Task[None]] = []
        self.peer.on("track", lambda track: self._tasks.append(asyncio.create_task(self._watch(track))))
        self.peer.on("datachannel", self._listen)

    async def offer(self, *, direction: str = "recvonly", data: bool = True) -> str:
        """What goes into ``client_sdp``."""
        for kind in ("video", "audio"):
            self.peer.addTransceiver(kind, direction=direction)
        if data:
            self.peer.createDataChannel("eventChannel")
        description = await self.peer.createOffer()
        offer_loopback(self.peer)
        await self.peer.setLocalDescription(description)
        text = json.dumps({"type": "offer", "sdp": self.peer.localDescription.sdp})
        return base64.b64encode(text.encode()).decode()

    async def accept(self, server_sdp: str) -> None:
        """Take the answer, and wait for the link to stand."""
        await self.peer.setRemoteDescription(RTCSessionDescription(**json.loads(base64.b64decode(server_sdp))))
        await until(lambda: self.peer.connectionState == "connected")

    @property
    def mouth_open(self) -> list[float]:
        """Times of the pictures with an open mouth."""
        return [at_s for at_s, dark in self.pictures if dark]

    @property
    def loud(self) -> list[float]:
        """Times of the frames with sound."""
        return [at_s for at_s, peak in self.sounds if peak > _LOUD]

    def is_quiet(self) -> bool:
        """There was sound, and none in the last half second; pauses between words are shorter."""
        return bool(self.loud) and self.sounds[-1][0] - self.loud[-1] > 0.5

    async def close(self) -> None:
        await self.peer.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _listen(self, channel: RTCDataChannel) -> None:
        channel.on("message", lambda text: self.messages.append(json.loads(text)["event"]))

    async def _watch(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.AudioFrame | av.VideoFrame)
                assert frame.time is not None
                if isinstance(frame, av.AudioFrame):
                    self.sounds.append((frame.time, int(np.abs(frame.to_ndarray().astype(int)).max())))
                else:
                    dark = int((frame.to_ndarray()[: frame.height] < _THROAT_LUMA).sum())
                    self.pictures.append((frame.time, dark))
                    if frame.key_frame:
                        self.key_pictures.append(frame.time)
                    self.sizes.add((frame.width, frame.height))
        except MediaStreamError:
            return


async def until(condition: Callable[[], object], timeout_s: float = 15.0) -> None:
    """Wait for real media, which knows no virtual clock."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


@asynccontextmanager
async def viewer() -> AsyncIterator[Viewer]:
    """A viewer that hangs up in the end."""
    one = Viewer()
    try:
        yield one
    finally:
        await one.close()

"""The service's end of a WebRTC call: a peer connection that hears, speaks and tells. Needs aiortc.

The page opens the data channel ``voice-live-events``, as the guide has it; without one there is nobody to tell.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from fractions import Fraction
from typing import Any, Final

import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

from voicelive.testing.avatar.loopback import offer_loopback
from voicelive.testing.avatar.offers import without_local_names
from voicelive.testing.calls.speech import RATE_HZ

__all__ = ["CHANNEL", "Peer"]

CHANNEL: Final = "voice-live-events"

_FRAME_S: Final = 0.02
_FRAME_SAMPLES: Final = int(RATE_HZ * _FRAME_S)
_UNTOLD_KEPT: Final = 1024  # events from before the page's channel was open
_LATE_S: Final = 0.5  # a machine that slept must not make up for it by speaking fast

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class Peer:
    """One peer connection.

    Args:
        say: Gives so many bytes of the agent's voice, 16 bit at 48 kHz.
        hear: Takes the caller's voice, 16 bit at 48 kHz.
        spawn: Starts a task of the session.
    """

    def __init__(self, say: Callable[[int], bytes], hear: Callable[[bytes], None], spawn: Spawn) -> None:
        self._hear, self._spawn = hear, spawn
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))  # without a list, aiortc asks Google's
        self._connection.on("track", self._found_track)
        self._connection.on("datachannel", self._found_channel)
        self._voice = _Voice(say)
        self._channel: RTCDataChannel | None = None
        self._untold: deque[str] = deque(maxlen=_UNTOLD_KEPT)
        self._closing: asyncio.Task[None] | None = None

    async def answer(self, offer: str) -> str:
        """The complete answer to an offer.

        Raises:
            Exception: Whatever an SDP can do to aiortc; its text may quote the SDP.
        """
        connection = self._connection
        transceiver = connection.addTransceiver(self._voice, direction="sendrecv")
        codecs = RTCRtpSender.getCapabilities("audio").codecs
        transceiver.setCodecPreferences([codec for codec in codecs if codec.mimeType == "audio/opus"])
        await connection.setRemoteDescription(RTCSessionDescription(without_local_names(offer), "offer"))
        offer_loopback(connection)
        await connection.setLocalDescription(await connection.createAnswer())
        return str(connection.localDescription.sdp)

    def tell(self, message: str) -> None:
        """Say something on the data channel, once it is open."""
        if self._channel is None or self._channel.readyState == "connecting":
            self._untold.append(message)
        elif self._channel.readyState == "open":
            self._channel.send(message)

    async def close(self) -> None:
        """End media and connection; may be called often. Checks that aiortc has begun run out 20 ms later."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._connection.close())
        await asyncio.shield(self._closing)  # aiortc cannot be closed again once its close was cancelled

    def _found_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio":
            self._spawn(self._listen(track))

    def _found_channel(self, channel: RTCDataChannel) -> None:
        if channel.label != CHANNEL:
            return
        self._channel = channel
        while self._untold:
            channel.send(self._untold.popleft())

    async def _listen(self, track: MediaStreamTrack) -> None:
        mono = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
        try:
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.AudioFrame), "of an audio track"
                for piece in mono.resample(frame):
                    self._hear(piece.to_ndarray().tobytes())
        except MediaStreamError:
            return  # the page has hung up


class _Voice(MediaStreamTrack):
    """The agent's voice in real time, in frames of 20 ms."""

    kind = "audio"

    def __init__(self, say: Callable[[int], bytes]) -> None:
        super().__init__()
        self._say = say
        self._frames = 0
        self._next_s: float | None = None

    async def recv(self) -> av.AudioFrame:
        """The next frame, when it is due."""
        now_s = asyncio.get_running_loop().time()
        if self._next_s is None or now_s > self._next_s + _LATE_S:
            self._next_s = now_s
        await asyncio.sleep(max(0.0, self._next_s - now_s))
        self._next_s += _FRAME_S
        samples = np.frombuffer(self._say(_FRAME_SAMPLES * 2), "<i2")[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = RATE_HZ, Fraction(1, RATE_HZ), self._frames * _FRAME_SAMPLES
        self._frames += 1
        return frame

"""Takes decoded frames from aiortc's tracks, gives each its time, and hands them to all streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import av
from aiortc import RTCRtpReceiver
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from voicelive.avatar.aiortc_inside import FRAME_DELAY_S, decoder_zero, tap
from voicelive.avatar.broadcast import Broadcast
from voicelive.avatar.frames import AudioFrame, VideoFrame
from voicelive.avatar.media_clock import Kind, MediaClock

__all__ = ["Pump"]


class Pump:
    """Of one link. ``ended`` says that the sender has closed a track."""

    def __init__(
        self,
        pictures: Broadcast[VideoFrame],
        sounds: Broadcast[AudioFrame],
        clock: MediaClock,
        now: Callable[[], float],
    ) -> None:
        self._pictures, self._sounds = pictures, sounds
        self.clock = clock
        self.decoded: dict[Kind, int] = {"video": 0, "audio": 0}
        self.ended = False
        self._now = now
        self._tapped: dict[Kind, RTCRtpReceiver] = {}
        self._zeroed: set[Kind] = set()

    def listen(self, receivers: Mapping[Kind, RTCRtpReceiver]) -> None:
        """Let the clock see the packets; before any comes."""
        for kind, receiver in receivers.items():
            if tap(receiver, kind, self.clock, self._now):
                self._tapped[kind] = receiver

    async def run(self, kind: Kind, track: MediaStreamTrack) -> None:
        """Until the track ends."""
        try:
            while True:
                raw = await track.recv()
                self.decoded[kind] += 1
                timestamp_s = self._timestamp_s(kind, raw.pts or 0)  # aiortc sets it always
                if isinstance(raw, av.VideoFrame):
                    self._pictures.put(VideoFrame(timestamp_s, raw))
                elif isinstance(raw, av.AudioFrame):
                    self._sounds.put(AudioFrame(timestamp_s, raw))
        except MediaStreamError:
            self.ended = True

    def _timestamp_s(self, kind: Kind, pts: int) -> float:
        receiver = self._tapped.get(kind)
        if receiver is None:
            self.clock.packet(kind, pts % (1 << 32), self._now() - FRAME_DELAY_S[kind])
        elif kind not in self._zeroed and (zero := decoder_zero(receiver)) is not None:
            self.clock.counts_from(kind, zero)
            self._zeroed.add(kind)
        return self.clock.timestamp_s(kind, pts)

"""Numbers of links since they were made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voicelive.avatar.media_clock import Kind
    from voicelive.avatar.pump import Pump

__all__ = ["MediaStats", "stats_of"]


@dataclass(frozen=True, slots=True)
class MediaStats:
    """Counts since the first link was made, over all that followed it. aiortc conceals no lost sound: it is a gap
    between timestamps.

    Attributes:
        bytes_received: Of both tracks and the data channel, encrypted, without what ICE takes.
        video_packets: That came.
        video_packets_lost: That did not come, as far as sequence numbers tell.
        audio_packets: That came.
        audio_packets_lost: That did not come.
        pictures: That were decoded. Bytes that come without pictures are a starved picture, not a broken link.
        sounds: Pieces of sound that were decoded.
        in_step_by_reports: Whether the newest link's sender lays picture beside sound by reports; before, arrival does.
        links: How many links there were.
    """

    bytes_received: int
    video_packets: int
    video_packets_lost: int
    audio_packets: int
    audio_packets_lost: int
    pictures: int
    sounds: int
    in_step_by_reports: bool
    links: int = 1

    def following(self, before: MediaStats) -> MediaStats:
        """Of both: of a link and of those before it."""
        return MediaStats(
            bytes_received=before.bytes_received + self.bytes_received,
            video_packets=before.video_packets + self.video_packets,
            video_packets_lost=before.video_packets_lost + self.video_packets_lost,
            audio_packets=before.audio_packets + self.audio_packets,
            audio_packets_lost=before.audio_packets_lost + self.audio_packets_lost,
            pictures=before.pictures + self.pictures,
            sounds=before.sounds + self.sounds,
            in_step_by_reports=self.in_step_by_reports,
            links=before.links + self.links,
        )


async def stats_of(receivers: Mapping[Kind, Any], pump: Pump) -> MediaStats:
    """Of one link, from aiortc's own reports and from what was handed out."""
    came: dict[Kind, int] = {"video": 0, "audio": 0}
    lost: dict[Kind, int] = {"video": 0, "audio": 0}
    received = 0
    for kind, receiver in receivers.items():
        for report in (await receiver.getStats()).values():
            if report.type == "inbound-rtp":
                came[kind], lost[kind] = report.packetsReceived, report.packetsLost
            elif report.type == "transport":
                received = report.bytesReceived  # one transport for both
    return MediaStats(
        bytes_received=received,
        video_packets=came["video"],
        video_packets_lost=lost["video"],
        audio_packets=came["audio"],
        audio_packets_lost=lost["audio"],
        pictures=pump.decoded["video"],
        sounds=pump.decoded["audio"],
        in_step_by_reports=pump.clock.by_reports,
    )

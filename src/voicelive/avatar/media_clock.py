"""One clock for picture and sound, whose RTP timestamps begin at unrelated numbers.

Pure: ``at_s`` of packets is an argument, in seconds of any steady clock. The sound leads: its timestamps are not moved
any more once the first was given. The picture is laid beside it, first by when packets arrived (the least delayed),
then by what the sender itself says in its RTCP sender reports, which pair RTP timestamps with its wall clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

__all__ = ["RATES_HZ", "Kind", "MediaClock", "unwrapped"]

Kind: TypeAlias = Literal["audio", "video"]

RATES_HZ: Final[dict[Kind, int]] = {"audio": 48_000, "video": 90_000}
"""Clock rates of RTP: Opus (RFC 7587) and H.264 (RFC 6184)."""

MOST_CORRECTION_S: Final = 2.0
"""Reports that lie further than this from what arrival says come from clocks that have nothing in common."""

_WRAP: Final = 1 << 32


def unwrapped(timestamp: int, near: int) -> int:
    """The 32-bit ``timestamp`` as the whole number closest to ``near``."""
    ahead = (timestamp - near) % _WRAP
    return near + (ahead if ahead < _WRAP // 2 else ahead - _WRAP)


@dataclass(slots=True)
class _Track:
    rate_hz: int
    last: int | None = None
    """RTP timestamp of the newest packet, unwrapped."""
    zero: int | None = None
    """RTP timestamp that the decoder counts from."""
    arrival_s: float = float("inf")
    """When RTP timestamp 0 would have arrived, by the least delayed packet."""
    report_s: float | None = None
    """When RTP timestamp 0 was, by the sender's wall clock."""
    given_s: float = field(default=float("-inf"))
    """The newest timestamp that was given."""


class MediaClock:
    """Timestamps of both tracks of one link, in seconds since its first packet.

    Args:
        after: The clock of the link before, which gives no more. This one goes on from there: zero stays where it is,
            both tracks begin behind all that was given, and what passed between two links is a gap.
    """

    def __init__(self, after: MediaClock | None = None) -> None:
        self._tracks: dict[Kind, _Track] = {kind: _Track(rate) for kind, rate in RATES_HZ.items()}
        self._zero_s: float | None = None if after is None else after._zero_s
        """When 0 was, by arrival."""
        self._floor_s = 0.0 if after is None else after._newest_s
        self._began = False
        self._frozen: dict[Kind, float] = {}

    @property
    def by_reports(self) -> bool:
        """Whether the sender's own reports lay picture beside sound; until then arrival does."""
        return self._reported_lag_s() is not None

    def packet(self, kind: Kind, timestamp: int, at_s: float) -> None:
        """A packet with this RTP timestamp arrived."""
        track = self._tracks[kind]
        track.last = timestamp if track.last is None else unwrapped(timestamp, track.last)
        track.arrival_s = min(track.arrival_s, at_s - track.last / track.rate_hz)
        if not self._began:
            self._began = True
            # By a sender whose clock runs fast, the link before may have come further than time itself.
            self._zero_s = at_s - self._floor_s if self._zero_s is None else min(self._zero_s, at_s - self._floor_s)

    def report(self, kind: Kind, timestamp: int, wall_s: float) -> None:
        """The sender says that this RTP timestamp was at ``wall_s``. Worthless before the first packet."""
        track = self._tracks[kind]
        if track.last is not None:
            track.report_s = wall_s - unwrapped(timestamp, track.last) / track.rate_hz

    def counts_from(self, kind: Kind, timestamp: int) -> None:
        """The decoder's timestamps of this track count from this RTP timestamp."""
        track = self._tracks[kind]
        track.zero = timestamp if track.last is None else unwrapped(timestamp, track.last)

    def timestamp_s(self, kind: Kind, pts: int) -> float:
        """When a decoded frame is due. Never negative, and never before one that was given for the same track.

        ``pts`` counts from what ``counts_from`` said, in units of the track's rate.
        """
        track = self._tracks[kind]
        zero = track.zero if track.zero is not None else 0
        found = self._start_s(kind) + (zero + pts) / track.rate_hz - (self._zero_s or 0.0)
        track.given_s = max(found, track.given_s, self._floor_s)
        return track.given_s

    @property
    def _newest_s(self) -> float:
        """The newest timestamp that was given for any track, by this clock or those before it."""
        return max(self._floor_s, *(track.given_s for track in self._tracks.values()))

    def _start_s(self, kind: Kind) -> float:
        """When RTP timestamp 0 of a track arrived or would have."""
        lag_s = self._reported_lag_s() if kind == "video" and "audio" in self._frozen else None
        if lag_s is not None:
            return self._frozen["audio"] + lag_s
        return self._frozen.setdefault(kind, self._tracks[kind].arrival_s)

    def _reported_lag_s(self) -> float | None:
        """How much later RTP timestamp 0 of the picture was than that of the sound, by reports worth believing."""
        audio, video = self._tracks["audio"], self._tracks["video"]
        if audio.report_s is None or video.report_s is None:
            return None
        lag_s = video.report_s - audio.report_s
        return lag_s if abs(lag_s - (video.arrival_s - audio.arrival_s)) <= MOST_CORRECTION_S else None

"""Whether media still come, told by counters: ICE itself takes up to half a minute to notice.

Pure. The picture comes all the time, also while the avatar idles, so packets that stop are a broken link. Packets that
come without pictures are a starved picture (seen at 1 % loss in 1080p): the link stands, and the voice may be heard.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

__all__ = ["STALLED_AFTER_S", "LinkWatch", "Verdict"]

Verdict: TypeAlias = Literal["connected", "stalled", "lost"]

STALLED_AFTER_S: Final = 1.5
"""Without a packet, or without a picture. The service sends 25 pictures a second, speaking or not."""


class LinkWatch:
    """Judges one link, from ``began_s`` on. ``lost_after_s`` is how long no packet may come."""

    def __init__(self, lost_after_s: float, began_s: float) -> None:
        self._lost_after_s = lost_after_s
        self._packets = self._pictures = 0
        self._packet_s = self._picture_s = began_s

    def judge(self, packets: int, pictures: int, now_s: float) -> Verdict:
        """By the numbers so far, which never fall."""
        if packets != self._packets:
            self._packets, self._packet_s = packets, now_s
        if pictures != self._pictures:
            self._pictures, self._picture_s = pictures, now_s
        if now_s - self._packet_s >= self._lost_after_s:
            return "lost"
        return "connected" if now_s - min(self._packet_s, self._picture_s) < STALLED_AFTER_S else "stalled"

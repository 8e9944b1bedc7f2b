"""Reads from aiortc what a common clock needs and its interface does not offer: arrival of packets, sender reports.

The only module that touches aiortc's inside (as in 1.16). Where a release of aiortc has renamed it, ``tap``
says so, and the clock goes by the arrival of decoded frames instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from voicelive.avatar.media_clock import Kind, MediaClock

__all__ = ["FRAME_DELAY_S", "decoder_zero", "tap"]

FRAME_DELAY_S: Final[dict[Kind, float]] = {"audio": 0.08, "video": 0.04}
"""What aiortc's jitter buffers hold back: four packets of 20 ms, and a picture until the next one (25 a second)."""

_MAPPER: Final = "_RTCRtpReceiver__timestamp_mapper"
_ON_RTP: Final = "_handle_rtp_packet"
_ON_RTCP: Final = "_handle_rtcp_packet"


def tap(receiver: Any, kind: Kind, clock: MediaClock, now: Callable[[], float]) -> bool:
    """Let ``clock`` see all that this ``RTCRtpReceiver`` gets. Before it does; false where that is not possible."""
    if not all(hasattr(receiver, name) for name in (_MAPPER, _ON_RTP, _ON_RTCP)):
        return False
    take_rtp, take_rtcp = getattr(receiver, _ON_RTP), getattr(receiver, _ON_RTCP)

    async def on_rtp(packet: Any, *args: Any, **kwargs: Any) -> None:
        clock.packet(kind, packet.timestamp, now())
        await take_rtp(packet, *args, **kwargs)

    async def on_rtcp(packet: Any) -> None:
        sender = getattr(packet, "sender_info", None)  # of sender reports only
        if sender is not None:
            clock.report(kind, sender.rtp_timestamp, sender.ntp_timestamp / (1 << 32))
        await take_rtcp(packet)

    setattr(receiver, _ON_RTP, on_rtp)
    setattr(receiver, _ON_RTCP, on_rtcp)
    return True


def decoder_zero(receiver: Any) -> int | None:
    """The RTP timestamp from which the frames of a tapped receiver count; known with the first of them."""
    origin: int | None = getattr(receiver, _MAPPER)._origin
    return None if origin is None else origin % (1 << 32)

"""What aiortc's interface does not offer: arrival of packets, sender reports, a limit for gathering, its loose task.

The only module that touches aiortc's inside (as in 1.16). Where a release has renamed things, ``tap`` says so, and the
clock goes by the arrival of decoded frames instead; gathering keeps aioice's own limit of 5 s; and a link that fails
while it is made may leave a task behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from voicelive.avatar.media_clock import Kind, MediaClock

__all__ = ["FRAME_DELAY_S", "decoder_zero", "limit_gathering", "own_connecting", "tap"]

FRAME_DELAY_S: Final[dict[Kind, float]] = {"audio": 0.08, "video": 0.04}
"""What aiortc's jitter buffers hold back: four packets of 20 ms, and a picture until the next one (25 a second)."""

_MAPPER: Final = "_RTCRtpReceiver__timestamp_mapper"
_ON_RTP: Final = "_handle_rtp_packet"
_ON_RTCP: Final = "_handle_rtcp_packet"
_CONNECT: Final = "_RTCPeerConnection__connect"
_GATHER: Final = "get_component_candidates"


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


def limit_gathering(receiver: Any, timeout_s: float) -> None:
    """Servers that do not answer are given up after ``timeout_s``; candidates found until then are kept."""
    ice = getattr(receiver.transport.transport.iceGatherer, "_connection", None)
    if hasattr(ice, _GATHER):
        setattr(ice, _GATHER, partial(getattr(ice, _GATHER), timeout=timeout_s))


def own_connecting(connection: Any, tasks: set[asyncio.Task[Any]]) -> None:
    """Collect the tasks in which an ``RTCPeerConnection`` connects: it starts them and forgets them."""
    if not hasattr(connection, _CONNECT):
        return
    connect = getattr(connection, _CONNECT)

    async def connect_owned() -> None:
        task = asyncio.current_task()
        assert task is not None  # it runs in nothing else
        tasks.add(task)
        await connect()

    setattr(connection, _CONNECT, connect_owned)

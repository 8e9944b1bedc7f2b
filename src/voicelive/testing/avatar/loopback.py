"""Candidates on 127.0.0.1 for a peer connection. Needs aiortc, and looks into it.

aioice leaves the loopback address out, so that on a machine without a network nothing would be offered at all. It has
no setting for it. Its gathering takes the addresses as an argument of a method, which is replaced on the connections
of one peer alone: nothing changes for other peers of the process.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from aiortc import RTCPeerConnection

__all__ = ["offer_loopback"]

_LOOPBACK = "127.0.0.1"


def offer_loopback(peer: RTCPeerConnection) -> None:
    """Let a peer gather on the loopback interface too; call it before ``setLocalDescription``."""
    transports = [transceiver.receiver.transport for transceiver in peer.getTransceivers()]
    if peer.sctp is not None:
        transports.append(peer.sctp.transport)
    for transport in set(transports):
        connection = transport.transport.iceGatherer._connection
        gather = partial(_gather, connection.get_component_candidates)
        connection.get_component_candidates = gather  # type: ignore[method-assign]  # of this connection alone


async def _gather(gather: Any, component: int, addresses: list[str], **options: Any) -> Any:
    return await gather(component, [*addresses, _LOOPBACK], **options)

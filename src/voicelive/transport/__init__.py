"""How text frames move: the transport contract, an in-memory pair, and the shapes of credentials.

Loads no WebSocket library; ``voicelive.transport.websocket`` does, when a connection is first made.
"""

from __future__ import annotations

from voicelive.transport.auth import AccessToken, AsyncTokenCredential, Credential, KeyCredential, TokenCredential
from voicelive.transport.base import Transport, TransportClosed
from voicelive.transport.memory import MemoryTransport, memory_pair

__all__ = [
    "AccessToken",
    "AsyncTokenCredential",
    "Credential",
    "KeyCredential",
    "MemoryTransport",
    "TokenCredential",
    "Transport",
    "TransportClosed",
    "memory_pair",
]

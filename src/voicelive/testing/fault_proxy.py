"""A TCP proxy that breaks connections on demand: what a network does to a client, in a test.

It knows bytes, and nothing of TLS or WebSockets. What a fault does to one direction is ``pipe``'s.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from voicelive.testing.controls import Controls, Direction, Faults, Way, ways
from voicelive.testing.entrance import Entrance
from voicelive.testing.proxied_connection import ProxiedConnection

__all__ = ["FaultProxy"]

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


class FaultProxy(Controls):
    """Stands between clients and a server, passes bytes on, and injects faults of the transport when told to.

    ``async with FaultProxy(emulator.endpoint) as proxy`` starts it; clients connect to ``proxy.endpoint``. What is
    ordered acts on the open connections, and, except ``reset`` and ``fin``, on later ones. A client whose server
    cannot be reached is reset.

    TLS passes through. So the certificate of the server has to name the host of the proxy. The event loop needs
    ``add_reader``; on Windows that is the ``SelectorEventLoop``.

    Args:
        target: The server: a URL (http, https, ws or wss), or ``host:port``.
        host: Address to listen on.
        port: Port to listen on; 0 chooses a free one.
        seed: Makes jitter repeatable, for the same connections with the same chunks; by default it is not.

    Attributes:
        connections: All connections so far, oldest first.

    Raises:
        ValueError: The target is neither.
    """

    def __init__(self, target: str, *, host: str = "127.0.0.1", port: int = 0, seed: int | None = None) -> None:
        self.connections: list[ProxiedConnection] = []
        self._target = target
        self._server_address = _address(target)
        self._wanted_address = host, port
        self._seed = seed
        self._faults: dict[Way, Faults] = {way: Faults() for way in ways("both")}
        self._entrance = Entrance(self._admit)
        self._endpoint: str | None = None

    @property
    def endpoint(self) -> str:
        """The target with host and port of the proxy in place of its own; known once the proxy was started.

        Raises:
            RuntimeError: It was not.
        """
        if self._endpoint is None:
            raise RuntimeError("the proxy was not started; use 'async with FaultProxy(target) as proxy'")
        return self._endpoint

    async def start(self) -> None:
        """Listen for clients; returns when they can connect.

        Raises:
            OSError: The address cannot be had.
        """
        self._entrance.open(*self._wanted_address)
        host, port = self._entrance.address
        own = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._endpoint = urlsplit(self._target)._replace(netloc=own).geturl() if "://" in self._target else own

    async def close(self) -> None:
        """Stop listening and close all connections at once; may be called twice."""
        await self._entrance.close()
        await asyncio.gather(*(connection.close() for connection in self._open))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def refuse(self) -> None:
        """Refuse new connections (ECONNREFUSED) until ``accept`` or ``heal``; open ones go on."""
        self._entrance.refuse()

    def accept(self) -> None:
        """Accept new connections again, on the same port."""
        self._entrance.accept()

    def break_tls(self) -> None:
        """Let the TLS handshake of later connections fail, until ``heal``: the server's bytes arrive inverted.

        Without TLS the client gets the same garbage in place of a response.
        """
        self._faults["down"] = replace(self._faults["down"], garbled=True)

    def heal(self) -> None:
        self._faults = {way: Faults() for way in ways("both")}
        for connection in self._open:
            connection.heal()
        self.accept()

    def reset(self) -> None:
        for connection in self._open:
            connection.reset()

    def fin(self, direction: Direction = "both") -> None:
        ways(direction)
        for connection in self._open:
            connection.fin(direction)

    @property
    def _open(self) -> list[ProxiedConnection]:
        return [connection for connection in self.connections if connection.open]

    def _change(self, direction: Direction, **changes: Any) -> None:
        for way in ways(direction):
            self._faults[way] = replace(self._faults[way], **changes)
        for connection in self._open:
            connection._change(direction, **changes)

    def _admit(self) -> asyncio.Protocol:
        seed = None if self._seed is None else f"{self._seed} {len(self.connections)}"
        connection = ProxiedConnection(self._server_address, self._faults, seed)
        self.connections.append(connection)
        return connection.admit()


def _address(target: str) -> tuple[str, int]:
    """Host and port of a URL or ``host:port``."""
    try:
        parts = urlsplit(target if "://" in target else f"//{target}")
        port = parts.port if parts.port is not None else _PORTS.get(parts.scheme)
    except ValueError:
        parts, port = urlsplit(""), None
    if not parts.hostname or not port or parts.scheme not in {"", *_PORTS}:
        raise ValueError(f"target is {target!r}; allowed: a URL (http, https, ws, wss), or host:port")
    return parts.hostname, port

"""One connection through a proxy: two sockets, and a pipe for each direction."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import struct
from collections.abc import Callable, Mapping
from typing import Any, cast

from voicelive.testing.controls import Controls, Direction, Faults, Way, ways
from voicelive.testing.pipe import Pipe

__all__ = ["ProxiedConnection"]

_log = logging.getLogger(__name__)

_SYSTEM_BUFFER_BYTES = 64 * 1024  # left to itself, the system takes megabytes before a sender is slowed down
_RESET_ON_CLOSE = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)  # struct linger: on, for 0 seconds


class ProxiedConnection(Controls):
    """One client's connection through a ``FaultProxy``, and what can be done to it alone."""

    def __init__(self, target: tuple[str, int], faults: Mapping[Way, Faults], seed: str | None) -> None:
        self._target = target
        self._pipes = {way: Pipe(faults[way], self.reset, seed and f"{seed} {way}") for way in ways("both")}
        up, down = self._pipes["up"], self._pipes["down"]
        self._client = _Side(up, down, made=self._connect, lost=self._look_if_over)
        self._server = _Side(down, up, made=lambda: None, lost=self._look_if_over)
        self._connecting: asyncio.Task[None] | None = None
        self._over = asyncio.Event()

    @property
    def up_bytes(self) -> int:
        """How many bytes were passed on to the server."""
        return self._pipes["up"].delivered_bytes

    @property
    def down_bytes(self) -> int:
        """How many bytes were passed on to the client."""
        return self._pipes["down"].delivered_bytes

    @property
    def open(self) -> bool:
        """One of the two sockets is open. Behind a black hole that may be so after both sides have gone."""
        return not self._over.is_set()

    def admit(self) -> asyncio.Protocol:
        """The protocol for the client's socket, for the proxy that accepts it."""
        return self._client

    def heal(self) -> None:
        for pipe in self._pipes.values():
            pipe.heal()

    def reset(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
        self._client.abort(reset=True)
        self._server.abort(reset=True)

    def fin(self, direction: Direction = "both") -> None:
        for way in ways(direction):
            self._pipes[way].cut("fin")

    async def close(self) -> None:
        """Close both sockets at once; returns when they are closed."""
        if self._connecting is not None:
            self._connecting.cancel()
        self._client.abort()
        self._server.abort()
        await self._over.wait()

    def _change(self, direction: Direction, **changes: Any) -> None:
        for way in ways(direction):
            self._pipes[way].change(**changes)

    def _connect(self) -> None:
        """Look for the server, now that there is a client."""
        self._connecting = asyncio.get_running_loop().create_task(self._reach_target())
        self._connecting.add_done_callback(lambda _: self._look_if_over())

    async def _reach_target(self) -> None:
        host, port = self._target
        try:
            await asyncio.get_running_loop().create_connection(lambda: self._server, host, port)
        except OSError as error:
            _log.info("= %s:%d cannot be reached, so the client is reset: %s", host, port, error)
            self._client.abort(reset=True)

    def _look_if_over(self) -> None:
        reached = self._connecting is None or self._connecting.done()
        if reached and self._client.gone and not self._server.connected:
            self._over.set()


class _Side(asyncio.Protocol):
    """One socket of a connection: the source of one pipe, the destination of the other."""

    def __init__(self, feeds: Pipe, fed_by: Pipe, *, made: Callable[[], None], lost: Callable[[], None]) -> None:
        self._feeds, self._fed_by = feeds, fed_by
        self._made, self._lost = made, lost
        self._transport: asyncio.Transport | None = None
        self._doomed = False
        self._has_read_all = self._has_written_all = False
        self.gone = False

    @property
    def connected(self) -> bool:
        return self._transport is not None

    def abort(self, *, reset: bool = False) -> None:
        """Close now, with a RST if wanted; also a connection that is still to be made."""
        self._doomed = True
        if self._transport is not None:
            if reset:
                linger = socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE
                self._transport.get_extra_info("socket").setsockopt(*linger)
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=0)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, option, _SYSTEM_BUFFER_BYTES)
        if self._doomed:
            self.abort(reset=True)
            return
        self._feeds.connect(source=self)
        self._fed_by.connect(destination=self)
        self._made()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport, self.gone = None, True
        self._fed_by.stop()
        if exc is not None:
            self._feeds.end("reset")
        self._lost()

    def data_received(self, data: bytes) -> None:
        self._feeds.feed(data)

    def eof_received(self) -> bool:
        self._has_read_all = True
        self._feeds.end("fin")
        self._close_if_done()
        return True  # the other direction goes on

    def pause_writing(self) -> None:
        self._fed_by.clog(True)

    def resume_writing(self) -> None:
        self._fed_by.clog(False)

    def listen(self, wanted: bool) -> None:
        if self._transport is not None and wanted:
            self._transport.resume_reading()
        elif self._transport is not None:
            self._transport.pause_reading()

    def write(self, data: bytes | memoryview) -> None:
        assert self._transport is not None, "the pipe is told of the loss"
        self._transport.write(data)

    def finish(self) -> None:
        assert self._transport is not None, "the pipe is told of the loss"
        with contextlib.suppress(OSError):  # the peer has reset the connection, and we are about to learn it
            self._transport.write_eof()
        self._has_written_all = True
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self._transport is not None and self._has_read_all and self._has_written_all:
            self._transport.close()

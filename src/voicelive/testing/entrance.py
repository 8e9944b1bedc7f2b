"""A listening port that can refuse connections, and accept them again, without losing its number."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable

__all__ = ["Entrance"]

_BACKLOG = 1024  # connections that may wait to be accepted


class Entrance:
    """Accepts connections on one address; each is handed to a protocol of its own."""

    def __init__(self, protocol: Callable[[], asyncio.Protocol]) -> None:
        self._protocol = protocol
        self._socket: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._accepts = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.address = "", 0

    async def open(self, host: str, port: int) -> None:
        """Listen; port 0 chooses a free one.

        Raises:
            OSError: The address cannot be had.
        """
        self._socket = _bound(host, port)
        self.address = self._socket.getsockname()[:2]
        self._listen(self._socket)
        await asyncio.wait(self._tasks)

    def accept(self) -> None:
        """Accept connections, if they are refused; connecting succeeds from this moment on."""
        if self._socket is not None and not self._accepts:
            self._listen(self._socket)

    def refuse(self) -> None:
        """Refuse connections from this moment on, also those that wait to be accepted."""
        if self._socket is not None:
            self._stop()
            # Bound but not listening: the system refuses for us, and gives the port to nobody else.
            self._socket = _bound(*self.address)

    async def close(self) -> None:
        """Give the port back."""
        self._stop()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _listen(self, bound: socket.socket) -> None:
        bound.listen(_BACKLOG)
        self._accepts = True
        task = asyncio.get_running_loop().create_task(self._serve(bound))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, bound: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, sock=bound, backlog=_BACKLOG, start_serving=False)
        await self._server.start_serving()

    def _stop(self) -> None:
        self._accepts = False
        for task in self._tasks:
            task.cancel()
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _bound(host: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # on Windows the option would share the port with anybody
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except BaseException:
        bound.close()
        raise
    return bound

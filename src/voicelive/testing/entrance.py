"""A listening port that can refuse connections, and accept them again, without losing its number.

Not a server of ``asyncio``: one that is closed may lose connections that it has in hand, with their sockets open.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable

__all__ = ["Entrance"]

_log = logging.getLogger(__name__)

_BACKLOG = 1024  # connections that may wait to be accepted


class Entrance:
    """Accepts connections on one address; each is handed to a protocol of its own.

    Attributes:
        address: Host and port, known once it was opened.
    """

    def __init__(self, protocol: Callable[[], asyncio.Protocol]) -> None:
        self.address = "", 0
        self._protocol = protocol
        self._socket: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self, host: str, port: int) -> None:
        """Listen; port 0 chooses a free one.

        Raises:
            OSError: The address cannot be had.
        """
        self._socket = _bound(host, port)
        self.address = host, self._socket.getsockname()[1]
        self._listen(self._socket)

    def accept(self) -> None:
        """Accept connections, if they are refused; connecting succeeds from this moment on."""
        if self._socket is not None:
            self._listen(self._socket)

    def refuse(self) -> None:
        """Refuse connections from this moment on, also those that wait to be accepted."""
        if self._socket is not None:
            self._stop(self._socket)
            # Bound but not listening: the system refuses for us, and gives the port to nobody else.
            self._socket = _bound(*self.address)

    async def close(self) -> None:
        """Give the port back; returns when every connection was handed to its protocol."""
        if self._socket is not None:
            self._stop(self._socket)
            self._socket = None
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _listen(self, bound: socket.socket) -> None:
        bound.listen(_BACKLOG)
        asyncio.get_running_loop().add_reader(bound, self._take, bound)

    def _stop(self, bound: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(bound)
        bound.close()

    def _take(self, bound: socket.socket) -> None:
        """Accept one connection that waits."""
        try:
            client, _ = bound.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return  # it does not wait any more
        except OSError as error:
            _log.error("= connections are refused from now on, since one could not be accepted: %s", error)
            self.refuse()
            return
        task = asyncio.get_running_loop().create_task(self._hand_over(client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hand_over(self, client: socket.socket) -> None:
        await asyncio.get_running_loop().connect_accepted_socket(self._protocol, client)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, because asyncio turns Nagle's algorithm off for sockets that say they are TCP, and for no others.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setblocking(False)
        if os.name == "posix":  # on Windows the option would share the port with anybody
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except BaseException:
        bound.close()
        raise
    return bound

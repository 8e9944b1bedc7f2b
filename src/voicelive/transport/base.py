"""What moving text frames means: the contract that every transport keeps.

A transport knows frames and how a connection ends. It knows no events, no JSON and no session; what the
end of a connection means for a conversation is decided by its caller.
"""

from __future__ import annotations

from typing import Protocol

from voicelive.errors import ConfigurationError

__all__ = ["Transport", "TransportClosed", "checked_close"]

_MAX_REASON_BYTES = 123  # RFC 6455 section 5.5: 125 bytes of control frame payload, two of them the code

# RFC 6455 section 7.4: the codes an endpoint may put into a close frame; 1004 to 1006 and 1015 are reserved
_SENDABLE_CODES = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)})


class TransportClosed(Exception):  # noqa: N818 - an end, not always an error; the session decides which it is
    """The connection has ended. Internal: the session turns it into an error of ``voicelive.errors``.

    Attributes:
        code: WebSocket close code; ``None`` where the connection went away without a close frame (1006).
        reason: The words of whoever closed, or what the operating system said.
        by_peer: Whether the peer or the network ended it, rather than this end.
    """

    def __init__(self, code: int | None, reason: str, by_peer: bool) -> None:
        super().__init__(code, reason, by_peer)
        self.code, self.reason, self.by_peer = code, reason, by_peer

    def copy(self) -> TransportClosed:
        """The same for one more raise: a shared exception would gather the tracebacks of all."""
        return TransportClosed(self.code, self.reason, self.by_peer)

    def __str__(self) -> str:
        who = "the peer" if self.by_peer else "this end"
        how = "without a close frame" if self.code is None else f"with code {self.code}"
        return f"connection ended by {who} {how}" + (f": {self.reason}" if self.reason else "")


class Transport(Protocol):
    """One open connection that carries text frames both ways, in order.

    ``send`` may be called from any number of tasks, ``receive`` from one at a time, ``close`` from any.
    Frames arrive in the order in which the calls of ``send`` were made.
    """

    @property
    def closed(self) -> bool:
        """Whether the connection is known to have ended or to be ending; frames may still be unread.

        ``False`` is what is known so far: a network that went away without a word is noticed by a missing pong.
        """
        ...

    async def send(self, frame: str | bytes) -> None:
        """Put one text frame on the wire, waiting while the peer reads too slowly.

        Args:
            frame: Text, or the same text as UTF-8 bytes; both go out as a TEXT frame.

        Raises:
            TransportClosed: The connection has ended, before the call or while it waited.

        Returning means that the frame was handed to the operating system, not that it arrived.
        A call that is cancelled while it waits has sent the whole frame all the same; the connection stays usable.
        """
        ...

    async def receive(self) -> bytes | str:
        """Wait for the next whole frame; text and binary frames look alike.

        Raises:
            TransportClosed: The connection has ended, and every frame that came before has been returned.
            LocalProtocolError: Another task is already receiving.

        Cancelling loses no frame: the next call returns it.
        """
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection with a close frame; a second call waits for the first and changes nothing.

        Args:
            code: 1000 to 1003, 1007 to 1014, or 3000 to 4999.
            reason: Cut to 123 bytes of UTF-8.

        Raises:
            ConfigurationError: ``code`` must not be sent.

        Bounded by the close timeout, whatever the peer does; after that, or when cancelled, the socket
        is aborted. Pending ``send`` and ``receive`` then raise ``TransportClosed``.
        """


def checked_close(code: int, reason: str) -> tuple[int, str]:
    """The arguments of ``close``, fit for a close frame.

    Raises:
        ConfigurationError: ``code`` must not be sent.
    """
    if code not in _SENDABLE_CODES:
        raise ConfigurationError(f"close code is {code!r}; allowed: 1000 to 1003, 1007 to 1014, 3000 to 4999")
    return code, reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")

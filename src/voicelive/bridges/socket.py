"""The provider's WebSocket, whichever server it comes from.

Sockets of Starlette and FastAPI, ``websockets`` and aiohttp are recognised by their shape, and none of these libraries
is imported. Anything else needs the four methods of ``CallSocket``.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final, Protocol, cast

from voicelive.errors import ConfigurationError

__all__ = ["CallSocket", "adapt"]

# What the libraries raise by names of their own when the other side is gone; none of them is imported here.
_GONE: Final = frozenset({"ConnectionClosed", "WebSocketDisconnect", "WebSocketDisconnected", "ClientDisconnected"})


class CallSocket(Protocol):
    """A WebSocket on the server's side."""

    async def receive(self) -> str | bytes | None:
        """The next message; ``None`` when the socket has ended, however it did."""
        ...

    async def send_text(self, text: str, /) -> None:
        """Send a text frame.

        Raises:
            ConnectionError: The socket is closed.
        """

    async def send_bytes(self, data: bytes, /) -> None:
        """Send a binary frame; raises as ``send_text`` does."""

    async def close(self, code: int, reason: str, /) -> None:
        """Close it. Closing it again does nothing."""


def adapt(socket: object) -> CallSocket:
    """The socket of a known library as a ``CallSocket``; a ``CallSocket`` as it is.

    Raises:
        ConfigurationError: It is neither.
    """
    if _has(socket, "receive", "accept", "send_text", "send_bytes", "close"):
        return _Starlette(socket)
    if _has(socket, "recv", "send", "close"):
        return _Websockets(socket)
    if _has(socket, "receive", "send_str", "send_bytes", "close"):
        return _Aiohttp(socket)
    if _has(socket, "receive", "send_text", "send_bytes", "close"):
        return cast("CallSocket", socket)
    raise ConfigurationError(
        f"socket is a {type(socket).__name__}; allowed: a WebSocket of Starlette or FastAPI, a ServerConnection of "
        "websockets, a WebSocketResponse of aiohttp, or an object with receive, send_text, send_bytes and close"
    )


def _has(socket: object, *names: str) -> bool:
    return all(callable(getattr(socket, name, None)) for name in names)


async def _sent(sending: Awaitable[object]) -> None:
    try:
        await sending
    except Exception as error:
        if _is_gone(error):
            raise ConnectionResetError("the line is gone") from error
        raise


def _is_gone(error: Exception) -> bool:
    # RuntimeError: what Starlette raises for a message after the close
    named = any(cls.__name__ in _GONE for cls in type(error).__mro__)
    return named or isinstance(error, ConnectionError) or type(error) is RuntimeError


async def _closed(closing: Awaitable[object]) -> None:
    try:
        await closing
    except Exception as error:
        if not _is_gone(error):
            raise


class _Starlette:
    """``starlette.websockets.WebSocket``, and FastAPI's, which is the same. It is accepted on first use."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    async def receive(self) -> str | bytes | None:
        try:
            await self._open()
            message = await self._socket.receive()
        except Exception as error:
            if _is_gone(error):
                return None
            raise
        if message["type"] != "websocket.receive":
            return None
        text = message.get("text")
        return text if text is not None else bytes(message.get("bytes") or b"")

    async def send_text(self, text: str, /) -> None:
        await _sent(self._send(self._socket.send_text, text))

    async def send_bytes(self, data: bytes, /) -> None:
        await _sent(self._send(self._socket.send_bytes, data))

    async def close(self, code: int, reason: str, /) -> None:
        await _closed(self._socket.close(code, reason))  # before it was accepted, this refuses the upgrade with 403

    async def _send(self, send: Any, payload: str | bytes) -> None:
        await self._open()
        await send(payload)

    async def _open(self) -> None:
        if getattr(getattr(self._socket, "application_state", None), "name", "") == "CONNECTING":
            await self._socket.accept()


class _Websockets:
    """``websockets.asyncio.server.ServerConnection``."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    async def receive(self) -> str | bytes | None:
        try:
            data: str | bytes = await self._socket.recv()
        except Exception as error:
            if _is_gone(error):
                return None
            raise
        return data

    async def send_text(self, text: str, /) -> None:
        await _sent(self._socket.send(text))

    async def send_bytes(self, data: bytes, /) -> None:
        await _sent(self._socket.send(data))

    async def close(self, code: int, reason: str, /) -> None:
        await _closed(self._socket.close(code, reason))


class _Aiohttp:
    """``aiohttp.web.WebSocketResponse``, prepared."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    async def receive(self) -> str | bytes | None:
        message = await self._socket.receive()
        data = message.data
        return data if message.type.name in ("TEXT", "BINARY") else None

    async def send_text(self, text: str, /) -> None:
        await _sent(self._socket.send_str(text))

    async def send_bytes(self, data: bytes, /) -> None:
        await _sent(self._socket.send_bytes(data))

    async def close(self, code: int, reason: str, /) -> None:
        await _closed(self._socket.close(code=code, message=reason.encode()))

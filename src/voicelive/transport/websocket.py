"""The ``websockets`` package behind the transport contract; only this module and ``connection`` import it.

Decides how a socket is opened and ended, and turns every exception of the package into ours. It follows no
redirect, uses no proxy for loopback, and keeps the package's own DEBUG log quiet, which would show headers.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import re
import ssl
import sys
import uuid
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote_plus, urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    ProxyError,
    WebSocketException,
)
from websockets.protocol import State

from voicelive._version import __version__
from voicelive.errors import ConfigurationError, ConnectFailedError, VoiceLiveError
from voicelive.options import ClientOptions
from voicelive.transport.address import LOGGED_VALUES, is_loopback
from voicelive.transport.base import TransportClosed, checked_close
from voicelive.transport.connection import Connection
from voicelive.transport.refusals import clean, refusal

__all__ = ["WebSocketTransport", "open_websocket"]

_CLIENT_REQUEST_ID = "x-ms-client-request-id"
_USER_AGENT = f"voicelive-python/{__version__} (Python {sys.version_info[0]}.{sys.version_info[1]}; {sys.platform})"

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e]*")  # without CR, LF and NUL no value can become another header
_HANDSHAKE_HEADERS = frozenset({"host", "connection", "upgrade", "content-length", "transfer-encoding"})


async def open_websocket(url: str, headers: Mapping[str, str], options: ClientOptions) -> WebSocketTransport:
    """One try to open a WebSocket. Waits as long as the peer likes: the caller holds the timeout.

    Args:
        url: As made by ``build_url``.
        headers: What presents the credential; ``options.headers`` join them.
        options: Limits, pings, TLS and proxy.

    Raises:
        ConfigurationError: A header that cannot be sent or is named twice, or an unusable proxy or host.
        ConnectFailedError: No answer or a refusal, as the subclass tells. Its text holds neither the URL's
            query nor any value of a header.

    Cancelling aborts the socket.
    """
    parts = urlsplit(url)
    request_headers = _request_headers(headers, options.headers)
    try:
        connection = await _Connect(
            url,
            additional_headers=request_headers,
            user_agent_header=_USER_AGENT,
            compression=None,  # audio does not compress, and every frame would pay for the try
            proxy=None if is_loopback(parts.hostname or "") else options.proxy,
            open_timeout=None,
            close_timeout=options.close_timeout_s,
            ping_interval=options.ping_interval_s,
            ping_timeout=options.ping_timeout_s,
            max_size=options.max_frame_bytes,
            max_queue=None,  # a full queue would stop the reading of pongs; consumers have bounds of their own
            logger=_Quiet(logging.getLogger("websockets.client")),
            create_connection=Connection,
            ssl=(options.ssl or _system_tls(*_tls_environment())) if parts.scheme == "wss" else None,
        )
    except (WebSocketException, OSError, EOFError, ImportError, UnicodeError) as exc:
        failure = _open_error(exc, parts, request_headers)
        # the text of these two repeats the proxy's password or the URL's query
        raise failure from (None if isinstance(exc, InvalidProxy | InvalidURI) else exc)
    assert isinstance(connection, Connection), "made by create_connection"
    return WebSocketTransport(connection, options)


class WebSocketTransport:
    """An open WebSocket; satisfies ``Transport``. Made by ``open_websocket``."""

    def __init__(self, connection: Connection, options: ClientOptions) -> None:
        self._connection, self._options = connection, options
        self._closing = False

    @property
    def closed(self) -> bool:
        """Whether it has ended or is ending; see ``Transport.closed``."""
        return self._connection.state is not State.OPEN or self._connection.transport.is_closing()

    async def send(self, frame: str | bytes) -> None:
        """Write one TEXT frame; see ``Transport.send``. Cancelled while it waits, it sent the whole frame."""
        try:
            if not self._connection.write_now(frame):
                await self._connection.send(frame, text=True)
            elif self._connection.paused:  # this frame was one too many for a peer that reads slowly
                with contextlib.suppress(OSError):  # the socket died meanwhile: told below
                    await self._connection.drain()
        except ConnectionClosed as exc:
            raise self._ended(exc) from exc
        if self._connection.state is State.CLOSED:  # lost while this call waited, and the frame with it
            raise self._ended(self._connection.protocol.close_exc)

    async def receive(self) -> bytes:
        """The next frame, as bytes; see ``Transport.receive``."""
        inbox = self._connection.inbox
        if inbox:
            return inbox.popleft()
        message = await self._connection.next_message()
        if message is None:
            raise self._ended(self._connection.protocol.close_exc)
        return message

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Send a close frame and wait for the peer's, at most ``close_timeout_s``; see ``Transport.close``."""
        code, reason = checked_close(code, reason)
        self._closing = True
        try:
            # the package's own timeout starts only after the close frame has left, which a stuck peer prevents
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._options.close_timeout_s):
                    await self._connection.close(code, reason)
        finally:
            self._connection.transport.abort()  # no effect on a socket that is closed
        await self._connection.wait_closed()

    def _ended(self, exc: ConnectionClosed) -> TransportClosed:
        if exc.rcvd is not None and (exc.sent is None or exc.rcvd_then_sent):
            return TransportClosed(exc.rcvd.code, exc.rcvd.reason, by_peer=True)
        if self._connection.mute:
            limit_s = self._options.ping_timeout_s or 0
            return TransportClosed(None, f"nothing came for {limit_s:g} s after a ping (ping_timeout_s)", by_peer=True)
        if exc.sent is None:
            dropped = clean(str(exc.__cause__)) if isinstance(exc.__cause__, OSError) else "the connection dropped"
            return TransportClosed(None, dropped, by_peer=not self._closing)
        if exc.sent.code == 1009 and not self._closing:
            limit = self._options.max_frame_bytes
            return TransportClosed(1009, f"incoming frame over the limit of {limit} bytes (max_frame_bytes)", False)
        return TransportClosed(exc.sent.code, exc.sent.reason, by_peer=False)


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception:
        return exc  # a redirect would take the key or token to whatever host it names


class _Quiet(logging.LoggerAdapter[logging.Logger]):
    """Lets warnings and errors through only: at DEBUG the package logs every header and frame."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name is logging's
        return level >= logging.WARNING and super().isEnabledFor(level)


def _tls_environment() -> tuple[str | None, str | None]:
    return os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")


@functools.lru_cache(maxsize=1)  # reading the system's certificates takes 50 ms, during which the event loop stands
def _system_tls(_cert_file: str | None, _cert_dir: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # whatever the system's own configuration of OpenSSL says
    return context


def _request_headers(auth: Mapping[str, str], further: Mapping[str, str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in (*auth.items(), *further.items()):
        if not isinstance(name, str) or not _TOKEN.fullmatch(name):
            raise ConfigurationError(f"headers holds the name {name!r}; allowed: letters, digits and !#$%&'*+.^_`|~-")
        if name.lower() in _HANDSHAKE_HEADERS or name.lower().startswith("sec-websocket-"):
            raise ConfigurationError(f"headers holds {name}, which the handshake sets itself; remove it")
        if not isinstance(value, str) or not _FIELD_VALUE.fullmatch(value):
            raise ConfigurationError(f"headers[{name!r}] is unusable; its value must be printable ASCII on one line")
        if name.lower() in {known.lower() for known in headers}:
            raise ConfigurationError(f"headers names {name} twice, or the credential sets it already; remove it")
        headers[name] = value
    if _CLIENT_REQUEST_ID not in {name.lower() for name in headers}:
        headers[_CLIENT_REQUEST_ID] = str(uuid.uuid4())
    return headers


def _open_error(exc: Exception, parts: SplitResult, headers: Mapping[str, str]) -> VoiceLiveError:
    """Every way in which opening fails, as one of our errors."""
    where = clean(parts.netloc)
    match exc:
        case InvalidStatus():
            return _refusal(exc, parts, headers)
        case InvalidURI() | UnicodeError():
            return ConfigurationError(f"endpoint has the host {where!r}, which cannot be looked up; check it")
        case InvalidProxy():
            return ConfigurationError("proxy is not a URL such as http://host:8080 or socks5h://host:1080; check it")
        case ImportError():
            return ConfigurationError("proxy is a SOCKS proxy, which needs one more package: pip install python-socks")
        case InvalidProxyStatus():
            status = exc.response.status_code
            message = f"the proxy refused to connect to {where} (it answered {status}); check proxy and its password"
        case ProxyError():
            message = f"the proxy did not connect to {where}; check ClientOptions.proxy and the proxy environment"
        case ssl.SSLCertVerificationError():
            message = (
                f"the certificate of {where} is not trusted ({clean(exc.verify_message)}); check the endpoint, "
                "or give a context that knows its authority as ClientOptions.ssl"
            )
        case ssl.SSLError():
            message = f"TLS with {where} failed ({clean(str(exc.reason))}); check scheme and port of the endpoint"
        case OSError():
            message = f"{where} is out of reach ({clean(str(exc))}); check endpoint, network, firewall and proxy"
        case _ if isinstance(exc.__cause__, EOFError) or isinstance(exc, ConnectionClosed):
            message = f"{where} dropped the connection during the handshake; try again, and check gateways on the way"
        case _:
            message = f"{where} does not answer as a WebSocket server; check the endpoint, and gateways on the way"
    return ConnectFailedError(message, request_id=_client_request_id(headers))


def _refusal(exc: InvalidStatus, parts: SplitResult, headers: Mapping[str, str]) -> ConnectFailedError:
    response = exc.response
    answered: dict[str, str] = {name.lower(): value for name, value in response.headers.raw_items()}
    pairs = [raw.partition("=") for raw in parts.query.split("&")]
    secrets = {value for name, _, value in pairs if unquote_plus(name).lower() not in LOGGED_VALUES}
    secrets |= {unquote_plus(value) for value in secrets}
    own_id = _client_request_id(headers)
    secrets |= {value.removeprefix("Bearer ") for value in headers.values() if value != own_id}
    return refusal(
        response.status_code,
        answered,
        bytes(response.body or b""),
        client_request_id=own_id,
        secrets={secret for secret in secrets if secret},
    )


def _client_request_id(headers: Mapping[str, str]) -> str | None:
    return next((value for name, value in headers.items() if name.lower() == _CLIENT_REQUEST_ID), None)

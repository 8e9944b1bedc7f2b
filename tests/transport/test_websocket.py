"""The transport over real sockets on this machine: contract, refusals, ends and limits."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import pytest
import trustme
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from voicelive.errors import (
    ConfigurationError,
    ConnectFailedError,
    CredentialRejectedError,
    LocalProtocolError,
    ServiceBusyError,
)
from voicelive.options import ClientOptions
from voicelive.transport import TransportClosed
from voicelive.transport.websocket import WebSocketTransport, open_websocket

KEY = {"api-key": "s3cret-key"}
Handler = Callable[[ServerConnection], Awaitable[None]]
RawHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def address(server: Server | asyncio.Server) -> str:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return f"ws://127.0.0.1:{port}/voice-live/realtime?api-version=v1&model=m&agent-access-token=s3cret-token"


@contextlib.asynccontextmanager
async def pair(
    handler: Handler, options: ClientOptions | None = None, **server: Any
) -> AsyncIterator[WebSocketTransport]:
    async with serve(handler, "127.0.0.1", 0, ping_interval=None, max_size=None, **server) as running:
        transport = await open_websocket(address(running), KEY, options or ClientOptions())
        try:
            yield transport
        finally:
            await transport.close()


@contextlib.asynccontextmanager
async def raw_server(handler: RawHandler) -> AsyncIterator[str]:
    """A TCP server that speaks however ``handler`` likes; it ends with its connections."""

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    try:
        yield address(server)
    finally:
        server.close()


def answering(text: bytes) -> RawHandler:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(text)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    return answer


@contextlib.asynccontextmanager
async def refusing(status: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> AsyncIterator[str]:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        return Response(status, HTTPStatus(status).phrase, Headers(headers or {}), body)

    async with serve(echo, "127.0.0.1", 0, process_request=refuse) as server:
        yield address(server)


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def ended(transport: WebSocketTransport) -> tuple[int | None, str, bool]:
    with pytest.raises(TransportClosed) as caught:
        await transport.receive()
    return caught.value.code, caught.value.reason, caught.value.by_peer


async def failure(
    url: str, options: ClientOptions | None = None, headers: Mapping[str, str] = KEY
) -> ConnectFailedError:
    with pytest.raises(ConnectFailedError) as caught:
        await open_websocket(url, headers, options or ClientOptions())
    assert "s3cret" not in str(caught.value)
    return caught.value


async def test_text_and_bytes_both_go_out_as_text_frames_in_order() -> None:
    got: list[object] = []

    async def take(connection: ServerConnection) -> None:
        got.extend([await connection.recv(), await connection.recv()])
        await connection.close()

    async with pair(take) as transport:
        await transport.send("grüß")
        await transport.send(b"dich")
        assert await ended(transport) == (1000, "", True)

    assert got == ["grüß", "dich"]


@pytest.mark.parametrize("how", ["close", "abort"])
async def test_an_end_by_the_peer_is_known_while_frames_are_still_unread(how: str) -> None:
    leave = asyncio.Event()

    async def speak_and_leave(connection: ServerConnection) -> None:
        await connection.send("unread")
        await leave.wait()
        connection.transport.abort() if how == "abort" else await connection.close()

    async with pair(speak_and_leave) as transport:
        before = transport.closed
        leave.set()
        while not transport.closed:  # noqa: ASYNC110 - the contract has no event for it
            await asyncio.sleep(0)
        assert await transport.receive() == b"unread"
    assert before is False


async def test_a_transport_is_closed_from_the_call_of_close_on() -> None:
    async def stay(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with pair(stay) as transport:
        closing = asyncio.create_task(transport.close())
        await asyncio.sleep(0)
        assert transport.closed
        await closing
        assert transport.closed


async def test_a_transport_is_closed_from_the_moment_its_socket_broke() -> None:
    async def stay(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with pair(stay) as transport:
        transport._connection.transport.abort()  # as the event loop does on a reset; it tells of it a little later
        assert transport.closed


async def test_text_and_binary_frames_arrive_alike() -> None:
    async def speak(connection: ServerConnection) -> None:
        await connection.send("text")
        await connection.send(b"binary")
        await connection.send(["in ", "parts"])

    async with pair(speak) as transport:
        assert [await transport.receive() for _ in range(3)] == [b"text", b"binary", b"in parts"]


async def test_the_request_carries_credential_ids_and_agent() -> None:
    seen: dict[str, str] = {}

    async def look(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.update({name.lower(): value for name, value in connection.request.headers.raw_items()})

    async with pair(look, ClientOptions(headers={"X-Route": "blue"})) as transport:
        await ended(transport)

    assert seen["api-key"] == "s3cret-key"
    assert seen["x-route"] == "blue"
    assert len(seen["x-ms-client-request-id"]) == 36
    assert seen["user-agent"].startswith("voicelive-python/")
    assert "sec-websocket-extensions" not in seen


async def test_the_callers_request_id_and_agent_win() -> None:
    seen: list[str] = []

    async def look(connection: ServerConnection) -> None:
        assert connection.request is not None
        headers = connection.request.headers
        seen.extend(headers.get_all("x-ms-client-request-id") + headers.get_all("User-Agent"))

    async with pair(look, ClientOptions(headers={"X-MS-Client-Request-Id": "mine", "user-agent": "app"})) as transport:
        await ended(transport)

    assert seen == ["mine", "app"]


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"X Bad": "1"}, "headers holds the name 'X Bad'"),
        ({"X:Bad": "1"}, "headers holds the name"),
        ({"": "1"}, "headers holds the name"),
        ({"X\r\nEvil": "1"}, "headers holds the name"),
        ({"X-A": "s3cret\r\nX-Evil: 1"}, "headers\\['X-A'\\] is unusable"),
        ({"X-A": "s3cret\x00"}, "headers\\['X-A'\\] is unusable"),
        ({"X-A": "s3crét"}, "headers\\['X-A'\\] is unusable"),
        ({"API-Key": "s3cret"}, "headers names API-Key twice, or the credential sets it"),
        ({"X-A": "1", "x-a": "2"}, "headers names x-a twice"),
        ({"Host": "other"}, "headers holds Host, which the handshake sets itself"),
        ({"Sec-WebSocket-Key": "x"}, "headers holds Sec-WebSocket-Key"),
    ],
)
async def test_a_header_that_cannot_be_sent_is_refused_before_anything_is(
    headers: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        await open_websocket("ws://127.0.0.1:1/x", KEY, ClientOptions(headers=headers))

    assert "s3cr" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, ConnectFailedError), (401, CredentialRejectedError), (404, ConnectFailedError), (503, ServiceBusyError)],
)
async def test_a_refusal_keeps_status_words_and_request_id(status: int, kind: type[ConnectFailedError]) -> None:
    async with refusing(status, {"apim-request-id": "r-1", "content-length": "5"}, b"words") as url:
        error = await failure(url)

    assert type(error) is kind
    assert (error.status, error.request_id) == (status, "r-1")
    assert "the service said: words" in str(error)


async def test_a_refusal_without_request_id_names_ours() -> None:
    async with refusing(429, {"retry-after": "20"}) as url:
        error = await failure(url, ClientOptions(headers={"x-ms-client-request-id": "mine"}))

    assert (error.request_id, error.retry_after_s) == ("mine", 20)


async def test_a_refusal_that_repeats_the_request_shows_no_secret() -> None:
    body = b"token=s3cret-token key=s3cret-key bearer=s3cret.jwt"
    async with refusing(400, {"content-length": str(len(body))}, body) as url:
        error = await failure(url, headers=KEY | {"Authorization": "Bearer s3cret.jwt"})

    assert error.message.endswith("token=*** key=*** bearer=***")


async def test_a_redirect_is_not_followed_and_only_its_host_is_named() -> None:
    visits: list[str] = []

    async def trap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.append("visited")

    async with raw_server(trap) as other, refusing(302, {"location": other + "&x=s3cret"}) as url:
        error = await failure(url)

    assert error.status == 302
    assert "redirects to the host 127.0.0.1, which is refused" in str(error)
    assert visits == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "dropped the connection during the handshake"),
        (b"HTTP/1.1 101 Swi", "dropped the connection during the handshake"),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", "does not answer as a WebSocket server"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "does not answer as a WebSocket server"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "not how Voice Live answers"),
        (b"HTTP/1.1 400 Bad\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3_000_000, "does not answer as a WebSocket"),
        (b"HTTP/1.1 200 " + b"x" * 100_000 + b"\r\n\r\n", "does not answer as a WebSocket"),
    ],
)
async def test_garbage_instead_of_a_handshake_is_explained(answer: bytes, message: str) -> None:
    async with raw_server(answering(answer)) as url:
        error = await failure(url)

    assert message in str(error)
    assert error.request_id is not None


async def test_an_address_where_nobody_listens_is_named() -> None:
    async with raw_server(answering(b"")) as url:
        pass

    error = await failure(url)

    assert "127.0.0.1:" in str(error)
    assert "is out of reach" in str(error)
    assert isinstance(error.__cause__, OSError)


async def test_a_host_that_cannot_be_encoded_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="cannot be looked up"):
        await open_websocket(f"ws://{'a' * 64}.example/x", KEY, ClientOptions(proxy=None))


async def test_the_environments_proxy_is_not_used_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async with pair(echo) as transport:
        await transport.send("direct")
        assert await transport.receive() == b"direct"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            r"the proxy refused to connect to far.example \(it an.*407",
        ),
        (b"garbage\r\n\r\n", "the proxy did not connect to far.example; check ClientOptions.proxy"),
    ],
)
async def test_a_failing_proxy_is_told_apart(answer: bytes, message: str) -> None:
    async with raw_server(answering(answer)) as url:
        proxy = url.replace("ws://", "http://user:s3cret@").partition("/voice")[0]
        error = await failure("ws://far.example/x", ClientOptions(proxy=proxy))

    assert re.search(message, str(error))


@pytest.mark.parametrize(
    ("proxy", "message"),
    [("ftp://user:s3cret@host", "proxy is not a URL such as"), ("socks5h://127.0.0.1:1", "pip install python-socks")],
)
async def test_an_unusable_proxy_is_a_configuration_error(proxy: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        await open_websocket("ws://far.example/x", KEY, ClientOptions(proxy=proxy))

    assert "s3cret" not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "session_expired"), (1008, "policy"), (1011, "fault")])
async def test_the_peers_close_code_and_reason_come_through(code: int, reason: str) -> None:
    async def leave(connection: ServerConnection) -> None:
        await connection.send("last words")
        await connection.close(code, reason)

    async with pair(leave) as transport:
        assert await transport.receive() == b"last words"
        assert await ended(transport) == (code, reason, True)
        with pytest.raises(TransportClosed):
            await transport.send("late")


async def test_a_lost_connection_has_no_close_code() -> None:
    async def vanish(connection: ServerConnection) -> None:
        connection.transport.abort()

    async with pair(vanish) as transport:
        code, reason, by_peer = await ended(transport)

    assert (code, by_peer) == (None, True)
    assert reason


async def test_our_own_close_is_marked_as_ours_and_may_be_repeated() -> None:
    seen: list[tuple[int, str]] = []

    async def watch(connection: ServerConnection) -> None:
        with pytest.raises(ConnectionClosed) as caught:
            await connection.recv()
        assert caught.value.rcvd is not None
        seen.append((caught.value.rcvd.code, caught.value.rcvd.reason))

    async with pair(watch) as transport:
        receiving = asyncio.create_task(ended(transport))
        await asyncio.sleep(0)
        await asyncio.gather(transport.close(1001, "leaving"), transport.close())
        await transport.close()
        assert await receiving == (1001, "leaving", False)

    assert seen == [(1001, "leaving")]


async def test_a_frame_over_the_limit_ends_the_connection_with_1009() -> None:
    async def shout(connection: ServerConnection) -> None:
        await connection.send("x" * 2048)
        await connection.send("x" * 2049)
        await connection.wait_closed()

    async with pair(shout, ClientOptions(max_frame_bytes=2048)) as transport:
        assert len(await transport.receive()) == 2048
        assert await ended(transport) == (1009, "incoming frame over the limit of 2048 bytes (max_frame_bytes)", False)


async def test_two_receivers_are_refused() -> None:
    async with pair(echo) as transport:
        receiving = asyncio.create_task(transport.receive())
        await asyncio.sleep(0)
        with pytest.raises(LocalProtocolError, match="one task"):
            await transport.receive()
        receiving.cancel()


async def test_a_cancelled_receive_loses_no_frame() -> None:
    async with pair(echo) as transport:
        receiving = asyncio.create_task(transport.receive())
        await asyncio.sleep(0)
        receiving.cancel()
        await asyncio.wait([receiving])
        await transport.send("kept")
        assert await transport.receive() == b"kept"


async def test_a_reserved_close_code_is_refused_and_the_connection_stays() -> None:
    async with pair(echo) as transport:
        with pytest.raises(ConfigurationError, match="1006"):
            await transport.close(1006)
        await transport.send("still here")
        assert await transport.receive() == b"still here"


async def deaf(connection: ServerConnection) -> None:
    """Stops reading, answers nothing, keeps the socket open."""
    connection.transport.pause_reading()
    await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def deaf_peer(options: ClientOptions) -> AsyncIterator[WebSocketTransport]:
    tasks: list[asyncio.Task[Any]] = []

    async def handler(connection: ServerConnection) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        try:
            await deaf(connection)
        finally:
            connection.transport.abort()

    async with serve(handler, "127.0.0.1", 0, ping_interval=None) as server:
        transport = await open_websocket(address(server), KEY, options)
        await asyncio.sleep(0.001)  # virtual time: the handler has begun
        try:
            yield transport
        finally:
            for task in tasks:
                task.cancel()


@pytest.mark.looptime
async def test_close_is_bounded_against_a_mute_peer() -> None:
    async with deaf_peer(ClientOptions(close_timeout_s=2, ping_interval_s=None)) as transport:
        loop = asyncio.get_running_loop()
        began = loop.time()

        await transport.close()

        assert 1.9 <= loop.time() - began <= 2.2
        assert await ended(transport) == (1000, "", False)


@pytest.mark.looptime
async def test_close_is_bounded_while_a_sender_is_stuck_and_the_sender_hears_of_it() -> None:
    async with deaf_peer(ClientOptions(close_timeout_s=2, ping_interval_s=None)) as transport:
        stuck = [asyncio.create_task(transport.send("x" * 20_000_000)) for _ in range(2)]
        await asyncio.sleep(0.5)
        loop = asyncio.get_running_loop()
        began = loop.time()

        await transport.close()

        assert 1.9 <= loop.time() - began <= 2.2
        results = await asyncio.gather(*stuck, return_exceptions=True)
        assert [type(result) for result in results] == [TransportClosed, TransportClosed]


@pytest.mark.looptime
async def test_cancelling_close_aborts_the_socket() -> None:
    async with deaf_peer(ClientOptions(close_timeout_s=50, ping_interval_s=None)) as transport:
        closing = asyncio.create_task(transport.close())
        await asyncio.sleep(0.5)

        closing.cancel()

        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await ended(transport) == (1000, "", False)
        assert loop.time() - began < 1


@pytest.mark.looptime
async def test_a_peer_without_pongs_is_lost() -> None:
    options = ClientOptions(ping_interval_s=10, ping_timeout_s=4, close_timeout_s=1)
    async with deaf_peer(options) as transport:
        loop = asyncio.get_running_loop()
        began = loop.time()

        assert await ended(transport) == (None, "nothing came for 4 s after a ping (ping_timeout_s)", True)

        assert 13.9 <= loop.time() - began <= 15.5


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("frame", "code", "by_peer"), [(b"\x88\x02\x03\xe9", 1001, True), (b"\x81\x7e\xff\xff", 1009, False)]
)
async def test_a_peer_that_never_ends_the_socket_after_the_end_is_cut_off(
    frame: bytes, code: int, by_peer: bool
) -> None:
    async def rude(connection: ServerConnection) -> None:
        connection.transport.write(frame)
        connection.transport.pause_reading()
        await asyncio.Event().wait()

    options = ClientOptions(close_timeout_s=3, ping_interval_s=None, max_frame_bytes=1024)
    async with serve(rude, "127.0.0.1", 0, ping_interval=None) as server:
        transport = await open_websocket(address(server), KEY, options)
        loop = asyncio.get_running_loop()
        began = loop.time()

        got = await ended(transport)

        assert (got[0], got[2]) == (code, by_peer)
        assert 2.9 <= loop.time() - began <= 3.5
        for connection in server.connections:
            connection.transport.abort()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()


async def test_the_packages_debug_log_shows_no_header_and_no_frame(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async with pair(echo, logger=logging.getLogger("silent.server")) as transport:
        caplog.clear()
        await transport.send("spoken words")
        await transport.receive()
    records = [record for record in caplog.records if record.name == "websockets.client"]

    assert records == []


@contextlib.asynccontextmanager
async def tls_server(authority: trustme.CA, only: ssl.TLSVersion | None = None) -> AsyncIterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if only is not None:
        context.set_ciphers("ALL:@SECLEVEL=0")  # else OpenSSL itself speaks nothing so old
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = only
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with serve(echo, "127.0.0.1", 0, ssl=context) as server:
        yield address(server).replace("ws://", "wss://")


async def test_tls_works_with_a_context_that_knows_the_authority() -> None:
    authority = trustme.CA()
    context = ssl.create_default_context()
    authority.configure_trust(context)

    async with tls_server(authority) as url:
        transport = await open_websocket(url, KEY, ClientOptions(ssl=context))
        await transport.send("hidden")
        assert await transport.receive() == b"hidden"
        await transport.close()


async def test_an_unknown_authority_is_refused_by_default() -> None:
    async with tls_server(trustme.CA()) as url:
        error = await failure(url)

    assert "certificate of 127.0.0.1:" in str(error)
    assert "is not trusted" in str(error)
    assert "ClientOptions.ssl" in str(error)


async def test_a_server_that_speaks_old_tls_only_is_refused_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    with authority.cert_pem.tempfile() as trusted:
        monkeypatch.setenv("SSL_CERT_FILE", trusted)
        async with tls_server(authority) as url:
            transport = await open_websocket(url, KEY, ClientOptions())
            assert transport._connection.transport.get_extra_info("ssl_object").version() in ("TLSv1.2", "TLSv1.3")
            await transport.close()
        async with tls_server(authority, only=ssl.TLSVersion.TLSv1_1) as url:
            assert (await failure(url)).status is None


async def test_tls_against_a_plain_server_is_explained() -> None:
    async def speak_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with raw_server(speak_plainly) as url:
        error = await failure(url.replace("ws://", "wss://"))

    assert re.search(r"TLS with 127.0.0.1:\d+ failed .*; check scheme and port", str(error))
    assert error.status is None

"""From endpoint and credential to an open transport: fresh tokens, retries, one total timeout, nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import ssl
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from voicelive.errors import (
    ConfigurationError,
    ConnectFailedError,
    ConnectTimeoutError,
    CredentialRejectedError,
    ServiceBusyError,
)
from voicelive.options import ClientOptions, HandshakeRetry
from voicelive.transport import Transport, memory_pair
from voicelive.transport.address import Agent, Target
from voicelive.transport.handshake import connect_with_retry, dial, worth_retrying
from voicelive.transport.limiter import Limiter

MODEL = Target(model="m")
RETRY = HandshakeRetry(attempts=3, first_wait_s=0.5, max_wait_s=5)


def unreachable(cause: BaseException | None = None, status: int | None = None) -> ConnectFailedError:
    error = ConnectFailedError("out of reach", status)
    error.__cause__ = cause
    return error


def wrapped(cause: BaseException) -> Exception:
    outer = ValueError("not a valid HTTP response")
    outer.__cause__ = cause
    return outer


@dataclass
class Script:
    """Fails with each of ``failures`` in turn, then opens; keeps the loop's time of each try."""

    failures: list[Exception]

    def __post_init__(self) -> None:
        self.tried_at: list[float] = []
        self.tokens: list[str] = []

    async def once(self) -> Transport:
        self.tried_at.append(asyncio.get_running_loop().time())
        if self.failures:
            raise self.failures.pop(0)
        return memory_pair()[0]

    async def open_socket(self, url: str, headers: Mapping[str, str], options: ClientOptions) -> Transport:
        self.tokens.append(headers.get("Authorization", headers.get("api-key", "")))
        return await self.once()

    @property
    def waits(self) -> list[float]:
        return [later - earlier for earlier, later in zip(self.tried_at, self.tried_at[1:], strict=False)]


late = ConnectTimeoutError("no turn in time")
late.__cause__ = unreachable(OSError())


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (ServiceBusyError("busy", 429), True),
        (ServiceBusyError("busy", 503), True),
        (unreachable(ConnectionRefusedError()), True),
        (unreachable(TimeoutError()), True),
        (unreachable(wrapped(EOFError())), True),
        (unreachable(ssl.SSLCertVerificationError()), False),
        (unreachable(ssl.SSLError()), False),
        (unreachable(), False),
        (unreachable(wrapped(ValueError())), False),
        (unreachable(OSError(), status=404), False),
        (ConnectFailedError("bad request", 400), False),
        (ConnectFailedError("redirect", 302), False),
        (CredentialRejectedError("no", 401), False),
        (late, False),
        (ConfigurationError("no"), False),
        (OSError(), False),
    ],
)
def test_only_what_may_pass_by_itself_is_tried_again(failure: Exception, expected: bool) -> None:
    assert worth_retrying(failure) is expected


def test_a_credential_that_failed_over_the_network_is_not_asked_again() -> None:
    failure = CredentialRejectedError("gave no token")
    failure.__cause__ = OSError()

    assert not worth_retrying(failure)


@pytest.mark.looptime
async def test_passing_failures_are_tried_again_with_growing_random_waits() -> None:
    script = Script([unreachable(OSError()) for _ in range(5)])

    await connect_with_retry(script.once, HandshakeRetry(attempts=6, first_wait_s=1, max_wait_s=4))

    assert len(script.tried_at) == 6
    assert all(wait <= most + 0.01 for wait, most in zip(script.waits, [1, 2, 4, 4, 4], strict=True))


@pytest.mark.looptime
async def test_the_last_failure_is_raised_when_all_tries_are_used_up() -> None:
    failures: list[Exception] = [ServiceBusyError(f"busy {index}", 503) for index in range(4)]
    script = Script(list(failures))

    with pytest.raises(ServiceBusyError) as caught:
        await connect_with_retry(script.once, RETRY)

    assert caught.value is failures[2]
    assert len(script.tried_at) == 3


async def test_one_attempt_means_no_retry() -> None:
    script = Script([ServiceBusyError("busy", 503)])

    with pytest.raises(ServiceBusyError):
        await connect_with_retry(script.once, HandshakeRetry(attempts=1))


@pytest.mark.parametrize("status", [302, 400, 404])
async def test_a_refusal_for_good_is_raised_at_once(status: int) -> None:
    script = Script([ConnectFailedError("no", status)])

    with pytest.raises(ConnectFailedError):
        await connect_with_retry(script.once, RETRY)

    assert len(script.tried_at) == 1


@pytest.mark.looptime
async def test_the_wait_the_service_asks_for_is_kept() -> None:
    script = Script([ServiceBusyError("busy", 429, None, 20)])

    await connect_with_retry(script.once, RETRY)

    assert 20 <= script.waits[0] <= 20.6


@pytest.mark.looptime
async def test_a_wait_that_would_outlast_the_timeout_is_not_begun() -> None:
    script = Script([ServiceBusyError("busy", 429, None, 20)])
    loop = asyncio.get_running_loop()
    began = loop.time()

    with pytest.raises(ServiceBusyError) as caught:
        await dial("http://127.0.0.1", MODEL, "k", ClientOptions(), api_version="v1", open_socket=script.open_socket)

    assert caught.value.retry_after_s == 20
    assert loop.time() - began < 1


class Counting:
    def __init__(self) -> None:
        self.asked = 0

    async def get_token(self, *scopes: str) -> Counting:
        self.asked += 1
        self.token = f"{scopes[0]}#{self.asked}"
        return self


@pytest.mark.looptime
async def test_every_try_asks_for_a_fresh_token() -> None:
    script = Script([unreachable(OSError()), unreachable(OSError())])
    options = ClientOptions(token_scope="scope")

    await dial("https://h", MODEL, Counting(), options, api_version="v1", open_socket=script.open_socket)

    assert script.tokens == ["Bearer scope#1", "Bearer scope#2", "Bearer scope#3"]


@pytest.mark.parametrize(
    ("endpoint", "target", "message"),
    [
        ("http://far.example", MODEL, "allow_insecure"),
        ("https://far.example", Target(agent=Agent("a", "p")), "agents take Entra ID tokens only"),
        ("ftp://far.example", MODEL, "endpoint has the scheme"),
    ],
)
async def test_what_is_unsafe_or_unusable_is_refused_before_anything_is_opened(
    endpoint: str, target: Target, message: str
) -> None:
    script = Script([])

    with pytest.raises(ConfigurationError, match=message):
        await dial(endpoint, target, "k", ClientOptions(), api_version="v1", open_socket=script.open_socket)

    assert script.tried_at == []


@pytest.mark.looptime
async def test_the_timeout_covers_the_token() -> None:
    class Slow:
        async def get_token(self, *scopes: str) -> Counting:
            await asyncio.sleep(100)
            return Counting()

    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(ConnectTimeoutError, match="no connection to h within 15 s, spent last waiting for the cred"):
        await dial("https://h", MODEL, Slow(), ClientOptions(), api_version="v1")

    assert 15 <= loop.time() - began < 15.2


@pytest.mark.looptime
async def test_the_timeout_names_the_last_failure() -> None:
    async def slow_refusal(url: str, headers: Mapping[str, str], options: ClientOptions) -> Transport:
        await asyncio.sleep(1.2)
        raise ServiceBusyError("the service is overloaded", 503, "r-1")

    options = ClientOptions(handshake_retry=HandshakeRetry(attempts=1000, first_wait_s=0))
    with pytest.raises(ConnectTimeoutError, match=r"within 3 s, .* last failure: the service is overload") as caught:
        await dial("https://h", MODEL, "k", options, api_version="v1", timeout_s=3, open_socket=slow_refusal)

    assert (caught.value.status, caught.value.request_id) == (503, "r-1")


async def test_retries_are_logged_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "voicelive")
    script = Script([unreachable(OSError())])
    options = ClientOptions(handshake_retry=HandshakeRetry(first_wait_s=0))

    await dial(
        "http://127.0.0.1?code=s3cret", MODEL, "s3cret", options, api_version="v1", open_socket=script.open_socket
    )

    assert "code=***" in caplog.text
    assert "trying again in 0.0 s: out of reach" in caplog.text
    assert "s3cret" not in caplog.text


@pytest.mark.looptime
async def test_every_try_waits_its_turn_and_retries_count() -> None:
    script = Script([unreachable(OSError()), unreachable(OSError())])
    options = ClientOptions(handshake_retry=HandshakeRetry(first_wait_s=0))

    await dial(
        "https://h",
        MODEL,
        "k",
        options,
        api_version="v1",
        timeout_s=200,
        limiter=Limiter(1),
        open_socket=script.open_socket,
    )

    assert script.waits == pytest.approx([60, 60])


@pytest.mark.looptime
async def test_a_refused_token_uses_up_no_turn() -> None:
    class Refusing:
        async def get_token(self, *scopes: str) -> Counting:
            raise OSError

    limiter, script = Limiter(1), Script([])
    with pytest.raises(CredentialRejectedError):
        await dial("https://h", MODEL, Refusing(), ClientOptions(), api_version="v1", limiter=limiter)

    await dial(
        "https://h", MODEL, "k", ClientOptions(), api_version="v1", limiter=limiter, open_socket=script.open_socket
    )

    assert script.tried_at == [0]


@pytest.mark.looptime
@pytest.mark.parametrize("failure", [unreachable(OSError()), ServiceBusyError("busy", 503)])
async def test_a_turn_beyond_the_timeout_fails_at_once_and_keeps_the_failure_before(failure: Exception) -> None:
    script = Script([failure])
    options = ClientOptions(handshake_retry=HandshakeRetry(first_wait_s=0))

    with pytest.raises(ConnectTimeoutError, match="connections_per_minute is 1") as caught:
        await dial(
            "https://h",
            MODEL,
            "k",
            options,
            api_version="v1",
            limiter=Limiter(1),
            open_socket=script.open_socket,
        )

    assert caught.value.retry_after_s == pytest.approx(60, abs=0.1)
    assert caught.value.__cause__ is failure
    assert asyncio.get_running_loop().time() < 1
    assert len(script.tried_at) == 1


def open_sockets() -> int:
    gc.collect()
    return sum(
        os.readlink(f"/proc/self/fd/{fd}").startswith("socket:") for fd in os.listdir("/proc/self/fd") if _is(fd)
    )


def _is(fd: str) -> bool:
    return os.path.exists(f"/proc/self/fd/{fd}") or os.path.islink(f"/proc/self/fd/{fd}")


async def with_mute_server(scheme: str, connect: Callable[[str], Awaitable[None]]) -> None:
    """Run ``connect`` against a server that takes TCP connections and never says a word, and look what is left."""
    accepted: list[asyncio.StreamWriter] = []
    gone = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.append(writer)
        while await reader.read(1000):  # until the client has gone
            pass
        writer.close()
        gone.set()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    before = open_sockets(), len(asyncio.all_tasks()), threading.active_count()
    await connect(f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    if accepted:
        await gone.wait()
    for _ in range(5):
        await asyncio.sleep(0)
    assert (open_sockets(), len(asyncio.all_tasks()), threading.active_count()) == before
    server.close()


@pytest.mark.looptime
@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts sockets by way of /proc")
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("after_s", [0, 0.001, 0.2])
async def test_a_cancelled_connect_leaves_nothing_behind(scheme: str, after_s: float) -> None:
    async def connect(endpoint: str) -> None:
        connecting = asyncio.create_task(dial(endpoint, MODEL, "k", ClientOptions(), api_version="v1"))
        await asyncio.sleep(after_s)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting

    await with_mute_server(scheme, connect)


@pytest.mark.looptime
@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts sockets by way of /proc")
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_server_that_never_answers_runs_into_the_timeout_and_leaves_nothing_behind(scheme: str) -> None:
    async def connect(endpoint: str) -> None:
        with pytest.raises(ConnectTimeoutError, match="waiting for the service to answer the handshake"):
            await dial(endpoint, MODEL, "k", ClientOptions(), api_version="v1", timeout_s=2)

    await with_mute_server(scheme, connect)


async def test_the_whole_way_works_over_a_real_socket_after_a_refusal() -> None:
    refused: list[str] = []

    def refuse_first(connection: ServerConnection, request: Request) -> Response | None:
        if refused:
            return None
        refused.append(request.path)
        return Response(503, "Service Unavailable", Headers(), b"")

    async def greet(connection: ServerConnection) -> None:
        await connection.send("hello")

    options = ClientOptions(handshake_retry=HandshakeRetry(first_wait_s=0))
    async with serve(greet, "127.0.0.1", 0, process_request=refuse_first) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        transport = await dial(f"http://127.0.0.1:{port}/gw", MODEL, "k", options, api_version="2026-07-15")
        assert await transport.receive() == b"hello"
        await transport.close()

    assert refused == ["/gw/voice-live/realtime?api-version=2026-07-15&model=m"]

"""From an address and a credential to an open transport: fresh headers for every try, retries, one total timeout.

Decides which failures are worth another try and how long to wait before it. It knows no WebSocket library:
what opens one socket is passed in, or loaded when first needed.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from voicelive.errors import ConnectFailedError, ConnectTimeoutError, CredentialRejectedError, ServiceBusyError
from voicelive.options import ClientOptions, HandshakeRetry
from voicelive.transport.address import Target, build_url, redacted
from voicelive.transport.auth import Credential, auth_headers, refuse_insecure, refuse_key_for_agent
from voicelive.transport.base import Transport
from voicelive.transport.limiter import Limiter

if TYPE_CHECKING:
    from tenacity import RetryCallState

__all__ = ["OpenSocket", "connect_with_retry", "dial", "worth_retrying"]

OpenSocket = Callable[[str, Mapping[str, str], ClientOptions], Awaitable[Transport]]
"""Opens one socket: URL, headers of the credential, options; raises ``ConnectFailedError``."""

_T = TypeVar("_T")

_log = logging.getLogger("voicelive.transport")


async def dial(
    endpoint: str,
    target: Target,
    credential: Credential,
    options: ClientOptions,
    *,
    api_version: str,
    extra_query: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
    limiter: Limiter | None = None,
    open_socket: OpenSocket | None = None,
) -> Transport:
    """Open a connection to the service: address, token, handshake, retries.

    Args:
        endpoint: See ``build_url``, as for ``target``, ``api_version`` and ``extra_query``.
        credential: See ``auth_headers``; asked anew for every try.
        options: Limits, retry, TLS, proxy.
        timeout_s: Bound on everything together; ``None``: ``options.connect_timeout_s``.
        limiter: Asked before every try when its socket may be opened; ``None``: at any time.
        open_socket: What opens one socket; ``None``: the ``websockets`` package.

    Raises:
        ConfigurationError: Nothing was sent: unusable address, header or credential, or an unsafe way for it.
        ConnectTimeoutError: Time ran out, and the text names what it was spent on; or it would run out before
            ``limiter`` lets the next try begin, which is told at once.
        ConnectFailedError: A refusal or failure that no retry could mend, as the subclass tells.

    Cancelling closes the socket and ends everything else, except a blocking ``get_token`` in its thread.
    """
    url = build_url(endpoint, api_version, target, extra_query)
    refuse_insecure(url, options)
    refuse_key_for_agent(url, credential)
    opener = open_socket or _default_opener()
    limit_s = options.connect_timeout_s if timeout_s is None else timeout_s
    ends_at = asyncio.get_running_loop().time() + limit_s
    progress = _Progress()

    async def open_once() -> Transport:
        progress.doing = "waiting for the credential's token"
        headers = await auth_headers(credential, scope=options.token_scope)
        if limiter is not None:  # last of all: a slow or refused token must not use up a turn
            progress.doing = "waiting for its turn (connections_per_minute)"
            try:
                await limiter.turn(ends_at)
            except ConnectTimeoutError as hopeless:
                raise hopeless from progress.failure
        progress.doing = "waiting for the service to answer the handshake"
        try:
            return await opener(url, headers, options)
        except ConnectFailedError as failure:
            progress.failure, progress.doing = failure, "waiting before the next try"
            raise

    _log.debug("= connecting to %s", redacted(url))
    try:
        async with asyncio.timeout_at(ends_at):
            return await connect_with_retry(open_once, options.handshake_retry, ends_at=ends_at)
    except TimeoutError:  # ours: every timeout further in has become a ConnectFailedError
        raise progress.timeout_error(urlsplit(url).netloc, limit_s) from progress.failure


async def connect_with_retry(
    open_once: Callable[[], Awaitable[_T]], retry: HandshakeRetry, *, ends_at: float | None = None
) -> _T:
    """Call ``open_once`` until it succeeds, fails for good, or ``retry.attempts`` are used up.

    Args:
        open_once: One whole try.
        retry: How often, and the bounds of the random waits. A ``retry_after_s`` of the service comes on top.
        ends_at: When the caller's patience ends, on the event loop's clock. A wait that would not end before
            is not begun: its failure is raised at once, so that the caller learns of ``retry_after_s`` in time.

    Raises:
        ConnectFailedError: The last failure.
    """
    # 50 ms to import, needed for connecting only
    from tenacity import AsyncRetrying, retry_if_exception, wait_random_exponential

    loop = asyncio.get_running_loop()
    spread = wait_random_exponential(multiplier=retry.first_wait_s, max=retry.max_wait_s)

    def wait_s(state: RetryCallState) -> float:
        failure = _failure(state)
        asked_s = failure.retry_after_s if failure is not None else None
        # random on top of what was asked: clients refused in the same second must not come back in the same one
        return (asked_s or 0.0) + spread(state)

    def gives_up(state: RetryCallState) -> bool:
        too_late = ends_at is not None and loop.time() + state.upcoming_sleep >= ends_at
        return state.attempt_number >= retry.attempts or too_late

    retrying = AsyncRetrying(
        retry=retry_if_exception(worth_retrying),
        wait=wait_s,
        stop=gives_up,
        before_sleep=_announce,
        sleep=asyncio.sleep,
        reraise=True,
    )
    return await retrying(open_once)


def worth_retrying(failure: BaseException) -> bool:
    """Whether another try may succeed: after 408, 429, 5xx and network failures; never after a bad certificate."""
    if isinstance(failure, ServiceBusyError):
        return True
    if not isinstance(failure, ConnectFailedError) or isinstance(
        failure, CredentialRejectedError | ConnectTimeoutError
    ):
        return False
    cause = failure.__cause__
    while cause is not None and failure.status is None:
        if isinstance(cause, OSError | EOFError):
            return not isinstance(cause, ssl.SSLError)
        cause = cause.__cause__
    return False


class _Progress:
    """What a connect is busy with, for the text of its timeout."""

    doing = "starting"
    failure: ConnectFailedError | None = None

    def timeout_error(self, where: str, limit_s: float) -> ConnectTimeoutError:
        last = self.failure
        message = f"no connection to {where} within {limit_s:g} s, spent last {self.doing}"
        if last is None:
            return ConnectTimeoutError(f"{message}; check network and endpoint, or raise connect_timeout_s")
        message = f"{message}; last failure: {last.message}"
        return ConnectTimeoutError(message, last.status, last.request_id, last.retry_after_s)


def _default_opener() -> OpenSocket:
    from voicelive.transport.websocket import open_websocket  # loads websockets, which other openers need not have

    return open_websocket


def _failure(state: RetryCallState) -> ConnectFailedError | None:
    failure = state.outcome.exception() if state.outcome is not None else None
    return failure if isinstance(failure, ConnectFailedError) else None


def _announce(state: RetryCallState) -> None:
    _log.info("= handshake failed, trying again in %.1f s: %s", state.upcoming_sleep, _failure(state))

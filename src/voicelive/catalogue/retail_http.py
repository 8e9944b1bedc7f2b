"""All pages of an answer of the Retail Prices API: one request at a time, and patience where the API asks for it.

The API documents no limit. Seen: 429 after some twenty parallel queries, waits of 5 s in vain, of 30 s with success.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from voicelive.catalogue.retail_page import read_page
from voicelive.catalogue.retail_query import link_to_follow
from voicelive.errors import PricesUnavailableError
from voicelive.transport.refusals import retry_after_s

__all__ = ["Patience", "read_pages"]

_log = logging.getLogger("voicelive.catalogue")

_MIN_WAIT_S: Final = 4.0
_MAX_WAIT_S: Final = 60.0
_MAX_PAGE_BYTES: Final = 8 * 1024 * 1024  # a page of 1,000 rows has less than 1 MB
_BROKEN: Final = (TimeoutError, httpx.TimeoutException, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
"""Failures in the midst of a request. Another try may help then, and does not where there is no way to the host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long an answer is waited for.

    Attributes:
        timeout_s: Bound on one request, its body included.
        total_timeout_s: Bound on all requests and waits for one price list. A wait that would not end before is not
            begun.
        clock: The time of day, to understand a ``Retry-After`` that is a date.
    """

    timeout_s: float
    total_timeout_s: float
    clock: Callable[[], datetime]


async def read_pages(client: httpx.AsyncClient, first_url: str, *, base_url: str, patience: Patience) -> list[str]:
    """The texts of all pages, in their order; each can be read by ``read_page``.

    Raises:
        PricesUnavailableError: A page did not come in time, is none, or the next one is not to be followed.
    """
    ends_at = asyncio.get_running_loop().time() + patience.total_timeout_s
    texts: list[str] = []
    visited: set[str] = set()
    url: str | None = first_url
    while url is not None:
        visited.add(url)
        texts.append(await _patiently(client, url, patience, ends_at))
        url = link_to_follow(read_page(texts[-1]).next_link, base_url=base_url, visited=visited)
    return texts


async def _patiently(client: httpx.AsyncClient, url: str, patience: Patience, ends_at: float) -> str:
    loop = asyncio.get_running_loop()
    spread = wait_random_exponential(multiplier=2 * _MIN_WAIT_S, min=_MIN_WAIT_S, max=_MAX_WAIT_S)

    def wait_s(state: RetryCallState) -> float:
        failure = _failure(state)
        # random on top of what was asked: clients refused in the same second must not come back in the same one
        return (failure.retry_after_s or 0.0) + spread(state)

    async def try_once() -> str:
        return await _get(client, url, min(patience.timeout_s, ends_at - loop.time()), patience.clock)

    retrying = AsyncRetrying(
        retry=retry_if_exception(_worth_retrying),
        wait=wait_s,
        stop=lambda state: loop.time() + state.upcoming_sleep >= ends_at,
        before_sleep=_announce,
        sleep=asyncio.sleep,
        reraise=True,
    )
    return await retrying(try_once)


async def _get(client: httpx.AsyncClient, url: str, timeout_s: float, clock: Callable[[], datetime]) -> str:
    try:
        async with (
            asyncio.timeout(timeout_s),  # httpx bounds each read only: a server could drip for ever
            client.stream(
                "GET", url, headers={"Accept": "application/json"}, follow_redirects=False, timeout=timeout_s
            ) as response,
        ):
            if response.status_code != 200:
                raise _refusal(response, clock)
            return await _bounded(response)
    except (TimeoutError, httpx.TimeoutException) as error:
        raise _unreachable("no whole answer within timeout_s and total_timeout_s") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _unreachable(type(error).__name__) from error


async def _bounded(response: httpx.Response) -> str:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _MAX_PAGE_BYTES:
            raise PricesUnavailableError(
                f"a page of the price list is larger than {_MAX_PAGE_BYTES} bytes; check base_url, and any proxy"
            )
    return body.decode("utf-8-sig", errors="replace")


def _refusal(response: httpx.Response, clock: Callable[[], datetime]) -> PricesUnavailableError:
    status = response.status_code
    asked_s = retry_after_s(response.headers.get("retry-after"), now=clock())
    if status == 429:
        advice = "the Retail Prices API is asked too often; try again later, ask less often, or keep a cache_dir"
    elif status >= 500 or status == 408:
        advice = "the Retail Prices API, or a gateway before it, is failing; try again later"
    elif 300 <= status < 400:
        advice = "the address of the price list redirects, which is not followed; give the final address as base_url"
    else:
        advice = "the Retail Prices API refused the query; check base_url, and whether this package has a newer version"
    return PricesUnavailableError(advice, status, asked_s)


def _unreachable(what: str) -> PricesUnavailableError:
    return PricesUnavailableError(
        f"the Retail Prices API did not answer ({what}); check the network, proxies included, and try again"
    )


def _worth_retrying(failure: BaseException) -> bool:
    if not isinstance(failure, PricesUnavailableError):
        return False
    if failure.status is not None:
        return failure.status in (408, 429) or failure.status >= 500
    return isinstance(failure.__cause__, _BROKEN)


def _failure(state: RetryCallState) -> PricesUnavailableError:
    failure = state.outcome.exception() if state.outcome is not None else None
    assert isinstance(failure, PricesUnavailableError)  # nothing else is retried
    return failure


def _announce(state: RetryCallState) -> None:
    _log.info("prices: %s; next try in %.1f s", _failure(state), state.upcoming_sleep)

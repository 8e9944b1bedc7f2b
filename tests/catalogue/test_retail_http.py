"""Requests for prices over a real socket, on a virtual clock: paging, patience, and what is not followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.support.retail import Answer, PriceServer, body, row, sample

from voicelive.catalogue.retail_http import Patience, read_pages
from voicelive.catalogue.retail_query import MAX_PAGES
from voicelive.errors import PricesUnavailableError

pytestmark = pytest.mark.looptime

NOW = datetime(2026, 11, 22, 6, 29, 30, tzinfo=UTC)  # half a minute before the date in the sample of a Retry-After
PAGE = body(row())
PATIENCE = Patience(timeout_s=30, total_timeout_s=180, clock=lambda: NOW)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


async def ask(server: PriceServer, client: httpx.AsyncClient, patience: Patience = PATIENCE) -> list[str]:
    return await read_pages(client, f"{server.base_url}?first", base_url=server.base_url, patience=patience)


def error_case(name: str) -> Answer:
    [case] = [case for case in sample("synthetic_errors")["cases"] if case["name"] == name]
    return Answer(status=case["status"], headers=case["headers"], body=case["body"])


async def test_pages_are_read_one_after_another_to_the_last(client: httpx.AsyncClient) -> None:
    async with PriceServer([]) as server:
        theirs = sample("synthetic_voice_live_usd_page1")["NextPageLink"]
        link = theirs.replace("https://prices.azure.com:443", server.origin)
        pages = [body(row(), link=link), body(row(), link=f"{server.origin}/x?$skip=50"), body(row(), link="")]
        server.say(*pages)

        assert await ask(server, client) == pages

    path = "/api/retail/prices"
    assert server.targets[0] == f"{path}?first"
    assert server.targets[1] == link.removeprefix(server.origin)
    assert server.targets[2] == "/x?$skip=50"


async def test_one_answer_that_comes_at_once_needs_no_wait(client: httpx.AsyncClient, looptime: Any) -> None:
    async with PriceServer([PAGE]) as server:
        await ask(server, client)

    assert looptime == 0


async def test_a_byte_order_mark_is_no_reason_to_fail(client: httpx.AsyncClient) -> None:
    async with PriceServer([Answer(body=b"\xef\xbb\xbf" + PAGE.encode())]) as server:
        assert await ask(server, client) == [PAGE]


@pytest.mark.parametrize("status", [429, 408, 500, 502, 503, 504])
async def test_a_busy_service_is_asked_again_after_4_to_8_seconds(client: httpx.AsyncClient, status: int) -> None:
    async with PriceServer([Answer(status=status), PAGE]) as server:
        assert await ask(server, client) == [PAGE]

    first, second = server.asked_at
    assert 4 <= second - first <= 8


async def test_waits_grow_to_60_seconds_and_end_in_time(client: httpx.AsyncClient) -> None:
    patience = Patience(timeout_s=30, total_timeout_s=1_000, clock=lambda: NOW)
    async with PriceServer([error_case("throttled_without_retry_after")]) as server:
        with pytest.raises(PricesUnavailableError) as refused:
            await ask(server, client, patience)

    waits = [after - before for before, after in zip(server.asked_at, server.asked_at[1:], strict=False)]
    for longest, wait in zip([8, 16, 32, *[60] * 100], waits, strict=False):
        assert 4 <= wait <= longest
    assert max(waits) > 16
    assert server.asked_at[-1] - server.asked_at[0] < 1_000
    assert refused.value.status == 429
    assert "asked too often" in str(refused.value)


@pytest.mark.parametrize("name", ["throttled_with_retry_after", "throttled_http_date"])
async def test_a_retry_after_is_honoured_in_seconds_and_as_a_date(client: httpx.AsyncClient, name: str) -> None:
    async with PriceServer([error_case(name), PAGE]) as server:
        assert await ask(server, client) == [PAGE]

    first, second = server.asked_at
    assert 34 <= second - first <= 38


async def test_a_retry_after_beyond_the_patience_is_told_at_once(client: httpx.AsyncClient, looptime: Any) -> None:
    async with PriceServer([Answer(status=429, headers={"Retry-After": "3600"}), PAGE]) as server:
        with pytest.raises(PricesUnavailableError) as refused:
            await ask(server, client)

    assert refused.value.retry_after_s == 3600
    assert looptime == 0


async def test_nonsense_in_retry_after_is_no_reason_to_fail(client: httpx.AsyncClient) -> None:
    async with PriceServer([Answer(status=503, headers={"Retry-After": "soon"}), PAGE]) as server:
        assert await ask(server, client) == [PAGE]


async def test_each_page_may_be_asked_for_again(client: httpx.AsyncClient) -> None:
    async with PriceServer([]) as server:
        first = body(row(), link=f"{server.origin}/2")
        server.say(Answer(status=500), first, Answer(status=429), PAGE)

        assert await ask(server, client) == [first, PAGE]

    assert [target for target in server.targets if target == "/2"] == ["/2"] * 2


@pytest.mark.parametrize(
    ("answer", "status", "advice"),
    [
        (error_case("bad_filter"), 400, "newer version"),
        (Answer(status=403), 403, "check base_url"),
        (Answer(status=404, headers={"Retry-After": "1"}), 404, "check base_url"),
        (Answer(status=301, headers={"Location": "https://evil.example/"}), 301, "not followed"),
        (Answer(status=307, headers={"Location": "/elsewhere"}), 307, "not followed"),
        (Answer(status=204), 204, "refused"),
        (error_case("html_with_200"), None, "not JSON"),
        (Answer(body='{"Items": ['), None, "not JSON"),
        (Answer(body="{}"), None, "no Items"),
        (Answer(body=b" " * (8 * 1024 * 1024 + 1)), None, "larger than"),
    ],
    ids=str,
)
async def test_what_another_try_cannot_help_is_told_at_once(
    client: httpx.AsyncClient, answer: Answer, status: int | None, advice: str, looptime: Any
) -> None:
    async with PriceServer([answer]) as server:
        with pytest.raises(PricesUnavailableError, match=advice) as refused:
            await ask(server, client)

    assert refused.value.status == status
    assert len(server.targets) == 1
    assert looptime == 0


async def test_a_client_that_follows_redirects_does_not_here() -> None:
    async with (
        httpx.AsyncClient(follow_redirects=True, trust_env=False) as client,
        PriceServer([Answer(status=302, headers={"Location": "/elsewhere"}), PAGE]) as server,
    ):
        with pytest.raises(PricesUnavailableError, match="not followed"):
            await ask(server, client)

    assert len(server.targets) == 1


async def test_an_answer_that_does_not_begin_is_given_up_and_asked_for_again(client: httpx.AsyncClient) -> None:
    async with PriceServer([Answer(waits_s=300), PAGE]) as server:
        assert await ask(server, client) == [PAGE]

    first, second = server.asked_at
    assert 34 <= second - first <= 38


async def test_an_answer_that_drips_for_ever_is_given_up(client: httpx.AsyncClient, looptime: Any) -> None:
    async with PriceServer([Answer(body=PAGE, drips_s=5)]) as server:
        with pytest.raises(PricesUnavailableError, match="timeout_s") as refused:
            await ask(server, client)

    assert isinstance(refused.value.__cause__, TimeoutError)
    assert 100 < looptime <= 180


async def test_all_pages_together_have_one_bound(client: httpx.AsyncClient, looptime: Any) -> None:
    async with PriceServer([]) as server:
        server.say(*(Answer(body=body(link=f"{server.origin}/{page}"), waits_s=25) for page in range(20)))
        with pytest.raises(PricesUnavailableError, match="total_timeout_s"):
            await ask(server, client)

    assert looptime == 180
    assert len(server.targets) == 8


async def test_a_connection_that_breaks_off_is_made_again(client: httpx.AsyncClient) -> None:
    async with PriceServer([Answer(body=PAGE, breaks_off=True), PAGE]) as server:
        assert await ask(server, client) == [PAGE]

    assert len(server.targets) == 2


async def test_where_there_is_no_way_to_the_host_nobody_waits(client: httpx.AsyncClient, looptime: Any) -> None:
    async with PriceServer([]) as server:
        url = server.base_url
    with pytest.raises(PricesUnavailableError, match=r"ConnectError.*check the network"):
        await read_pages(client, url, base_url=url, patience=PATIENCE)

    assert looptime == 0


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("http://127.0.0.2:{port}/api/retail/prices?$skip=1", "not followed"),
        ("https://127.0.0.1:{port}/api/retail/prices?$skip=1", "not followed"),
        ("https://prices.azure.com:443/api/retail/prices?$skip=1", "not followed"),
        ("http://127.0.0.1:{port}/api/retail/prices?first", "circle"),
        ("http://127.0.0.1:{port}/\x00", "InvalidURL"),
    ],
)
async def test_a_link_that_leads_elsewhere_or_nowhere_ends_it(client: httpx.AsyncClient, link: str, why: str) -> None:
    async with PriceServer([]) as server:
        port = server.origin.rpartition(":")[2]
        server.say(body(row(), link=link.format(port=port)))
        with pytest.raises(PricesUnavailableError, match=why):
            await ask(server, client)

    assert len(server.targets) == 1


async def test_an_endless_list_ends(client: httpx.AsyncClient) -> None:
    async with PriceServer([]) as server:
        server.say(*(body(row(), link=f"{server.origin}/{page}") for page in range(2 * MAX_PAGES)))
        with pytest.raises(PricesUnavailableError, match="no end"):
            await ask(server, client)

    assert len(server.targets) == MAX_PAGES


async def test_cancelling_ends_a_wait_at_once(client: httpx.AsyncClient, looptime: Any) -> None:
    async with PriceServer([Answer(status=429)]) as server:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await ask(server, client)
        assert looptime == 1

        server.say(PAGE)
        assert await ask(server, client) == [PAGE]


def test_the_sample_of_a_date_is_30_seconds_ahead() -> None:
    date = error_case("throttled_http_date").headers["Retry-After"]

    assert datetime.strptime(date, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC) - NOW == timedelta(seconds=30)

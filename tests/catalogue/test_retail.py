"""Live prices as an application asks for them: fresh, kept, or those at hand when nobody answers."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.retail import NOW, Answer, PriceServer, body, row, sample, usd_rows

from voicelive.catalogue import RetailPrices, prices
from voicelive.errors import ConfigurationError, LocalProtocolError, PricesNotFoundError, PricesUnavailableError

OLD, NEW = body(row(retailPrice=0.005)), body(row(retailPrice=0.006))
BUSY = Answer(status=400)  # what another try cannot help


class Clock:
    """A time of day that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture(autouse=True)
def _warnings(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "voicelive")


@pytest.fixture
async def server() -> AsyncIterator[PriceServer]:
    async with PriceServer([OLD]) as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


Opener = Callable[..., RetailPrices]


@pytest.fixture
async def opened(server: PriceServer, clock: Clock) -> AsyncIterator[Opener]:
    """``RetailPrices`` that ask the local server, and are closed after the test."""
    made: list[RetailPrices] = []

    def make(**options: Any) -> RetailPrices:
        made.append(RetailPrices(**{"base_url": server.base_url, "clock": clock, **options}))
        return made[-1]

    yield make
    for one in made:
        await one.close()


def files_in(directory: Path) -> list[Path]:
    return list(directory.iterdir())


def cost(found: Any) -> Decimal | None:
    answer: Decimal | None = found.token_price("pro", "text_input")
    return answer


# A server on this machine


async def test_the_saved_pages_come_from_a_local_server(opened: Opener, server: PriceServer) -> None:
    rows = usd_rows()
    server.say(body(*rows[:25], link=f"{server.base_url}?$skip=25"), body(*rows[25:]))

    found = await opened().fetch("swedencentral")

    assert len(found.tokens) == 39
    assert len(server.targets) == 2


async def test_an_answer_is_taken_again_for_a_day(opened: Opener, server: PriceServer, clock: Clock) -> None:
    live = opened()
    first = await live.fetch("swedencentral")
    server.say(NEW)
    clock.pass_by(hours=23, minutes=59)
    second = await live.fetch("swedencentral")
    clock.pass_by(minutes=1)
    third = await live.fetch("swedencentral")

    assert [cost(found) for found in (first, second, third)] == [5, 5, 6]
    assert [found.as_of.day for found in (first, second, third)] == [22, 22, 23]
    assert len(server.targets) == 2


async def test_with_an_age_of_0_every_list_is_asked_for(opened: Opener, server: PriceServer) -> None:
    live = opened(max_age_s=0)
    await live.fetch("swedencentral")
    await live.fetch("swedencentral")

    assert len(server.targets) == 2


async def test_a_price_that_begins_while_an_answer_is_kept_is_taken(
    opened: Opener, server: PriceServer, clock: Clock
) -> None:
    server.say(body(row(), row(retailPrice=0.003, effectiveStartDate="2026-11-22T12:00:00Z")))
    live = opened()

    assert cost(await live.fetch("swedencentral")) == 4
    clock.pass_by(hours=6)
    assert cost(await live.fetch("swedencentral")) == 3
    assert len(server.targets) == 1


async def test_regions_and_currencies_are_kept_apart(opened: Opener, server: PriceServer, tmp_path: Path) -> None:
    live = opened(cache_dir=tmp_path)
    await live.fetch("swedencentral")
    server.say(body(row(armRegionName="westeurope", retailPrice=0.007)))
    assert cost(await live.fetch("westeurope")) == 7
    server.say(body(row(currencyCode="EUR"), currency="EUR"))
    assert (await opened(cache_dir=tmp_path, currency="EUR").fetch("swedencentral")).currency == "EUR"

    assert cost(await live.fetch("swedencentral")) == 5
    assert len(server.targets) == 3
    assert len(files_in(tmp_path)) == 3


async def test_other_programs_take_what_is_kept_on_disk(opened: Opener, server: PriceServer, tmp_path: Path) -> None:
    await opened(cache_dir=tmp_path).fetch("swedencentral")
    server.say(BUSY)

    found = await opened(cache_dir=str(tmp_path), offline="raise").fetch("swedencentral")

    assert cost(found) == 5
    assert len(server.targets) == 1


async def test_what_is_kept_for_another_address_is_not_taken(
    opened: Opener, server: PriceServer, tmp_path: Path
) -> None:
    await opened(cache_dir=tmp_path).fetch("swedencentral")
    server.say(NEW)

    assert cost(await opened(cache_dir=tmp_path, base_url=f"{server.origin}/mirror").fetch("swedencentral")) == 6


@pytest.mark.parametrize("pages", [["nonsense"], ['{"Items": []}']])
async def test_a_kept_answer_that_is_no_list_is_asked_for_again(
    opened: Opener, server: PriceServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, pages: list[str]
) -> None:
    await opened(cache_dir=tmp_path).fetch("swedencentral")
    [path] = files_in(tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "pages": pages}))

    assert cost(await opened(cache_dir=tmp_path).fetch("swedencentral")) == 5
    assert "ignored a kept answer" in caplog.text
    assert len(server.targets) == 2


async def test_an_answer_from_the_future_is_not_taken(opened: Opener, server: PriceServer, clock: Clock) -> None:
    live = opened()
    await live.fetch("swedencentral")
    clock.pass_by(days=-3)
    await live.fetch("swedencentral")

    assert len(server.targets) == 2


async def test_tasks_that_ask_together_share_one_answer(opened: Opener, server: PriceServer) -> None:
    live = opened()
    lists = await asyncio.gather(*(live.fetch("swedencentral") for _ in range(20)))

    assert {cost(found) for found in lists} == {5}
    assert len(server.targets) == 1


# Nobody answers


async def test_the_packaged_list_stands_in_and_says_so(
    opened: Opener, server: PriceServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.say(BUSY)
    found = await opened().fetch("swedencentral")

    assert found.tokens == prices.tokens
    assert (found.as_of, found.region) == (prices.as_of, None)
    assert found.source == f"{prices.source}; not asked anew: the Azure Retail Prices API gave no usable answer"
    assert "HTTP 400" in caplog.text
    assert str(prices.as_of) in caplog.text


async def test_a_newer_kept_answer_stands_in_rather_than_the_packaged_list(
    opened: Opener, server: PriceServer, clock: Clock
) -> None:
    live = opened()
    await live.fetch("swedencentral")
    server.say(BUSY)
    clock.pass_by(days=30)
    found = await live.fetch("swedencentral")

    assert (cost(found), found.as_of, found.region) == (Decimal(5), date(2026, 11, 22), "swedencentral")
    assert "not asked anew" in found.source


async def test_an_older_kept_answer_does_not(opened: Opener, server: PriceServer, clock: Clock) -> None:
    clock.now = datetime(2026, 9, 1, tzinfo=UTC)
    live = opened()
    await live.fetch("swedencentral")
    server.say(BUSY)
    clock.now = NOW

    assert (await live.fetch("swedencentral")).as_of == prices.as_of


async def test_in_another_currency_no_list_in_dollars_stands_in(opened: Opener, server: PriceServer) -> None:
    server.say(BUSY)
    with pytest.raises(PricesUnavailableError, match=r"no older list in EUR.*PriceList\.converted") as refused:
        await opened(currency="EUR").fetch("swedencentral")

    assert refused.value.status == 400


async def test_in_another_currency_a_kept_answer_stands_in(opened: Opener, server: PriceServer, clock: Clock) -> None:
    server.say(body(row(currencyCode="EUR"), currency="EUR"))
    live = opened(currency="EUR")
    await live.fetch("swedencentral")
    server.say(BUSY)
    clock.pass_by(days=2)

    assert (await live.fetch("swedencentral")).currency == "EUR"


async def test_an_answer_in_the_wrong_currency_is_not_kept(opened: Opener, tmp_path: Path) -> None:
    with pytest.raises(PricesUnavailableError, match="in USD instead of EUR"):
        await opened(currency="EUR", cache_dir=tmp_path).fetch("swedencentral")

    assert not files_in(tmp_path)


async def test_without_a_fallback_the_failure_is_raised(opened: Opener, server: PriceServer, clock: Clock) -> None:
    live = opened(offline="raise")
    await live.fetch("swedencentral")
    server.say(BUSY)
    clock.pass_by(days=2)
    with pytest.raises(PricesUnavailableError) as refused:
        await live.fetch("swedencentral")

    assert refused.value.status == 400


async def test_no_prices_are_an_error_whatever_is_at_hand(opened: Opener, server: PriceServer, clock: Clock) -> None:
    live = opened()
    await live.fetch("swedencentral")
    clock.pass_by(days=2)
    server.say(body())
    with pytest.raises(PricesNotFoundError):
        await live.fetch("swedencentral")
    server.say(NEW)

    assert cost(await live.fetch("swedencentral")) == 6


@pytest.mark.looptime
@pytest.mark.parametrize("offline", ["fallback", "raise"])
async def test_a_failure_is_remembered_for_a_minute(opened: Opener, server: PriceServer, offline: str) -> None:
    live = opened(offline=offline)
    server.say(BUSY)
    for _ in range(20):
        if offline == "fallback":
            assert (await live.fetch("swedencentral")).as_of == prices.as_of
        else:
            with pytest.raises(PricesUnavailableError):
                await live.fetch("swedencentral")
    assert len(server.targets) == 1

    server.say(OLD)
    await asyncio.sleep(60)
    assert cost(await live.fetch("swedencentral")) == 5


@pytest.mark.looptime
async def test_a_failure_is_remembered_as_long_as_the_service_asks(opened: Opener, server: PriceServer) -> None:
    live = opened()
    server.say(Answer(status=429, headers={"Retry-After": "600"}))
    await live.fetch("swedencentral")
    server.say(OLD)
    await asyncio.sleep(599)
    assert (await live.fetch("swedencentral")).as_of == prices.as_of
    await asyncio.sleep(1)

    assert cost(await live.fetch("swedencentral")) == 5


@pytest.mark.looptime
async def test_a_failure_in_one_region_is_none_in_another(opened: Opener, server: PriceServer) -> None:
    live = opened()
    server.say(BUSY)
    await live.fetch("westeurope")
    server.say(OLD)

    assert cost(await live.fetch("swedencentral")) == 5


# What is told


async def test_what_is_odd_in_an_answer_is_told_once(
    opened: Opener, server: PriceServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.say(body(*sample("synthetic_odd_rows")["Items"], row(meterName=usd_rows()[1]["meterName"]), usd_rows()[1]))
    live = opened(max_age_s=0)
    await live.fetch("swedencentral")
    await live.fetch("swedencentral")

    unknown, unusable, disputed, missing = caplog.messages
    assert unknown.endswith("are unknown to this version of the package: Voice Live API Ultra - LLM Text Input Tokens")
    assert unusable.endswith("have no usable price: Voice Live API Lite - LLM Text Input Tokens")
    assert disputed.endswith("of which the highest was taken: Voice Live API Pro - LLM Text Cached Tokens")
    assert "byo audio_custom_output" in missing
    assert live.reports["swedencentral"].unknown_meters == ("Voice Live API Ultra - LLM Text Input Tokens",)


async def test_an_answer_with_nothing_odd_is_told_of_in_silence(
    opened: Opener, server: PriceServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.say(body(*usd_rows()))
    live = opened()
    await live.fetch("swedencentral")

    assert not caplog.messages
    with pytest.raises(TypeError):
        live.reports["swedencentral"] = live.reports["swedencentral"]  # type: ignore[index]  # a view


# The object


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"currency": "XYZ"}, "currency is 'XYZ'"),
        ({"base_url": "http://prices.azure.com/"}, "base_url"),
        ({"offline": "ignore"}, "offline is 'ignore'; allowed: 'fallback', 'raise'"),
        ({"max_age_s": -1}, "max_age_s is -1"),
        ({"max_age_s": float("nan")}, "max_age_s is nan"),
        ({"timeout_s": 0}, "timeout_s is 0"),
        ({"total_timeout_s": float("nan")}, "total_timeout_s is nan"),
        ({"clock": datetime.now}, "clock gives a time without a zone"),
    ],
    ids=str,
)
def test_a_value_that_makes_no_sense_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        RetailPrices(**options)


async def test_a_region_that_is_none_is_refused_before_anything_is_asked(opened: Opener, server: PriceServer) -> None:
    with pytest.raises(ConfigurationError, match="region is 'Sweden Central'"):
        await opened().fetch("Sweden Central")

    assert not server.targets


async def test_a_client_that_was_given_asks_and_stays_open(opened: Opener, server: PriceServer) -> None:
    async with httpx.AsyncClient(trust_env=False, headers={"X-Mine": "yes"}) as client:
        async with opened(client=client) as live:
            await live.fetch("swedencentral")
        assert not client.is_closed


async def test_after_the_end_nothing_is_asked(opened: Opener) -> None:
    async with opened() as live:
        await live.fetch("swedencentral")
    await live.close()

    with pytest.raises(LocalProtocolError, match="make new ones"):
        await live.fetch("swedencentral")


@pytest.mark.looptime
async def test_closing_waits_for_an_answer_that_is_under_way(opened: Opener, server: PriceServer) -> None:
    server.say(Answer(body=OLD, waits_s=5))
    live = opened()
    asking = asyncio.create_task(live.fetch("swedencentral"))
    await asyncio.sleep(1)
    await live.close()

    assert cost(await asking) == 5


@pytest.mark.looptime
async def test_who_cancels_leaves_an_object_that_works(opened: Opener, server: PriceServer) -> None:
    server.say(Answer(body=OLD, waits_s=5), NEW)
    live = opened()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await live.fetch("swedencentral")

    assert cost(await live.fetch("swedencentral")) == 6


async def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert cost(await opened(offline="raise").fetch("swedencentral")) == 5


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the time zone of a process cannot be set here")
async def test_by_itself_it_takes_the_time_of_day_in_utc(server: PriceServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        async with RetailPrices(base_url=server.base_url) as live:
            before = datetime.now(UTC).date()
            found = await live.fetch("swedencentral")
            assert before <= found.as_of <= datetime.now(UTC).date()
    finally:
        monkeypatch.undo()
        time.tzset()

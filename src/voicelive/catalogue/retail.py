"""Prices of today, from the Azure Retail Prices API: who is asked when, and what is said where nobody answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, Self
from urllib.parse import urlsplit

import httpx

from voicelive.catalogue.packaged import prices as packaged
from voicelive.catalogue.price_list import PriceList
from voicelive.catalogue.retail_cache import Saved, recall, save
from voicelive.catalogue.retail_http import Patience, read_pages
from voicelive.catalogue.retail_list import RetailReport, price_list_of
from voicelive.catalogue.retail_page import read_page
from voicelive.catalogue.retail_query import BASE_URL, query_url, require_base_url, require_question
from voicelive.catalogue.terms import allowed
from voicelive.errors import ConfigurationError, LocalProtocolError, PricesNotFoundError, PricesUnavailableError

__all__ = ["RetailPrices", "RetailReport"]

_log = logging.getLogger("voicelive.catalogue")

_SOURCE: Final = "Azure Retail Prices API"
_PAUSE_S: Final = 60.0


class RetailPrices:
    """Asks for the list prices of a region, and keeps the answers.

    ``async with RetailPrices() as prices: await prices.fetch("swedencentral")``. Nothing needs a key. Tasks may share
    one object: queries go out one after another, and a task that waited for another's answer gets that.

    Args:
        currency: One of the seventeen that the API knows. Prices are made in US dollars; in another currency they are
            Microsoft's conversion, for reference.
        cache_dir: Where answers are kept for other runs of the program; made when needed. ``None``: in memory only.
        max_age_s: For how long an answer is taken again, 0: never.
        timeout_s: Bound on one request.
        total_timeout_s: Bound on all requests and waits for one list. After 429, 408, 5xx, a timeout and a connection
            that broke off, the request is made again after a random wait of 4 s to 8 s, then of up to 60 s; a
            ``Retry-After`` comes on top.
        offline: What happens when the API gives no usable answer. ``fallback``: the newest list in this currency that
            is at hand, which may be an answer too old to be taken otherwise, or the list that comes with the package.
            A warning is logged, ``source`` and ``as_of`` of the list tell. ``raise``: ``PricesUnavailableError``.
            Either way the failure is remembered for a minute, or as long as the API asked to wait: until then nobody
            waits for that region again.
        client: Asks by this client, which stays open; redirects are not followed whatever it says.
        base_url: Another address of the same API.
        clock: The time of day, with a time zone.

    Raises:
        ConfigurationError: A value is refused; the message names it and what is allowed.
    """

    def __init__(
        self,
        *,
        currency: str = "USD",
        cache_dir: str | Path | None = None,
        max_age_s: float = 86_400,
        timeout_s: float = 30,
        total_timeout_s: float = 180,
        offline: Literal["fallback", "raise"] = "fallback",
        client: httpx.AsyncClient | None = None,
        base_url: str = BASE_URL,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        require_question("swedencentral", currency)
        require_base_url(base_url)
        allowed("offline", offline, ("fallback", "raise"))
        if not max_age_s >= 0:
            raise ConfigurationError(f"max_age_s is {max_age_s!r}; it must be at least 0")
        if clock().tzinfo is None:
            raise ConfigurationError("clock gives a time without a zone; use datetime.now(UTC)")
        for name, value in (("timeout_s", timeout_s), ("total_timeout_s", total_timeout_s)):
            if not value > 0:
                raise ConfigurationError(f"{name} is {value!r}; it must be greater than 0")
        self._currency, self._base_url, self._offline = currency, base_url, offline
        self._cache_dir = None if cache_dir is None else Path(cache_dir)
        self._max_age_s, self._clock = max_age_s, clock
        self._patience = Patience(timeout_s=timeout_s, total_timeout_s=total_timeout_s, clock=clock)
        self._client, self._owns_client = client, client is None
        self._closed = False
        self._kept: dict[str, Saved] = {}
        self._reports: dict[str, RetailReport] = {}
        self._failures: dict[str, tuple[PricesUnavailableError, float]] = {}  # and until when, on the loop's clock
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the HTTP client, unless it was given. Answers in ``cache_dir`` stay. May be called twice.

        Waits for an answer that is under way. For a quick end, cancel who asked.
        """
        async with self._turn:
            self._closed = True
            if self._owns_client and self._client is not None:
                await self._client.aclose()
                self._client = None

    @property
    def reports(self) -> Mapping[str, RetailReport]:
        """What the newest answer for each region held beside the prices, kept ones included."""
        return MappingProxyType(self._reports)

    async def fetch(self, region: str) -> PriceList:
        """The list prices of a region: from an answer that is young enough, else by asking.

        Args:
            region: Azure's name of it, such as ``swedencentral``. That Voice Live is offered there is not checked: a
                list without its meters, but with those of avatars, is what some regions have.

        Raises:
            ConfigurationError: This is no name of a region; nothing was asked.
            PricesNotFoundError: The API has no prices for it. This is raised with ``offline="fallback"``, too.
            PricesUnavailableError: No usable answer, with ``offline="raise"``, or where no list in this currency is at
                hand.
            LocalProtocolError: The object is closed.

        Cancelling leaves an object that works; an answer that was under way is lost.
        """
        require_question(region, self._currency)
        url = query_url(self._base_url, region, self._currency)
        async with self._turn:
            if self._closed:
                raise LocalProtocolError("these RetailPrices are closed; make new ones")
            kept = await self._recalled(region, url)
            if kept is not None and 0 <= (self._clock() - kept.fetched_at).total_seconds() < self._max_age_s:
                return self._read(region, kept)
            if (remembered := self._fresh_failure(region)) is not None:
                return self._fallback(region, kept, remembered)
            try:
                answer = await self._asked(url)
                found = self._read(region, answer)
            except PricesNotFoundError:
                raise  # the API is there: an older list would hide a region that is misspelt
            except PricesUnavailableError as failure:
                until = asyncio.get_running_loop().time() + max(_PAUSE_S, failure.retry_after_s or 0)
                self._failures[region] = failure, until
                return self._fallback(region, kept, failure)
            await self._keep(region, answer)
            return found

    def _fresh_failure(self, region: str) -> PricesUnavailableError | None:
        failure, until = self._failures.get(region, (None, 0.0))
        return failure if asyncio.get_running_loop().time() < until else None

    async def _recalled(self, region: str, url: str) -> Saved | None:
        kept = self._kept.get(region)
        if kept is None and self._cache_dir is not None:
            kept = await asyncio.to_thread(recall, self._cache_dir, self._name(region), url=url)
            if kept is not None and self._is_readable(region, kept):
                self._kept[region] = kept
        return self._kept.get(region)

    async def _asked(self, url: str) -> Saved:
        if self._client is None:
            # A proxy of the environment is for other hosts than this one.
            local = urlsplit(self._base_url).scheme == "http"
            self._client = httpx.AsyncClient(trust_env=not local)
        texts = await read_pages(self._client, url, base_url=self._base_url, patience=self._patience)
        return Saved(url=url, fetched_at=self._clock(), texts=tuple(texts))

    async def _keep(self, region: str, answer: Saved) -> None:
        self._kept[region] = answer
        if self._cache_dir is not None:
            await asyncio.to_thread(save, self._cache_dir, self._name(region), answer)

    def _read(self, region: str, answer: Saved) -> PriceList:
        pages = [read_page(text) for text in answer.texts]
        found, report = price_list_of(
            pages,
            region=region,
            currency=self._currency,
            now=self._clock(),
            as_of=answer.fetched_at.date(),
            source=_SOURCE,
            expected=packaged.tokens,
        )
        if self._reports.get(region) != report:
            self._reports[region] = report
            _tell(region, report)
        return found

    def _is_readable(self, region: str, kept: Saved) -> bool:
        try:
            self._read(region, kept)
        except PricesUnavailableError as error:
            _log.warning("prices: ignored a kept answer for %s: %s", region, error)
            return False
        return True

    def _fallback(self, region: str, kept: Saved | None, failure: PricesUnavailableError) -> PriceList:
        if self._offline == "raise":
            raise PricesUnavailableError(*failure.args) from failure  # which may be raised once more, by another task
        lists = [] if kept is None else [self._read(region, kept)]
        if packaged.currency == self._currency:
            lists.append(packaged)
        if not lists:
            raise PricesUnavailableError(
                f"{failure.message}; no older list in {self._currency} is at hand: use currency='{packaged.currency}' "
                "and PriceList.converted, or keep a cache_dir",
                failure.status,
                failure.retry_after_s,
            ) from failure
        newest = max(lists, key=lambda found: found.as_of)
        _log.warning("prices: %s; going on with prices of %s from: %s", failure, newest.as_of, newest.source)
        return replace(newest, source=f"{newest.source}; not asked anew: the {_SOURCE} gave no usable answer")

    def _name(self, region: str) -> str:
        return f"prices-{region}-{self._currency}"


def _tell(region: str, report: RetailReport) -> None:
    missing = tuple(f"{tier} {category}" for tier, category in report.missing_meters)
    for names, what in (
        (report.unknown_meters, "are unknown to this version of the package"),
        (report.unusable_meters, "have no usable price"),
        (report.disputed_meters, "have several prices, of which the highest was taken"),
        (missing, "are missing, though the package's own list has them"),
    ):
        if names:
            _log.warning("prices of %s: these meters %s: %s", region, what, "; ".join(names))

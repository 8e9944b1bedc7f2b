"""``session.usage``: what a call has used so far, and what that costs.

What events mean for the account is decided in ``protocol.usage_book``, prices in the catalogue; here the two meet when
somebody asks. Until then nothing of the catalogue is loaded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from voicelive.errors import ConfigurationError
from voicelive.protocol.usage_book import ResponseUsage, UsageBook
from voicelive.usage_views import Observer, ResponseCost, TurnCost, UsedTokens

if TYPE_CHECKING:  # loaded when somebody asks for a bill
    from voicelive.call_record import CallRecord
    from voicelive.catalogue import Bill, PriceList, Unpriced
    from voicelive.usage_bills import Served

__all__ = ["Observer", "ResponseCost", "SessionUsage", "TurnCost", "UsedTokens"]

log = logging.getLogger("voicelive")


class SessionUsage:
    """A live view of what a session has used. Reading it costs what was used since it was last read."""

    def __init__(
        self,
        book: UsageBook,
        clock: Callable[[], float],
        wall: Callable[[], datetime],
        audio_ms: Callable[[], float],
        turn_of: Callable[[], Mapping[str, str]],
        prices: PriceList | None = None,
    ) -> None:
        """Made by the session.

        Args:
            book: What was used.
            clock: Seconds of a steady clock.
            wall: The time of day, with a time zone.
            audio_ms: How much of the caller's audio was sent.
            turn_of: The turn of each response.
            prices: What to bill by; ``None``: the package's list.
        """
        self._book, self._clock, self._wall = book, clock, wall
        self._audio_ms, self._turn_of, self._prices = audio_ms, turn_of, prices
        self._asked: tuple[str | None, str | None] = (None, None)
        self._chosen: str | None = None
        self._bills: list[Bill] = []
        self._sum: Bill | None = None
        self._observers: list[Observer] = []
        self._began_s, self._began_at = clock(), wall()
        self._ended: tuple[float, datetime] | None = None

    def use(self, prices: PriceList | None = None, *, model: str | None = None) -> None:
        """Bill all of the call by these prices, what was used already included.

        Args:
            prices: Such as what ``RetailPrices.fetch`` gives; ``None``: as before.
            model: The model to bill by, whatever the service reports: an agent's may not be told. ``None``: as before.

        Raises:
            ConfigurationError: ``prices`` is no price list.
            NotInCatalogueError: The model is unknown.
        """
        from voicelive.catalogue import PriceList, models

        if prices is not None and not isinstance(prices, PriceList):
            raise ConfigurationError(f"prices is a {type(prices).__name__}; it must be a PriceList")
        if model is not None:
            self._chosen = models[model].id
        if prices is not None:
            self._prices = prices
        self._bills, self._sum = [], None

    # -- what was used

    @property
    def tokens(self) -> UsedTokens:
        """The tokens of all responses that told. It loads no prices."""
        from voicelive.catalogue.usage import read_usage

        counts = [0] * 7
        for usage in (response.usage for response in self._book.responses):
            if usage is not None:
                try:
                    read = read_usage(usage)
                except ConfigurationError:  # the bill reports it
                    continue
                kinds = (read.text_fresh, read.text_cached, read.audio_fresh, read.audio_cached)
                told = (*kinds, read.text_out, read.audio_out, sum(read.unknown.values()))
                counts = [sum(pair) for pair in zip(counts, told, strict=True)]
        return UsedTokens(*counts)

    @property
    def responses(self) -> tuple[ResponseCost, ...]:
        """Every response that has ended, cancelled, incomplete and out of band ones included."""
        self._account()
        turns = self._turn_of()
        return tuple(
            ResponseCost(one.response_id, turns.get(one.response_id), one.status, one.settings.model, one.usage, cost)
            for one, cost in zip(self._book.responses, self._bills, strict=True)
        )

    @property
    def turns(self) -> tuple[TurnCost, ...]:
        """The same by turn, oldest first."""
        from voicelive.catalogue import Bill

        by_turn: dict[str | None, list[Bill]] = {}
        for one in self.responses:
            by_turn.setdefault(one.turn_id, []).append(one.bill)
        return tuple(TurnCost(turn_id, len(bills), Bill.joined(bills)) for turn_id, bills in by_turn.items())

    @property
    def avatar_s(self) -> dict[str, Decimal]:
        """How long avatars were shown so far, in seconds, by meter: from the link to its end."""
        return {meter: Decimal(shown_ms) / 1000 for meter, shown_ms in self._avatar_ms().items()}

    @property
    def runs_by_time(self) -> bool:
        """Whether it grows without events of the service: an avatar is shown, or nothing but audio is counted."""
        return self._ended is None and (self._book.avatar_runs or self._book.only_transcribes)

    # -- what it costs

    @property
    def bill(self) -> Bill:
        """All of the call so far, in the currency of the price list."""
        from voicelive.catalogue import Bill
        from voicelive.usage_bills import transcribed, transcripts

        parts = [self._account()]
        prices = self._price_list()
        if self._book.only_transcribes:
            left_ms = self._book.unbilled_caller_ms(self._audio_ms())
            if left_ms:
                parts.append(transcribed(left_ms, self._book.settings, self._served(), prices))
        if self._book.transcriptions:
            parts.append(transcripts(self._book.transcriptions, prices))
        avatar_ms = self._avatar_ms()
        if avatar_ms:
            parts.append(Bill.empty(prices, avatar_ms=avatar_ms))
        return Bill.joined(parts)

    @property
    def unpriced(self) -> tuple[Unpriced, ...]:
        """What of it has no price, and is in no total."""
        return self.bill.unpriced

    @property
    def estimated(self) -> bool:
        """Whether something had to be assumed; ``notes`` say what."""
        return self.bill.estimated

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed or chosen, and why something has no price."""
        return self.bill.notes

    @property
    def flags(self) -> tuple[str, ...]:
        """What the service told that does not add up."""
        return self.bill.flags

    @property
    def prices(self) -> PriceList:
        """What is billed by."""
        return self._price_list()

    def record(self) -> CallRecord:
        """The call so far, or as it was, to be kept: figures alone, nothing of what was said."""
        from voicelive.call_record import CallRecord, TurnTotal

        prices, ended = self._price_list(), self._ended
        now_s = self._clock() if ended is None else ended[0]
        turns = self.turns
        return CallRecord(
            session_ids=tuple(self._book.session_ids),
            models=tuple(self._book.models),
            started_at=self._began_at,
            ended_at=None if ended is None else ended[1],
            duration_ms=round((now_s - self._began_s) * 1000),
            caller_audio_ms=round(self._audio_ms()),
            agent_audio_ms=sum(one.agent_ms for one in self._book.responses),
            responses=len(self._book.responses),
            turns=tuple(TurnTotal(one.turn_id, one.responses, one.bill.total) for one in turns),
            tokens=self.tokens.total,
            bill=self.bill,
            prices_region=prices.region,
            prices_source=prices.source,
        )

    # -- the session's side

    def asked_for(self, model: str | None, byom: str | None = None) -> None:
        """What the application connected to; ``connect`` does this."""
        self._asked = model, byom

    @property
    def asked(self) -> tuple[str | None, str | None]:
        """Model to bill by, and profile of a deployment of one's own, as far as the application named them."""
        return self._chosen or self._asked[0], None if self._chosen else self._asked[1]

    def observe(self, observer: Observer) -> None:
        """Tell this one at once what is counted."""
        self._observers.append(observer)

    def counted(self) -> None:
        """Something was used."""
        self._inform(lambda observer: observer.responded())

    def end(self) -> None:
        """The session is over; the first call counts."""
        if self._ended is None:
            self._ended = self._clock(), self._wall()
            self._inform(lambda observer: observer.ended())

    def _inform(self, tell: Callable[[Observer], None]) -> None:
        for observer in self._observers:
            try:
                tell(observer)
            except Exception as error:  # figures must not end a call
                log.error("= an observer of the usage failed: %s", type(error).__name__)

    def _avatar_ms(self) -> Mapping[str, int]:
        return self._book.avatar_ms(self._clock() if self._ended is None else self._ended[0])

    def _price_list(self) -> PriceList:
        from voicelive.catalogue import prices

        return prices if self._prices is None else self._prices

    def _served(self) -> Served:
        from voicelive.usage_bills import Served

        return Served(*self._asked, self._chosen)

    def _account(self) -> Bill:
        """The sum over all responses; only new ones are looked at."""
        from voicelive.catalogue import Bill
        from voicelive.usage_bills import bill_of

        prices = self._price_list()
        running = Bill.empty(prices) if self._sum is None else self._sum
        new: Iterable[ResponseUsage] = self._book.responses[len(self._bills) :]
        fresh = [bill_of(response, self._served(), prices) for response in new]
        if fresh or self._sum is None:
            self._bills += fresh
            self._sum = running = Bill.joined([running, *fresh])
        return running

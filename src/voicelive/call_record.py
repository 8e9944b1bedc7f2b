"""One record per call: ids, times, tokens and money, to be kept where calls are counted. Nothing of what was said.

Money is written as text and read back to the last digit; a JSON number with a fraction is refused.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final, Literal, NoReturn, TextIO, get_args

from pydantic import TypeAdapter, ValidationError

from voicelive.catalogue.billing import Bill
from voicelive.catalogue.terms import Category
from voicelive.errors import ConfigurationError

__all__ = ["CSV_COLUMNS", "CallRecord", "CallTotals", "TurnTotal", "sum_records", "write_csv"]

_FORMAT: Final = "voicelive.call_record.v1"
_METERS: Final = get_args(Category)

CSV_COLUMNS: Final = (
    *("session_ids", "models", "started_at", "ended_at", "duration_ms", "caller_audio_ms", "agent_audio_ms"),
    *("turns", "responses", "tokens", *(f"tokens_{meter}" for meter in _METERS), "avatar_ms"),
    *("total", "currency", "estimated", "complete", "unpriced_tokens", "prices_as_of", "prices_region"),
    "prices_source",
)
"""Columns of ``write_csv``, in their order."""


@dataclass(frozen=True, slots=True)
class TurnTotal:
    """What one turn costs.

    Attributes:
        turn_id: ``None``: all responses out of band.
        responses: How many.
        total: In the currency of the record's bill.
    """

    turn_id: str | None
    responses: int
    total: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """What one call used and cost.

    Attributes:
        session_ids: The service's sessions, several where the call was resumed or renewed.
        models: Names of the models, as the service reported them.
        started_at: When the call began.
        ended_at: When it ended; ``None``: it was under way.
        duration_ms: From the one to the other, by a steady clock.
        caller_audio_ms: Audio of the caller that was sent.
        agent_audio_ms: Audio of the agent that came, heard or not.
        responses: How many ended.
        turns: What each turn costs.
        tokens: All that the service told of, priced or not.
        bill: Tokens by meter, avatars, sum, currency, and what has no price.
        prices_region: Azure's name of the region whose prices they are; ``None``: those of the general price page.
        prices_source: Where the prices were read; ``bill.as_of`` says when.
    """

    session_ids: tuple[str, ...]
    models: tuple[str, ...]
    started_at: datetime
    ended_at: datetime | None
    duration_ms: int
    caller_audio_ms: int
    agent_audio_ms: int
    responses: int
    turns: tuple[TurnTotal, ...]
    tokens: int
    bill: Bill
    prices_region: str | None
    prices_source: str

    @property
    def total(self) -> Decimal:
        """All that has a price, in ``currency``."""
        return self.bill.total

    @property
    def currency(self) -> str:
        """ISO 4217 code."""
        return self.bill.currency

    @property
    def avatar_ms(self) -> int:
        """How long avatars were shown."""
        return sum(line.milliseconds for line in self.bill.avatars)

    def to_json(self) -> str:
        """One line of JSON; ``from_json`` reads it. Amounts are texts."""
        return _adapter().dump_json(_Saved(_FORMAT, self)).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> CallRecord:
        """Read what ``to_json`` wrote.

        Raises:
            ConfigurationError: It is no such record, or holds an amount that is no exact text.
        """
        try:
            json.loads(text, parse_float=_refuse_float, parse_constant=_refuse_float)
            return _adapter().validate_json(text).record
        except ConfigurationError:
            raise
        except ValidationError as error:
            places = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors()[:3])
            raise ConfigurationError(f"this is no record of a call; look at {places}") from None
        except ValueError:
            raise ConfigurationError("this is no record of a call: it is not JSON") from None

    def csv_row(self) -> dict[str, str]:
        """The record as a row of ``CSV_COLUMNS``; tokens by meter, of all tiers together."""
        tokens = _by_meter(self.bill)
        return {
            "session_ids": " ".join(self.session_ids),
            "models": " ".join(self.models),
            "started_at": self.started_at.isoformat(),
            "ended_at": "" if self.ended_at is None else self.ended_at.isoformat(),
            "duration_ms": str(self.duration_ms),
            "caller_audio_ms": str(self.caller_audio_ms),
            "agent_audio_ms": str(self.agent_audio_ms),
            "turns": str(sum(turn.turn_id is not None for turn in self.turns)),
            "responses": str(self.responses),
            "tokens": str(self.tokens),
            **{f"tokens_{meter}": str(tokens.get(meter, 0)) for meter in _METERS},
            "avatar_ms": str(self.avatar_ms),
            "total": f"{self.total:f}",
            "currency": self.currency,
            "estimated": "yes" if self.bill.estimated else "no",
            "complete": "yes" if self.bill.complete else "no",
            "unpriced_tokens": str(sum(one.tokens for one in self.bill.unpriced if not one.what.startswith("seconds"))),
            "prices_as_of": self.bill.as_of.isoformat(),
            "prices_region": self.prices_region or "",
            "prices_source": self.prices_source,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTotals:
    """The sum of many calls.

    Attributes:
        calls: How many.
        duration_ms: Of all.
        caller_audio_ms: Of all.
        agent_audio_ms: Of all.
        responses: Of all.
        turns: Of all, responses out of band apart.
        tokens: Of all.
        bill: One bill of all.
    """

    calls: int
    duration_ms: int
    caller_audio_ms: int
    agent_audio_ms: int
    responses: int
    turns: int
    tokens: int
    bill: Bill

    @property
    def total(self) -> Decimal:
        """All that has a price, in the bill's currency."""
        return self.bill.total


def sum_records(records: Iterable[CallRecord]) -> CallTotals:
    """The sum of many calls, exact, in whatever order.

    Raises:
        ConfigurationError: There are none, or they are in several currencies.
    """
    found = list(records)
    return CallTotals(
        calls=len(found),
        duration_ms=sum(record.duration_ms for record in found),
        caller_audio_ms=sum(record.caller_audio_ms for record in found),
        agent_audio_ms=sum(record.agent_audio_ms for record in found),
        responses=sum(record.responses for record in found),
        turns=sum(turn.turn_id is not None for record in found for turn in record.turns),
        tokens=sum(record.tokens for record in found),
        bill=Bill.joined(record.bill for record in found),
    )


def write_csv(file: str | os.PathLike[str] | TextIO, records: Iterable[CallRecord]) -> None:
    """Write a head line and a row for each record.

    Args:
        file: A path, overwritten where it exists, or a text file that was opened with ``newline=""``.
        records: The calls.

    Raises:
        OSError: The file cannot be written.
    """
    if isinstance(file, str | os.PathLike):
        with open(file, "w", encoding="utf-8", newline="") as opened:
            write_csv(opened, records)
        return
    writer = csv.DictWriter(file, CSV_COLUMNS)
    writer.writeheader()
    writer.writerows(record.csv_row() for record in records)


@dataclass(frozen=True, slots=True)
class _Saved:
    """What the JSON of a record holds."""

    format: Literal["voicelive.call_record.v1"]
    record: CallRecord


@cache
def _adapter() -> TypeAdapter[_Saved]:
    return TypeAdapter(_Saved)


def _refuse_float(literal: str) -> NoReturn:
    raise ConfigurationError(f"this is no record of a call: {literal:.40} has a fraction; amounts are texts")


def _by_meter(bill: Bill) -> Mapping[Any, int]:
    tokens: dict[str, int] = {}
    for line in bill.lines:
        tokens[line.category] = tokens.get(line.category, 0) + line.tokens
    return tokens

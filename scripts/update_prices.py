"""Compare the package's price list with the Azure Retail Prices API; ``--write`` brings it up to date.

Asks the API, or reads pages that were saved from it. Ends with 0 where all prices are the same, 1 where some are not,
2 where there was nothing to compare with. A price that the answer lacks is kept, with the date and source it had. One
that changes goes into its row's ``history``. Caps are published elsewhere and stay as they are.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from voicelive.catalogue import PriceList, RetailPrices, RetailReport
from voicelive.catalogue.money import plain
from voicelive.catalogue.price_list import read_price_list
from voicelive.catalogue.retail_list import price_list_of
from voicelive.catalogue.retail_page import read_page
from voicelive.catalogue.retail_query import BASE_URL
from voicelive.errors import VoiceLiveError

DATA: Final = Path(__file__).parents[1] / "src" / "voicelive" / "catalogue" / "data" / "prices.json"
SAME, CHANGED, FAILED = 0, 1, 2
_AMOUNT: Final = {"tokens": "per_1m_tokens", "avatar_per_minute": "price", "custom": "price"}
"""The parts of the file, and the field of their rows that holds the price."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """One price of the file beside that of the answer; ``None``: there is none."""

    name: str
    old: Decimal | None
    new: Decimal | None

    @property
    def changed(self) -> bool:
        """Whether the file is to be changed; what the answer lacks is kept."""
        return self.new is not None and self.new != self.old


def read_pages(directory: Path, *, region: str, currency: str, day: date) -> tuple[PriceList, RetailReport]:
    """The prices on saved pages, by the rules for live ones; they are in effect at the end of that day."""
    pages = [read_page(path.read_bytes()) for path in sorted(directory.glob("*.json"))]
    now = datetime.combine(day, time.max, UTC)
    return price_list_of(pages, region=region, currency=currency, now=now, as_of=day, source="saved pages")


async def ask(region: str, currency: str, base_url: str) -> tuple[PriceList, RetailReport]:
    """The prices of today."""
    async with RetailPrices(currency=currency, offline="raise", base_url=base_url) as live:
        return await live.fetch(region), live.reports[region]


def compared(data: Json, found: PriceList) -> list[Line]:
    """All prices of the file, in its order, then those that it does not have yet."""
    lines: list[Line] = []
    for part in _AMOUNT:
        new = _by_key(found, part)
        for row in data[part]:
            lines.append(Line(" ".join(_key(row)), _amount(row, part), new.pop(_key(row), None)))
        lines += [Line(" ".join(key), None, price) for key, price in new.items()]
    return lines


def brought_up_to_date(data: Json, found: PriceList) -> Json:
    """The file's content with the prices of the answer. No field is dropped."""
    source = f"Azure Retail Prices API, region {found.region}"
    before = {"as_of": data["as_of"], "source": data["source"]}
    renewed = {**data, "region": found.region, "as_of": found.as_of.isoformat(), "source": source}
    for part, field in _AMOUNT.items():
        new = _by_key(found, part)
        renewed[part] = [_renewed(row, field, new.pop(_key(row), None), before) for row in data[part]]
        renewed[part] += [_new_row(part, key, price) for key, price in new.items()]
    return renewed


def written(data: Json) -> str:
    """JSON with one row a line, so that a change of a price is a change of a line. Amounts stay what they are."""
    fields = [f"  {json.dumps(name)}: {_block(value)}" for name, value in data.items()]
    return "{\n" + ",\n".join(fields) + "\n}\n"


def _renewed(row: Json, field: str, price: Decimal | None, before: Json) -> Json:
    if price is None:
        return row if row[field] is None else {**row, **{name: row.get(name, fact) for name, fact in before.items()}}
    dated = {name: row.get(name, fact) for name, fact in before.items()}
    own = {name: fact for name, fact in row.items() if name not in before}  # it has the date and source of the list now
    own["confidence"] = "high"  # the service's own word
    if row[field] is None or row[field] == price:
        return {**own, field: price}
    return {**own, field: price, "history": [*row.get("history", []), {field: row[field], **dated}]}


def _key(row: Mapping[str, str]) -> tuple[str, ...]:
    return (row["tier"], row["category"]) if "tier" in row else (row["category"],)


def _new_row(part: str, key: tuple[str, ...], price: Decimal) -> Json:
    named = dict(zip(("tier", "category")[-len(key) :], key, strict=True))
    caps = {"cap": None} if part == "custom" else {}
    return {**named, _AMOUNT[part]: price, **caps, "confidence": "high"}


def _by_key(found: PriceList, part: str) -> dict[tuple[str, ...], Decimal]:
    amounts: Mapping[Any, Decimal] = getattr(found, part)
    return {key if isinstance(key, tuple) else (key,): plain(price) for key, price in amounts.items()}


def _amount(row: Json, part: str) -> Decimal | None:
    amount = row[_AMOUNT[part]]
    return None if amount is None else Decimal(amount)


def _block(value: object) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"    {_inline(item)}" for item in value) + "\n  ]"
    return _inline(value)


def _inline(value: object) -> str:
    match value:
        case Decimal():
            return format(value, "f")
        case dict():
            return "{" + ", ".join(f"{json.dumps(name)}: {_inline(item)}" for name, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_inline, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _table(lines: Sequence[Line]) -> Table:
    shown = Table(box=SIMPLE_HEAD, show_edge=False)
    shown.add_column("price", no_wrap=True)
    for title in ("in the file", "in the answer", "change"):
        shown.add_column(title, justify="right")
    for line in lines:
        if line.changed or (line.new is None and line.old is not None):
            shown.add_row(line.name, _shown(line.old), _shown(line.new), _change(line))
    return shown


def _shown(amount: Decimal | None) -> str:
    return "-" if amount is None else format(plain(amount), "f")


def _change(line: Line) -> str:
    if line.new is None:
        return "kept"
    return f"{(line.new / line.old - 1) * 100:+.1f} %" if line.old else "new"


def _odd(report: RetailReport) -> Iterator[str]:
    for names, what in (
        (report.unknown_meters, "unknown meter"),
        (report.unusable_meters, "meter without a usable price"),
        (report.disputed_meters, "meter with several prices, the highest was taken"),
    ):
        yield from (f"{what}: {name}" for name in names)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--region", default="swedencentral", help="Azure's name of it (default: %(default)s)")
    parser.add_argument("--pages", type=Path, metavar="DIR", help="read the saved pages *.json in there; asks nobody")
    parser.add_argument("--as-of", type=date.fromisoformat, metavar="YYYY-MM-DD", help="when the pages were saved")
    parser.add_argument("--base-url", default=BASE_URL, help="another address of the API")
    parser.add_argument("--data", type=Path, default=DATA, help="the price list (default: the package's own)")
    parser.add_argument("--write", action="store_true", help="bring the price list up to date")
    given = parser.parse_args(arguments)
    if (given.pages is None) != (given.as_of is None):
        parser.error("--pages and --as-of go together")
    data: Json = json.loads(given.data.read_text(encoding="utf-8"), parse_float=Decimal)
    try:
        if given.pages is None:
            found, report = asyncio.run(ask(given.region, data["currency"], given.base_url))
        else:
            found, report = read_pages(given.pages, region=given.region, currency=data["currency"], day=given.as_of)
    except VoiceLiveError as error:
        print(error, file=sys.stderr)
        return FAILED
    lines = compared(data, found)
    changed = sum(line.changed for line in lines)
    console = Console(soft_wrap=True)
    console.print(_table(lines))
    for text in _odd(report):
        console.print(text, markup=False)
    console.print(f"{changed} of {len(lines)} prices changed; region {found.region}, {found.as_of}, {found.currency}")
    if given.write:
        text = written(brought_up_to_date(data, found))
        read_price_list(text)  # nothing that the package could not read is written
        given.data.write_text(text, encoding="utf-8")
    return CHANGED if changed else SAME


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Trials as tables for people and as JSON for programs."""

from dataclasses import asdict
from typing import Any

from benchmarks.calls.spread import Spread
from benchmarks.calls.trial import Result
from rich.box import SIMPLE_HEAD
from rich.table import Table

__all__ = ["raw", "tables"]


def tables(results: list[Result]) -> list[Table]:
    """How late audio was, and what holding the calls cost."""
    late = _table("calls", "way", "pieces", "p50", "p95", "p99", "max ms")
    cost = _table("held", "CPU", "waited", "ends", "lag p99", "max", "gc max", "lost", "cuts")
    for result in results:
        name = result.plan.title
        up, ear = result.spread("up"), result.ear
        late.add_row(name, "mouth to service", *_cells(up))
        late.add_row("", "service to ear", *_cells(ear))
        late.add_row("", "both", "", *(f"{sum(pair):.1f}" for pair in zip(_times(up), _times(ear), strict=True)))
        late.add_row("", "barge-in to silence", *_cells(result.spread("silenced")), end_section=True)
        lag, use = result.spread("lag"), result.use
        counts = (f"{result.ends[name]:,}" for name in ("lost", "barge_ins"))
        shares = (f"{use.share:.0%}", f"{use.waited_s / use.wall_s:.0%}", f"{result.ends_use.share:.0%}")
        cost.add_row(name, *shares, f"{lag.p99:.1f}", f"{lag.most:.0f}", f"{result.spread('gc').most:.0f}", *counts)
    return [late, cost]


def raw(results: list[Result], machine: dict[str, str]) -> dict[str, Any]:
    """Everything, for a file."""
    rows = [
        {**asdict(result), "faults": result.faults(), "delays": result.delays(), "excuses": result.excuses()}
        for result in results
    ]
    return {"facts": machine, "results": rows}


def _table(first: str, *others: str) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, no_wrap=True)
    for title in others:
        table.add_column(title, justify="left" if title == "way" else "right", no_wrap=True)
    return table


def _cells(spread: Spread) -> tuple[str, ...]:
    return (f"{spread.count:,}", *(f"{time:.1f}" for time in _times(spread)))


def _times(spread: Spread) -> tuple[float, ...]:
    return (spread.p50, spread.p95, spread.p99, spread.most)

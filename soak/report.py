"""The result of a soak for people."""

from __future__ import annotations

from statistics import median

from rich.box import SIMPLE_HEAD
from rich.table import Table
from soak.trial import Result

__all__ = ["progress_line", "tables"]


def progress_line(result: Result) -> str:
    """How it goes, in one line."""
    tally, mib = result.tally, result.memory.samples[-1][1]
    turns = sum(tally.turns.values())
    return (
        f"{result.open_sessions} sessions, {turns} turns, {tally.interruptions} lost, {tally.resumed} resumed, "
        f"{mib:.0f} MiB, {len(tally.breaches) + len(result.breaches)} breaches"
    )


def tables(result: Result) -> list[Table]:
    """Figures, faults and failures."""
    return [
        _table("conversations and turns", _figures(result)),
        _table("faults", [(name, str(count)) for name, count in sorted(result.faults.items())]),
        _table("what was raised", [(name, str(count)) for name, count in sorted(result.tally.failures.items())]),
    ]


def _table(title: str, rows: list[tuple[str, str]]) -> Table:
    shown = Table(box=SIMPLE_HEAD, show_edge=False)
    shown.add_column(title)
    shown.add_column("", justify="right")
    for row in rows:
        shown.add_row(*row)
    return shown


def _figures(result: Result) -> list[tuple[str, str]]:
    tally, memory = result.tally, result.memory
    rows = [
        ("conversations", tally.conversations),
        *((f"turns {outcome}", count) for outcome, count in sorted(tally.turns.items())),
        ("connections lost", tally.interruptions),
        ("  resumed", tally.resumed),
        ("sessions renewed ahead of their end", tally.renewed),
        ("conversations that ended with an exception", tally.failed),
        ("connects that raised", tally.not_connected),
    ]
    seconds = (("audio sent", tally.sent_ms), ("said again", tally.resent_ms), ("unconfirmed", tally.unconfirmed_ms))
    shown = [(name, f"{count:,}") for name, count in rows]
    shown += [(name, f"{ms / 1000:,.0f} s") for name, ms in seconds]
    for name in ("tasks", "fds", "threads"):
        before, most, after = (getattr(held, name) for held in (result.before, result.most, result.after))
        shown.append((f"{name} before, most, after", f"{before}, {most}, {after}"))
    shown.append(("event loop late, median and most", f"{median(result.late_s):.2f} s, {max(result.late_s):.2f} s"))
    first, last = memory.settled[0][1], memory.settled[-1][1]
    shown.append(("memory in the last two thirds", f"{first:.1f} to {last:.1f} MiB"))
    bound = f"at most {memory.bound_mib_per_min:.2f} by chance"
    shown.append(("  slope of the line through it", f"{memory.slope_mib_per_min:+.2f} MiB/min, {bound}"))
    return shown

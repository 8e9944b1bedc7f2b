"""Results as a table for people and as JSON for programs, with the facts without which figures mean nothing."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.suite import Result
from rich.box import SIMPLE_HEAD
from rich.table import Table

_PACKAGES = ("voicelive", "azure-ai-voicelive", "pydantic", "websockets", "aiohttp")


def facts() -> dict[str, str]:
    """Where and when this was measured."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()}",
        "load": _load(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        **{package: version(package) for package in _PACKAGES},
    }


def table(results: list[Result]) -> Table:
    """One row for each figure."""
    shown = Table(box=SIMPLE_HEAD, show_edge=False, padding=0)  # 80 columns suffice
    shown.add_column("measured", no_wrap=True)
    for title in ("voicelive", "official", "unit", "ratio", "spread", "target"):
        shown.add_column(title, justify="left" if title == "unit" else "right", no_wrap=True)
    shown.add_column("", no_wrap=True)
    for result in results:
        verdict = {True: "[green]ok[/]", False: "[bold red]MISS[/]", None: ""}[result.met]
        shown.add_row(*cells(result), verdict)
    return shown


def cells(result: Result) -> tuple[str, ...]:
    """The texts of one row, without the verdict."""
    ratios = result.ratios
    return (
        result.figure.title,
        _short(median(result.ours)),
        _short(median(result.theirs)),
        result.figure.unit,
        f"{result.ratio:.3f}",
        f"{min(ratios):.3f}-{max(ratios):.3f}",
        result.figure.target,
    )


def summary(results: list[Result]) -> str:
    """How many targets were met."""
    verdicts = [result.met for result in results if result.met is not None]
    return f"{sum(verdicts)} of {len(verdicts)} targets met"


def raw(results: list[Result], machine: dict[str, str]) -> dict[str, Any]:
    """Everything, for a file."""
    rows = [
        {
            "measured": result.figure.title,
            "unit": result.figure.unit,
            "voicelive": result.ours,
            "official": result.theirs,
            "ratios": result.ratios,
            "ratio": result.ratio,
            "target": result.figure.target or None,
            "met": result.met,
        }
        for result in results
    ]
    return {"facts": machine, "results": rows}


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _load() -> str:
    return " ".join(f"{load:.1f}" for load in os.getloadavg()) + " (1, 5, 15 minutes)"


def _processor() -> str:
    """Linux tells the model in a file only; elsewhere the platform module knows."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()

"""Many sessions against one emulator, through a proxy that breaks their connections; see docs/soak.md.

    python soak/run.py [--minutes N] [--sessions N] [--seed N]

The exit status is 1 when anything was lost without a word, leaked, or was left open.
"""

import argparse
import asyncio
import logging
import random
import sys
from pathlib import Path


def main() -> int:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
    from soak.report import progress_line, tables
    from soak.trial import Result, soak

    wanted, console = _arguments(), Console()
    logging.getLogger("voicelive").addHandler(logging.NullHandler())  # losses are what this is about
    console.print(f"{wanted.sessions} sessions for {wanted.minutes:g} minutes, seed {wanted.seed}", highlight=False)
    columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting", total=wanted.minutes * 60)

        def watch(result: Result) -> None:
            progress.update(task, description=progress_line(result), completed=result.memory.samples[-1][0])

        result = asyncio.run(soak(wanted.minutes, wanted.sessions, wanted.seed, watch))
    for table in tables(result):
        console.print(table)
    for breach in result.breaches:
        console.print(breach, highlight=False, markup=False)
    console.print(f"{len(result.breaches)} breaches" if result.breaches else "no breach")
    return 1 if result.breaches else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Break the connections of many sessions, and look for what is lost.")
    parser.add_argument("--minutes", type=float, default=5.0, help="how long (default: 5)")
    parser.add_argument("--sessions", type=int, default=200, help="how many at a time (default: 200)")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of all chances (default: random)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # this directory is a package of the checkout
    sys.exit(main())

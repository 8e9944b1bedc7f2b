"""Measure the speed of ``voicelive`` beside ``azure-ai-voicelive`` and print a table; see docs/performance.md.

    python benchmarks/run.py [--quick] [--rounds N] [--json FILE]

Speed decides nothing here: the exit status tells only whether everything could be measured.
"""

import argparse
import json
import sys
from pathlib import Path


def main() -> None:
    from benchmarks import report, suite
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    wanted = _arguments()
    machine, console = report.facts(), Console()
    rounds = 1 if wanted.quick else wanted.rounds
    results: list[suite.Result] = []
    columns = (TextColumn("{task.description:<42}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting", total=suite.step_count(rounds, quick=wanted.quick))
        for news in suite.run(rounds, quick=wanted.quick):
            if isinstance(news, list):
                results = news
            else:
                progress.update(task, description=news, advance=1)
    for name, fact in machine.items():
        console.print(f"{name}: {fact}", highlight=False)
    console.print(report.table(results))
    if wanted.json is not None:
        wanted.json.write_text(json.dumps(report.raw(results, machine), indent=2) + "\n", encoding="utf-8")
    console.print(report.summary(results) + (" (a quick run: too small to mean much)" if wanted.quick else ""))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the speed of voicelive beside azure-ai-voicelive.")
    parser.add_argument("--quick", action="store_true", help="one small round: does it run? The figures mean little")
    parser.add_argument("--rounds", type=_positive, default=7, help="rounds to take the median of (default: 7)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures of all rounds to a file")
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # this directory is a package of the checkout
    main()

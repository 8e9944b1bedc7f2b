"""How late is audio because of a bridge, and does one core hold 100 calls? See docs/telephony.md, "Many calls at once".

    python benchmarks/calls/run.py [--line NAME] [--manner NAME] [--calls N] [--seconds N] [--quick] [--json FILE]

Each provider's call is held alone first, and then N at once. The exit status is 1 when anything was lost, out of order
or not accounted for, and, except in a quick run, when calls were not held in real time.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.calls.trial import Result

LINES = ("twilio", "acs", "audiohook")
MANNERS = ("frames", "usual")
_MOST_OVERHEAD_MS = 5.0  # p50 of both ways together, for a call that is alone


def main() -> int:
    from benchmarks.calls.report import raw, tables
    from benchmarks.calls.trial import Plan, hold
    from benchmarks.report import facts
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    wanted, machine, console = _arguments(), facts(), Console()
    calls, seconds, reply_s = (3, 2.0, 1.6) if wanted.quick else (wanted.calls, wanted.seconds, 6.0)
    lines, manners = wanted.line or LINES, wanted.manner or MANNERS
    further = {"reply_s": reply_s, "frame_ms": wanted.twilio_frame_ms, "uvloop": wanted.uvloop}
    alone = [] if wanted.quick else [Plan(line, 1, seconds, "frames", **further) for line in lines]
    many = [Plan(line, calls, seconds, manner, **further) for manner in manners for line in lines]
    results: list[Result] = []
    columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting", total=seconds * len([*alone, *many]))

        def watch(news: str, second: float) -> None:
            progress.update(task, description=news, completed=seconds * len(results) + second)

        for plan in (*alone, *many):
            results.append(hold(plan, watch))
    for name, fact in machine.items():
        console.print(f"{name}: {fact}", highlight=False)
    for table in tables(results):
        console.print(table)
    if wanted.json is not None:
        wanted.json.write_text(json.dumps(raw(results, machine), indent=2) + "\n", encoding="utf-8")
    breaches = 0
    for result in results:
        found = result.faults() + ([] if wanted.quick else _late(result))
        breaches += len(found)
        for words in (*found, *result.excuses()):
            console.print(f"{result.plan.title}: {words}", highlight=False, markup=False)
    console.print(f"{breaches} breaches" if breaches else "no breach")
    return 1 if breaches else 0


def _late(result: "Result") -> list[str]:
    overhead_ms = result.spread("up").p50 + result.ear.p50
    if result.plan.calls > 1 or overhead_ms <= _MOST_OVERHEAD_MS:
        return result.delays()
    return [f"the p50 of both ways is {overhead_ms:.1f} ms, more than {_MOST_OVERHEAD_MS:g}", *result.delays()]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what bridges of telephone calls add, and hold many at once.")
    parser.add_argument("--line", action="append", choices=LINES, help="one provider only; may be given again")
    parser.add_argument("--manner", action="append", choices=MANNERS, help="how the service speaks (default: both)")
    parser.add_argument("--calls", type=int, default=100, help="how many at once (default: 100)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each trial is measured (default: 30)")
    parser.add_argument("--twilio-frame-ms", type=int, default=20, help="frame_ms of twilio.accept (default: 20)")
    parser.add_argument("--uvloop", action="store_true", help="run the bridge on uvloop, if that is installed")
    parser.add_argument("--quick", action="store_true", help="a few calls for a few seconds: times are not judged")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to a file")
    return parser.parse_args()


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent.parent)  # this directory is a package of the checkout
    sys.exit(main())

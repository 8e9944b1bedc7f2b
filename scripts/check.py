"""Run the project's checks, each with its name, its verdict and its time.

``static`` is formatting, lint and the two type checkers; ``all`` adds the tests and their coverage. What each tool
looks at is decided in pyproject.toml, not here. A failing check does not keep the next one from running: one run
tells everything there is to fix.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Check:
    """One tool, and the arguments of the interpreter that run it."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of a check; ``output`` is empty where it went straight to the terminal."""

    check: Check
    passed: bool
    took_s: float
    output: str = ""


STATIC: Final = (
    Check("format", ("-m", "ruff", "format", "--check", ".")),
    Check("lint", ("-m", "ruff", "check", ".")),
    Check("mypy", ("-m", "mypy")),
    Check("pyright", ("-m", "pyright")),
)
# Not pytest-cov: it starts after pytest has imported our own plugin, and would miss every module-level line.
# Development mode: asyncio's debug mode, and warnings about what is not closed or not awaited.
_PYTEST: Final = ("-X", "dev", "-m", "coverage", "run", "--parallel-mode", "-m", "pytest")
_EMULATOR: Final = ("tests/testing", "tests/wire", "tests/transport", "tests/reliability", "tests/catalogue")
_REAL_TIME: Final = (
    "tests/avatar",
    "tests/examples",
    "tests/foreign",
    "tests/test_calls.py",
    "tests/test_documentation.py",
)
_ASIDE: Final = (*_EMULATOR, *_REAL_TIME)

TESTS: Final = (
    Check("tests", (*_PYTEST, *(f"--ignore={place}" for place in _ASIDE))),
    Check("tests of emulator, wire and catalogue", (*_PYTEST, "--quiet", *_EMULATOR)),
    Check("tests of media and examples", (*_PYTEST, "--quiet", *_REAL_TIME)),
)
"""Two parts that need a core each, and one that mostly waits for real time. The first one shows its progress."""

COVERAGE: Final = (
    Check("joined coverage", ("-m", "coverage", "combine", "--quiet")),
    Check("coverage", ("-m", "coverage", "report")),
)

_ENVIRONMENT: Final = os.environ | {
    "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1",  # else it asks the network for a newer version of itself
    "PYTHONUNBUFFERED": "1",
}


def run_together(checks: Sequence[Check]) -> Iterator[Outcome]:
    """Run checks two at a time; each one's output appears in one piece, in the order given."""

    def run(check: Check) -> Outcome:
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, *check.arguments],
            env=_ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Outcome(check, done.returncode == 0, time.monotonic() - started, done.stdout)

    with ThreadPoolExecutor(max_workers=2) as pool:
        yield from pool.map(run, checks)


def run_in_turn(checks: Sequence[Check]) -> Iterator[Outcome]:
    """Run checks one by one with their output on the terminal as it comes."""
    for check in checks:
        print(f"==> {check.name}", flush=True)
        started = time.monotonic()
        done = subprocess.run([sys.executable, *check.arguments], env=_ENVIRONMENT, check=False)
        yield Outcome(check, done.returncode == 0, time.monotonic() - started)


def run_side_by_side(checks: Sequence[Check]) -> Iterator[Outcome]:
    """Run the first check on the terminal, and beside it the others, whose output follows in one piece."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        aside = pool.submit(lambda: list(run_together(checks[1:])))
        yield from run_in_turn(checks[:1])
        print("... waiting for the others", flush=True)
        yield from aside.result()


def main(arguments: Sequence[str]) -> int:
    if list(arguments) not in (["static"], ["all"]):
        print("usage: python scripts/check.py static|all", file=sys.stderr)
        return 2
    started = time.monotonic()
    failed: list[str] = []
    print(f"==> {', '.join(check.name for check in STATIC)}", flush=True)
    outcomes = [run_together(STATIC)]
    if arguments[0] == "all":
        outcomes += [run_side_by_side(TESTS), run_in_turn(COVERAGE)]
    for group in outcomes:
        for outcome in group:
            if not outcome.passed:
                failed.append(outcome.check.name)
            print(outcome.output, end="")
            verdict = "passed" if outcome.passed else "FAILED"
            print(f"--- {outcome.check.name} {verdict} in {outcome.took_s:.1f} s\n", flush=True)
    summary = f"FAILED: {', '.join(failed)}" if failed else "All checks passed"
    print(f"{summary} ({time.monotonic() - started:.0f} s)")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)  # the shell's status for a process ended by Ctrl-C

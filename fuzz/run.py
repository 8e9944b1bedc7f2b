"""Feed decoder, frame cutter, emulator and session with what nobody would send, and report what breaks.

    python fuzz/run.py [--minutes N] [--seed N] [--examples N] [--only NAME]

Rounds go over all targets in turn; none begins after the time is over. A round is repeated by its seed, which is
printed; a failing example is printed as the call that fails, after Hypothesis has made it small. The exit status is 1
when there was one.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fuzz.targets import Target


def main() -> int:
    from fuzz.targets import TARGETS

    wanted = _arguments()
    for name in ("voicelive", "websockets"):
        logging.getLogger(name).disabled = True  # odd frames are what this is about
    ends_at = time.monotonic() + wanted.minutes * 60
    targets = [target for target in TARGETS if wanted.only in (None, target.name)]
    examples, failed = dict.fromkeys((target.name for target in targets), 0), set[str]()
    seed = wanted.seed
    while time.monotonic() < ends_at and len(failed) < len(targets):
        for target in targets:
            if target.name in failed:
                continue
            count, failure = _round(target, seed, wanted.examples)
            examples[target.name] += count
            if failure is not None:
                failed.add(target.name)
                print(f"{target.name}, seed {seed}:\n{failure}", flush=True)
        seed += 1
    for name, count in examples.items():
        print(f"{name}: {'FAILED' if name in failed else 'ok'} after {count:,} examples")
    print(f"seeds {wanted.seed} to {seed - 1}, {wanted.examples} examples a round")
    return 1 if failed else 0


def _round(target: Target, seed: int, examples: int) -> tuple[int, str | None]:
    """So many examples of one target: how many it became, and what went wrong."""
    from hypothesis import HealthCheck, given, settings
    from hypothesis import seed as seeded
    from hypothesis import strategies as st

    count = 0

    def check(arguments: tuple[Any, ...]) -> None:
        nonlocal count
        count += 1
        target.check(*arguments)

    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    patient = settings(max_examples=examples, deadline=None, database=None, suppress_health_check=quiet)
    try:
        seeded(seed)(patient(given(st.tuples(*target.inputs))(check)))()
    except Exception as error:  # several different ones come as a group
        return count, "".join(traceback.format_exception(error))
    return count, None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fuzz decoder, frame cutter, emulator and session.")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (default: 10)")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of the first round")
    parser.add_argument("--examples", type=int, default=300, help="of each target in a round (default: 300)")
    parser.add_argument("--only", help="name of the only target")
    return parser.parse_args()


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # this directory is a package of the checkout
    sys.exit(main())

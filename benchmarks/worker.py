"""The measured process: it loads one SDK, and does on request what the suite asks for.

A request is one line of JSON on standard input, an answer one line on standard output. While the other SDK has its
turn, this process waits and costs nothing.
"""

import asyncio
import json
import sys
from dataclasses import asdict
from importlib import import_module
from typing import Any, Final

from benchmarks.sample import Sample
from benchmarks.traffic import messages

SIDES: Final = {"voicelive": "benchmarks.with_voicelive", "official": "benchmarks.with_official"}

_CHUNK: Final = bytes(range(240)) * 4  # 20 ms at 24 kHz, 16 bit, mono


def measure(side: Any, work: str, endpoint: str, *, count: int, delta_ms: int, seed: int) -> Sample:
    """One run of one kind of work with one SDK."""
    match work:
        case "decode":
            frames = [message.frame for message in messages(delta_ms, count, seed)]
            sample: Sample = side.decode_all(frames)
        case "receive":
            query = f"?delta_ms={delta_ms}&count={count}&seed={seed}"
            sample = asyncio.run(side.receive(endpoint + query, count))
        case "send":
            sample = asyncio.run(side.send(endpoint, _CHUNK, count))
        case "ping_pong":
            sample = asyncio.run(side.ping_pong(endpoint, count))
        case _:
            raise ValueError(f"no work of the name {work!r}")
    return sample


def main() -> None:
    name, endpoint = sys.argv[1:]
    side = import_module(SIDES[name])
    for line in sys.stdin:
        print(json.dumps(asdict(measure(side, endpoint=endpoint, **json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()

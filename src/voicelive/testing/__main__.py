"""``python -m voicelive.testing``: an emulated Voice Live service on this machine until it is interrupted."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from voicelive.testing.emulator import Emulator
from voicelive.testing.pace import Pace
from voicelive.testing.script import Script
from voicelive.testing.small_talk import small_talk

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM; returns the exit code."""
    options = _parser().parse_args(arguments)
    script = None
    if options.script is not None:
        try:
            script = Script.from_json(options.script.read_text(encoding="utf-8"), then=small_talk)
        except (OSError, ValueError) as error:
            sys.stderr.write(f"{options.script}: {error}\n")
            return 2
    pace = Pace.measured() if options.pace == "measured" else Pace.instant()
    emulator = Emulator(script, pace=pace, api_key=options.api_key, port=options.port, keep_events=False)
    try:
        asyncio.run(_run(emulator))
    except KeyboardInterrupt:
        return 0  # the way to stop it where an event loop takes no signal handlers
    except OSError as error:
        sys.stderr.write(f"cannot listen on port {options.port}: {error.strerror}\n")
        return 1
    return 0


async def _run(emulator: Emulator) -> None:
    loop = asyncio.get_running_loop()
    interrupted = asyncio.Event()
    with suppress(NotImplementedError):  # on Windows; asyncio.run then turns Ctrl+C into an orderly end
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, interrupted.set)
    async with emulator:
        sys.stdout.write(f"listening on {emulator.endpoint}\n")
        sys.stdout.flush()
        await interrupted.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m voicelive.testing", description="An emulated Azure Voice Live service on 127.0.0.1."
    )
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 (default) chooses a free one")
    parser.add_argument(
        "--pace",
        choices=("measured", "instant"),
        default="measured",
        help="as fast as the real service was measured to be (default), or without waits",
    )
    parser.add_argument(
        "--script", type=Path, help="JSON list of turns (reply, transcript, calls, reply_after_calls); then small talk"
    )
    parser.add_argument("--api-key", help="the only key accepted; by default every credential is")
    return parser


if __name__ == "__main__":
    sys.exit(main())

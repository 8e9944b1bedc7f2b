"""The processes of a benchmark: the service's end, one worker for each SDK, and fresh interpreters that import.

Knows how to start them, talk with them and end them, not what is measured.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import PIPE
from typing import IO, Any

from benchmarks.sample import Sample
from benchmarks.worker import SIDES

ROOT = Path(__file__).parent.parent

_END_TIMEOUT_S = 10

# Installed packages come compiled, a checkout does not: with this set, each import would compile its modules anew.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class Workers:
    """One idle process for each SDK, both facing the same service."""

    def __init__(self, processes: dict[str, subprocess.Popen[str]]) -> None:
        self._processes = processes

    def ask(self, side: str, **request: str | int) -> Sample:
        """Have one SDK do one piece of work.

        Raises:
            RuntimeError: The process ended instead; its own words are on standard error.
        """
        worker = self._processes[side]
        try:
            tell(worker, **request)
        except BrokenPipeError as error:
            raise RuntimeError(f"the process of {side} is gone") from error
        return Sample(**answer(worker, side))


@contextmanager
def workers() -> Iterator[Workers]:
    """Start all processes; they end with the block, whatever happens in it."""
    with ExitStack() as running:
        peer = running.enter_context(process("benchmarks.peer"))
        endpoint = f"http://127.0.0.1:{answer(peer, 'the service')['port']}"
        processes = {name: running.enter_context(process("benchmarks.worker", name, endpoint)) for name in SIDES}
        yield Workers(processes)


def time_fresh(code: str) -> Sample:
    """Run a line of Python in an interpreter of its own, whose start counts as well.

    Raises:
        subprocess.CalledProcessError: The line failed.
    """
    before, started_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=_ENVIRONMENT, check=True)
    wall_s, after = time.perf_counter() - started_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Sample(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall_s, 1)


@contextmanager
def process(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A module of this checkout in a process of its own, spoken with in lines."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, cwd=ROOT, text=True, env=_ENVIRONMENT, stdin=PIPE, stdout=PIPE) as child:
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(_END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                child.kill()


def tell(child: subprocess.Popen[str], **words: Any) -> None:
    """Say one line of JSON to it."""
    print(json.dumps(words), file=_stream(child.stdin), flush=True)


def answer(child: subprocess.Popen[str], name: str) -> dict[str, Any]:
    """Its next line of JSON.

    Raises:
        RuntimeError: It ended instead; its own words are on standard error.
    """
    line = _stream(child.stdout).readline()
    if not line:
        raise RuntimeError(f"the process of {name} ended with status {child.wait(_END_TIMEOUT_S)}")
    found: dict[str, Any] = json.loads(line)
    return found


def _stream(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None, "made with PIPE"
    return pipe

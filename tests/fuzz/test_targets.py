"""Each fuzzing target runs, and its check can fail."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz.targets import TARGETS

from fuzz import heard, reading
from voicelive.transport.frames import FrameCutter

_ROOT = Path(__file__).parents[2]


def test_a_short_run_goes_over_all_targets() -> None:
    done = subprocess.run(
        [sys.executable, "fuzz/run.py", "--minutes", "0.001", "--examples", "15", "--seed", "1"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    for target in TARGETS:
        assert f"{target.name}: ok after" in done.stdout
    assert done.stdout.splitlines()[-1] == "seeds 1 to 1, 15 examples a round"


def test_a_cutter_that_depends_on_how_a_stream_is_split_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = FrameCutter.feed
    monkeypatch.setattr(FrameCutter, "feed", lambda cutter, data: cut(cutter, data) if len(data) > 1 else [])

    with pytest.raises(AssertionError):
        reading.cut(b"\x81\x01a\x81\x01b", [1])


def test_a_session_that_fails_inside_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise LookupError

    monkeypatch.setattr("voicelive.protocol.history.History.connection_lost", broken)

    with pytest.raises(AssertionError, match="internal error: LookupError"):
        asyncio.run(heard.converse([("drop", "")], []))


def test_a_session_goes_on_after_a_loss_with_nonsense_in_between() -> None:
    asyncio.run(heard.converse([("ask", ""), ("drop", ""), ("say", "nonsense")], ["[]", b"\xff"]))

"""Bridges hold a few calls of each provider, and everything is accounted for. How fast, is not looked at."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parent.parent


@pytest.fixture
def _checkout_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(_ROOT)  # the benchmarks are no part of the installed package


@pytest.mark.parametrize(("line", "manner"), [("twilio", "frames"), ("acs", "usual"), ("audiohook", "frames")])
def test_a_quick_run_loses_nothing_and_reports_it(tmp_path: Path, line: str, manner: str) -> None:
    raw = tmp_path / "figures.json"

    done = subprocess.run(
        [sys.executable, "benchmarks/calls/run.py", "--quick", "--line", line, "--manner", manner, "--json", str(raw)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "no breach"
    [result] = json.loads(raw.read_text(encoding="utf-8"))["results"]
    assert result["faults"] == []
    assert (result["ends"]["lost"], result["ends"]["wrong"]) == (0, 0)
    assert result["ends"]["barge_ins"] == result["bridge"]["cut"] > 0
    assert result["ends"]["replies"] == result["bridge"]["heard"] > 0
    assert result["ends"]["up"]["count"] >= 3 * 50  # pieces: 3 calls, half of the time
    assert f"3 {line}, {manner}" in done.stdout


@pytest.mark.usefixtures("_checkout_on_the_path")
def test_a_piece_is_looked_at_whole_and_in_its_turn() -> None:
    from benchmarks.calls.pieces import Passage

    way = Passage(call=7, piece_bytes=160)
    pieces = [way.make(0.0) for _ in range(6)]
    way.take(pieces[0] + pieces[1], 0.25)
    way.take(pieces[1], 0.5)  # again
    way.take(pieces[2][:-1] + b"!", 0.5)  # damaged, so it counts as lost as well
    way.take(Passage(call=8, piece_bytes=160).make(0.0), 0.5)
    way.take(pieces[4], 0.5)
    way.finish()

    assert (way.wrong, way.lost, way.called_back) == (3, 3, 0)  # the second, the third and the last piece
    assert way.delays == [(0.0, 0.25), (0.0, 0.5)]


@pytest.mark.usefixtures("_checkout_on_the_path")
def test_a_reply_may_stop_where_it_is_spoken_over_and_does_not_go_on() -> None:
    from benchmarks.calls.pieces import Passage

    way = Passage(call=7, piece_bytes=160)
    way.begin_reply()
    cut_off = [way.make(0.0) for _ in range(3)]
    way.take(cut_off[0], 0.0)
    way.cut(1.0)
    way.silence(1.25)
    way.begin_reply()
    following = way.make(2.0)
    way.take(cut_off[1], 2.0)  # after the silence
    way.take(following, 2.0)

    assert (way.wrong, way.lost, way.called_back) == (1, 0, 2)
    assert way.silenced == [(1.0, 0.25)]


@pytest.mark.usefixtures("_checkout_on_the_path")
def test_a_reply_that_comes_too_late_is_called_back_and_the_next_one_is_not() -> None:
    from benchmarks.calls.pieces import Passage

    way = Passage(call=7, piece_bytes=160)
    way.begin_reply()
    late = [way.make(0.0) for _ in range(3)]
    way.take(late[0], 0.0)
    way.begin_reply()
    following = way.make(1.0)
    way.silence(1.0)  # nobody spoke over it; a turn began before it was over
    way.take(following, 1.0)

    assert (way.belated, way.wrong, way.lost, way.called_back) == (1, 0, 0, 2)


@pytest.mark.usefixtures("_checkout_on_the_path")
def test_a_line_runs_dry_when_the_next_piece_comes_after_the_last_was_played() -> None:
    from benchmarks.calls.pieces import Passage

    way = Passage(call=7, piece_bytes=160)
    way.begin_reply()
    pieces = [way.make(0.0) for _ in range(3)]
    for piece, at in zip(pieces, (0.0, 0.0, 0.0625), strict=True):
        way.take(piece, at)

    [(at, dry_s)] = way.dry
    assert (at, round(dry_s, 6)) == (0.0625, 0.0225)


@pytest.mark.usefixtures("_checkout_on_the_path")
def test_frames_are_cut_wherever_the_stream_is_broken() -> None:
    from benchmarks.calls.frames import BINARY, Cutter, frame

    sent = [b"", b"short", bytes(range(200)), bytes(70_000)]
    for masked in (False, True):
        stream = b"".join(frame(payload, BINARY, masked=masked) for payload in sent)
        for step in (77, 1000, len(stream)):
            cutter, found = Cutter(), list[tuple[int, bytes]]()
            for begin in range(0, len(stream), step):
                found += cutter.feed(stream[begin : begin + step])
            assert found == [(BINARY, payload) for payload in sent]

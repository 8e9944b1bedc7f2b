"""The benchmarks run and report everything. How fast anything is, is not looked at: machines differ."""

import json
import re
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

_ROOT = Path(__file__).parent.parent


@pytest.fixture
def _checkout_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(_ROOT)  # the benchmarks are no part of the installed package


def test_a_quick_run_measures_everything_and_reports_it(tmp_path: Path) -> None:
    raw = tmp_path / "figures.json"

    done = subprocess.run(
        [sys.executable, "benchmarks/run.py", "--quick", "--json", str(raw)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(raw.read_text(encoding="utf-8"))
    assert len(report["results"]) == 18
    for result in report["results"]:
        assert result["measured"] in done.stdout
        assert len(result["voicelive"]) == len(result["official"]) == len(result["ratios"]) == 1
        assert min(*result["voicelive"], *result["official"], *result["ratios"], result["ratio"]) > 0
    for name, fact in report["facts"].items():
        assert f"{name}: {fact}" in done.stdout
    assert re.search(r"^\d+ of 15 targets met", done.stdout.splitlines()[-1])


def test_a_quick_run_of_the_resampler_measures_it_between_all_usual_rates() -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/resampling.py", "--quick"], cwd=_ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "20 of 20 pairs meet the bounds" in done.stdout
    assert done.stdout.count("| **voicelive** |") == 6
    assert done.stdout.count("| soxr |") == 6


@pytest.mark.usefixtures("_checkout_on_the_path")
@pytest.mark.parametrize("delta_ms", [500, 100, 20])
def test_a_turn_takes_as_long_whatever_the_size_of_its_deltas(delta_ms: int) -> None:
    from benchmarks.traffic import messages

    from voicelive.wire import ResponseAudioDelta, ResponseDone, decode

    audio_bytes = 0
    for message in messages(delta_ms, 1_000, seed=1):
        event = decode(message.frame)
        if isinstance(event, ResponseAudioDelta):
            audio_bytes += len(event.delta)
        if isinstance(event, ResponseDone):
            break

    assert audio_bytes == 14 * 24_000  # deltas of the recorded turn, each of 500 ms


@pytest.mark.usefixtures("_checkout_on_the_path")
def test_the_traffic_holds_nothing_that_is_unknown_and_no_event_id_twice() -> None:
    from benchmarks.traffic import messages

    from voicelive.wire import UnknownServerEvent, decode

    events = [decode(message.frame) for message in messages(500, 200, seed=1)]

    assert not [event for event in events if isinstance(event, UnknownServerEvent) or event.model_extra]
    assert len({event.event_id for event in events}) == len(events) == 200


@pytest.mark.usefixtures("_checkout_on_the_path")
def test_the_same_seed_gives_the_same_traffic() -> None:
    from benchmarks.traffic import messages

    assert list(messages(20, 100, seed=3)) == list(messages(20, 100, seed=3))
    assert list(islice(messages(20, 100, seed=4), 5)) != list(islice(messages(20, 100, seed=3), 5))


@pytest.mark.usefixtures("_checkout_on_the_path")
def test_a_median_decides_on_the_target_and_the_direction_counts() -> None:
    from benchmarks.measures import Figure
    from benchmarks.suite import Result

    less, more = (Figure("", "", lambda _: 0.0, **limit) for limit in ({"at_most": 0.5}, {"at_least": 0.5}))
    ours, theirs = (1.0, 4.0, 40.0), (10.0, 10.0, 10.0)

    assert [Result(figure, ours, theirs).met for figure in (less, more)] == [True, False]
    assert Result(Figure("", "", lambda _: 0.0), ours, theirs).met is None
    assert Result(less, ours, theirs).ratio == 0.4

"""Takes the samples: both SDKs by turns, several rounds, because machines are noisy.

The ratio of a round compares two samples taken right after each other. Before the rounds that count, a small one is
thrown away: it compiles, fills caches and builds what is built on first use. A quick run does without.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from benchmarks.children import Workers, workers
from benchmarks.measures import MEASURES, Figure, Measure
from benchmarks.sample import Sample

OURS, THEIRS = "voicelive", "official"


@dataclass(frozen=True)
class Result:
    """One figure of both SDKs, round by round."""

    figure: Figure
    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """voicelive over the official SDK, for each round."""
        return tuple(mine / other for mine, other in zip(self.ours, self.theirs, strict=True))

    @property
    def ratio(self) -> float:
        """The median of ``ratios``."""
        return median(self.ratios)

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; ``None`` without one."""
        return self.figure.met(self.ratio)


def step_count(rounds: int, *, quick: bool) -> int:
    """How many times ``run`` yields nothing but news of its progress."""
    return len(MEASURES) * len(_numbers(rounds, quick))


def run(rounds: int, *, quick: bool) -> Iterator[str | list[Result]]:
    """Measure everything. Yields the name of each step as it begins, and at last the results.

    Raises:
        RuntimeError: A measured process failed, or the two SDKs did not do the same work.
    """
    with workers() as processes:
        taken: dict[str, list[dict[str, Sample]]] = {measure.name: [] for measure in MEASURES}
        for number in _numbers(rounds, quick):
            for measure in MEASURES:
                yield measure.name
                pair = _pair(measure, processes, number, quick=quick or number == 0)
                if number > 0:
                    taken[measure.name].append(pair)
    yield [_result(figure, taken[measure.name]) for measure in MEASURES for figure in measure.figures]


def _numbers(rounds: int, quick: bool) -> range:
    """Round 0 is the one thrown away."""
    return range(1 if quick else 0, rounds + 1)


def _pair(measure: Measure, processes: Workers, number: int, *, quick: bool) -> dict[str, Sample]:
    """One sample of each SDK; who begins changes from round to round."""
    order = (OURS, THEIRS) if number % 2 else (THEIRS, OURS)
    pair = {side: measure.run(processes, side, number, quick) for side in order}
    ours, theirs = pair[OURS], pair[THEIRS]
    if (ours.count, ours.audio_bytes) != (theirs.count, theirs.audio_bytes):
        raise RuntimeError(f"{measure.name}: the SDKs did not do the same work: {ours} and {theirs}")
    return pair


def _result(figure: Figure, pairs: list[dict[str, Sample]]) -> Result:
    ours, theirs = (tuple(figure.read(pair[side]) for pair in pairs) for side in (OURS, THEIRS))
    return Result(figure, ours, theirs)

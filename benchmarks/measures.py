"""What is measured, and what it should come to.

A *measure* is one piece of work that both SDKs do in turn; its *figures* are what is read off it. A ratio is
voicelive's figure over the official one's, and targets are limits for it. A figure without one is for information.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.children import Workers, time_fresh
from benchmarks.sample import Sample


@dataclass(frozen=True)
class Figure:
    """One row of the report.

    Attributes:
        read: Takes the figure from a sample, in ``unit``.
        at_most: The target, where less is better.
        at_least: The target, where more is better.
    """

    title: str
    unit: str
    read: Callable[[Sample], float]
    at_most: float | None = None
    at_least: float | None = None

    def met(self, ratio: float) -> bool | None:
        """Whether a ratio reaches the target; ``None`` without one."""
        if self.at_most is not None:
            return ratio <= self.at_most
        return None if self.at_least is None else ratio >= self.at_least

    @property
    def target(self) -> str:
        """The target as text."""
        if self.at_most is not None:
            return f"<= {self.at_most:.2f}"
        return "" if self.at_least is None else f">= {self.at_least:.2f}"


@dataclass(frozen=True)
class Measure:
    """One piece of work: ``run(workers, side, seed, quick)``."""

    name: str
    figures: tuple[Figure, ...]
    run: Callable[[Workers, str, int, bool], Sample]


def _cpu_us(sample: Sample) -> float:
    return sample.cpu_s / sample.count * 1e6


def _per_second(sample: Sample) -> float:
    return sample.count / sample.wall_s


def _worked(work: str, count: int, quick_count: int, delta_ms: int = 0) -> Callable[[Workers, str, int, bool], Sample]:
    def run(workers: Workers, side: str, seed: int, quick: bool) -> Sample:
        return workers.ask(side, work=work, count=quick_count if quick else count, delta_ms=delta_ms, seed=seed)

    return run


def _imported(code: dict[str, str]) -> Callable[[Workers, str, int, bool], Sample]:
    def run(_workers: Workers, side: str, _seed: int, _quick: bool) -> Sample:
        return time_fresh(code[side])

    return run


def _decoding(delta_ms: int) -> Measure:
    figures = (Figure(f"decode {delta_ms} ms", "µs CPU", _cpu_us, at_most=0.10),)
    return Measure(f"decode {delta_ms} ms", figures, _worked("decode", 8_000, 100, delta_ms))


def _receiving(delta_ms: int) -> Measure:
    title = f"receive {delta_ms} ms"
    figures = (
        Figure(title, "µs CPU", _cpu_us, at_most=0.33),
        Figure(title, "events/s", _per_second, at_least=3.5),
    )
    return Measure(f"receive {delta_ms} ms", figures, _worked("receive", 6_000, 300, delta_ms))


def _importing(title: str, code: dict[str, str], at_most: float | None) -> Measure:
    figures = (
        Figure(title, "ms wall", lambda sample: sample.wall_s * 1e3, at_most),
        Figure(title, "ms CPU", lambda sample: sample.cpu_s * 1e3, at_most),
    )
    return Measure(title, figures, _imported(code))


_OFFICIAL_IMPORT: Final = (
    "from azure.ai.voicelive.aio import connect\n"
    "from azure.ai.voicelive.models import AzureStandardVoice, RequestSession, ServerEvent, ServerVad\n"
)
_IMPORT: Final = {
    "voicelive": "from voicelive import SessionConfig, VoiceLiveClient\n",
    "official": _OFFICIAL_IMPORT,
}
_READY: Final = {
    "voicelive": _IMPORT["voicelive"] + "import voicelive.session, voicelive.transport.websocket\n",
    "official": _OFFICIAL_IMPORT,
}
_FIRST_EVENT: Final = {
    "voicelive": _READY["voicelive"]
    + """voicelive.wire.decode(b'{"type":"session.created","event_id":"1","session":{"id":"2"}}')""",
    "official": _OFFICIAL_IMPORT
    + """ServerEvent._deserialize({"type":"session.created","event_id":"1","session":{"id":"2"}}, []).session.id""",
}

MEASURES: Final = (
    *(_decoding(delta_ms) for delta_ms in (500, 100, 20)),
    *(_receiving(delta_ms) for delta_ms in (500, 100, 20)),
    Measure(
        "send 20 ms",
        (Figure("send 20 ms", "µs CPU", _cpu_us, at_most=0.33),),
        _worked("send", 5_000, 100),
    ),
    Measure(
        "ask and hear",
        (
            Figure("ask and hear", "µs wall", lambda sample: sample.median_s * 1e6, at_most=0.80),
            Figure("ask and hear", "µs CPU", _cpu_us),
        ),
        _worked("ping_pong", 1_000, 50),
    ),
    _importing("import: settings", _IMPORT, 0.85),
    _importing("import: to connect", _READY, 0.85),
    _importing("import: first event", _FIRST_EVENT, None),
)

"""Faults of the transport while there is a session: what a network can do to a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

from tests.reliability.faults import DIRECTIONS, Direction, Fault, Way, cut_off
from tests.reliability.scene import Scene

PROBE: Final = "matrix.probe"
PAUSE_S: Final = 3


def slow_lines() -> Iterable[Fault]:
    """What delays bytes and loses none."""
    for way in DIRECTIONS:
        yield _shaped("latency", way, "50 ms", lambda scene: _took(scene, 0.049), latency_s=0.05)
        yield _shaped("jitter", way, "up to 50 ms", lambda scene: _took(scene, 0.0001), jitter_s=0.05)
        yield _shaped("limited rate", way, "200 kB/s", lambda scene: _took(scene, 0.0001), rate_bytes_per_s=200_000)
        yield _shaped("slices", way, "50 bytes at a time", _sliced(way), slice_bytes=50)


def _shaped(name: str, way: Direction, words: str, happened: Callable[[Scene], bool], **shape: Any) -> Fault:
    async def inject(scene: Scene) -> None:
        assert way
        scene.proxy.shape(way, **shape)
        pieces = "slice_bytes" in shape
        if scene.session_or_none is not None:
            await scene.test_the_line(pieces=pieces)
        else:
            scene.probes_pieces = pieces

    return Fault(name, way, words, inject, happened)


def _took(scene: Scene, least_s: float) -> bool:
    return scene.probe is not None and scene.probe.took_s >= least_s


def _sliced(way: Direction) -> Callable[[Scene], bool]:
    def happened(scene: Scene) -> bool:
        probe = scene.probe
        ups, downs = (probe.up_steps, probe.down_steps) if probe is not None else ((), ())
        wanted = (*(ups if way != "down" else ()), *(downs if way != "up" else ()))
        return bool(wanted) and max(wanted) <= 50

    return happened


RESET: Final = Fault(
    "reset", "both", "TCP RST to both sides", lambda scene: scene.proxy.reset(), lambda scene: cut_off(scene)
)


def fins() -> Iterable[Fault]:
    """FINs without a close frame."""
    for way in DIRECTIONS:
        yield _fin(way)


def _fin(way: Way) -> Fault:
    def inject(scene: Scene) -> None:
        scene.proxy.fin(way)
        scene.marks = scene.first_line.up_bytes, scene.first_line.down_bytes

    def happened(scene: Scene) -> bool:
        up, down = scene.marks or (-1, -1)
        line = scene.first_line
        return not line.open and (line.up_bytes == up if way == "up" else line.down_bytes == down)

    return Fault("FIN without a close frame", way, "TCP FIN", inject, happened)


def black_holes() -> Iterable[Fault]:
    """Nothing is delivered any more over this connection; another one works."""
    for way in DIRECTIONS:
        yield _black_hole(way)


def _black_hole(way: Way) -> Fault:
    def inject(scene: Scene) -> None:
        scene.first_line.black_hole(way)
        scene.marks = scene.first_line.up_bytes, scene.first_line.down_bytes

    def happened(scene: Scene) -> bool:
        up, down = scene.marks or (-1, -1)
        line = scene.first_line
        return (way == "down" or line.up_bytes == up) and (way == "up" or line.down_bytes == down)

    return Fault("black hole", way, "nothing of this connection is delivered any more", inject, happened)


def cuts(n_bytes: int = 20) -> Iterable[Fault]:
    """A reset or FIN in the middle of a frame: of an event of the application, or of what is answered."""
    for way in ("up", "down"):
        for how in ("reset", "fin"):
            yield _cut(n_bytes, way, how)


def _cut(n_bytes: int, way: Any, how: Any) -> Fault:
    async def inject(scene: Scene) -> None:
        scene.first_line.cut_after(n_bytes, way, how)
        scene.marks = scene.first_line.up_bytes, scene.first_line.down_bytes
        await scene.session.send_raw({"type": PROBE, "event_id": "probe"})

    def happened(scene: Scene) -> bool:
        place = 0 if way == "up" else 1
        now = scene.first_line.up_bytes, scene.first_line.down_bytes
        return scene.marks is not None and now[place] == scene.marks[place] + n_bytes

    return Fault(
        f"cut after {n_bytes} bytes",
        way,
        f"{how.upper() if how == 'fin' else 'reset'} inside a frame",
        inject,
        happened,
    )


async def _pause(scene: Scene) -> None:
    scene.proxy.black_hole()
    before = scene.line.up_bytes, scene.line.down_bytes
    await asyncio.sleep(PAUSE_S)
    assert before == (scene.line.up_bytes, scene.line.down_bytes)
    scene.proxy.heal()
    scene.done.append("pause")


PAUSE: Final = Fault(
    "black hole that ends",
    "both",
    f"nothing is delivered for {PAUSE_S} s, then everything",
    _pause,
    lambda scene: "pause" in scene.done,
)

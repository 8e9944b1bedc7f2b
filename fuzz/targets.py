"""What is fuzzed: each target is a strategy, and a function that raises when a promise is broken."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st
from tests.support.frames import BODIES, CLIENT_BODIES, SERVER_BODIES, damaged, frames, scenes

from fuzz import emulated, heard, reading

__all__ = ["TARGETS", "Target"]

_CLIENT_IDS: Final = ("item_1", "item_2", "call_1", "item_s1_0002")
_SERVER_IDS: Final = ("item_1", "item_2", "resp_1", "resp_2", "call_1", "sess_1", "voicelive_1", "voicelive_response_1")


@dataclass(frozen=True)
class Target:
    """One kind of input.

    Attributes:
        name: What is fuzzed.
        inputs: Arguments of ``check``, one strategy each.
        check: Raises when a promise is broken.
    """

    name: str
    inputs: tuple[st.SearchStrategy[Any], ...]
    check: Callable[..., None]


def _run(play: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    def check(*arguments: Any) -> None:
        asyncio.run(play(*arguments))

    return check


@st.composite
def _wrong_bytes(draw: st.DrawFn, bodies: Sequence[Any]) -> bytes:
    """A valid frame with a few other bytes in it."""
    frame = bytearray(json.dumps(draw(st.sampled_from(bodies))).encode())
    for _ in range(draw(st.integers(1, 3))):
        frame[draw(st.integers(0, len(frame) - 1))] = draw(st.integers(0, 255))
    return bytes(frame)


@st.composite
def _steps(draw: st.DrawFn) -> list[heard.Step]:
    """Frames, some of them of a scene, with acts of the application and losses of the connection between."""
    told: list[str | bytes] = list(draw(scenes())) if draw(st.booleans()) else []
    said = st.tuples(st.just("say"), _SERVER_FRAMES)
    acts = st.tuples(st.sampled_from(heard.ACTS), st.just(""))
    steps: list[heard.Step] = [("say", frame) for frame in told]
    for step in draw(st.lists(said | said | acts, max_size=10)):
        steps.insert(draw(st.integers(0, len(steps))), step)
    return steps


_CLIENT_FRAMES: Final = frames(CLIENT_BODIES, _CLIENT_IDS)
_SERVER_FRAMES: Final = frames(SERVER_BODIES, _SERVER_IDS)
_OPENINGS: Final = damaged([event for event in SERVER_BODIES if event["type"].startswith("session.")]).map(json.dumps)
_STREAM_BYTES: Final = st.sampled_from([0x81, 0x82, 0x01, 0x00, 0x80, 0x89, 0x8A, 0x88, 126, 127, 5, 0xFF])

TARGETS: Final = (
    Target("decode", (frames(BODIES, _SERVER_IDS) | _wrong_bytes(BODIES),), reading.decode),
    Target(
        "frame cutter",
        (
            st.binary(max_size=800) | st.lists(_STREAM_BYTES | st.integers(0, 255), max_size=400).map(bytes),
            st.lists(st.integers(0, 800), max_size=6),
        ),
        reading.cut,
    ),
    Target(
        "emulated service",
        (st.lists(st.tuples(_CLIENT_FRAMES, st.integers(0, 20)), max_size=10),),
        _run(emulated.without_a_socket),
    ),
    Target("emulator over a socket", (st.lists(_CLIENT_FRAMES, max_size=8),), _run(emulated.over_a_socket)),
    Target("session", (_steps(), st.lists(_SERVER_FRAMES | _OPENINGS, max_size=4)), _run(heard.converse)),
)

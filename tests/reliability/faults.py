"""The faults, one after the other: what is done to the network or the service, and how it shows that it was done.

What the application is to see of them is in ``rows``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from tests.reliability.scene import Scene

from voicelive import wire
from voicelive.testing import Double, Drop, Swap

__all__ = ["Direction", "Fault"]

Direction = Literal["up", "down", "both", ""]
DIRECTIONS: Final[tuple[Literal["up", "down", "both"], ...]] = ("up", "down", "both")
GARBAGE: Final = {
    "malformed JSON": ('{"type": "resp', False),
    "a JSON array": ("[]", False),
    "an empty frame": ("", False),
    "a binary frame": (b"\x00\x01\x02", True),
    "invalid UTF-8": (b'{"type": "\xff\xfe"}', False),
}
"""Frames that are no JSON object: content, and whether the frame is binary."""
MIB: Final = 1024 * 1024
PROBE: Final = "matrix.probe"
PAUSE_S: Final = 3


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        name: As in the table.
        direction: Where it acts; empty where it has none.
        words: What is injected.
        inject: Does it.
        happened: Whether it did, asked at the end.
        tls: It needs TLS.
    """

    name: str
    direction: Direction
    words: str
    inject: Callable[[Scene], Awaitable[object] | None]
    happened: Callable[[Scene], bool]
    tls: bool = field(default=False)


# -- the transport, while there is a session


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
    "reset", "both", "TCP RST to both sides", lambda scene: scene.proxy.reset(), lambda scene: _cut_off(scene)
)


def fins() -> Iterable[Fault]:
    """FINs without a close frame."""
    for way in DIRECTIONS:
        yield _fin(way)


def _fin(way: Literal["up", "down", "both"]) -> Fault:
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


def _black_hole(way: Literal["up", "down", "both"]) -> Fault:
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


def _cut_off(scene: Scene) -> bool:
    """The service's first connection has ended without a close frame, and not by the client."""
    return scene.first.close_code == 1006


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


# -- the service, while there is a session


def closes(codes: Iterable[tuple[int, str]]) -> Iterable[Fault]:
    """Close frames of the service."""
    for code, reason in codes:
        yield _close(code, reason)


def _close(code: int, reason: str) -> Fault:
    def inject(scene: Scene) -> None:
        scene.service.close(code, reason)
        scene.marks = scene.first_line.up_bytes, scene.first_line.down_bytes

    def happened(scene: Scene) -> bool:
        frame_bytes = 2 + 2 + len(reason)  # its head, the code, the reason
        return scene.marks is not None and scene.first_line.down_bytes - scene.marks[1] == frame_bytes

    return Fault(f"close {code}", "down", f"close frame `{code}` `{reason}`", inject, happened)


EXPIRED: Final = Fault(
    "`session_expired`",
    "down",
    "`error` event with that code, then close frame `1001` `session_expired`",
    lambda scene: scene.service.expire(),
    lambda scene: any(event.error.code == "session_expired" for event in scene.first.sent_of(wire.ErrorEvent)),
)
ERROR_ONLY: Final = Fault(
    "`session_expired` without a close",
    "down",
    "the `error` event, then a dropped socket",
    lambda scene: _expired_and_gone(scene),
    lambda scene: _cut_off(scene),
)
ABORT: Final = Fault(
    "dropped socket",
    "down",
    "the service goes away without a close frame",
    lambda scene: scene.service.abort(),
    _cut_off,
)


async def _expired_and_gone(scene: Scene) -> None:
    details = wire.ServerEventErrorDetails(type="invalid_request_error", code="session_expired", message="Over.")
    with scene.session.subscribe(wire.ErrorEvent) as told:
        scene.service.send(wire.ErrorEvent(error=details))
        await anext(told)
    scene.service.abort()


def garbage() -> Iterable[Fault]:
    """Frames that are no JSON object."""
    for name, (data, binary) in GARBAGE.items():
        yield raw(name, f"`{data!r}`" if data else "a text frame of 0 bytes", data, binary=binary)


def raw(name: str, words: str, data: str | bytes, *, binary: bool = False) -> Fault:
    def inject(scene: Scene) -> None:
        scene.service.send_raw(data, binary=binary)
        scene.done.append(name)

    return Fault(name, "down", words, inject, lambda scene: name in scene.done)


BAD_BASE64: Final = raw(
    "bad base64",
    "a `response.audio.delta` whose `delta` is no base64",
    '{"type": "response.audio.delta", "response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0, '
    '"delta": "%%%"}',
)
UNKNOWN: Final = raw("unknown event", "an event of a type that this version does not know", '{"type": "matrix.new"}')


def large() -> tuple[Fault, Fault]:
    """The largest frame that is taken, and one byte more (``max_frame_bytes``)."""
    head, tail = '{"type": "warning", "warning": {"message": "', '"}}'

    def sized(name: str, size: int, words: str) -> Fault:
        def inject(scene: Scene) -> None:
            scene.service.send_raw(head + "x" * (size - len(head) - len(tail)) + tail)
            scene.done.append(name)

        return Fault(name, "down", words, inject, lambda scene: name in scene.done)

    return (
        sized("16 MiB frame", 16 * MIB, "a frame of exactly `max_frame_bytes`"),
        sized("16 MiB frame and a byte", 16 * MIB + 1, "a frame of `max_frame_bytes` + 1"),
    )


FLOOD_EVENTS: Final = 2000


def _flood(scene: Scene) -> None:
    scene.service.flood(FLOOD_EVENTS, 100)


FLOOD: Final = Fault(
    "flood",
    "down",
    f"{FLOOD_EVENTS} events at once",
    _flood,
    lambda scene: len(scene.first.sent_of(wire.WarningEvent)) >= FLOOD_EVENTS,
)


def _fall_silent(scene: Scene) -> None:
    scene.first.silence()
    scene.sent_before = len(scene.first.sent)


SILENCE: Final = Fault(
    "silence",
    "down",
    "the service says nothing any more, not even a pong",
    _fall_silent,
    lambda scene: scene.sent_before == len(scene.first.sent),
)


def tampered(name: str, words: str, tamper: Drop | Double | Swap) -> Fault:
    """One of the next events is missing, comes twice or too late."""

    def inject(scene: Scene) -> None:
        scene.tamper = replace(tamper)
        scene.first.tamper = scene.tamper

    def happened(scene: Scene) -> bool:
        return scene.tamper is not None and scene.tamper.times == 0

    return Fault(name, "down", words, inject, happened)


# -- the handshake


def refusal(status: int, *, once: bool, **extra: Any) -> Fault:
    """One HTTP answer that is no upgrade."""
    after = f" with `Retry-After: {extra['retry_after_s']}`" if "retry_after_s" in extra else ""
    name = f"HTTP {status}{after}" + (", once" if once else "")

    def inject(scene: Scene) -> None:
        scene.emulator.refuse(status, times=1 if once else None, **extra)

    words = "the next handshake is refused" if once else "every handshake is refused"
    return Fault(name, "down", words, inject, lambda scene: status in scene.statuses)


def slow_handshake(delay_s: float) -> Fault:
    """The answer to the upgrade comes late."""
    return Fault(
        "slow handshake",
        "down",
        f"upgrades are answered {delay_s:g} s later",
        lambda scene: scene.emulator.delay_handshake(delay_s),
        lambda scene: scene.now >= delay_s,
    )


def unanswered(*, once: bool) -> Fault:
    """The upgrade is not answered at all."""
    return Fault(
        "endless handshake" + (", once" if once else ""),
        "down",
        "the next upgrade is never answered" if once else "no upgrade is answered",
        lambda scene: scene.emulator.leave_unanswered(times=1 if once else None),
        lambda scene: None in scene.statuses,
    )


def mute_service(*, once: bool) -> Fault:
    """The WebSocket opens, and that was it."""
    return Fault(
        "upgrade, then silence" + (", once" if once else ""),
        "down",
        "the WebSocket opens, and nothing comes: no `session.created`, no pong",
        lambda scene: scene.emulator.open_silently(times=1 if once else None),
        lambda scene: any(not session.sent for session in scene.emulator.sessions),
    )


def _never_created(scene: Scene) -> None:
    scene.tamper = Drop(wire.SessionCreated)
    scene.emulator.tamper = scene.tamper


NEVER_CREATED: Final = Fault(
    "no `session.created`",
    "down",
    "the WebSocket opens and answers pings, and `session.created` never comes",
    _never_created,
    lambda scene: scene.tamper is not None and not scene.service.sent_of(wire.SessionCreated),
)


def before_created(fault: Fault, *, instead: bool) -> Fault:
    """A fault of a session at the very moment in which it would say ``session.created``; ``instead``: it never does."""

    def inject(scene: Scene) -> None:
        def tamper(event: wire.ServerEvent) -> Iterable[wire.ServerEvent]:
            if not isinstance(event, wire.SessionCreated):
                return (event,)
            fault.inject(scene)
            scene.done.append("before")
            return () if instead else (event,)

        scene.emulator.tamper = tamper

    place = "in place of" if instead else "before"
    words = f"{fault.words}, {place} `session.created`"
    return replace(fault, words=words, inject=inject, happened=lambda scene: "before" in scene.done)


def handshake_cuts() -> Iterable[Fault]:
    """The connection breaks in the middle of the upgrade."""
    for way in ("up", "down"):
        for how in ("reset", "fin"):
            yield handshake_cut(way, how)


def handshake_cut(way: Any, how: Any, n_bytes: int = 30) -> Fault:
    """The connection breaks in the middle of the upgrade."""
    name = "reset" if how == "reset" else "FIN"
    return Fault(
        name,
        way,
        f"{name} after {n_bytes} bytes, in the middle of the upgrade",
        lambda scene: scene.proxy.cut_after(n_bytes, way, how),
        lambda scene: (
            bool(scene.proxy.connections) and (scene.line.up_bytes if way == "up" else scene.line.down_bytes) == n_bytes
        ),
    )


def handshake_black_hole(way: Any) -> Fault:
    """Nothing is delivered from now on, over any connection."""
    return Fault(
        "black hole",
        way,
        "nothing is delivered over any connection",
        lambda scene: scene.proxy.black_hole(way),
        lambda scene: (
            bool(scene.proxy.connections)
            and (way == "down" or scene.line.up_bytes == 0)
            and (way == "up" or scene.line.down_bytes == 0)
        ),
    )


REFUSE: Final = Fault(
    "connection refused", "", "ECONNREFUSED", lambda scene: _refuse(scene), lambda scene: "refused" in scene.done
)


def _refuse(scene: Scene) -> None:
    scene.proxy.refuse()
    scene.done.append("refused")


BROKEN_TLS: Final = Fault(
    "TLS failure",
    "down",
    "no TLS handshake succeeds",
    lambda scene: scene.proxy.break_tls(),
    lambda scene: scene.line.down_bytes > 0 and len(scene.emulator.upgrades) < len(scene.proxy.connections),
    tls=True,
)

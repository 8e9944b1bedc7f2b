"""Faults while a connection is being made, by the network and by the service."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from tests.reliability.faults import Fault
from tests.reliability.scene import Scene

from voicelive import wire
from voicelive.testing import Drop


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

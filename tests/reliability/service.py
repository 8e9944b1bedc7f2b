"""Faults of the service while there is a session: how it ends one, and what it may say in one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from tests.reliability.faults import Fault, cut_off
from tests.reliability.scene import Scene

from voicelive import wire
from voicelive.testing import Double, Drop, Swap

GARBAGE: Final[dict[str, tuple[str | bytes, bool]]] = {
    "malformed JSON": ('{"type": "resp', False),
    "a JSON array": ("[]", False),
    "an empty frame": ("", False),
    "a binary frame": (b"\x00\x01\x02", True),
    "invalid UTF-8": (b'{"type": "\xff\xfe"}', False),
}
"""Frames that are no JSON object: content, and whether the frame is binary."""
MIB: Final = 1024 * 1024


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


async def _expired_and_gone(scene: Scene) -> None:
    details = wire.ServerEventErrorDetails(type="invalid_request_error", code="session_expired", message="Over.")
    with scene.session.subscribe(wire.ErrorEvent) as told:
        scene.service.send(wire.ErrorEvent(error=details))
        await anext(told)
    scene.service.abort()


ERROR_ONLY: Final = Fault(
    "`session_expired` without a close",
    "down",
    "the `error` event, then a dropped socket",
    _expired_and_gone,
    cut_off,
)
ABORT: Final = Fault(
    "dropped socket",
    "down",
    "the service goes away without a close frame",
    lambda scene: scene.service.abort(),
    cut_off,
)


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


FLOOD_EVENTS: Final = 500


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

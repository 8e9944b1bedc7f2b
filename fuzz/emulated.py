"""The emulator: whatever a client sends is answered, or ends the connection in a documented way."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from voicelive import wire
from voicelive.testing import Call, Emulator, Heard, Pace, Script, Turn
from voicelive.testing.ids import Ids
from voicelive.testing.replies import Studio
from voicelive.testing.service import Service
from voicelive.testing.settings import Settings
from voicelive.testing.stage import Stage

__all__ = ["CLOSE_CODES", "over_a_socket", "without_a_socket"]

CLOSE_CODES: Final = frozenset({1002, 1003, 1007, 1009})
"""How a client's breach of WebSocket itself ends: RFC 6455 section 7.4.1."""

_PROBE: Final = '{"type":"response.cancel","event_id":"the probe"}'
_QUERY: Final = "api-version=2026-07-15&model=gpt-realtime"
_WAIT_S: Final = 10.0


class _Beep:
    """A voice of 1 ms a character."""

    def speak(self, text: str, rate_hz: int) -> bytes:
        return bytes(rate_hz // 1000 * 2 * len(text))


class _Outlet:
    def __init__(self) -> None:
        self.events: list[wire.ServerEvent] = []

    def send(self, event: wire.ServerEvent) -> None:
        self.events.append(event)

    async def room(self) -> None:
        await asyncio.sleep(0)


def _turn(heard: Heard) -> Turn:
    return Turn("Hi.", calls=[Call("f", {"guests": 2})]) if heard.tools else Turn("Good evening.")


async def without_a_socket(steps: Sequence[tuple[str | bytes, int]]) -> None:
    """A ``Service`` takes frames, some turns of the loop apart: no exception, and the last frame is answered."""
    failures: list[BaseException] = []
    outlet = _Outlet()
    stage = Stage(
        ids=Ids(1),
        settings=Settings(session_id="sess", model="gpt-realtime", expires_at=1),
        script=Script(then=_turn),
        pace=Pace.instant(),
        studio=Studio(_Beep()),
        outlet=outlet,
        failed=failures.append,
        conversation_id="conv",
    )
    service = Service(stage, "gpt-realtime", lambda event: None)
    service.open()
    try:
        for frame, turns in [*steps, (_PROBE, 1)]:
            await service.receive(frame)
            for _ in range(turns):
                await asyncio.sleep(0)
    finally:
        await stage.end()
        await service.close()
    if failures:
        raise failures[0]
    for event in outlet.events:
        frame = wire.encode(event)  # a text where it repeats half a surrogate pair of the client: no class takes that
        assert isinstance(frame, str) or type(wire.decode(frame)) is type(event), event
    assert _answered(json.loads(wire.encode(event)) for event in outlet.events)


async def over_a_socket(frames: Sequence[str | bytes]) -> None:
    """The same with a whole emulator. Leaving it raises what went wrong inside."""
    async with asyncio.timeout(_WAIT_S), Emulator(Script(then=_turn), voice=_Beep()) as emulator:
        url = emulator.endpoint.replace("http", "ws", 1) + "/voice-live/realtime?" + _QUERY
        options: dict[str, Any] = {"proxy": None, "max_size": None, "compression": None, "close_timeout": 1}
        async with connect(url, additional_headers={"api-key": "any"}, **options) as socket:
            with contextlib.suppress(ConnectionClosed):
                for frame in frames:
                    await socket.send(frame.encode("utf-8", "surrogatepass") if isinstance(frame, str) else frame)
                await socket.send(_PROBE)
                await _answer(socket)
                return
            assert socket.close_code in CLOSE_CODES, (socket.close_code, socket.close_reason)


async def _answer(socket: ClientConnection) -> None:
    while not _answered([json.loads(await socket.recv())]):
        pass


def _answered(events: Any) -> bool:
    """Whether the probe, which has nothing to cancel or something, was answered."""
    return any(
        event["type"] == "response.done" or (event["type"] == "error" and event["error"].get("event_id") == "the probe")
        for event in events
    )

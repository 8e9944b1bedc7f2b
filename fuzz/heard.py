"""A session: whatever the service sends, in any order, it goes on or ends with a documented error.

Its connections are memory; the far ends are played here, those of the sessions it resumes with included.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias

from voicelive import ClientOptions, Resume, Session, SessionConfig, VoiceLiveError, tool
from voicelive.continuity import Redial
from voicelive.events import SessionResumed
from voicelive.tools import ToolSet
from voicelive.transport.base import Transport, TransportClosed
from voicelive.transport.memory import MemoryTransport, memory_pair
from voicelive.wire import WarningEvent

__all__ = ["ACTS", "Step", "converse"]

Step: TypeAlias = tuple[str, str | bytes]
"""What happens (one of ``ACTS``, or ``say``), and the frame that is said."""

ACTS: Final = ("drop", "ask", "write", "speak", "interrupt", "pause")

_WAIT_S: Final = 5.0
_PROBE: Final = {"type": "warning", "event_id": "event_probe", "warning": {"message": "the probe"}}
_OPTIONS: Final = ClientOptions(
    resume=Resume(attempts=3, within_s=2, first_wait_s=0, max_wait_s=0), confirm_timeout_s=0.5, close_timeout_s=0.5
)


@tool
async def f(key: str) -> str:
    """Do it."""
    return key


class _Service:
    """The far ends: a session opens as it should, and between its words the fuzz comes."""

    def __init__(self, between: Sequence[str | bytes]) -> None:
        self._between = list(between)
        self._opened = 0
        self._playing: set[asyncio.Task[None]] = set()
        self.line: MemoryTransport | None = None

    async def dial(self, _: str | None = None) -> Transport:
        ours, theirs = memory_pair()
        self.line = theirs
        self._opened += 1
        task = asyncio.get_running_loop().create_task(self._play(theirs, f"sess_{self._opened}"))
        self._playing.add(task)
        return ours

    async def say(self, frame: str | bytes) -> None:
        assert self.line is not None, "there was a first connection"
        with contextlib.suppress(TransportClosed):
            await self.line.send(_text(frame))

    def drop(self) -> None:
        assert self.line is not None, "there was a first connection"
        self.line.drop()

    async def end(self) -> None:
        for task in self._playing:
            task.cancel()
        await asyncio.gather(*self._playing, return_exceptions=True)

    async def _play(self, line: MemoryTransport, session_id: str) -> None:
        fuzz = self._between if self._opened > 1 else []
        with contextlib.suppress(TransportClosed):
            await line.send(json.dumps({"type": "session.created", "session": {"id": session_id}}))
            for frame in fuzz:
                await line.send(_text(frame))
            while True:
                heard = json.loads(await line.receive())
                for answer in _answers(heard, session_id):
                    await line.send(json.dumps(answer))


def _answers(heard: dict[str, Any], session_id: str) -> list[dict[str, Any]]:
    match heard["type"]:
        case "session.update":
            return [{"type": "session.updated", "session": {"id": session_id, **heard["session"]}}]
        case "conversation.item.create":
            return [{"type": "conversation.item.created", "item": heard["item"]}]
        case _:
            return []


def _text(frame: str | bytes) -> bytes:
    return frame.encode("utf-8", "surrogatepass") if isinstance(frame, str) else frame


async def converse(steps: Sequence[Step], between: Sequence[str | bytes]) -> None:
    """Run a session through all steps; ``between`` is said in the middle of each opening but the first."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    service = _Service(between)
    try:
        async with asyncio.timeout(_WAIT_S):
            session = Session(await service.dial(), _OPTIONS, SessionConfig(), Redial(service.dial, False))
            session.use_tools(ToolSet(f))
            await session.prepare(_WAIT_S)
            async with session:
                await _through(session, service, steps)
                await _probe(session, service)
    finally:
        await service.end()
    assert not complaints, complaints
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, left


async def _through(session: Session, service: _Service, steps: Sequence[Step]) -> None:
    verbs: dict[str, Callable[[], Awaitable[object]]] = {
        "ask": lambda: session.create_response(confirm=False),
        "write": lambda: session.send_text("Hello"),
        "speak": lambda: session.send_audio(bytes(9600)),
        "interrupt": session.interrupt,
        "pause": lambda: asyncio.sleep(0.001),
    }
    for act, frame in steps:
        if act == "say":
            await service.say(frame)
        elif act == "drop":
            service.drop()
        else:
            with contextlib.suppress(VoiceLiveError):
                async with asyncio.timeout(_WAIT_S):
                    await verbs[act]()
        await asyncio.sleep(0)


async def _probe(session: Session, service: _Service) -> None:
    """A valid frame still arrives, unless the session has ended; and that not by a fault of its own."""
    with contextlib.suppress(VoiceLiveError), session.subscribe(WarningEvent, SessionResumed) as news:
        await service.say(json.dumps(_PROBE))
        async for event in news:
            if isinstance(event, SessionResumed):
                await service.say(json.dumps(_PROBE))
            elif event.event_id == _PROBE["event_id"]:
                return
    info = session.close_info
    assert info is not None
    assert "internal error" not in info.reason, info

"""The measured process: it answers calls as docs/telephony.md says, and tells at the end what it cost.

Nothing in it knows that it is measured, except for a task that watches how late the event loop is.
"""

import asyncio
import gc
import json
import os
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module
from typing import Any, Final, TypeAlias

from benchmarks.calls.spread import Use, Window
from websockets.asyncio.server import ServerConnection, serve

from voicelive import ClientOptions, VoiceLiveClient
from voicelive.bridges import Call, acs, audiohook, twilio
from voicelive.session import Session
from voicelive.wire.session import SessionConfig

_CONFIGS: Final[dict[str, Callable[[], SessionConfig]]] = {
    "twilio": twilio.session_config,
    "acs": acs.session_config,
    "audiohook": audiohook.session_config,
}
Accept: TypeAlias = Callable[[object], AbstractAsyncContextManager[Call[Any]]]

_ACCEPTS: Final[dict[str, Accept]] = {
    "acs": acs.accept,
    "audiohook": audiohook.accept,
}
_LOOK_S: Final = 0.01
_PATIENCE_S: Final = 30.0


@dataclass
class Tally:
    """What became of the calls, over all of them.

    Attributes:
        ended: Calls that ended because the caller hung up.
        failed: Calls that ended otherwise.
        dropped_ms: Of the caller's audio, by the call or by the session.
        gap_ms: Of the caller's audio, as told by the line's time stamps.
        odd: Messages of the line that were broken, unknown or not read.
        heard: Replies of which each word counts as heard.
        cut: Replies that count as interrupted.
    """

    ended: int = 0
    failed: int = 0
    dropped_ms: float = 0.0
    gap_ms: float = 0.0
    odd: int = 0
    heard: int = 0
    cut: int = 0

    def add(self, call: Call[Any], session: Session) -> None:
        """A call that is over."""
        counts = call.counts
        well = call.end is not None and call.end.how == "caller"
        self.ended += well
        self.failed += not well
        self.dropped_ms += counts.dropped_ms + session.audio_dropped_ms
        self.gap_ms += counts.gap_ms
        self.odd += counts.broken_messages + counts.unknown_messages + session.counts.malformed_events
        statuses = [turn.status for turn in session.conversation.turns if turn.agent_item_ids]
        self.heard += statuses.count("finished")
        self.cut += statuses.count("interrupted")


class Bridge:
    """All calls of one process."""

    def __init__(self, line: str, service_port: str, frame_ms: int) -> None:
        self._line = line
        self._accept: Accept = partial(twilio.accept, frame_ms=frame_ms) if line == "twilio" else _ACCEPTS[line]
        options = ClientOptions(connections_per_minute=None)
        self._client = VoiceLiveClient(f"http://127.0.0.1:{service_port}", "any-key", options=options)
        self._tally, self._under_way = Tally(), 0
        self._lag: list[tuple[float, float]] = []
        self._collections: list[tuple[float, float]] = []
        self._collecting_since_s = 0.0

    async def answer(self, socket: ServerConnection) -> None:
        self._under_way += 1
        try:
            async with self._accept(socket) as call:
                config = _CONFIGS[self._line]()
                async with self._client.connect("gpt-realtime", config=config) as session:
                    if not gc.get_freeze_count():
                        gc.freeze()  # what is loaded by now stays: looking at it again would take 80 ms of all calls
                    await call.run(session)
                self._tally.add(call, session)
        except Exception:
            self._tally.failed += 1
            raise
        finally:
            self._under_way -= 1

    async def watch(self) -> None:
        """See how late the loop comes to what is due."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LOOK_S
            await asyncio.sleep(_LOOK_S)
            self._lag.append((due, loop.time() - due))

    def collecting(self, phase: str, _: dict[str, int]) -> None:
        """A callback of the garbage collector, during which everything stands."""
        now = asyncio.get_running_loop().time()
        if phase == "start":
            self._collecting_since_s = now
        else:
            self._collections.append((now, now - self._collecting_since_s))

    async def measure(self, window: Window) -> dict[str, Any]:
        """What the calls cost in this time, and what became of them in the end."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(window.begin_s - loop.time())
        before, held = Use.so_far(), self._under_way
        await asyncio.sleep(window.end_s - loop.time())
        use, held = Use.so_far().since(before), min(held, self._under_way)
        ends_at = loop.time() + _PATIENCE_S
        while self._under_way and loop.time() < ends_at:  # noqa: ASYNC110 - of many tasks of a server
            await asyncio.sleep(_LOOK_S)
        lag, gc_ = asdict(window.spread(self._lag)), asdict(window.spread(self._collections))
        return {"use": asdict(use), "lag": lag, "gc": gc_, "held": held, "left": self._under_way, **asdict(self._tally)}


def _pin(core: str) -> None:
    if core and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})


async def main(line: str, service_port: str, core: str, frame_ms: str) -> None:
    _pin(core)
    bridge = Bridge(line, service_port, int(frame_ms))
    gc.callbacks.append(bridge.collecting)
    watching = asyncio.create_task(bridge.watch())
    async with serve(bridge.answer, "127.0.0.1", 0) as server:
        print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
        window = Window(**json.loads(await asyncio.to_thread(sys.stdin.readline)))
        print(json.dumps(await bridge.measure(window)), flush=True)
    gc.callbacks.remove(bridge.collecting)
    watching.cancel()


if __name__ == "__main__":
    *arguments, loop = sys.argv[1:]
    with asyncio.Runner(loop_factory=import_module("uvloop").new_event_loop if loop == "uvloop" else None) as runner:
        runner.run(main(*arguments))

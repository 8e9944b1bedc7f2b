"""The process of the far ends: all callers, and the service. The bridge is in the middle, in a process of its own.

One process for both ends, so that a piece is written and comes out on one clock, in one memory. Its own delays count
against the bridge. It talks with its parent in lines of JSON.
"""

import asyncio
import gc
import json
import math
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any, Final

from benchmarks.calls.callers import CALLERS, Caller
from benchmarks.calls.pieces import PIECE_MS
from benchmarks.calls.service import Manner, Service, turns
from benchmarks.calls.spread import Use, Window
from benchmarks.traffic import USUAL_DELTA_MS

_AT_ONCE: Final = 10  # calls that are begun together
_WARM_UP_S: Final = 1.0
_PATIENCE_S: Final = 30.0
_USUAL_SPEED: Final = 2.0  # the service speaks two to three times faster than real time


class Ends:
    """All calls of one trial."""

    def __init__(self, line: str, calls: int, seconds: float, reply_s: float, *, usual: bool) -> None:
        self._kind, self._count, self._seconds = CALLERS[line], calls, seconds
        self._manner = Manner(USUAL_DELTA_MS, _USUAL_SPEED) if usual else Manner(self._kind.frame_ms, 1)
        self._drain_s = 3 * reply_s + 5
        shortest_turn_s = reply_s / 10 + 0.5
        most_turns = math.ceil((seconds + _WARM_UP_S + _PATIENCE_S) / shortest_turn_s)
        self._said = turns(self._manner.delta_ms, reply_s, most_turns, seed=1)
        self._callers: dict[int, Caller] = {}
        self._services: list[Service] = []

    def service(self) -> Service:
        """Of the next session."""
        self._services.append(Service(self._callers, self._said, self._manner, seed=len(self._services)))
        return self._services[-1]

    async def run(self, port: int) -> None:
        """Hold all calls, and tell of them."""
        await self._begin(port)
        begin_s = asyncio.get_running_loop().time() + _WARM_UP_S
        window = Window(begin_s, begin_s + self._seconds)
        _tell(window=asdict(window))
        use = await self._talk(window)
        for service in self._services:
            service.stop()
        await _until(self._all_arrived, self._drain_s)
        for caller in self._callers.values():
            caller.stop()
        await _until(self._all_arrived, 1)
        for caller in self._callers.values():
            caller.up.finish()
            caller.down.finish()
            caller.hang_up()
        ends = (*self._callers.values(), *self._services)
        await _until(lambda: all(end.closed for end in ends), _PATIENCE_S)
        _tell(result=self._result(window, use))

    async def _begin(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        for number in range(self._count):
            phase_s = PIECE_MS / 1000 * number / self._count
            caller = self._callers[number] = self._kind(number, phase_s)
            await loop.create_connection(partial(_same, caller), "127.0.0.1", port)
            if number % _AT_ONCE == _AT_ONCE - 1 or number == self._count - 1:
                await _until(self._all_talk, _PATIENCE_S)
                _tell(talking=number + 1)

    def _all_talk(self) -> bool:
        return all(caller.up.delays and caller.down.delays for caller in self._callers.values())

    def _all_arrived(self) -> bool:
        return all(service.silent for service in self._services) and all(
            caller.up.arrived and caller.down.arrived and not caller.marks_due for caller in self._callers.values()
        )

    async def _talk(self, window: Window) -> Use:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(window.begin_s - loop.time())
        before = Use.so_far()
        for second in range(math.ceil(self._seconds)):
            await asyncio.sleep(min(window.begin_s + second + 1, window.end_s) - loop.time())
            _tell(second=second + 1)
        return Use.so_far().since(before)

    def _result(self, window: Window, use: Use) -> dict[str, Any]:
        callers, services = self._callers.values(), self._services
        ups, downs = [caller.up for caller in callers], [caller.down for caller in callers]
        late = [late for caller in callers for late in caller.late_s]
        late += [late for service in services for late in service.late_s]
        return {
            "up": asdict(window.spread(delay for way in ups for delay in way.delays)),
            "first": asdict(window.spread(delay for way in downs for delay in way.first)),
            "dry": asdict(window.spread(delay for way in downs for delay in way.dry)),
            "down": asdict(window.spread(delay for way in downs for delay in way.delays)),
            "silenced": asdict(window.spread(delay for way in downs for delay in way.silenced)),
            "late": asdict(window.spread(late)),
            "use": asdict(use),
            "pieces": sum(way.sent for way in (*ups, *downs)),
            "lost": sum(way.lost for way in (*ups, *downs)),
            "wrong": sum(way.wrong for way in (*ups, *downs)),
            "called_back": sum(way.called_back for way in downs),
            "barge_ins": sum(way.cuts for way in downs),
            "belated": sum(way.belated for way in downs),
            "silences": sum(len(way.silenced) for way in downs),
            "truncated": sum(service.truncated for service in services),
            "marks_due": sum(caller.marks_due for caller in callers),
            "replies": sum(service.finished for service in services),
            "sessions": len(services),
        }


def _same(caller: Caller) -> Caller:
    return caller


async def _until(happened: Callable[[], bool], patience_s: float) -> bool:
    """Wait in small steps for what the other side will do; whether it has."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + patience_s
    while not happened():
        if loop.time() > ends_at:
            return False
        await asyncio.sleep(0.02)
    return True


def _tell(**news: Any) -> None:
    print(json.dumps(news), flush=True)


async def main() -> None:
    line, calls, seconds, reply_s, manner = sys.argv[1:]
    ends = Ends(line, int(calls), float(seconds), float(reply_s), usual=manner == "usual")
    gc.freeze()
    gc.disable()  # its pauses would be taken for the bridge's
    server = await asyncio.get_running_loop().create_server(ends.service, "127.0.0.1", 0)
    _tell(port=server.sockets[0].getsockname()[1])
    async with server:
        await ends.run(json.loads(await asyncio.to_thread(sys.stdin.readline))["port"])


if __name__ == "__main__":
    asyncio.run(main())

"""What goes wrong in a soak: every few moments something else, for one connection, for some, or for all."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from typing import Final

from voicelive.testing import EmulatedSession, Emulator, FaultProxy
from voicelive.testing.controls import Controls

__all__ = ["Mischief"]

_BETWEEN_S: Final = (0.3, 2.5)
_LASTS_S: Final = (0.3, 10.0)  # the clients notice a dead line after 8 s at the latest
_ALL_OF_THEM: Final = 0.08  # of the faults of the transport
_AT_ONCE: Final = 6  # how many connections a fault concerns at most

_CLOSE_CODES: Final = (1000, 1001, 1008, 1011, 1012, 1013, 3000, 4000)
_GARBAGE: Final = ('{"type": "resp', "[]", "null", '{"type":5}', '{"type":"response.done","response":null}', "\x00", "")


class Mischief:
    """Makes trouble until cancelled; all of it passes."""

    def __init__(self, emulator: Emulator, proxy: FaultProxy, random: Random) -> None:
        self.counts: Counter[str] = Counter()
        self._emulator, self._proxy, self._random = emulator, proxy, random
        self._ways = {
            "reset": self._reset,
            "fin": self._fin,
            "black hole": self._black_hole,
            "cut after": self._cut,
            "latency": self._latency,
            "slices": self._slices,
            "close code": self._close,
            "expire": self._expire,
            "abort": self._abort,
            "garbage": self._garbage,
            "silence": self._silence,
            "refused handshakes": self._refuse,
            "refused connections": self._refuse_connections,
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``, one fault after the other; those that last do so beside the next ones."""
        async with asyncio.TaskGroup() as lasting:
            while not stop.is_set():
                name = self._random.choice(list(self._ways))
                self.counts[name] += 1
                lasting.create_task(self._ways[name]())
                await asyncio.sleep(self._random.uniform(*_BETWEEN_S))

    # -- of the transport

    def _targets(self) -> list[Controls]:
        lines = [connection for connection in self._proxy.connections if connection.open]
        if self._random.random() < _ALL_OF_THEM:
            return [self._proxy]
        return list(self._random.sample(lines, min(len(lines), self._random.randint(1, _AT_ONCE))))

    async def _lasts(self) -> None:
        await asyncio.sleep(self._random.uniform(*_LASTS_S))

    async def _reset(self) -> None:
        for target in self._targets():
            target.reset()

    async def _fin(self) -> None:
        for target in self._targets():
            target.fin(self._random.choice(("up", "down", "both")))

    async def _black_hole(self) -> None:
        targets = self._targets()
        for target in targets:
            target.black_hole(self._random.choice(("up", "down", "both")))
        await self._lasts()
        self._heal(targets)

    async def _cut(self) -> None:
        for target in self._targets():
            if target is not self._proxy:  # later connections would end as well, until it is healed
                target.cut_after(self._random.randint(0, 5000), self._random.choice(("up", "down")))

    async def _latency(self) -> None:
        targets = self._targets()
        for target in targets:
            target.shape(latency_s=self._random.uniform(0, 0.3), jitter_s=self._random.uniform(0, 0.2))
        await self._lasts()
        self._heal(targets)

    async def _slices(self) -> None:
        targets = self._targets()
        for target in targets:
            target.shape(slice_bytes=self._random.randint(50, 700))
        await self._lasts()
        self._heal(targets)

    def _heal(self, targets: list[Controls]) -> None:
        for target in targets:
            target.heal()

    # -- of the service

    def _sessions(self) -> list[EmulatedSession]:
        sessions = [session for session in self._emulator.sessions if session.close_code is None]
        return self._random.sample(sessions, min(len(sessions), self._random.randint(1, _AT_ONCE)))

    async def _close(self) -> None:
        for session in self._sessions():
            session.close(self._random.choice(_CLOSE_CODES), "soak")

    async def _expire(self) -> None:
        for session in self._sessions():
            session.expire()

    async def _abort(self) -> None:
        for session in self._sessions():
            session.abort()

    async def _garbage(self) -> None:
        for session in self._sessions():
            session.send_raw(self._random.choice(_GARBAGE), binary=self._random.random() < 0.2)

    async def _silence(self) -> None:
        sessions = self._sessions()
        for session in sessions:
            session.silence()
        await self._lasts()
        for session in sessions:
            session.silence(False)

    async def _refuse(self) -> None:
        self._emulator.refuse(self._random.choice((429, 500, 503)), times=self._random.randint(1, 10))
        await self._lasts()
        self._emulator.recover()

    async def _refuse_connections(self) -> None:
        self._proxy.refuse()
        await self._lasts()
        self._proxy.accept()

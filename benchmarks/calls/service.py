"""The service's end of every call: it hears all the time, and speaks most of the time, in real time.

What it says is the turn of a recorded conversation, over and over, with pieces of numbered audio. Every second reply
is spoken over somewhere: the next turn begins in its middle.
"""

import json
import random
import time
from collections.abc import Generator, Iterator, Mapping
from typing import Any, Final, NamedTuple

from benchmarks.calls.callers import Caller
from benchmarks.calls.frames import ServerSocket
from benchmarks.calls.pieces import PIECE_MS, call_of
from benchmarks.traffic import Message, messages, session_created
from pybase64 import b64decode, b64encode

__all__ = ["Manner", "Service", "Turn", "turns"]

_SPEECH_S: Final = 0.5  # what the caller needs to say something
_THOUGHT_S: Final = 0.1  # from the reply's announcement to its first sound
_PAUSE_S: Final = 0.3  # between a reply and the next turn
_AHEAD_S: Final = 0.1  # how far the service is before the ear: no more than any line takes without waiting
_LIFETIME_S: Final = 3600


class Turn(NamedTuple):
    """From the caller's first word to the end of the reply."""

    began: bytes
    rest: tuple[Message, ...]

    @property
    def deltas(self) -> int:
        return sum(1 for message in self.rest if message.audio)


class Manner(NamedTuple):
    """How the service speaks.

    Attributes:
        delta_ms: So much at once.
        speed: So many times faster than it sounds.
    """

    delta_ms: int
    speed: float


def turns(delta_ms: int, reply_s: float, count: int, seed: int) -> list[Turn]:
    """Turns with ids of their own; prepared before, and the same for all calls."""
    found: list[Turn] = []
    most, made = round(reply_s * 1000 / delta_ms), 0
    began, rest = b"", list[Message]()
    for message in messages(delta_ms, 10**9, seed):
        if b'"input_audio_buffer.speech_started"' in message.before:
            if rest:
                found.append(Turn(began, tuple(rest)))
            if len(found) == count:
                break
            began, rest, made = message.frame, [], 0
        elif not message.audio or made < most:
            made += bool(message.audio)
            rest.append(message)
    return found


class Service(ServerSocket):
    """One session. Which call it belongs to is in the first piece of the caller's voice."""

    def __init__(self, callers: Mapping[int, Caller], said: list[Turn], manner: Manner, seed: int) -> None:
        super().__init__()
        self.caller: Caller | None = None
        self.finished = 0
        """Replies that were said to their end."""
        self.truncated = 0
        self.late_s: list[tuple[float, float]] = []
        self._callers, self._said, self._manner = callers, said, manner
        self._source = random.Random(seed)
        self._stopped = False
        self.silent = False
        """Whether nothing more will be said."""

    def opened(self) -> None:
        created = json.loads(session_created())
        created["session"]["expires_at"] = int(time.time()) + _LIFETIME_S
        created["session"]["turn_detection"]["interrupt_response"] = True
        self._settings: dict[str, Any] = created["session"]
        self.write(json.dumps(created).encode())

    def take(self, payload: bytes, now: float) -> None:
        begin = payload.find(b'"audio":"')
        if begin >= 0:
            audio = b64decode(payload[begin + 9 : payload.index(b'"', begin + 9)])
            if self.caller is None:
                self._begin(self._callers[call_of(audio)], now)
            assert self.caller is not None, "known from the first piece on"
            self.caller.up.take(audio, now)
        elif b'"session.update"' in payload:
            self._settings |= json.loads(payload)["session"]
            self.write(json.dumps({"type": "session.updated", "event_id": "e", "session": self._settings}).encode())
        elif b'"conversation.item.truncate"' in payload:
            self.truncated += 1

    def stop(self) -> None:
        """Say no more than what was begun."""
        self._stopped = True

    def _begin(self, caller: Caller, now: float) -> None:
        self.caller = caller
        due = now + self._source.uniform(0, 1)
        self.loop.call_at(due, self._step, due, self._script(caller))

    def _step(self, due: float, script: Iterator[float]) -> None:
        self.late_s.append((due, self.loop.time() - due))
        wait_s = next(script, None)
        if wait_s is None:
            self.silent = True
        else:
            self.loop.call_at(due + wait_s, self._step, due + wait_s, script)

    def _script(self, caller: Caller) -> Iterator[float]:
        """Say everything; each value is how long until more is to be said."""
        cut_off: list[Message] = []
        for number, turn in enumerate(self._said):
            if self._stopped and not cut_off:
                return
            if cut_off:
                caller.down.cut(self.loop.time())
            self.write(turn.began)
            yield _SPEECH_S / 10
            for message in cut_off:  # the end of the reply that is not heard
                self.write(message.frame)
            yield _SPEECH_S
            most = (
                self._source.randint(turn.deltas // 3 + 1, turn.deltas - 1)
                if number % 2 and not self._stopped
                else turn.deltas
            )
            began_s = self.loop.time()
            cut_off = yield from self._reply(caller, turn, most)
            if not cut_off:
                self.finished += 1
                heard_s = began_s + _THOUGHT_S + turn.deltas * self._manner.delta_ms / 1000
                yield heard_s - self.loop.time() + _PAUSE_S

    def _reply(self, caller: Caller, turn: Turn, most: int) -> Generator[float, None, list[Message]]:
        """Say a reply, or so many deltas of it; what is left to be said of it beside audio."""
        delta_s, ahead_s = self._manner.delta_ms / 1000, _AHEAD_S
        caller.down.begin_reply()
        made = 0
        for place, message in enumerate(turn.rest):
            if not message.audio:
                self.write(message.frame)
                continue
            if not made:
                yield _THOUGHT_S
            if made == most:
                return [left for left in turn.rest[place:] if not left.audio]
            now = self.loop.time()
            audio = b"".join(caller.down.make(now) for _ in range(self._manner.delta_ms // PIECE_MS))
            self.write(b"".join((message.before, b64encode(audio), message.after)))
            made += 1
            if ahead_s > 0:
                ahead_s -= delta_s
            else:
                yield delta_s / self._manner.speed
        return []

"""Which turn an input, a response or an item belongs to, and when a turn is complete.

The rules are those of ``Turn``. Decides by ids and by the order in which inputs and responses begin; knows nothing of
what is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from voicelive.protocol.entries import CALLS, Entry
from voicelive.protocol.latency import Origin, Stopwatch
from voicelive.wire.responses import Response, TokenUsage

__all__ = ["TurnLog", "TurnRecord"]


@dataclass(slots=True, eq=False)
class TurnRecord:
    """What is known of one turn.

    Attributes:
        caller: Its inputs by id.
        agent: What the agent and its tools added, by id.
        responses: Status of each response by id; ``None`` while it runs.
        answered: Whether the agent has begun: the next input opens a new turn.
        unseen: Calls whose result no response of the turn could see yet.
        closed: Whether it is over: announced, or restored and never to be announced.
        done_at: When its last response ended; ``None`` while none has, and while one runs.
        cut_off: The session ended before the response about its calls.
        broken_off: Responses that went with their connection; another one is to come in their place.
    """

    id: str
    caller: dict[str, Entry] = field(default_factory=dict)
    agent: dict[str, Entry] = field(default_factory=dict)
    responses: dict[str, str | None] = field(default_factory=dict)
    usage: list[TokenUsage] = field(default_factory=list)
    watch: Stopwatch = field(default_factory=Stopwatch)
    answered: bool = False
    unseen: set[str] = field(default_factory=set)
    closed: bool = False
    done_at: float | None = None
    cut_off: bool = False
    broken_off: set[str] = field(default_factory=set)

    def calls(self) -> Iterator[Entry]:
        """Its tool calls, those apart that were cut off before their arguments were whole."""
        for entry in self.agent.values():
            if entry.kind in CALLS and entry.status != "incomplete":
                yield entry


class TurnLog:
    """The turns of one session, oldest first. Pure: same calls, same answers."""

    def __init__(self) -> None:
        self.turns: dict[str, TurnRecord] = {}
        self._by_response: dict[str, TurnRecord] = {}
        self.open: list[TurnRecord] = []
        """Those that are not closed, oldest first."""

    @property
    def latest(self) -> TurnRecord | None:
        """The newest turn."""
        return next(reversed(self.turns.values()), None)

    def input(self, entry: Entry, now: float, origin: Origin) -> TurnRecord:
        """The caller or the application said something new; ``now`` is when it ended."""
        latest = self.latest
        turn = latest if latest is not None and not latest.answered else self._new()
        self._join(entry, turn, turn.caller)
        turn.watch.start(now, origin)
        return turn

    def response(self, response_id: str) -> TurnRecord:
        """The turn of a response; a new one goes to the newest turn, or opens one where that is over."""
        known = self._by_response.get(response_id)
        if known is not None:
            return known
        latest = self.latest
        turn = latest if latest is not None and not latest.closed else self._new()
        self._by_response[response_id] = turn
        turn.responses |= dict.fromkeys(turn.broken_off, "incomplete")
        turn.broken_off.clear()
        turn.responses[response_id] = None
        turn.done_at = None
        turn.answered = True
        turn.unseen.clear()
        return turn

    def turn_ids(self) -> dict[str, str]:
        """The turn of each response."""
        return {response_id: turn.id for response_id, turn in self._by_response.items()}

    def made(self, entry: Entry, response_id: str) -> TurnRecord:
        """A response made this item."""
        turn = self.response(response_id)
        entry.response_id = response_id
        self._join(entry, turn, turn.agent)
        return turn

    def restored(self, entry: Entry) -> None:
        """The application added an item of the agent: history of another session, or words put in its mouth."""
        turn = self.latest or self._new()
        self._join(entry, turn, turn.agent)
        turn.answered = True
        if entry.kind == "message" and not turn.responses:
            self._close(turn)

    def beside(self, entry: Entry, call: Entry | None) -> None:
        """An item that no response made: the output of a call, or a step of a call of the service's own."""
        turn = self.turns.get(call.turn_id or "") if call is not None else self.latest
        if turn is not None:
            self._join(entry, turn, turn.agent)

    def result(self, call: Entry) -> None:
        """A call has its result; the next response can speak of it."""
        turn = self.turns.get(call.turn_id or "")
        if turn is not None:
            turn.unseen.add(call.id)

    def done(self, response: Response, now: float) -> TurnRecord | None:
        """A response ended; ``None`` where that was known already."""
        turn = self.response(response.id or "")
        if turn.responses[response.id or ""] is not None:
            return None
        turn.responses[response.id or ""] = str(response.status or "completed")
        if response.usage is not None:
            turn.usage.append(response.usage)
        turn.watch.mark("done", now)
        turn.done_at = None if None in turn.responses.values() else now
        return turn

    def broke_off(self, response_id: str, now: float, *, again: bool) -> None:
        """A running response went with its connection; ``again``: its turn waits for another one."""
        turn = self.response(response_id)
        if again:
            turn.broken_off.add(response_id)
        else:
            turn.responses[response_id] = "incomplete"
            turn.done_at = None if None in turn.responses.values() else now

    def running(self) -> list[str]:
        """Responses that have not ended; not those that went with an earlier connection."""
        return [
            name
            for turn in self.open
            for name, status in turn.responses.items()
            if status is None and name not in turn.broken_off
        ]

    def finished(self, complete: Callable[[TurnRecord], bool]) -> list[TurnRecord]:
        """Turns that are over now, oldest first; a complete one releases those before it."""
        last = max((index for index, turn in enumerate(self.open) if complete(turn)), default=-1)
        over = [turn for turn in self.open[: last + 1] if turn.responses]
        for turn in over:
            self._close(turn)
        return over

    def _new(self) -> TurnRecord:
        turn = TurnRecord(f"turn_{len(self.turns) + 1}")
        self.turns[turn.id] = turn
        self.open.append(turn)
        return turn

    def _close(self, turn: TurnRecord) -> None:
        if not turn.closed:
            turn.closed = True
            self.open.remove(turn)

    def _join(self, entry: Entry, turn: TurnRecord, side: dict[str, Entry]) -> None:
        before = self.turns.get(entry.turn_id or "")
        if before is not None:
            before.caller.pop(entry.id, None)
            before.agent.pop(entry.id, None)
        entry.turn_id = turn.id
        side[entry.id] = entry

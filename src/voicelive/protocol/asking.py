"""What the model is asked for, and what is owed before: joins the gate, tool calls and MCP calls.

Wishes come from the application, from results that the model is to speak about, and from a lost connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from voicelive.events import ToolTrouble
from voicelive.protocol.calls import CallEffect, Calls, FollowUp, Odd, OnBargeIn
from voicelive.protocol.continuation import WISH
from voicelive.protocol.effects import Effect, Tell
from voicelive.protocol.ledger import Ledger
from voicelive.protocol.mcp import AskApproval, McpCalls
from voicelive.protocol.responses import Began, Gate, GateEffect, Kind, Wish
from voicelive.wire.responses import ResponseCreateParams
from voicelive.wire.server.session import ErrorEvent
from voicelive.wire.server_events import ServerEvent

__all__ = ["Asking"]

_NOTHING: Final[tuple[Effect, ...]] = ()


class Asking:
    """The wishes of one session. ``ledger`` learns which of them were fulfilled."""

    def __init__(self, ledger: Ledger, *, max_tool_rounds: int, sideband: bool) -> None:
        self.gate = Gate(sideband=sideband)
        self.calls = Calls(max_tool_rounds, sideband=sideband)
        self.mcp = McpCalls()
        self._ledger = ledger
        self._on_barge_in: dict[str, OnBargeIn] = {}
        self._by_hand: set[str] = set()
        self._wishes = 0

    @property
    def owes(self) -> bool:
        """Whether the model is still to get results, or to speak about them."""
        return self.calls.owed or self.gate.follow_up_pending

    @property
    def idle(self) -> bool:
        """Whether no response and no call is under way."""
        return self.gate.idle and not self.calls.owed and not self.mcp.busy

    # -- what the service says

    def hear_of_calls(self, event: ServerEvent, now: float, *, forwarded: bool) -> list[Effect]:
        """Take in what concerns tool calls."""
        return self._of_calls(self.calls.receive(event, forwarded=forwarded), now)

    def hear_of_mcp(self, event: ServerEvent, now: float) -> list[Effect]:
        """Take in what concerns MCP calls."""
        effects: list[Effect] = []
        for effect in self.mcp.receive(event):
            effects += [effect] if isinstance(effect, AskApproval) else self.wish(now, kind=Kind.FOLLOW_UP)[1]
        return effects

    def hear_of_responses(self, event: ServerEvent, now: float, *, answers: bool) -> list[Effect]:
        """Take in what concerns responses; ``answers``: turn detection starts them by itself."""
        return list(self._noted(self.gate.receive(event, now, answers=answers, owed=self.calls.owed)))

    def refused(self, request_id: str, event: ErrorEvent, now: float) -> list[Effect]:
        """The service refuses something, maybe a response."""
        return list(self.gate.refused(request_id, event.error, now, owed=self.calls.owed))

    # -- what the application wants

    def wish(
        self,
        now: float,
        params: ResponseCreateParams | None = None,
        additional_instructions: str | None = None,
        kind: Kind = Kind.ANSWER,
        unseen: frozenset[str] = frozenset(),
    ) -> tuple[str, tuple[Effect, ...]]:
        """A response is wanted; its id, and what must happen."""
        wish = Wish(self._next_id(), params, additional_instructions, kind, unseen)
        if kind is Kind.ANSWER:
            self.calls.new_turn()
        return wish.id, tuple(self.gate.wish(wish, now, owed=self.calls.owed))

    def disown(self, call_id: str, now: float) -> tuple[Effect, ...]:
        """The application answers this call by hand."""
        self.calls.disown(call_id)
        return self._settled([], now)

    def answered_by_hand(self, call_id: str, now: float) -> tuple[Effect, ...]:
        """The application has answered this call."""
        effects = self.calls.answered_elsewhere(call_id)
        if effects:
            self._by_hand.add(call_id)
        return self._settled(effects, now)

    def running(self, call_id: str, on_barge_in: OnBargeIn) -> None:
        """A call is being run by a tool with this policy."""
        self._on_barge_in[call_id] = on_barge_in

    def answer(self, call_id: str, output: str, now: float, *, silent: bool = False) -> tuple[Effect, ...]:
        """A tool call has its result."""
        self._on_barge_in.pop(call_id, None)
        if call_id in self._by_hand:  # the tool comes second, as the application wants it
            return _NOTHING
        return self._settled(self.calls.answer(call_id, output, silent=silent), now)

    def interrupted(self, now: float) -> list[Effect]:
        """The caller cut the agent off."""
        return self._of_calls(self.calls.interrupted(self._on_barge_in), now)

    # -- time, and one connection after another

    def pump(self, now: float) -> list[Effect]:
        """Time has passed, or what is owed has changed: a wish that waited may be due."""
        return list(self.gate.pump(now, owed=self.calls.owed))

    def connection_lost(self, now: float, *, question_known: bool) -> tuple[bool, list[Effect]]:
        """Whether the running response is asked for again, and what must happen.

        ``question_known``: the new session will know what the old one was asked.
        """
        answered_otherwise, call_effects = self.calls.connection_lost()
        was_busy = self.mcp.connection_lost()
        again, gate_effects = self.gate.hold(
            answered_otherwise=answered_otherwise, question_known=question_known, answer_id=self._next_id()
        )
        effects: list[Effect] = [*gate_effects, *self._of_calls(call_effects, now)]
        if was_busy and question_known:
            effects += self.wish(now, kind=Kind.FOLLOW_UP)[1]
        return again, effects

    def connected(self, now: float) -> tuple[Effect, ...]:
        """A new connection stands."""
        return tuple(self._noted(self.gate.resume(now, owed=self.calls.owed)))

    # -- inside

    def _next_id(self) -> str:
        self._wishes += 1
        return f"{WISH}{self._wishes}"

    def _noted(self, effects: Iterable[GateEffect]) -> Iterator[GateEffect]:
        """Responses are told from each other by the gate, so the ledger learns of them here."""
        for effect in effects:
            if isinstance(effect, Began):
                for wish_id in effect.wishes:
                    self._ledger.settle(wish_id, "confirmed")
            yield effect

    def _settled(self, call_effects: Iterable[CallEffect], now: float) -> tuple[Effect, ...]:
        return (*self._of_calls(call_effects, now), *self.pump(now))

    def _of_calls(self, call_effects: Iterable[CallEffect], now: float) -> list[Effect]:
        effects: list[Effect] = []
        for effect in call_effects:
            if isinstance(effect, FollowUp):
                self.gate.await_further_calls(now)
                params = None if effect.tools_allowed else ResponseCreateParams(tool_choice="none")
                effects += self.wish(now, params, kind=Kind.FOLLOW_UP, unseen=effect.unseen)[1]
            elif isinstance(effect, Odd):
                effects.append(Tell(ToolTrouble(effect.call_id, effect.trouble.value)))
            else:
                effects.append(effect)
        return effects

"""Keeps a call within its budget: looks at the bill when something was used, and ends the call as the budget says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from voicelive.budget import Budget, BudgetMeter
from voicelive.errors import ConfigurationError
from voicelive.events import BudgetReached, BudgetWarning
from voicelive.protocol.responses import Kind
from voicelive.response import ResponseHandle
from voicelive.usage import SessionUsage
from voicelive.wire.client_events import ResponseCancel
from voicelive.wire.responses import ResponseCreateParams
from voicelive.wire.server.response import ResponseCreated

__all__ = ["BudgetGuard"]

log = logging.getLogger("voicelive")

_LOOK_EVERY_S: Final = 1.0  # while time alone costs: avatars are billed by the second


class BudgetGuard:
    """The budget of one session. Everything here runs on its event loop and returns at once.

    Args:
        budget: What the call may cost.
        usage: What it costs so far.
        want: Asks for a response and gives the wish's id and its handle.
        verbatim: Parameters of a response that says a text word for word.
        finish: Stops all responses but those of these wishes.
        send: Puts a client event on the wire.
        tell: Delivers an event of the session's own.
        close: Ends the session, at once or after what is being said.
        start: Runs work as a task of the session.
    """

    def __init__(
        self,
        budget: Budget,
        usage: SessionUsage,
        *,
        want: Callable[..., tuple[str, ResponseHandle]],
        verbatim: Callable[[str], ResponseCreateParams],
        finish: Callable[[frozenset[str]], None],
        send: Callable[[ResponseCancel], None],
        tell: Callable[[BudgetWarning | BudgetReached], None],
        close: Callable[[bool, float], Coroutine[Any, Any, None]],
        start: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self.budget = budget
        self._meter, self._usage = BudgetMeter(budget), usage
        self._want, self._verbatim, self._finish = want, verbatim, finish
        self._send, self._tell, self._close, self._start = send, tell, close, start
        self._farewell: ResponseHandle | None = None
        self._ending = False
        self._timer: asyncio.TimerHandle | None = None

    def look(self) -> list[BudgetWarning | BudgetReached]:
        """Something was used, or time has passed: what is to be told, and responses are held back at once."""
        said = self._meter.look(self._usage.bill)
        if any(isinstance(event, BudgetReached) for event in said) and self.budget.action != "warn":
            self._hold_back()
        return said

    def told(self, said: list[BudgetWarning | BudgetReached]) -> None:
        """Deliver what ``look`` gave, and act on it; comes after the event that caused it was delivered."""
        for event in said:
            self._tell(event)
            if isinstance(event, BudgetReached) and event.action != "warn":
                log.warning("= the budget of %s %s is reached; the call ends", event.limit, event.currency)
                self._start(self._close(event.action == "end_politely", self.budget.finish_within_s))
        self._look_again()

    def began(self, event: ResponseCreated) -> None:
        """A response has begun. One that nobody wants any more is cancelled: each costs the whole context."""
        if self._ending and not self._is_farewell(event.response.id):
            self._send(ResponseCancel(response_id=event.response.id))

    def watch(self) -> None:
        """Settings have changed: time alone may cost from now on."""
        self._look_again()

    def end(self) -> None:
        """The session is over."""
        if self._timer is not None:
            self._timer.cancel()

    # -- inside

    def _hold_back(self) -> None:
        last: frozenset[str] = frozenset()
        farewell = self.budget.farewell
        if farewell is not None:
            wish_id, self._farewell = self._want(self._words(farewell), kind=Kind.SAY)
            last = frozenset({wish_id})
        self._ending = True
        self._finish(last)

    def _words(self, farewell: str) -> ResponseCreateParams:
        try:
            return self._verbatim(farewell)
        except ConfigurationError:  # an OpenAI voice, whose model speaks for itself
            asked = f"Say exactly this, and nothing else: {farewell}"
            return ResponseCreateParams(instructions=asked, tool_choice="none")

    def _is_farewell(self, response_id: str | None) -> bool:
        return self._farewell is not None and response_id is not None and self._farewell.id == response_id

    def _look_again(self) -> None:
        """Ask the clock while time alone costs."""
        if self._timer is None and self._usage.runs_by_time and not self._meter.reached:
            self._timer = asyncio.get_running_loop().call_later(_LOOK_EVERY_S, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.told(self.look())

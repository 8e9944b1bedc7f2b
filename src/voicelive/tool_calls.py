"""Runs the tool calls of one session: each on a task of its own, and each answered whatever happens.

Which calls are owed and when the model may speak about them is decided in ``protocol/calls.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from voicelive.events import ToolCallFinished, ToolCallStarted
from voicelive.protocol.calls import Call, OnBargeIn
from voicelive.tools.context import ToolCall, ToolContext
from voicelive.tools.results import ToolResult
from voicelive.tools.running import ToolRunner, cancelled_result
from voicelive.tools.toolset import ToolSet

if TYPE_CHECKING:
    from voicelive.events import SessionEvent
    from voicelive.session import Session

__all__ = ["ToolRuns"]


@dataclass(slots=True)
class _Run:
    """One call. Its task takes its first step on a later pass of the event loop, and must take it to answer."""

    context: ToolContext
    task: asyncio.Task[None] | None = None
    began: bool = False
    cancelled: bool = False
    said: str | None = None

    def begin(self) -> None:
        if self.cancelled:
            self.context.abandoned.set()
            raise asyncio.CancelledError
        self.began = True

    def cancel(self) -> None:
        self.cancelled = True
        if self.began and self.task is not None:
            self.task.cancel()


class ToolRuns:
    """The calls that run now."""

    def __init__(
        self,
        session: Session,
        start: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        tell: Callable[[SessionEvent], None],
        answer: Callable[[ToolResult], None],
        say: Callable[[str], str | None],
        unsay: Callable[[str], object],
    ) -> None:
        """Made by the engine; ``say`` gives an id for ``unsay`` to take the phrase back by, while it waits its turn."""
        self._session, self._start = session, start
        self._tell, self._answer = tell, answer
        self._say, self._unsay = say, unsay
        self._runner = ToolRunner(ToolSet())
        self._running: dict[str, _Run] = {}

    @property
    def toolset(self) -> ToolSet:
        """The tools in use; calls in flight finish on the ones they began with."""
        return self._runner.toolset

    def use(self, toolset: ToolSet) -> None:
        """Swap the tools; nothing that runs is disturbed."""
        self._runner = ToolRunner(toolset)

    def run(self, call: Call) -> None:
        """Begin a call. One of a tool that does not exist is answered with an error."""
        context = ToolContext(self._session, call.call_id, call.name, call.response_id, call.item_id)
        run = self._running[call.call_id] = _Run(context)
        run.task = self._start(self._run(self._runner, call, run))

    def cancel(self, call_id: str) -> None:
        """Stop a call; it is answered as cancelled, unless somebody else answered it."""
        if call_id in self._running:
            self._running[call_id].cancel()

    def cancel_all(self) -> None:
        """The session is over."""
        for run in self._running.values():
            run.cancel()

    def policy(self, name: str) -> OnBargeIn:
        """What barge-in does to a call of this tool."""
        tool = self.toolset.find(name)
        return tool.options.on_barge_in if tool is not None else "finish"

    def interrupted(self) -> None:
        """The caller speaks over the agent: tools that look can wind up."""
        for run in self._running.values():
            run.context.interrupted.set()

    async def _run(self, runner: ToolRunner, call: Call, run: _Run) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        asked = ToolCall(call.name, call.arguments, call.call_id)
        tool = runner.toolset.find(call.name)
        self._tell(ToolCallStarted(call.call_id, call.name, call.response_id))
        phrase = None
        if tool is not None and tool.options.say is not None:
            phrase = loop.call_later(tool.options.say_after_s or 0, self._speak, run, tool.options.say)
        try:
            run.begin()
            result = await runner.run(asked, run.context)
        except asyncio.CancelledError:
            result = cancelled_result(asked, loop.time() - began_s)
        finally:
            if phrase is not None:
                phrase.cancel()
            if run.said is not None:
                self._unsay(run.said)  # still waiting behind another response: too late to be of use
            self._running.pop(call.call_id, None)
        self._answer(result)
        self._tell(ToolCallFinished(result.call_id, result.name, result.output, result.failure, result.duration_s))

    def _speak(self, run: _Run, phrase: str) -> None:
        run.said = self._say(phrase)

"""Runs one call to its result: limits, threads, exceptions and serialising.

Whatever happens there is a result to send. When and whether it is sent, what is said meanwhile, and what is cancelled
by a barge-in is the session's business: it cancels the task that awaits ``run``.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from voicelive.tools.arguments import InvalidArgumentsError
from voicelive.tools.context import ToolCall, ToolContext
from voicelive.tools.declaring import LocalTool
from voicelive.tools.results import ToolError, ToolFailure, ToolResult, to_output
from voicelive.tools.threads import in_thread
from voicelive.tools.toolset import ToolSet

__all__ = ["ToolRunner", "cancelled_result"]

log = logging.getLogger("voicelive")

_CANCELLED = "The function was stopped before it had a result."


def cancelled_result(call: ToolCall, duration_s: float) -> ToolResult:
    """The answer to a call whose run was cancelled from outside, so that the model is not left waiting."""
    return _failed(call, ToolFailure("cancelled", _CANCELLED), duration_s)


class ToolRunner:
    """Runs the calls of one ``ToolSet`` in one event loop and keeps each tool to its ``concurrency``."""

    def __init__(self, toolset: ToolSet) -> None:
        self.toolset = toolset
        self._slots: dict[str, asyncio.Semaphore] = {}

    async def run(self, call: ToolCall, context: ToolContext) -> ToolResult:
        """Run a call. Every exception of the tool becomes a result with a ``failure``.

        Cancelling stops a coroutine function and leaves the thread of a synchronous one behind; ``context.abandoned``
        is then set. May be called for any number of calls at a time.
        """
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            output = await self._output(call, context)
        except (Exception, asyncio.CancelledError) as error:  # a tool may raise anything; the call must not die of it
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                context.abandoned.set()
                raise  # from outside; a tool that gave itself up is a failure like others
            return _failed(call, _failure_of(error), loop.time() - began_s)
        duration_s = loop.time() - began_s
        log.debug("= tool %.64s answered call %s in %.3f s", call.name, call.call_id, duration_s)
        return ToolResult(call.call_id, call.name, output, None, duration_s)

    async def _output(self, call: ToolCall, context: ToolContext) -> str:
        tool = self.toolset.find(call.name)
        if tool is None:
            raise _FailedError(ToolFailure("unknown_tool", _unknown(self.toolset)))
        run = tool.bind(call, context)
        timeout_s = tool.options.timeout_s
        limit = asyncio.timeout(timeout_s)
        try:
            async with limit:
                value = await self._value(tool, run)
        except TimeoutError as error:
            if not limit.expired():
                raise  # one of the tool's own
            context.abandoned.set()
            message = f"The function did not answer within {timeout_s:g} seconds."
            raise _FailedError(ToolFailure("timeout", message, exception=error)) from None
        try:
            return to_output(value)
        except Exception as error:  # serialising runs code of the application's classes
            message = "The function ran, but its result cannot be shown."
            raise _FailedError(ToolFailure("unserialisable_result", message, exception=error)) from None

    async def _value(self, tool: LocalTool, run: Callable[[], Any]) -> object:
        name = tool.definition.name
        slots = self._slots.setdefault(name, asyncio.Semaphore(tool.options.concurrency or sys.maxsize))
        if not tool.in_thread:
            async with slots:
                return await run()
        await slots.acquire()
        value = await in_thread(run, name=f"voicelive tool {name}", ended=slots.release)
        if not inspect.isawaitable(value):
            return value
        async with slots:  # a plain function that makes a coroutine, such as a lambda
            return await value


class _FailedError(Exception):
    """Carries what is already known of a failure to the one place that makes a result of it."""

    def __init__(self, failure: ToolFailure) -> None:
        super().__init__(failure)
        self.failure = failure


def _failure_of(error: BaseException) -> ToolFailure:
    match error:
        case _FailedError():
            return error.failure
        case InvalidArgumentsError():
            message = "The arguments do not fit the function. Correct them and call it again."
            return ToolFailure("invalid_arguments", message, error.problems)
        case asyncio.CancelledError():
            return ToolFailure("cancelled", _CANCELLED, exception=error)
        case ToolError():
            message = str(error.message).encode("utf-8", "replace").decode()  # half of a surrogate pair cannot be sent
            return ToolFailure("raised", message, exception=error)
        case _:  # its text may hold secrets
            return ToolFailure("raised", "The function failed; no details are known.", exception=error)


def _failed(call: ToolCall, failure: ToolFailure, duration_s: float) -> ToolResult:
    error = failure.exception
    what = f" ({type(error).__name__}{_line(error)})" if error is not None else ""
    log.warning(
        "= tool %.64s failed call %s after %.3f s: %s%s", call.name, call.call_id, duration_s, failure.kind, what
    )
    return ToolResult(call.call_id, call.name, failure.output(), failure, duration_s)


def _line(error: BaseException) -> str:
    """Where it was raised, for the log; not its text, which may quote what was said."""
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    return f" at {Path(step.tb_frame.f_code.co_filename).name}:{step.tb_lineno}" if step is not None else ""


def _unknown(toolset: ToolSet) -> str:
    names = ", ".join(toolset.names)
    return f"There is no function of that name. There are: {names}." if names else "There are no functions to call."

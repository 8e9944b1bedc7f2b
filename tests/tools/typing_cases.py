"""What type checkers must see of decorated functions. Checked by mypy and pyright; imported by no test."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, assert_type

from voicelive.tools import PythonTool, SchemaTool, ToolContext, ToolSet, tool, tool_from_schema
from voicelive.wire import FunctionTool


@tool
def bare(city: str, days: int = 1) -> float:
    return len(city) * float(days)


@tool(name="looked_up", timeout_s=5, concurrency=2, on_barge_in="cancel", say="One moment", say_after_s=0.5)
async def with_options(city: str, *, context: ToolContext) -> list[str]:
    return [city, context.call_id]


assert_type(bare("Rome", days=2), float)
assert_type(bare.function("Rome"), float)
assert_type(bare.definition, FunctionTool)


async def calls(context: ToolContext) -> None:
    assert_type(await with_options("Rome", context=context), list[str])


bare(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the signature is kept
bare("Rome", weeks=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # likewise
tool(timeout=5)  # type: ignore[call-arg, call-overload, unused-ignore]  # pyright: ignore[reportCallIssue]  # misspelt
tool(on_barge_in="stop")  # type: ignore[arg-type, call-overload, unused-ignore]  # pyright: ignore[reportCallIssue, reportArgumentType]  # not a choice

synchronous: PythonTool[[str, int], float] | Callable[..., float] = bare
as_callable: Callable[[str], float] = bare
as_coroutine: Callable[..., Coroutine[Any, Any, list[str]]] = with_options
as_awaitable: Callable[..., Awaitable[list[str]]] = with_options

assert_type(tool_from_schema(FunctionTool(name="x"), lambda arguments: arguments["y"], timeout_s=None), SchemaTool)
assert_type(ToolSet(bare, with_options).definitions, list[FunctionTool])

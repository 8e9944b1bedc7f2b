"""Typed Python functions as tools that the model can call: schema, checked arguments, running, results.

Nothing here touches a socket or decides when the service is answered.
"""

from __future__ import annotations

from voicelive.tools.arguments import ArgumentProblem
from voicelive.tools.context import ToolCall, ToolContext
from voicelive.tools.declaring import (
    Dispatch,
    DispatchedTool,
    LocalTool,
    OnBargeIn,
    PythonTool,
    SchemaTool,
    ToolOptions,
    tool,
    tool_from_schema,
)
from voicelive.tools.results import FailureKind, ToolError, ToolFailure, ToolResult
from voicelive.tools.running import ToolRunner, cancelled_result
from voicelive.tools.toolset import ToolSet

__all__ = [
    "ArgumentProblem",
    "Dispatch",
    "DispatchedTool",
    "FailureKind",
    "LocalTool",
    "OnBargeIn",
    "PythonTool",
    "SchemaTool",
    "ToolCall",
    "ToolContext",
    "ToolError",
    "ToolFailure",
    "ToolOptions",
    "ToolResult",
    "ToolRunner",
    "ToolSet",
    "cancelled_result",
    "tool",
    "tool_from_schema",
]

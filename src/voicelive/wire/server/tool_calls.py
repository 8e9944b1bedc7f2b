"""Tool calls as they happen: functions, MCP servers, searches, Foundry agents."""

from typing import Literal, TypeAlias

from voicelive.wire.base import Private
from voicelive.wire.server.base import ItemEvent, OutputEvent

__all__ = [
    "McpListToolsCompleted",
    "McpListToolsFailed",
    "McpListToolsInProgress",
    "ResponseFileSearchCallCompleted",
    "ResponseFileSearchCallInProgress",
    "ResponseFileSearchCallSearching",
    "ResponseFoundryAgentCallArgumentsDelta",
    "ResponseFoundryAgentCallArgumentsDone",
    "ResponseFoundryAgentCallCompleted",
    "ResponseFoundryAgentCallFailed",
    "ResponseFoundryAgentCallInProgress",
    "ResponseFunctionCallArgumentsDelta",
    "ResponseFunctionCallArgumentsDone",
    "ResponseMcpCallArgumentsDelta",
    "ResponseMcpCallArgumentsDone",
    "ResponseMcpCallCompleted",
    "ResponseMcpCallFailed",
    "ResponseMcpCallInProgress",
    "ResponseWebSearchCallCompleted",
    "ResponseWebSearchCallInProgress",
    "ResponseWebSearchCallSearching",
    "ToolCallServerEvent",
]


class ResponseFunctionCallArgumentsDelta(OutputEvent):
    """A piece of a function's arguments."""

    type: Literal["response.function_call_arguments.delta"] = "response.function_call_arguments.delta"
    call_id: str = ""
    delta: Private = ""


class ResponseFunctionCallArgumentsDone(OutputEvent):
    """A function's whole arguments, as JSON text."""

    type: Literal["response.function_call_arguments.done"] = "response.function_call_arguments.done"
    call_id: str = ""
    arguments: Private = ""
    name: str | None = None
    """In the schema, not in the public reference."""


class McpListToolsInProgress(ItemEvent):
    """The service asks an MCP server for its tools."""

    type: Literal["mcp_list_tools.in_progress"] = "mcp_list_tools.in_progress"


class McpListToolsCompleted(ItemEvent):
    """An MCP server named its tools."""

    type: Literal["mcp_list_tools.completed"] = "mcp_list_tools.completed"


class McpListToolsFailed(ItemEvent):
    """An MCP server did not name its tools."""

    type: Literal["mcp_list_tools.failed"] = "mcp_list_tools.failed"


class ResponseMcpCallArgumentsDelta(OutputEvent):
    """A piece of an MCP call's arguments."""

    type: Literal["response.mcp_call_arguments.delta"] = "response.mcp_call_arguments.delta"
    delta: Private = ""
    obfuscation: str | None = None


class ResponseMcpCallArgumentsDone(OutputEvent):
    """An MCP call's whole arguments."""

    type: Literal["response.mcp_call_arguments.done"] = "response.mcp_call_arguments.done"
    arguments: Private | None = None


class _Progress(ItemEvent):
    """Names no response."""

    output_index: int = 0


class ResponseMcpCallInProgress(_Progress):
    """An MCP call runs."""

    type: Literal["response.mcp_call.in_progress"] = "response.mcp_call.in_progress"


class ResponseMcpCallCompleted(_Progress):
    """An MCP call ended well; its output is on the item."""

    type: Literal["response.mcp_call.completed"] = "response.mcp_call.completed"


class ResponseMcpCallFailed(_Progress):
    """An MCP call failed; its error is on the item."""

    type: Literal["response.mcp_call.failed"] = "response.mcp_call.failed"


class _SearchProgress(OutputEvent):
    sequence_number: int = 0
    """Counts inside one search call."""


class ResponseWebSearchCallInProgress(_SearchProgress):
    """A web search call opened."""

    type: Literal["response.web_search_call.in_progress"] = "response.web_search_call.in_progress"


class ResponseWebSearchCallSearching(_SearchProgress):
    """A web search runs."""

    type: Literal["response.web_search_call.searching"] = "response.web_search_call.searching"


class ResponseWebSearchCallCompleted(_SearchProgress):
    """A web search ended."""

    type: Literal["response.web_search_call.completed"] = "response.web_search_call.completed"


class ResponseFileSearchCallInProgress(_SearchProgress):
    """A file search call opened."""

    type: Literal["response.file_search_call.in_progress"] = "response.file_search_call.in_progress"


class ResponseFileSearchCallSearching(_SearchProgress):
    """A file search runs."""

    type: Literal["response.file_search_call.searching"] = "response.file_search_call.searching"


class ResponseFileSearchCallCompleted(_SearchProgress):
    """A file search ended."""

    type: Literal["response.file_search_call.completed"] = "response.file_search_call.completed"


class ResponseFoundryAgentCallArgumentsDelta(OutputEvent):
    """A piece of a Foundry agent call's arguments; documented only."""

    type: Literal["response.foundry_agent_call_arguments.delta"] = "response.foundry_agent_call_arguments.delta"
    delta: Private = ""


class ResponseFoundryAgentCallArgumentsDone(OutputEvent):
    """A Foundry agent call's whole arguments; documented only."""

    type: Literal["response.foundry_agent_call_arguments.done"] = "response.foundry_agent_call_arguments.done"
    arguments: Private | None = None


class ResponseFoundryAgentCallInProgress(_Progress):
    """A Foundry agent call runs; documented only."""

    type: Literal["response.foundry_agent_call.in_progress"] = "response.foundry_agent_call.in_progress"
    agent_response_id: str | None = None


class ResponseFoundryAgentCallCompleted(_Progress):
    """A Foundry agent call ended well; documented only."""

    type: Literal["response.foundry_agent_call.completed"] = "response.foundry_agent_call.completed"


class ResponseFoundryAgentCallFailed(_Progress):
    """A Foundry agent call failed; documented only."""

    type: Literal["response.foundry_agent_call.failed"] = "response.foundry_agent_call.failed"


ToolCallServerEvent: TypeAlias = (
    ResponseFunctionCallArgumentsDelta
    | ResponseFunctionCallArgumentsDone
    | McpListToolsInProgress
    | McpListToolsCompleted
    | McpListToolsFailed
    | ResponseMcpCallArgumentsDelta
    | ResponseMcpCallArgumentsDone
    | ResponseMcpCallInProgress
    | ResponseMcpCallCompleted
    | ResponseMcpCallFailed
    | ResponseWebSearchCallInProgress
    | ResponseWebSearchCallSearching
    | ResponseWebSearchCallCompleted
    | ResponseFileSearchCallInProgress
    | ResponseFileSearchCallSearching
    | ResponseFileSearchCallCompleted
    | ResponseFoundryAgentCallArgumentsDelta
    | ResponseFoundryAgentCallArgumentsDone
    | ResponseFoundryAgentCallInProgress
    | ResponseFoundryAgentCallCompleted
    | ResponseFoundryAgentCallFailed
)

"""What the model may call, and how it is told to."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from voicelive.wire.base import Private, Settings, Unknown, Unlisted, Wire, tags

__all__ = [
    "FoundryAgentTool",
    "FunctionTool",
    "MCPServer",
    "MCPTool",
    "Tool",
    "ToolChoice",
    "ToolChoiceFunctionSelection",
    "ToolChoiceSelection",
    "UnknownTool",
    "UnknownToolChoice",
]


class FunctionTool(Settings):
    """A function that the application runs."""

    always_sent = ("type",)

    type: Literal["function"] = "function"
    name: str
    description: str | None = None
    parameters: Any = None
    """A JSON schema of type object."""


class MCPServer(Settings):
    """A remote MCP server; the service itself calls its tools."""

    always_sent = ("type",)

    type: Literal["mcp"] = "mcp"
    server_label: str
    server_url: Private
    """Often holds a key in its query, so it shows nowhere."""
    authorization: Private | None = None
    """Token handed to the MCP server."""
    headers: Annotated[dict[str, str] | None, Field(repr=False)] = None
    allowed_tools: list[str] | None = None
    """Left out: all of them."""
    require_approval: Literal["never", "always"] | Unlisted | dict[str, list[str]] | None = None
    """``"always"`` (the service's default), ``"never"``, or ``{"never": [names], "always": [names]}``."""


class FoundryAgentTool(Settings):
    """A Foundry agent as a tool. Documented, but official classes existed in one preview only."""

    always_sent = ("type",)

    type: Literal["foundry_agent"] = "foundry_agent"
    agent_name: str
    agent_version: str | None = None
    project_name: str
    client_id: str | None = None
    description: str | None = None
    foundry_resource_override: str | None = None
    agent_context_type: Literal["no_context", "agent_context"] | Unlisted | None = None
    return_agent_response_directly: bool | None = None


_KnownTool: TypeAlias = FunctionTool | MCPServer | FoundryAgentTool


class UnknownTool(Unknown):
    """A kind of tool that this version does not know."""

    known = tags(_KnownTool)


Tool: TypeAlias = Annotated[
    Annotated[_KnownTool, Field(discriminator="type")] | UnknownTool, Field(union_mode="left_to_right")
]


class MCPTool(Wire):
    """One tool as an MCP server lists it."""

    name: str = ""
    description: str | None = None
    input_schema: Any = None
    annotations: Any = None


class ToolChoiceFunctionSelection(Settings):
    """Makes the model call this function."""

    always_sent = ("type",)

    type: Literal["function"] = "function"
    name: str


class UnknownToolChoice(Unknown):
    """A kind of forced tool that this version does not know."""

    known = frozenset({"function"})


ToolChoiceSelection: TypeAlias = ToolChoiceFunctionSelection
ToolChoice: TypeAlias = Annotated[
    Literal["auto", "none", "required"] | ToolChoiceFunctionSelection | UnknownToolChoice | Unlisted,
    Field(union_mode="left_to_right"),
]
"""A mode word or a forced function."""

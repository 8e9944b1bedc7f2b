"""Items: the entries of the conversation, as a client sends them and as the service reports them.

Fields that the schema promises have a neutral value where the service leaves them out;
``model_fields_set`` tells the difference.
"""

from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field

from voicelive.wire.base import Private, Settings, Tagged, Unknown, Unlisted, Wire, tags
from voicelive.wire.parts import ContentPart, MessageContentPart
from voicelive.wire.tools import MCPTool

__all__ = [
    "ActionFind",
    "ActionOpenPage",
    "ActionSearch",
    "ActionSearchSource",
    "AssistantMessageItem",
    "ConversationRequestItem",
    "FileSearchResult",
    "FunctionCallItem",
    "FunctionCallOutputItem",
    "ItemParamStatus",
    "MCPApprovalResponseRequestItem",
    "MessageItem",
    "ResponseFileSearchCallItem",
    "ResponseFoundryAgentCallItem",
    "ResponseFunctionCallItem",
    "ResponseFunctionCallOutputItem",
    "ResponseItem",
    "ResponseItemStatus",
    "ResponseMCPApprovalRequestItem",
    "ResponseMCPApprovalResponseItem",
    "ResponseMCPCallItem",
    "ResponseMCPListToolItem",
    "ResponseMessageItem",
    "ResponseWebSearchCallItem",
    "SystemMessageItem",
    "UnknownRequestItem",
    "UnknownResponseItem",
    "UnknownWebSearchAction",
    "UserMessageItem",
    "WebSearchAction",
]

ItemParamStatus: TypeAlias = Literal["completed", "incomplete"]
ResponseItemStatus: TypeAlias = Literal["in_progress", "completed", "incomplete"]


class _RequestItem(Settings):
    always_sent: ClassVar[tuple[str, ...]] = ("type",)

    id: str | None = None
    """Left out: the service chooses one."""


class _Message(_RequestItem):
    type: Literal["message"] = "message"
    content: list[MessageContentPart]
    status: ItemParamStatus | Unlisted | None = None


class UserMessageItem(_Message):
    """Something the caller said or showed."""

    always_sent = ("type", "role")

    role: Literal["user"] = "user"


class SystemMessageItem(_Message):
    """An instruction that stands in the conversation."""

    always_sent = ("type", "role")

    role: Literal["system"] = "system"


class AssistantMessageItem(_Message):
    """Something the agent said, for replayed history or a pre-generated reply."""

    always_sent = ("type", "role")

    role: Literal["assistant"] = "assistant"


class FunctionCallItem(_RequestItem):
    """A tool call of the model, for replayed history."""

    type: Literal["function_call"] = "function_call"
    name: str
    call_id: str
    arguments: Private
    """JSON text."""
    status: ItemParamStatus | Unlisted | None = None


class FunctionCallOutputItem(_RequestItem):
    """The answer to a tool call."""

    type: Literal["function_call_output"] = "function_call_output"
    call_id: str
    output: Private
    """Always a string; structured results are JSON text."""
    status: ItemParamStatus | Unlisted | None = None


class MCPApprovalResponseRequestItem(_RequestItem):
    """Allows or forbids an MCP call that asked for approval."""

    type: Literal["mcp_approval_response"] = "mcp_approval_response"
    approval_request_id: str
    approve: bool
    reason: Private | None = None
    """Why it was denied; reported back by the service, absent from the request's schema."""


class UnknownRequestItem(Unknown):
    """A kind of item that this version does not know."""

    known = frozenset({"message", "function_call", "function_call_output", "mcp_approval_response"})


MessageItem: TypeAlias = Annotated[
    UserMessageItem | SystemMessageItem | AssistantMessageItem, Field(discriminator="role")
]
ConversationRequestItem: TypeAlias = Annotated[
    Annotated[FunctionCallItem | FunctionCallOutputItem | MCPApprovalResponseRequestItem, Field(discriminator="type")]
    | MessageItem
    | UnknownRequestItem,
    Field(union_mode="left_to_right"),
]
"""An item that the client sends."""


class _ReportedItem(Tagged):
    id: str | None = None
    object: str | None = None
    """``realtime.item``; not to be relied on."""


class ResponseMessageItem(_ReportedItem):
    """A message of the caller, the agent or the system."""

    type: Literal["message"] = "message"
    role: Literal["system", "user", "assistant"] | Unlisted | None = None
    content: list[ContentPart] = Field(default_factory=list)
    status: ResponseItemStatus | Unlisted | None = None


class ResponseFunctionCallItem(_ReportedItem):
    """A tool call; ``arguments`` is empty until it is done."""

    type: Literal["function_call"] = "function_call"
    name: str = ""
    call_id: str = ""
    arguments: Private = ""
    status: ResponseItemStatus | Unlisted | None = None


class ResponseFunctionCallOutputItem(_ReportedItem):
    """The answer to a tool call."""

    type: Literal["function_call_output"] = "function_call_output"
    call_id: str = ""
    output: Private = ""
    name: str | None = None
    status: str | None = None


class ResponseMCPListToolItem(_ReportedItem):
    """The tools that an MCP server offers."""

    type: Literal["mcp_list_tools"] = "mcp_list_tools"
    server_label: str = ""
    tools: list[MCPTool] = Field(default_factory=list)


class ResponseMCPCallItem(_ReportedItem):
    """A call that the service itself makes to an MCP server."""

    type: Literal["mcp_call"] = "mcp_call"
    server_label: str = ""
    name: str = ""
    arguments: Private = ""
    approval_request_id: str | None = None
    output: Private | None = None
    error: Annotated[Any, Field(repr=False)] = None
    """Free-form in dated versions."""


class ResponseMCPApprovalRequestItem(_ReportedItem):
    """The service asks whether it may make an MCP call; ``id`` is what the answer refers to."""

    type: Literal["mcp_approval_request"] = "mcp_approval_request"
    server_label: str = ""
    name: str = ""
    arguments: Private | None = None


class ResponseMCPApprovalResponseItem(_ReportedItem):
    """The answer to a request for approval."""

    type: Literal["mcp_approval_response"] = "mcp_approval_response"
    approval_request_id: str = ""
    approve: bool = False
    reason: Private | None = None


class ActionSearchSource(Tagged):
    """A page that a web search used."""

    type: Literal["url"] = "url"
    url: str = ""


class ActionSearch(Tagged):
    """A web search was made."""

    type: Literal["search"] = "search"
    query: Private | None = None
    sources: list[ActionSearchSource] | None = None


class ActionOpenPage(Tagged):
    """A web page was opened."""

    type: Literal["open_page"] = "open_page"
    url: str = ""


class ActionFind(Tagged):
    """A web page was searched for a pattern."""

    type: Literal["find"] = "find"
    url: str = ""
    pattern: Private = ""


class UnknownWebSearchAction(Unknown):
    """A kind of action that this version does not know."""

    known = frozenset({"search", "open_page", "find"})


WebSearchAction: TypeAlias = Annotated[
    Annotated[ActionSearch | ActionOpenPage | ActionFind, Field(discriminator="type")] | UnknownWebSearchAction,
    Field(union_mode="left_to_right"),
]


class ResponseWebSearchCallItem(_ReportedItem):
    """A web search that an agent makes."""

    type: Literal["web_search_call"] = "web_search_call"
    status: Literal["in_progress", "searching", "completed", "failed"] | Unlisted | None = None
    action: WebSearchAction | None = None
    """In the schema's vocabulary, on no declared item."""


class FileSearchResult(Wire):
    """A passage that a file search found."""

    attributes: Annotated[dict[str, str] | None, Field(repr=False)] = None
    file_id: str | None = None
    filename: str | None = None
    score: float | None = None
    text: Private | None = None


class ResponseFileSearchCallItem(_ReportedItem):
    """A file search that an agent makes."""

    type: Literal["file_search_call"] = "file_search_call"
    queries: Annotated[list[str] | None, Field(repr=False)] = None
    status: Literal["in_progress", "searching", "completed", "incomplete", "failed"] | Unlisted | None = None
    results: list[FileSearchResult] | None = None


class ResponseFoundryAgentCallItem(_ReportedItem):
    """A call to a Foundry agent tool; documented only."""

    type: Literal["foundry_agent_call"] = "foundry_agent_call"
    name: str = ""
    call_id: str = ""
    arguments: Private = ""
    agent_response_id: str | None = None
    output: Private | None = None
    error: Annotated[Any, Field(repr=False)] = None


_KnownResponseItem: TypeAlias = (
    ResponseMessageItem
    | ResponseFunctionCallItem
    | ResponseFunctionCallOutputItem
    | ResponseMCPListToolItem
    | ResponseMCPCallItem
    | ResponseMCPApprovalRequestItem
    | ResponseMCPApprovalResponseItem
    | ResponseWebSearchCallItem
    | ResponseFileSearchCallItem
    | ResponseFoundryAgentCallItem
)


class UnknownResponseItem(Unknown):
    """A kind of item that this version does not know."""

    known = tags(_KnownResponseItem)

    @property
    def id(self) -> str | None:
        """The item's id, where it has one."""
        found = self.raw.get("id")
        return found if isinstance(found, str) else None


ResponseItem: TypeAlias = Annotated[
    Annotated[_KnownResponseItem, Field(discriminator="type")] | UnknownResponseItem,
    Field(union_mode="left_to_right"),
]
"""An item as the service reports it."""

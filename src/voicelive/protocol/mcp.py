"""Calls that the service makes to MCP servers: approvals that it waits for, and results it does not speak by itself.

Whether a call is approved is for a person or the application to say; here is only who has been asked and answered.
Progress of listings and calls are events of the service and pass by unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from voicelive.wire.items import ResponseMCPApprovalRequestItem, ResponseMCPCallItem
from voicelive.wire.server.conversation import ConversationItemCreated
from voicelive.wire.server.response import ResponseOutputItemAdded, ResponseOutputItemDone
from voicelive.wire.server.tool_calls import ResponseMcpCallCompleted, ResponseMcpCallFailed, ResponseMcpCallInProgress
from voicelive.wire.server_events import ServerEvent

__all__ = ["AskApproval", "McpCalls", "McpEffect", "SpeakResult"]


HEARS: Final = frozenset(
    {
        ConversationItemCreated,
        ResponseOutputItemAdded,
        ResponseOutputItemDone,
        ResponseMcpCallInProgress,
        ResponseMcpCallCompleted,
        ResponseMcpCallFailed,
    }
)
"""Events that tell of MCP calls; others need not be shown."""


@dataclass(frozen=True, slots=True)
class AskApproval:
    """The service waits for a yes or no.

    Attributes:
        request_id: What the answer refers to.
        arguments: JSON text as the model wrote it: untrusted input.
    """

    request_id: str
    server_label: str
    name: str
    arguments: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SpeakResult:
    """All running calls are over: ask for the response that speaks about their results."""


McpEffect: TypeAlias = AskApproval | SpeakResult


class McpCalls:
    """MCP calls of one session. Pure: same calls, same answers."""

    def __init__(self) -> None:
        self._asked: set[str] = set()
        self._running: set[str] = set()
        self._over: set[str] = set()

    @property
    def busy(self) -> bool:
        """Whether a call runs."""
        return bool(self._running)

    def receive(self, event: ServerEvent) -> list[McpEffect]:
        """Take in an event; items are told by several, each counts once."""
        if isinstance(event, ConversationItemCreated | ResponseOutputItemAdded | ResponseOutputItemDone):
            item = event.item
            if isinstance(item, ResponseMCPApprovalRequestItem) and item.id and item.id not in self._asked:
                self._asked.add(item.id)
                return [AskApproval(item.id, item.server_label, item.name, item.arguments or "")]
            if isinstance(event, ResponseOutputItemDone) and isinstance(item, ResponseMCPCallItem) and item.id:
                return self._finish(item.id) if item.output is not None or item.error is not None else []
        elif (
            isinstance(event, ResponseMcpCallInProgress | ResponseMcpCallCompleted | ResponseMcpCallFailed)
            and event.item_id not in self._over
        ):
            self._running.add(event.item_id)  # until its item follows with the result
        return []

    def connection_lost(self) -> bool:
        """Nothing will come any more of calls that run, and no answer to an approval is waited for; whether any ran."""
        was_busy = bool(self._running)
        self._over |= self._running
        self._running.clear()
        return was_busy

    def _finish(self, item_id: str) -> list[McpEffect]:
        if item_id in self._over:
            return []
        self._over.add(item_id)
        self._running.discard(item_id)
        return [] if self._running else [SpeakResult()]

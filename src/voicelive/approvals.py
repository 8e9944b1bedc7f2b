"""Who answers when the service asks whether it may call an MCP server.

Without a handler the answer is no: a call that nobody answers would hang for ever. The handler's own failure is a no.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from voicelive.events import ApprovalAnswered, SessionEvent
from voicelive.protocol.mcp import AskApproval
from voicelive.wire.client_events import ClientEvent, ConversationItemCreate
from voicelive.wire.items import MCPApprovalResponseRequestItem

__all__ = ["ApprovalHandler", "ApprovalRequest", "Approvals"]

log = logging.getLogger("voicelive")


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """A call to an MCP server that waits for a yes or no.

    Attributes:
        arguments: JSON text as the model wrote it: untrusted input. Not part of the repr.
    """

    request_id: str
    server_label: str
    name: str
    arguments: str = field(repr=False)


ApprovalHandler: TypeAlias = Callable[[ApprovalRequest], "bool | str | Awaitable[bool | str]"]
"""Gives ``True`` to approve, ``False`` to deny, or a text to deny with that reason. May be a coroutine function."""


class Approvals:
    """Answers every request once."""

    def __init__(self, tell: Callable[[SessionEvent], None], send: Callable[[ClientEvent], None]) -> None:
        self.handler: ApprovalHandler | None = None
        self._tell, self._send = tell, send

    async def decide(self, asked: AskApproval) -> None:
        """Ask the handler, answer the service, tell the application."""
        verdict: bool | str = False
        if self.handler is not None:
            request = ApprovalRequest(asked.request_id, asked.server_label, asked.name, asked.arguments)
            try:
                answer = self.handler(request)
                verdict = await answer if inspect.isawaitable(answer) else answer
            except Exception as error:  # an application's mistake must not leave the service waiting
                log.error("= the approval handler failed on %s: %s; denied", asked.name, type(error).__name__)
        approved = verdict is True
        item = MCPApprovalResponseRequestItem(approval_request_id=asked.request_id, approve=approved)
        if isinstance(verdict, str):
            item = item.model_copy(update={"reason": verdict})
        self._send(ConversationItemCreate(item=item))
        by: Literal["handler", "default"] = "default" if self.handler is None else "handler"
        self._tell(ApprovalAnswered(asked.request_id, asked.server_label, asked.name, approved, by))

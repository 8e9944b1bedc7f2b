"""Everything the service may say: the union of all event classes, and a class for what is none of them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, TypeAlias, get_args

from pydantic import Field

from voicelive.wire.base import Unknown, tags_of
from voicelive.wire.server.animation import AnimationServerEvent
from voicelive.wire.server.calls import CallServerEvent
from voicelive.wire.server.conversation import ConversationServerEvent
from voicelive.wire.server.response import ResponseServerEvent
from voicelive.wire.server.session import SessionServerEvent
from voicelive.wire.server.tool_calls import ToolCallServerEvent

__all__ = ["SERVER_EVENTS", "KnownServerEvent", "ServerEvent", "UnknownServerEvent"]

KnownServerEvent: TypeAlias = (
    SessionServerEvent
    | ConversationServerEvent
    | ResponseServerEvent
    | AnimationServerEvent
    | ToolCallServerEvent
    | CallServerEvent
)

SERVER_EVENTS: Mapping[str, type[KnownServerEvent]] = MappingProxyType(
    {tag: cls for cls in get_args(KnownServerEvent) for tag in tags_of(cls)}
)
"""Type string to class; the renamed types of the ``v1`` dialect included."""


class UnknownServerEvent(Unknown):
    """An event whose type has no class here, or whose fields do not fit its class (``malformed``)."""

    known = frozenset(SERVER_EVENTS)

    @property
    def malformed(self) -> bool:
        """Whether the type is known and only the fields do not fit."""
        return self.kind in self.known

    @property
    def event_id(self) -> str | None:
        """The event's id, where it has one."""
        found: Any = self.raw.get("event_id")
        return found if isinstance(found, str) else None


ServerEvent: TypeAlias = Annotated[
    Annotated[KnownServerEvent, Field(discriminator="type")] | UnknownServerEvent, Field(union_mode="left_to_right")
]
"""Any server event."""

"""Bringing a new session of the service to where a conversation stands, before anybody hears of it.

What the service says meanwhile is kept for the session to read later, in order. Owns no task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from voicelive.errors import DecodeError, ServiceBusyError
from voicelive.protocol.refusals import unnamed_refusal
from voicelive.protocol.replay import LeftOut
from voicelive.refusals import refusal
from voicelive.transport.base import Transport, TransportClosed
from voicelive.wire.client_events import ConversationItemCreate, KnownClientEvent, SessionUpdate
from voicelive.wire.codec import decode, encode
from voicelive.wire.items import ConversationRequestItem
from voicelive.wire.server.conversation import ConversationItemCreated
from voicelive.wire.server.session import ErrorEvent, SessionCreated, SessionUpdated
from voicelive.wire.server_events import ServerEvent
from voicelive.wire.session import SessionConfig

__all__ = ["Part", "rehearse"]

_UPDATE = "voicelive_resume_settings"
_ITEM = "voicelive_resume_item_"


@dataclass(frozen=True, slots=True)
class Part:
    """What a new session has to learn.

    Attributes:
        settings: The settings that the application asked for.
        items: The conversation.
        events: Events of the session before that were not answered; they keep their ids.
    """

    settings: SessionConfig | None
    items: Sequence[ConversationRequestItem]
    events: Sequence[KnownClientEvent] = ()


@dataclass(slots=True)
class _Stage:
    transport: Transport
    frames: list[str | bytes] = field(default_factory=list)

    async def hear(self) -> ServerEvent:
        """The next event that can be read; all are kept."""
        while True:
            self.frames.append(await self.transport.receive())
            try:
                return decode(self.frames[-1])
            except DecodeError:
                continue  # the session counts it when it comes to it

    async def until(self, kind: type[ServerEvent], event_id: str | None = None) -> None:
        """Wait for an event of a kind, or for the refusal of what was sent under an id."""
        while True:
            event = await self.hear()
            if isinstance(event, kind):
                return
            if event_id is not None and isinstance(event, ErrorEvent) and _refuses(event, event_id):
                raise refusal(event.error)


async def rehearse(transport: Transport, part: Part) -> tuple[list[str | bytes], list[LeftOut]]:
    """Play a part to the end; the frames that the service said, and items that it refused.

    Raises:
        ServiceError: It refused the settings.
        ServiceBusyError: The connection was lost again.

    Waits as long as the service likes: the caller holds the timeout, and closes the transport after a failure.
    """
    stage = _Stage(transport)
    try:
        await stage.until(SessionCreated)
        if part.settings is not None:
            await transport.send(encode(SessionUpdate(event_id=_UPDATE, session=part.settings)))
            await stage.until(SessionUpdated, _UPDATE)
        return stage.frames, await _tell(stage, part)
    except TransportClosed as end:
        message = f"the new connection was lost before the conversation was told, code {end.code}"  # is logged
        raise ServiceBusyError(message) from None


async def _tell(stage: _Stage, part: Part) -> list[LeftOut]:
    """Say the conversation again, and wait until the service has, or has refused, every item of it."""
    creates = [ConversationItemCreate(event_id=f"{_ITEM}{place}", item=item) for place, item in enumerate(part.items)]
    events: list[KnownClientEvent] = [*creates, *part.events]
    waiting = {event.event_id: event.item for event in events if isinstance(event, ConversationItemCreate)}
    for event in events:
        await stage.transport.send(encode(event))
    refused: list[LeftOut] = []
    while waiting:
        heard = await stage.hear()
        if isinstance(heard, ErrorEvent) and heard.error.event_id in waiting:
            item = waiting.pop(heard.error.event_id)
            if (heard.error.event_id or "").startswith(_ITEM):
                refused.append(LeftOut(_id(item) or "", getattr(item, "type", "") or "", _why(heard)))
        elif isinstance(heard, ConversationItemCreated):
            waiting.pop(_request_for(getattr(heard.item, "id", None), waiting), None)
    return refused


def _request_for(told_id: str | None, waiting: Mapping[str | None, ConversationRequestItem | None]) -> str | None:
    """The request that an item answers: the one of its id, else the oldest that left the id to the service."""
    named = (name for name, item in waiting.items() if told_id is None or _id(item) == told_id)
    return next(named, next((name for name, item in waiting.items() if _id(item) is None), None))


def _id(item: ConversationRequestItem | None) -> str | None:
    found = getattr(item, "id", None)
    return found if isinstance(found, str) else None


def _why(event: ErrorEvent) -> str:
    return f"the service refused it: {event.error.code or event.error.type}"


def _refuses(event: ErrorEvent, update_id: str) -> bool:
    named_id = event.error.event_id
    return named_id == update_id or (named_id is None and SessionUpdate in unnamed_refusal(event.error))

"""A caller who uses the official SDK ``azure-ai-voicelive``, and who checks whatever that SDK makes of each event.

The SDK reads fields only when they are asked for, and takes anything it does not know as its most general class. So
every event is walked through to its last field here. What a conversation is about is left to the tests.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from azure.ai.voicelive import models
from azure.ai.voicelive.aio import VoiceLiveConnection, connect
from azure.core.credentials import AzureKeyCredential

from voicelive.testing import Emulator

__all__ = ["Caller", "call", "user_text"]

_E = TypeVar("_E", bound=models.ServerEvent)

_WAIT_S = 10  # a failure guard for a slow machine; the emulator answers within milliseconds
_CHUNK_BYTES = 4_800  # 100 ms of pcm16 at 24 kHz

# Sent by the service on dated versions (recorded), and without a class in azure-ai-voicelive 1.3.1.
_NOT_IN_THE_SDK = frozenset({"conversation.item.done"})

# Declared as always present, and not there in recorded traffic either.
_LEFT_OUT_BY_THE_SERVICE = frozenset({(models.RequestAudioContentPart, "audio")})


class Caller:
    """One connection of the official SDK.

    Attributes:
        connection: What ``connect`` of the SDK gave.
        events: All events received so far.
    """

    def __init__(self, connection: VoiceLiveConnection) -> None:
        self.connection = connection
        self.events: list[models.ServerEvent] = []

    async def receive(self) -> models.ServerEvent:
        """The next event, typed by the SDK's models through and through."""
        async with asyncio.timeout(_WAIT_S):
            event = await self.connection.recv()
        defects = [] if event.type in _NOT_IN_THE_SDK else list(_defects(event, event.type))
        assert not defects, defects
        self.events.append(event)
        return event

    async def until(
        self, kind: type[_E], accept: Callable[[_E], bool] = lambda event: True
    ) -> list[models.ServerEvent]:
        """Everything up to the first event of a class that is accepted; an error that was not awaited fails."""
        events: list[models.ServerEvent] = []
        while True:
            event = await self.receive()
            events.append(event)
            if isinstance(event, kind) and accept(event):
                return events
            assert not isinstance(event, models.ServerEventError), event.error.message

    async def one(self, kind: type[_E], accept: Callable[[_E], bool] = lambda event: True) -> _E:
        """The last of them."""
        event = (await self.until(kind, accept))[-1]
        assert isinstance(event, kind)
        return event

    async def refusal(self) -> models.ServerEventErrorDetails:
        """The next error."""
        return (await self.one(models.ServerEventError)).error

    async def configure(self, **settings: Any) -> models.ResponseSession:
        """Change settings; those in effect afterwards."""
        await self.connection.session.update(session=models.RequestSession(**settings))
        return (await self.one(models.ServerEventSessionUpdated)).session

    async def write(self, text: str, **fields: Any) -> models.ResponseMessageItem:
        """Add a typed message of the user; the item as the service took it."""
        await self.connection.conversation.item.create(item=user_text(text, **fields))
        item = (await self.one(models.ServerEventConversationItemCreated)).item
        assert isinstance(item, models.ResponseMessageItem)
        return item

    async def ask(self, text: str) -> list[models.ServerEvent]:
        """One turn in writing: everything from ``response.created`` to ``response.done``."""
        await self.write(text)
        await self.connection.response.create()
        return await self.until(models.ServerEventResponseDone)

    async def say(self, pcm16: bytes) -> None:
        """Send speech in chunks of 100 ms, as fast as the socket takes them."""
        for start in range(0, len(pcm16), _CHUNK_BYTES):
            chunk = base64.b64encode(pcm16[start : start + _CHUNK_BYTES]).decode("ascii")
            await self.connection.input_audio_buffer.append(audio=chunk)


@asynccontextmanager
async def call(emulator: Emulator, **settings: Any) -> AsyncIterator[Caller]:
    """Connect the official SDK with an emulator; settings, if any, are in effect at once."""
    async with connect(
        endpoint=emulator.endpoint, credential=AzureKeyCredential("any"), model="gpt-realtime"
    ) as connection:
        caller = Caller(connection)
        assert isinstance(await caller.receive(), models.ServerEventSessionCreated)
        if settings:
            await caller.configure(**settings)
        yield caller


def user_text(text: str, **fields: Any) -> models.UserMessageItem:
    return models.UserMessageItem(content=[models.InputTextContentPart(text=text)], **fields)


def _defects(value: object, path: str) -> Iterator[str]:
    """Where the SDK fell back to a general class, or misses a field that it declares as always present."""
    if isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _defects(entry, f"{path}[{index}]")
        return
    if "__mapping__" in vars(type(value)):
        yield f"{path} has no class of its own: it became {type(value).__name__}"
    # The SDK offers no public list of a model's fields; what is no model has none.
    fields: Mapping[str, Any] = getattr(value, "_attr_to_rest_field", {})
    for name, field in fields.items():
        content = getattr(value, name)
        required = not field._is_optional and (type(value), name) not in _LEFT_OUT_BY_THE_SERVICE
        if content is None and required:
            yield f"{path}.{name} is missing"
        yield from _defects(content, f"{path}.{name}")

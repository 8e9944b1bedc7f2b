"""What an application can say to a session. Every verb here makes one event.

Verbs return when the event is written to the socket, or when the service has confirmed it; each says which.
All of them raise ``SessionClosedError`` at once when the session has ended, and ``ConfigurationError`` for
values that make no sense, before anything is sent. All may be called from any task, also from handlers.
Cancelling one that waits for a confirmation leaves the request standing.
"""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypeVar
from uuid import uuid4

from voicelive.audio_input import AudioInput
from voicelive.avatar.updates import refuse_ignored
from voicelive.errors import ConfigurationError, LocalProtocolError
from voicelive.protocol.responses import Kind
from voicelive.protocol.settings import merged
from voicelive.response import ResponseHandle
from voicelive.wire.base import Unlisted
from voicelive.wire.client_events import (
    ClientEvent,
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    KnownClientEvent,
    ResponseCancel,
    SessionUpdate,
)
from voicelive.wire.items import (
    ConversationRequestItem,
    ResponseItem,
    SystemMessageItem,
    UserMessageItem,
)
from voicelive.wire.parts import InputTextContentPart, MessageContentPart, RequestImageContentPart
from voicelive.wire.responses import ResponseCreateParams
from voicelive.wire.server.base import ServerEventBase
from voicelive.wire.server.conversation import (
    ConversationItemCreated,
    ConversationItemDeleted,
    ConversationItemRetrieved,
    ConversationItemTruncated,
    InputAudioBufferCleared,
    InputAudioBufferCommitted,
)
from voicelive.wire.server.response import ResponseDone
from voicelive.wire.server.session import SessionUpdated
from voicelive.wire.session import SessionConfig, SessionResource

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12 on

__all__ = ["Verbs"]

_A = TypeVar("_A", bound=ServerEventBase)

_CLEAR = InputAudioBufferClear()  # frozen, so that one of each serves all sessions
_COMMIT = InputAudioBufferCommit()
_CANCEL = ResponseCancel()

_IMAGE_KINDS: Mapping[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}
"""First bytes of the image formats that models take."""

_MESSAGE_OF: Mapping[str, type[UserMessageItem | SystemMessageItem]] = {
    "user": UserMessageItem,
    "system": SystemMessageItem,
}


class Verbs(ABC):
    """The speaking half of ``Session``."""

    @abstractmethod
    async def _write(self, event: ClientEvent) -> None:
        """Put an event on the wire."""

    @abstractmethod
    async def _request(self, event: KnownClientEvent, answer: type[_A], timeout_s: float | None) -> _A:
        """Put an event on the wire and wait for the event that confirms it."""

    @abstractmethod
    async def _respond(
        self,
        params: ResponseCreateParams | None,
        additional_instructions: str | None = None,
        *,
        kind: Kind = Kind.ANSWER,
        interruptible: bool = True,
        confirm: bool = True,
        timeout_s: float | None = None,
    ) -> ResponseHandle:
        """Want a response, and wait until it begins."""

    @abstractmethod
    def _audio_input(self) -> AudioInput:
        """The way out for the caller's audio, in the session's input format."""

    @property
    @abstractmethod
    def config(self) -> SessionResource:
        """The settings in effect."""

    @property
    @abstractmethod
    def requested(self) -> SessionConfig | None:
        """The settings that were asked for."""

    @property
    @abstractmethod
    def _audio_was_sent(self) -> bool:
        """Whether the input format is settled."""

    @abstractmethod
    def _avatar_is_asked_for(self, config: SessionConfig) -> None:
        """Settings are about to be sent, which may bring an avatar."""

    async def update(
        self, config: SessionConfig, *, confirm: bool = True, timeout_s: float | None = None
    ) -> SessionResource | None:
        """Change settings; only what ``config`` sets changes, nested objects replace as a whole.

        Returns the settings in effect once the service confirms; ``None`` with ``confirm=False``.

        Raises:
            ServiceError: The service refused the settings.
            LocalProtocolError: The service would ignore it: the input format would change after audio was sent, or
                something of the avatar other than a photo avatar's scene (``voicelive.avatar.updates``).
            ConfigurationError: Together with what was asked for before, the settings are impossible.
            ConfirmationTimeoutError: No answer within ``timeout_s`` (default ``ClientOptions.confirm_timeout_s``).
        """
        refuse_ignored(config, in_effect=self.config, requested=self.requested)
        merged(self.requested, config)  # what is impossible raises here, and not where the confirmation is read
        if self._audio_was_sent:
            for name in ("input_audio_format", "input_audio_sampling_rate", "input_audio_echo_cancellation"):
                if name in config.model_fields_set and getattr(config, name) != getattr(self.config, name):
                    raise LocalProtocolError(
                        f"{name} cannot change after audio was sent; set it in client.connect(config=...)"
                    )
        self._avatar_is_asked_for(config)
        event = SessionUpdate(session=config)
        if not confirm:
            await self._write(event)
            return None
        return (await self._request(event, SessionUpdated, timeout_s)).session

    async def send_audio(self, audio: Buffer) -> None:
        """Stream the caller's audio, waiting while the socket is congested, or while the session is between two
        connections; with ``ClientOptions.audio_overflow="drop_oldest"`` without waiting.

        Args:
            audio: Any bytes-like object in the session's input format (default: 16-bit little-endian mono at
                24 kHz). 20 to 100 ms go out at once as one event, longer is split, a shorter tail waits for
                more, for ``flush_audio``, or 40 ms.

        Raises:
            ConfigurationError: The audio ends inside a sample, which would shift every later one.

        Returns when written. Cancelling may leave part of ``audio`` sent. Calls from several tasks are served in
        order, but one stream wants one task.
        """
        await self._audio_input().send(audio)

    async def flush_audio(self) -> None:
        """Send the tail that is shorter than 20 ms now. Returns when written."""
        await self._audio_input().flush()

    async def commit_audio(self, *, confirm: bool = True, timeout_s: float | None = None) -> str | None:
        """Turn what was sent into a user item, without turn detection or before it would. Starts no response.

        The tail goes out first. Returns the item's id once confirmed, ``None`` with ``confirm=False``.

        Raises:
            ServiceError: The service refused, as it does when there is nothing to commit.
            ConfirmationTimeoutError: No answer in time.
        """
        await self.flush_audio()
        if not confirm:
            await self._write(_COMMIT)
            return None
        return (await self._request(_COMMIT, InputAudioBufferCommitted, timeout_s)).item_id

    async def clear_audio(self, *, confirm: bool = False, timeout_s: float | None = None) -> None:
        """Drop audio that is not committed, the waiting tail included. Returns when written, or when confirmed.

        Raises:
            ServiceError: The service refused (only with ``confirm=True``).
            ConfirmationTimeoutError: No answer in time.
        """
        self._audio_input().drop()
        await self._confirmed(_CLEAR, InputAudioBufferCleared, confirm, timeout_s)

    async def send_text(
        self,
        text: str,
        *,
        role: Literal["user", "system"] = "user",
        confirm: bool = False,
        timeout_s: float | None = None,
    ) -> str:
        """Add a text message to the conversation; ask for the answer with ``create_response``.

        Returns the item's id when written; with ``confirm=True`` when the service has it.

        Raises:
            ConfigurationError: ``role`` is neither.
            ServiceError: The service refused the item (only with ``confirm=True``).
            ConfirmationTimeoutError: No answer in time.
        """
        if role not in _MESSAGE_OF:
            raise ConfigurationError(f"role is {role!r}; allowed: 'user', 'system'")
        item = _MESSAGE_OF[role](content=[InputTextContentPart(text=text)])
        return await self.add_item(item, confirm=confirm, timeout_s=timeout_s)

    async def send_image(
        self,
        image: bytes | str,
        *,
        text: str | None = None,
        detail: Literal["auto", "low", "high"] | Unlisted | None = None,
        confirm: bool = False,
        timeout_s: float | None = None,
    ) -> str:
        """Add an image to the conversation, with an optional question about it.

        Args:
            image: The bytes of a PNG, JPEG, GIF or WebP file, or an ``https:`` or ``data:`` URL.
            text: Said together with the image.
            detail: How closely the model looks.

        Returns the item's id when written; with ``confirm=True`` when the service has it.

        Raises:
            ConfigurationError: The bytes are none of these formats, or the URL is of another kind.
            ServiceError: The service refused the item (only with ``confirm=True``).
            ConfirmationTimeoutError: No answer in time.
        """
        url = _image_url(image)
        part = (
            RequestImageContentPart(image_url=url)
            if detail is None
            else RequestImageContentPart(image_url=url, detail=detail)
        )
        content: list[MessageContentPart] = [part]
        if text is not None:
            content.insert(0, InputTextContentPart(text=text))
        return await self.add_item(UserMessageItem(content=content), confirm=confirm, timeout_s=timeout_s)

    async def add_item(
        self,
        item: ConversationRequestItem,
        *,
        previous_item_id: str | None = None,
        confirm: bool = False,
        timeout_s: float | None = None,
    ) -> str:
        """Insert an item into the conversation: at the end, behind ``previous_item_id``, or at the front (``"root"``).

        Returns the item's id, chosen here where the item has none, when written; with ``confirm=True`` when the
        service has it.

        Raises:
            ServiceError: The service refused the item (only with ``confirm=True``).
            ConfirmationTimeoutError: No answer in time.
        """
        given = getattr(item, "id", None)
        item_id = given if isinstance(given, str) else f"item_{uuid4().hex[:24]}"
        if given is None:
            item = item.model_copy(update={"id": item_id})
        event = (
            ConversationItemCreate(item=item)
            if previous_item_id is None
            else ConversationItemCreate(item=item, previous_item_id=previous_item_id)
        )
        if confirm:
            await self._request(event, ConversationItemCreated, timeout_s)
        else:
            await self._write(event)
        return item_id

    async def retrieve_item(self, item_id: str, *, timeout_s: float | None = None) -> ResponseItem:
        """The service's copy of an item, audio included.

        Raises:
            ServiceError: There is no such item.
            ConfirmationTimeoutError: No answer in time.
        """
        event = ConversationItemRetrieve(item_id=item_id)
        item = (await self._request(event, ConversationItemRetrieved, timeout_s)).item
        if item is None:
            raise LocalProtocolError(f"the service answered the request for item {item_id} without an item")
        return item

    async def delete_item(self, item_id: str, *, confirm: bool = True, timeout_s: float | None = None) -> None:
        """Remove an item from the conversation. Returns when confirmed.

        Raises:
            ServiceError: There is no such item.
            ConfirmationTimeoutError: No answer in time.
        """
        await self._confirmed(ConversationItemDelete(item_id=item_id), ConversationItemDeleted, confirm, timeout_s)

    async def truncate(
        self,
        item_id: str,
        audio_end_ms: int,
        *,
        content_index: int = 0,
        confirm: bool = True,
        timeout_s: float | None = None,
    ) -> None:
        """Cut an item of the agent to what was heard, in milliseconds from its start. Returns when confirmed.

        The service drops the transcript of that part, and refuses an end beyond the item's length.

        Raises:
            ServiceError: The service refused.
            ConfirmationTimeoutError: No answer in time.
        """
        if audio_end_ms < 0:
            raise ConfigurationError(f"audio_end_ms is {audio_end_ms}; it must be 0 or more")
        event = ConversationItemTruncate(item_id=item_id, content_index=content_index, audio_end_ms=audio_end_ms)
        await self._confirmed(event, ConversationItemTruncated, confirm, timeout_s)

    async def create_response(
        self,
        params: ResponseCreateParams | None = None,
        *,
        additional_instructions: str | None = None,
        confirm: bool = True,
        timeout_s: float | None = None,
    ) -> ResponseHandle:
        """Ask for a response. It waits its turn: behind a running one, behind tool results that are owed, and behind
        the answer that turn detection is about to start. Wishes without settings of their own are joined.

        Returns a handle as the response begins, with ``confirm=False`` at once. ``await handle`` waits for its end.

        Args:
            params: Settings of this response only. ``conversation="none"`` asks out of band, at once;
                ``cancel_previous=True`` cuts a running response off.
            additional_instructions: Added to the session's instructions for this response.

        Raises:
            ServiceError: The service refused.
            ConfirmationTimeoutError: It did not begin within ``timeout_s`` (default
                ``ClientOptions.confirm_timeout_s``); it is not asked for any more, unless it was already.
        """
        return await self._respond(params, additional_instructions, confirm=confirm, timeout_s=timeout_s)

    async def cancel_response(
        self, response_id: str | None = None, *, confirm: bool = False, timeout_s: float | None = None
    ) -> None:
        """Stop a response, by default the running one; its ``response.done`` follows.

        Returns when written; with ``confirm=True`` when that event has come. With nothing to stop, the service sends
        an ``error`` event that harms nothing.

        Raises:
            ServiceError: There was nothing to stop (only with ``confirm=True``).
            ConfirmationTimeoutError: No answer in time.
        """
        event = _CANCEL if response_id is None else ResponseCancel(response_id=response_id)
        await self._confirmed(event, ResponseDone, confirm, timeout_s)

    async def _confirmed(
        self, event: KnownClientEvent, answer: type[ServerEventBase], confirm: bool, timeout_s: float | None
    ) -> None:
        if confirm:
            await self._request(event, answer, timeout_s)
        else:
            await self._write(event)


def _image_url(image: bytes | str) -> str:
    if isinstance(image, str):
        if not image.startswith(("https:", "data:image/")):
            raise ConfigurationError(
                "image is a text that is no https: or data:image/ URL; read the file and pass bytes"
            )
        return image
    for start, kind in _IMAGE_KINDS.items():
        if image.startswith(start) and (kind != "image/webp" or image[8:12] == b"WEBP"):
            return f"data:{kind};base64,{base64.b64encode(image).decode('ascii')}"
    raise ConfigurationError("image is none of the formats PNG, JPEG, GIF, WebP; convert it first")

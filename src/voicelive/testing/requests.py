"""What a client may send: one table per event type, and the reading of a frame.

A frame becomes a typed event and the plain JSON it came from: the typed event is recorded, the JSON is judged,
because only it still tells an absent key from null and a wrong value from an unknown kind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voicelive import wire
from voicelive.errors import DecodeError
from voicelive.testing.checks import Check, Refusal, anything, boolean, each, integer, nullable, one_of, record, text
from voicelive.testing.items import ITEM
from voicelive.testing.settings_rules import (
    INTERIM_RESPONSE,
    MAX_OUTPUT_TOKENS,
    METADATA,
    MODALITIES,
    OUTPUT_FORMATS,
    TOOL_CHOICE,
    TOOLS,
    VOICE,
)

__all__ = ["MAX_APPEND_BYTES", "Request"]

MAX_APPEND_BYTES = 15 * 1024 * 1024
"""Base64 text of the audio in one ``input_audio_buffer.append``; published schema."""

_RESPONSE = record(
    {
        "modalities": nullable(MODALITIES),
        "instructions": nullable(text),
        "voice": nullable(VOICE),
        "output_audio_format": nullable(one_of(*OUTPUT_FORMATS)),
        "tools": nullable(TOOLS),
        "tool_choice": nullable(TOOL_CHOICE),
        "temperature": anything,
        "max_output_tokens": nullable(MAX_OUTPUT_TOKENS),
        "max_response_output_tokens": nullable(MAX_OUTPUT_TOKENS),
        "commit": nullable(boolean),
        "cancel_previous": nullable(boolean),
        "conversation": nullable(one_of("auto", "none")),
        "input_items": nullable(each(ITEM)),
        "append_input_items": nullable(each(ITEM)),
        "pre_generated_assistant_message": nullable(
            record(
                {
                    "type": one_of("message"),
                    "role": one_of("assistant"),
                    "id": nullable(text),
                    "status": nullable(text),
                    "content": each(
                        record({"type": one_of("text", "output_text"), "text": text}, required=("type", "text")),
                        most=1,
                    ),
                },
                required=("content",),
            )
        ),
        "reasoning_effort": nullable(text),
        "metadata": METADATA,
        "interim_response": INTERIM_RESPONSE,
        "invoke_input": anything,
        "animation": anything,
    }
)


def _event(*required: str, **fields: Check) -> Check:
    return record({"type": text, "event_id": nullable(text), **fields}, required)


EVENTS: Mapping[str, Check] = {
    "session.update": _event("session", session=anything),  # judged by Settings.apply
    "session.avatar.connect": _event("client_sdp", client_sdp=text),
    "input_audio_buffer.append": _event("audio", audio=text),
    "input_audio_buffer.commit": _event(),
    "input_audio_buffer.clear": _event(),
    "input_audio.clear": _event(),
    "input_audio.turn.start": _event("turn_id", turn_id=text),
    "input_audio.turn.append": _event("turn_id", "audio", turn_id=text, audio=text),
    "input_audio.turn.end": _event("turn_id", turn_id=text),
    "input_audio.turn.cancel": _event("turn_id", turn_id=text),
    "input_text.delta": _event("id", "delta", id=text, delta=text, content_index=nullable(integer(0))),
    "input_text.done": _event("id", id=text, content_index=nullable(integer(0))),
    "output_audio_buffer.clear": _event(),
    "conversation.item.create": _event("item", item=ITEM, previous_item_id=nullable(text)),
    "conversation.item.retrieve": _event("item_id", item_id=text),
    "conversation.item.truncate": _event(
        "item_id", "content_index", "audio_end_ms", item_id=text, content_index=integer(0), audio_end_ms=integer(0)
    ),
    "conversation.item.delete": _event("item_id", item_id=text),
    "response.create": _event(response=nullable(_RESPONSE), additional_instructions=nullable(text)),
    "response.cancel": _event(response_id=nullable(text)),
}
"""Event type to what it must hold."""


@dataclass(frozen=True, slots=True)
class Request:
    """One client event.

    Attributes:
        event: As the wire models read it.
        body: The plain JSON; empty for ``input_audio_buffer.append``, whose audio is in ``event``.
    """

    event: wire.ClientEvent
    body: dict[str, Any] = field(repr=False)

    @classmethod
    def read(cls, frame: str | bytes) -> Request:
        """The request in a frame, text or UTF-8 bytes.

        Raises:
            Refusal: Not a JSON object.
        """
        try:
            event = wire.decode_client(frame)
        except DecodeError as error:
            raise Refusal("invalid_event", f"The frame is not a JSON object: {error.problem}.") from None
        is_audio = isinstance(event, wire.InputAudioBufferAppend)
        return cls(event, {} if is_audio else json.loads(frame))

    @property
    def event_id(self) -> str | None:
        """The client's own id of the event."""
        return self.event.event_id

    def check(self) -> None:
        """Judge the event by its table.

        Raises:
            Refusal: An unknown type, a missing or unknown field, or a value that is not allowed.
        """
        if isinstance(self.event, wire.InputAudioBufferAppend):
            if len(self.event.audio) * 4 > MAX_APPEND_BYTES * 3:
                raise Refusal("invalid_value", f"At most {MAX_APPEND_BYTES} bytes of base64 fit one event.", "audio")
            return
        kind = self.body.get("type")
        if kind is None:
            raise Refusal("missing_required_parameter", "Missing required parameter: 'type'.", "type")
        one_of(*EVENTS)(kind, "type")
        EVENTS[str(kind)](self.body, "")
        if kind == "input_audio_buffer.append":  # the wire model did not take it, so only the text can be at fault
            raise Refusal("invalid_value", "'audio' is not base64.", "audio")

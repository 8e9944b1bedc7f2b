"""Items of the conversation as the emulated service keeps them, and how it reports them.

An item here is mutable and holds audio; the wire models made from it are snapshots, without audio unless it is
asked for. Where an item stands in the conversation is known by ``history`` alone.
"""

from __future__ import annotations

from binascii import a2b_base64
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from voicelive import wire
from voicelive.audio.formats import AudioFormat
from voicelive.testing.checks import (
    Check,
    Refusal,
    anything,
    boolean,
    each,
    nullable,
    one_of,
    record,
    tagged,
    text,
)

__all__ = [
    "ITEM",
    "CallItem",
    "Item",
    "MessageItem",
    "OutputItem",
    "Part",
    "ReportedItem",
    "item_from_request",
    "own_ids",
]

ReportedItem: TypeAlias = wire.ResponseMessageItem | wire.ResponseFunctionCallItem | wire.ResponseFunctionCallOutputItem
Status: TypeAlias = Literal["in_progress", "completed", "incomplete"]


@dataclass(slots=True)
class Part:
    """One content part; ``audio`` is in ``audio_format``, a ``bytearray`` where it still grows."""

    kind: Literal["input_text", "input_audio", "input_image", "text", "audio"]
    text: str | None = field(default=None, repr=False)
    transcript: str | None = field(default=None, repr=False)
    audio: bytes | bytearray | None = field(default=None, repr=False)
    audio_format: AudioFormat | None = None
    image: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def audio_ms(self) -> float:
        """Length of the audio."""
        return self.audio_format.duration_ms(len(self.audio)) if self.audio and self.audio_format else 0.0

    def report(self, *, with_audio: bool) -> Any:
        """The part as a wire model; the union's members differ by kind, hence ``Any``."""
        audio: dict[str, Any] = {"audio": bytes(self.audio)} if with_audio and self.audio is not None else {}
        match self.kind:
            case "input_text":
                return wire.RequestTextContentPart(text=self.text)
            case "input_audio":
                return wire.RequestAudioContentPart(transcript=self.transcript, **audio)
            case "input_image":
                return wire.RequestImageContentPart(**self.image)
            case "text":
                return wire.ResponseTextContentPart(text=self.text)
            case "audio":
                return wire.ResponseAudioContentPart(transcript=self.transcript, **audio)


@dataclass(slots=True)
class MessageItem:
    """Something said or written by the caller, the agent or the application (``system``)."""

    id: str
    role: Literal["user", "assistant", "system"]
    parts: list[Part] = field(default_factory=list)
    status: Status = "completed"

    @property
    def words(self) -> str:
        """All that is known of its text; typed, transcribed or spoken."""
        return " ".join(said for part in self.parts if (said := part.text or part.transcript))

    def report(self, *, with_audio: bool = False) -> wire.ResponseMessageItem:
        return wire.ResponseMessageItem(
            id=self.id,
            object="realtime.item",
            status=self.status,
            role=self.role,
            content=[part.report(with_audio=with_audio) for part in self.parts],
        )


@dataclass(slots=True)
class CallItem:
    """A call of a function that the application runs."""

    id: str
    name: str
    call_id: str
    arguments: str = field(default="", repr=False)
    status: Status = "completed"

    @property
    def words(self) -> str:
        return self.name + self.arguments

    def report(self, *, with_audio: bool = False) -> wire.ResponseFunctionCallItem:
        return wire.ResponseFunctionCallItem(
            id=self.id,
            object="realtime.item",
            status=self.status,
            name=self.name,
            call_id=self.call_id,
            arguments=self.arguments,
        )


@dataclass(slots=True)
class OutputItem:
    """What a function answered."""

    id: str
    call_id: str
    output: str = field(repr=False)

    @property
    def words(self) -> str:
        return self.output

    def report(self, *, with_audio: bool = False) -> wire.ResponseFunctionCallOutputItem:
        return wire.ResponseFunctionCallOutputItem(
            id=self.id, object="realtime.item", call_id=self.call_id, output=self.output
        )


Item: TypeAlias = MessageItem | CallItem | OutputItem


def own_ids(item: Item) -> tuple[str, ...]:
    """The ids that nothing else may have: the item's, and its call's."""
    return (item.id, item.call_id) if isinstance(item, CallItem) else (item.id,)


_common: dict[str, Check] = {"type": text, "id": text, "status": text, "object": anything}
_text_part = record({"type": text, "text": text}, required=("text",))
_audio_part = record({"type": text, "audio": nullable(text), "transcript": nullable(text)}, required=("audio",))
_image_part = record({"type": text, "image_url": text, "url": text, "detail": one_of("auto", "low", "high")})


def _message(**parts: Check) -> Check:
    return record({**_common, "role": text, "content": each(tagged("type", parts))}, required=("role", "content"))


ITEM = tagged(
    "type",
    {
        "message": tagged(
            "role",
            {
                "user": _message(input_text=_text_part, input_audio=_audio_part, input_image=_image_part),
                "system": _message(input_text=_text_part),
                "assistant": _message(text=_text_part, output_text=_text_part),
            },
        ),
        "function_call": record(
            {**_common, "name": text, "call_id": text, "arguments": text}, required=("name", "call_id", "arguments")
        ),
        "function_call_output": record({**_common, "call_id": text, "output": text}, required=("call_id", "output")),
        "mcp_approval_response": record(
            {**_common, "approval_request_id": text, "approve": boolean, "reason": nullable(text)},
            required=("approval_request_id", "approve"),
        ),
    },
)
"""What ``conversation.item.create`` may carry."""


def item_from_request(request: dict[str, Any], item_id: str, input_format: AudioFormat) -> Item:
    """The item that a request passed by ``ITEM`` asks for.

    Raises:
        Refusal: Audio that is not base64, or a kind that the emulator does not play.
    """
    match request:
        case {"type": "function_call"}:
            return CallItem(item_id, request["name"], request["call_id"], request["arguments"])
        case {"type": "function_call_output"}:
            return OutputItem(item_id, request["call_id"], request["output"])
        case {"type": "message", "role": role, "content": content}:
            parts = [_part(part, f"item.content[{index}]", input_format) for index, part in enumerate(content)]
            return MessageItem(item_id, role, parts)
        case _:
            raise Refusal("invalid_value", "No approval request of this id is waiting.", "item.approval_request_id")


def _part(request: dict[str, Any], path: str, input_format: AudioFormat) -> Part:
    match request["type"]:
        case "input_audio":
            try:
                audio = a2b_base64(request["audio"] or "", strict_mode=True)
            except ValueError:
                raise Refusal("invalid_value", f"'{path}.audio' is not base64.", f"{path}.audio") from None
            return Part("input_audio", None, request.get("transcript"), audio, input_format)
        case "input_image":
            return Part("input_image", image={key: value for key, value in request.items() if key != "type"})
        case "input_text":
            return Part("input_text", request["text"])
        case _:
            return Part("text", request["text"])  # recorded: an output_text part comes back as text

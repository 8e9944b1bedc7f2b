"""One item of the conversation as it comes in, piece by piece, in whatever order.

Decides what a report adds to what is known: the first whole text counts, an empty one says nothing (the service
reports parts empty after it has told their text), and a status never goes back. Knows nothing of other items.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from voicelive.protocol.snapshots import Item, Part, ToolCall, Transcription
from voicelive.protocol.transcripts import HeardText, PartText, heard_part
from voicelive.wire.items import (
    ResponseFoundryAgentCallItem,
    ResponseFunctionCallItem,
    ResponseFunctionCallOutputItem,
    ResponseItem,
    ResponseMCPCallItem,
    ResponseMessageItem,
    UnknownResponseItem,
)
from voicelive.wire.parts import (
    ContentPart,
    RequestImageContentPart,
    RequestTextContentPart,
    ResponseTextContentPart,
    UnknownContentPart,
)

__all__ = ["CALLS", "Entry"]

CALLS: Final = frozenset({"function_call", "mcp_call", "foundry_agent_call"})
"""Kinds of items that are tool calls."""

_DATED_SPELLING: Final = {"output_text": "text", "output_audio": "audio"}


@dataclass(slots=True)
class Entry:
    """What is known of one item."""

    id: str
    seen_at_s: float
    kind: str = "message"
    role: str | None = None
    status: str | None = None
    turn_id: str | None = None
    response_id: str | None = None
    deleted: bool = False
    parts: dict[int, PartText] = field(default_factory=dict)
    heard_ms: float | None = None
    heard_of_ms: float | None = None
    heard_final: bool = False
    truncated_at_ms: int | None = None
    transcription_failed: bool = False
    citations: list[Any] = field(default_factory=list, repr=False)
    call_id: str = ""
    name: str = ""
    arguments: PartText = field(default_factory=lambda: PartText("arguments"))
    output: str | None = field(default=None, repr=False)
    error: Any = field(default=None, repr=False)
    settled: bool = False
    """A call that the service itself makes has its result or its error."""
    wire: ResponseItem | None = field(default=None, repr=False)
    told: bool = False
    """The agent's text was announced."""
    cut_told: bool = False
    """That it was cut off was announced."""

    def update(self, item: ResponseItem) -> None:
        """The service's report of the item."""
        self.kind = (item.kind or "unknown") if isinstance(item, UnknownResponseItem) else item.type
        status = getattr(item, "status", None)
        if isinstance(status, str) and (self.status is None or status != "in_progress"):
            self.status = str(status)
        if isinstance(item, ResponseMessageItem):
            self.role = self.role if item.role is None else str(item.role)
            for index, part in enumerate(item.content):
                self.take_part(index, part, whole=self.status != "in_progress")
        elif isinstance(item, ResponseFunctionCallItem):
            self._update_call(item.call_id, item.name, item.arguments if item.status != "in_progress" else "")
        elif isinstance(item, ResponseFunctionCallOutputItem):
            self.call_id, self.output = item.call_id or self.call_id, item.output
        else:
            self._update_other(item)

    def part(self, index: int, kind: str) -> PartText:
        """A content part, new or known."""
        found = self.parts.get(index)
        if found is None:
            found = self.parts[index] = PartText(_DATED_SPELLING.get(kind, kind))
        return found

    def take_part(self, index: int, part: ContentPart, *, whole: bool) -> None:
        """The service's report of a content part; ``whole``: the agent will add nothing to it."""
        if isinstance(part, UnknownContentPart):
            self.part(index, part.kind or "unknown").raw = part.raw
            return
        known = self.part(index, part.type)
        if isinstance(part, RequestImageContentPart):
            known.image_url = part.image_url or part.url or known.image_url
            return
        text = part.text if isinstance(part, RequestTextContentPart | ResponseTextContentPart) else part.transcript
        if text and (whole or known.kind in ("input_text", "input_audio")):
            known.finish(text)

    def break_off(self) -> None:
        """The response that makes it will tell no more of it: it stays as far as it came."""
        whole_call = self.kind in CALLS and self.arguments.final and self.status != "incomplete"
        if not (whole_call or (self.kind == "message" and self.text)):
            self.deleted = True
        if self.status != "completed" and not whole_call:
            self.status = "incomplete"

    @property
    def text(self) -> str | None:
        """The text of all parts; ``None`` where none has any."""
        return _joined(part.text for part in self._parts())

    @property
    def awaits_transcript(self) -> bool:
        """Whether the caller's audio has no transcript, and no failure either."""
        return self.kind == "message" and self.role == "user" and self.transcription == "pending" and not self.deleted

    @property
    def transcription(self) -> Transcription | None:
        spoken = [part for part in self.parts.values() if part.kind == "input_audio"]
        if not spoken:
            return None
        if all(part.final for part in spoken):
            return "completed"
        return "failed" if self.transcription_failed else "pending"

    @property
    def audio_ms(self) -> float | None:
        """Length of the agent's audio as received; ``None`` where its format is not known."""
        lengths = [part.audio_ms for part in self.parts.values()]
        return None if None in lengths else sum(length for length in lengths if length is not None)

    @property
    def interrupted(self) -> bool:
        """Whether the agent's voice was cut off before its end."""
        if self.truncated_at_ms is not None:
            return True
        return self.heard_final and (self.heard_ms or 0.0) < int(self._total_ms() or 0.0)

    def heard(self) -> HeardText:
        """What was heard of the agent's message."""
        if self.kind != "message" or self.role != "assistant":
            return HeardText(None)
        left_ms = self._heard_ms()
        spoken = [part for part in self._parts() if part.kind == "audio"]
        if not spoken:
            return HeardText(self.text)
        if left_ms is None:
            return HeardText(None)
        texts: list[str | None] = []
        estimate = False
        for part in self._parts():
            if part.kind != "audio":
                texts.append(part.text)
                continue
            total_ms = self._total_ms() if len(spoken) == 1 else part.audio_ms
            heard = heard_part(part, left_ms, total_ms)
            if heard.text is None and part.text is not None:
                return HeardText(None)
            texts.append(heard.text)
            estimate = estimate or heard.is_estimate
            left_ms -= total_ms or 0.0
        return HeardText(_joined(texts), estimate)

    def snapshot(self, call: ToolCall | None, *, transcribes: bool) -> Item:
        """The item as it can be read.

        Args:
            call: The tool call that it is.
            transcribes: Whether a transcript of the caller's audio is to be expected.
        """
        heard, transcription = self.heard(), self.transcription
        return Item(
            id=self.id,
            kind=self.kind,
            role=self.role,
            status=self.status,
            turn_id=self.turn_id,
            response_id=self.response_id,
            seen_at_s=self.seen_at_s,
            text=self.text,
            heard_text=heard.text,
            heard_ms=self._heard_ms(),
            heard_is_estimate=heard.is_estimate,
            truncated_at_ms=self.truncated_at_ms,
            interrupted=self.interrupted,
            transcription=None if transcription == "pending" and not transcribes else transcription,
            audio_ms=self.audio_ms,
            citations=tuple(self.citations),
            call=call,
            call_id=self.call_id if self.kind == "function_call_output" else None,
            output=self.output if self.kind == "function_call_output" else None,
            parts=tuple(Part(part.kind, part.text, part.audio_ms, part.image_url, part.raw) for part in self._parts()),
            wire=self.wire,
        )

    def _parts(self) -> list[PartText]:
        return [self.parts[index] for index in sorted(self.parts)]

    def _heard_ms(self) -> float | None:
        """A final position counts before the service's estimate, that before one that still moves."""
        if self.heard_final or self.truncated_at_ms is None:
            return self.heard_ms
        return self.truncated_at_ms

    def _total_ms(self) -> float | None:
        """What playback knew of and what has come since; ``None`` where neither is known."""
        lengths = [length for length in (self.heard_of_ms, self.audio_ms) if length is not None]
        return max(lengths, default=None)

    def _update_other(self, item: ResponseItem) -> None:
        if self.settled:  # an older report, out of order
            return
        self.wire = item
        if isinstance(item, ResponseMCPCallItem | ResponseFoundryAgentCallItem):
            call_id = item.call_id if isinstance(item, ResponseFoundryAgentCallItem) else ""
            self._update_call(call_id, item.name, item.arguments)
            self.output, self.error = item.output, item.error
            self.settled = item.output is not None or item.error is not None

    def _update_call(self, call_id: str, name: str, arguments: str) -> None:
        self.call_id, self.name = call_id or self.call_id, name or self.name
        if arguments:
            self.arguments.finish(arguments)


def _joined(texts: Iterable[str | None]) -> str | None:
    known = [text for text in texts if text is not None]
    return "\n".join(text for text in known if text) if known else None

"""The items of a session by id, in order, and the pieces of the agent's items as they stream in.

Decides which entry an event of a response is about and joins tool calls with their results. Turns are the business of
``TurnLog``, announcements that of ``History``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from voicelive.audio.formats import AudioFormat
from voicelive.protocol.entries import CALLS, Entry
from voicelive.protocol.latency import Step
from voicelive.protocol.ordering import ROOT, Order
from voicelive.protocol.snapshots import Item, ToolCall
from voicelive.protocol.transcripts import Word
from voicelive.protocol.turn_log import TurnLog
from voicelive.wire.items import ResponseItem
from voicelive.wire.server.animation import ResponseAudioTimestampDelta
from voicelive.wire.server.base import PartEvent
from voicelive.wire.server.response import (
    ResponseAudioDelta,
    ResponseAudioTranscriptAnnotationAdded,
    ResponseAudioTranscriptDelta,
    ResponseAudioTranscriptDone,
    ResponseContentPartDone,
    ResponseTextDelta,
    ResponseTextDone,
)
from voicelive.wire.server.tool_calls import (
    ResponseFunctionCallArgumentsDelta,
    ResponseFunctionCallArgumentsDone,
    ResponseMcpCallArgumentsDelta,
    ResponseMcpCallArgumentsDone,
)

__all__ = ["PIECES", "ItemBook"]


class ItemBook:
    """All items that a session told of. Pure: same calls, same answers."""

    def __init__(self, log: TurnLog) -> None:
        self.entries: dict[str, Entry] = {}
        self.aside: set[str] = set()
        """Out-of-band responses: nothing of them is part of the conversation."""
        self.at_root: set[str] = set()
        """Items that the application put at the very beginning; the service only says that nothing precedes them."""
        self.output_format: AudioFormat | None = AudioFormat.of_output(None)
        self.formats: dict[str, AudioFormat | None] = {}
        """Formats of responses that told theirs."""
        self.now = 0.0
        self._log = log
        self._order = Order()
        self._calls: dict[str, Entry] = {}
        self._outputs: dict[str, Entry] = {}

    def entry(self, item_id: str) -> Entry:
        """The entry of an id, new or known."""
        entry = self.entries.get(item_id)
        if entry is None:
            entry = self.entries[item_id] = Entry(item_id, self.now)
            self._order.place(item_id, None)
        return entry

    def place(self, item_id: str, previous_id: str | None) -> None:
        """An item follows another one."""
        self._order.place(item_id, ROOT if item_id in self.at_root else previous_id)

    def update(self, entry: Entry, item: ResponseItem) -> None:
        """The service's report of an item."""
        was_settled = entry.settled
        entry.update(item)
        if entry.kind in CALLS and entry.call_id:
            self._calls[entry.call_id] = entry
        if entry.settled and not was_settled:
            self._log.result(entry)

    def made(self, item_id: str, response_id: str) -> Entry | None:
        """The entry of an item that a response makes; ``None`` where it is none of the conversation's."""
        entry = self.entries.get(item_id)
        if entry is not None and entry.response_id is not None:
            return entry
        if not item_id or response_id in self.aside:
            return None
        entry = self.entry(item_id)
        if response_id:
            self._log.made(entry, response_id)
        return entry

    def take_output(self, entry: Entry) -> None:
        """An item holds the result of a function."""
        call = self._calls.get(entry.call_id)
        if entry.turn_id is None:
            self._log.beside(entry, call)
        if entry.call_id not in self._outputs:  # the first result of a call counts
            self._outputs[entry.call_id] = entry
            if call is not None:
                self._log.result(call)

    # -- what can be read

    def in_order(self) -> Iterator[Entry]:
        """All entries in the order of the conversation, deleted ones included."""
        for item_id in self._order:
            entry = self.entries.get(item_id)
            if entry is not None:
                yield entry

    def result_of(self, call: Entry) -> str | None:
        """What a call gave back; ``None`` while there is nothing."""
        output = self._outputs.get(call.call_id) if call.call_id else None
        return call.output if output is None else output.output

    def tool_call(self, entry: Entry) -> ToolCall:
        """A call with its result."""
        return ToolCall(
            item_id=entry.id,
            kind=entry.kind,
            call_id=entry.call_id,
            name=entry.name,
            arguments=entry.arguments.text or "",
            output=self.result_of(entry),
            error=entry.error,
            response_id=entry.response_id,
        )

    def item(self, entry: Entry, *, transcribes: bool) -> Item:
        """An item with its call joined."""
        call = self.tool_call(entry) if entry.kind in CALLS else None
        return entry.snapshot(call, transcribes=transcribes)

    # -- pieces of the agent's items

    def _spoken(self, event: PartEvent) -> Entry | None:
        entry = self.entries.get(event.item_id)
        if entry is not None and entry.role is not None and entry.response_id is not None:
            return entry  # nine of ten events
        entry = self.made(event.item_id, event.response_id)
        if entry is not None and entry.role is None:
            entry.role = "assistant"
        return entry

    def _text_delta(self, event: ResponseTextDelta) -> None:
        self._add_text(event, "text")

    def _transcript_delta(self, event: ResponseAudioTranscriptDelta) -> None:
        self._add_text(event, "audio")

    def _add_text(self, event: ResponseTextDelta | ResponseAudioTranscriptDelta, kind: str) -> None:
        entry = self._spoken(event)
        if entry is None:
            return
        part = entry.parts.get(event.content_index) or entry.part(event.content_index, kind)
        if part.empty:
            self._mark(entry, "first_transcript")
        part.add(event.delta)

    def _audio_delta(self, event: ResponseAudioDelta) -> None:
        entry = self._spoken(event)
        if entry is None:
            return
        part = entry.parts.get(event.content_index) or entry.part(event.content_index, "audio")
        if not part.audio_bytes:
            part.audio_format = self.formats.get(event.response_id, self.output_format)
            self._mark(entry, "first_audio")
        part.audio_bytes += len(event.delta)

    def _mark(self, entry: Entry, step: Step) -> None:
        turn = self._log.turns.get(entry.turn_id or "")
        if turn is not None:
            turn.watch.mark(step, self.now)

    def _word(self, event: ResponseAudioTimestampDelta) -> None:
        entry = self._spoken(event)
        if entry is not None and event.timestamp_type == "word":
            word = Word(event.text, event.audio_offset_ms + event.audio_duration_ms)
            entry.part(event.content_index, "audio").words.append(word)

    def _text_done(self, event: ResponseTextDone) -> None:
        entry = self._spoken(event)
        if entry is not None:
            entry.part(event.content_index, "text").finish(event.text)

    def _transcript_done(self, event: ResponseAudioTranscriptDone) -> None:
        entry = self._spoken(event)
        if entry is not None:
            entry.part(event.content_index, "audio").finish(event.transcript)

    def _part_done(self, event: ResponseContentPartDone) -> None:
        entry = self._spoken(event)
        if entry is not None and event.part is not None:
            entry.take_part(event.content_index, event.part, whole=True)

    def _annotation(self, event: ResponseAudioTranscriptAnnotationAdded) -> None:
        entry = self._spoken(event)
        if entry is not None:
            entry.citations.append(event.annotation)

    def _arguments_delta(self, event: ResponseFunctionCallArgumentsDelta | ResponseMcpCallArgumentsDelta) -> None:
        entry = self._call(event)
        if entry is not None:
            entry.arguments.add(event.delta)

    def _arguments_done(self, event: ResponseFunctionCallArgumentsDone | ResponseMcpCallArgumentsDone) -> None:
        entry = self._call(event)
        if entry is not None and event.arguments is not None:
            entry.arguments.finish(event.arguments)

    def _call(
        self,
        event: ResponseFunctionCallArgumentsDelta
        | ResponseFunctionCallArgumentsDone
        | ResponseMcpCallArgumentsDelta
        | ResponseMcpCallArgumentsDone,
    ) -> Entry | None:
        entry = self.made(event.item_id, event.response_id)
        if entry is None:
            return None
        if isinstance(event, ResponseFunctionCallArgumentsDelta | ResponseFunctionCallArgumentsDone):
            entry.kind, entry.call_id = "function_call", event.call_id or entry.call_id
            self._calls.setdefault(entry.call_id, entry)
            if isinstance(event, ResponseFunctionCallArgumentsDone):
                entry.name = entry.name or event.name or ""
        else:
            entry.kind = "mcp_call"
        return entry


PIECES: Final[Mapping[type, Callable[[ItemBook, Any], None]]] = {
    ResponseAudioDelta: ItemBook._audio_delta,
    ResponseAudioTranscriptDelta: ItemBook._transcript_delta,
    ResponseTextDelta: ItemBook._text_delta,
    ResponseAudioTimestampDelta: ItemBook._word,
    ResponseFunctionCallArgumentsDelta: ItemBook._arguments_delta,
    ResponseMcpCallArgumentsDelta: ItemBook._arguments_delta,
    ResponseTextDone: ItemBook._text_done,
    ResponseAudioTranscriptDone: ItemBook._transcript_done,
    ResponseContentPartDone: ItemBook._part_done,
    ResponseAudioTranscriptAnnotationAdded: ItemBook._annotation,
    ResponseFunctionCallArgumentsDone: ItemBook._arguments_done,
    ResponseMcpCallArgumentsDone: ItemBook._arguments_done,
}
"""What adds to an item of the agent and is never worth an announcement."""

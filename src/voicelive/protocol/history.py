"""What was said in a session: items in the order of the conversation, and turns.

Decides which item an event is about, by id and never by order of arrival, and announces transcripts and finished
turns. Knows nothing of sockets, of playback (``heard`` tells it) and of how tools run (``owed`` tells it). Reads no
clock: every ``now`` is in seconds of one steady clock. Keeps no audio.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from voicelive.audio.formats import AudioFormat
from voicelive.protocol.entries import Entry
from voicelive.protocol.item_book import PIECES, ItemBook
from voicelive.protocol.ordering import ROOT
from voicelive.protocol.snapshots import (
    AgentTranscript,
    ConversationEvent,
    Item,
    Turn,
    TurnFinished,
    UserTranscript,
)
from voicelive.protocol.turn_log import TurnLog, TurnRecord
from voicelive.protocol.turn_view import turn_of
from voicelive.wire.client_events import ClientEvent, ConversationItemCreate, InputAudioBufferCommit, ResponseCreate
from voicelive.wire.items import ResponseItem, UserMessageItem
from voicelive.wire.server.conversation import (
    ConversationItemCreated,
    ConversationItemDeleted,
    ConversationItemDone,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemInputAudioTranscriptionFailed,
    ConversationItemRetrieved,
    ConversationItemTruncated,
    InputAudioBufferCleared,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStopped,
)
from voicelive.wire.server.response import (
    ResponseCreated,
    ResponseDone,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
)
from voicelive.wire.server.session import SessionCreated, SessionUpdated
from voicelive.wire.server_events import ServerEvent

__all__ = ["History"]

TRANSCRIPT_WAIT_S: Final = 10.0  # after the reply; transcripts come within 0.5 s of the end of speech, measured

_NOTHING: Final[tuple[ConversationEvent, ...]] = ()


class History:
    """The conversation of one session. Pure: same calls, same answers."""

    def __init__(self) -> None:
        self.transcribes = False
        """Whether the caller's audio is transcribed; follows the settings in effect."""
        self._log = TurnLog()
        self._book = ItemBook(self._log)
        self._stopped: dict[str, float] = {}
        self._sent_at: float | None = None
        self._asked_at: float | None = None
        self._owed: bool | None = None
        self._news: list[ConversationEvent] = []

    # -- what happens

    def sent(self, event: ClientEvent, now: float) -> None:
        """The application sent this: where typed turns are measured from, and where an item was put."""
        if isinstance(event, ConversationItemCreate):
            if isinstance(event.item, UserMessageItem):
                self._sent_at = now
            item_id = getattr(event.item, "id", None)
            if event.previous_item_id == ROOT and isinstance(item_id, str):
                self._book.at_root.add(item_id)
        elif isinstance(event, InputAudioBufferCommit):
            self._sent_at = now
        elif isinstance(event, ResponseCreate):
            self._asked_at = now

    def turn_ids(self) -> dict[str, str]:
        """The turn of each response."""
        return self._log.turn_ids()

    def set_aside(self, response_id: str) -> None:
        """A response is out of band: nothing of it is part of the conversation. Comes before its first event."""
        self._book.aside.add(response_id)

    def receive(self, event: ServerEvent, now: float, *, owed: bool | None = None) -> tuple[ConversationEvent, ...]:
        """Take in an event; never raises, whatever order events come in.

        Args:
            event: Any server event.
            now: When it came.
            owed: Whether results of functions, or a response about them, are still to come. ``None``: judged from the
                conversation alone, where a response follows every result.
        """
        self._book.now = now
        piece = PIECES.get(type(event))
        if piece is not None:
            piece(self._book, event)
            return _NOTHING
        step = _STEPS.get(type(event))
        if step is None:
            return _NOTHING
        self._owed = owed
        step(self, event)
        return self._flush() if type(event) in _COMPLETING else self._taken()

    def heard(
        self, item_id: str, heard_ms: float, total_ms: float | None, *, final: bool, now: float
    ) -> tuple[ConversationEvent, ...]:
        """Playback of an item moved on.

        Args:
            item_id: The agent's message.
            heard_ms: How much of it was played.
            total_ms: Length of its audio as far as playback knows it.
            final: Whether no more of it will be played; later calls change nothing.
            now: The time of this position.
        """
        entry = self._book.entries.get(item_id)
        if entry is None or entry.heard_final:
            return _NOTHING
        entry.heard_ms, entry.heard_of_ms, entry.heard_final = heard_ms, total_ms, final
        turn = self._log.turns.get(entry.turn_id or "")
        if turn is not None and heard_ms > 0:
            turn.watch.played_since(now - heard_ms / 1000)
        self._tell_cut(entry)
        return self._taken()

    def begun(self, item_id: str, since: float) -> None:
        """The caller began to hear an item."""
        entry = self._book.entries.get(item_id)
        turn = self._log.turns.get(entry.turn_id or "") if entry is not None else None
        if turn is not None:
            turn.watch.played_since(since)

    def settle(self, now: float, *, owed: bool | None = None) -> tuple[ConversationEvent, ...]:
        """Time has passed, or what is owed has changed, without an event of the service; see ``receive``."""
        self._book.now, self._owed = now, owed
        return self._flush()

    def due_at(self) -> float | None:
        """When ``settle`` should be called at the latest; ``None``: only events can change anything."""
        waits = [turn.done_at for turn in self._log.open if turn.done_at is not None and self._awaits_transcript(turn)]
        return min(waits) + TRANSCRIPT_WAIT_S if waits else None

    def connection_lost(self, now: float, *, again: bool) -> tuple[str, tuple[str, ...]] | None:
        """Nothing more will come of what was under way: transcripts, items without their end, the running response.

        Gives that response, and its items of which something came; the others are no part of the conversation.

        Args:
            now: When it was lost.
            again: Whether another response is to come in its place.
        """
        self._book.now = now
        self._stopped.clear()
        for entry in self._book.entries.values():
            if entry.awaits_transcript:
                entry.transcription_failed = True
        running = [name for name in self._log.running() if name not in self._book.aside]
        broken = [entry for entry in self._book.entries.values() if entry.response_id in running]
        for entry in broken:
            entry.break_off()
        for response_id in running:
            self._log.broke_off(response_id, now, again=again)
        return (running[-1], tuple(entry.id for entry in broken if not entry.deleted)) if running else None

    @property
    def question_known(self) -> bool:
        """Whether the words of the caller's newest item are known, so that another session can be asked to answer."""
        latest = self._log.latest
        inputs = list(latest.caller.values()) if latest is not None else []
        return all(entry.text is not None for entry in inputs if not entry.deleted)

    @property
    def settled(self) -> bool:
        """Whether no turn is under way."""
        return all(not turn.caller and not turn.responses for turn in self._log.open)

    def end(self, *, owed: bool | None = None) -> tuple[ConversationEvent, ...]:
        """The session is over: nothing is waited for any more. What was still to be said was cut; see ``receive``."""
        self._owed = owed
        for turn in self._log.open:
            turn.cut_off = self._awaits_results(turn)
        self._announce(self._log.finished(lambda turn: True))
        return self._taken()

    # -- what can be read

    def items(self) -> tuple[Item, ...]:
        """Items of the conversation, in its order, without deleted ones."""
        return tuple(self._item(entry) for entry in self._book.in_order() if not entry.deleted)

    def item(self, item_id: str) -> Item | None:
        """One item, deleted or not."""
        entry = self._book.entries.get(item_id)
        return None if entry is None else self._item(entry)

    def turns(self) -> tuple[Turn, ...]:
        """All turns, oldest first."""
        places = self._places()
        return tuple(self._turn(turn, places) for turn in self._log.turns.values())

    def turn(self, turn_id: str) -> Turn | None:
        """One turn."""
        turn = self._log.turns.get(turn_id)
        return None if turn is None else self._turn(turn, self._places())

    # -- items

    def _settings(self, event: SessionCreated | SessionUpdated) -> None:
        self.transcribes = event.session.input_audio_transcription is not None
        self._book.output_format = AudioFormat.known_output(event.session.output_audio_format)

    def _created(self, event: ConversationItemCreated | ConversationItemDone) -> None:
        item = event.item
        if item is not None and item.id:
            entry = self._book.entry(item.id)
            self._book.place(item.id, event.previous_item_id)
            self._book.update(entry, item)
            self._give_turn(entry)

    def _retrieved(self, event: ConversationItemRetrieved) -> None:
        if event.item is not None and event.item.id:
            self._book.update(self._book.entry(event.item.id), event.item)

    def _deleted(self, event: ConversationItemDeleted) -> None:
        if event.item_id:
            self._book.entry(event.item_id).deleted = True

    def _truncated(self, event: ConversationItemTruncated) -> None:
        if event.item_id:
            entry = self._book.entry(event.item_id)
            entry.truncated_at_ms = event.audio_end_ms
            self._tell_cut(entry)

    def _give_turn(self, entry: Entry) -> None:
        """The turn of an item that came outside a response, as far as that can be told yet."""
        if entry.kind == "function_call_output":
            self._book.take_output(entry)
        elif entry.turn_id is not None:
            return
        elif entry.kind == "message" and entry.role == "user":
            self._take_input(entry)
        elif entry.status == "in_progress":  # a response is about to claim it
            return
        elif entry.kind == "function_call" or (entry.kind == "message" and entry.role == "assistant"):
            self._log.restored(entry)
        elif entry.kind in ("mcp_approval_request", "mcp_approval_response"):
            self._log.beside(entry, None)

    # -- the caller

    def _speech_stopped(self, event: InputAudioBufferSpeechStopped) -> None:
        entry = self._book.entries.get(event.item_id)
        turn = self._log.turns.get(entry.turn_id or "") if entry is not None else None
        if turn is None:
            self._stopped[event.item_id] = self._book.now
        else:
            turn.watch.start(self._book.now, "speech_stopped")

    def _cleared(self, event: InputAudioBufferCleared) -> None:
        self._stopped.clear()

    def _committed(self, event: InputAudioBufferCommitted) -> None:
        if event.item_id:
            entry = self._caller_entry(event.item_id)
            self._book.place(event.item_id, event.previous_item_id)
            self._take_input(entry).watch.mark("committed", self._book.now)

    def _transcript_delta(self, event: ConversationItemInputAudioTranscriptionDelta) -> None:
        if event.item_id and event.delta:
            self._caller_entry(event.item_id).part(event.content_index or 0, "input_audio").add(event.delta)

    def _transcript(self, event: ConversationItemInputAudioTranscriptionCompleted) -> None:
        if not event.item_id:
            return
        entry = self._caller_entry(event.item_id)
        part = entry.part(event.content_index, "input_audio")
        if not part.final:
            part.finish(event.transcript)
            self._news.append(UserTranscript(entry.id, self._take_input(entry).id, event.transcript))

    def _no_transcript(self, event: ConversationItemInputAudioTranscriptionFailed) -> None:
        if event.item_id:
            self._caller_entry(event.item_id).transcription_failed = True

    def _caller_entry(self, item_id: str) -> Entry:
        entry = self._book.entry(item_id)
        if entry.role is None:
            entry.role = "user"
            entry.part(0, "input_audio")
        return entry

    def _take_input(self, entry: Entry) -> TurnRecord:
        known = self._log.turns.get(entry.turn_id or "")
        if known is not None:
            return known
        stopped = self._stopped.pop(entry.id, None)
        if stopped is not None:
            return self._log.input(entry, stopped, "speech_stopped")
        if self._sent_at is not None:
            return self._log.input(entry, self._sent_at, "sent")
        return self._log.input(entry, self._book.now, "first_event")

    # -- responses

    def _response_created(self, event: ResponseCreated) -> None:
        response = event.response
        if not response.id or response.id in self._book.aside:
            return
        if response.output_audio_format is not None:
            self._book.formats[response.id] = AudioFormat.known_output(response.output_audio_format)
        asked, self._asked_at, self._sent_at = self._asked_at, None, None
        turn = self._log.response(response.id)
        if not turn.caller and asked is not None:
            turn.watch.start(asked, "sent")
        turn.watch.mark("response_created", self._book.now)

    def _response_done(self, event: ResponseDone) -> None:
        response = event.response
        if not response.id or response.id in self._book.aside:
            return
        for item in response.output or ():
            self._output_item(item, response.id)
        turn = self._log.done(response, self._book.now)
        self._book.formats.pop(response.id, None)
        for entry in list(turn.agent.values()) if turn is not None else ():
            if entry.response_id == response.id:
                self._tell_text(entry)

    def _item_added(self, event: ResponseOutputItemAdded) -> None:
        self._output_item(event.item, event.response_id)

    def _item_done(self, event: ResponseOutputItemDone) -> None:
        entry = self._output_item(event.item, event.response_id)
        if entry is not None:
            self._tell_text(entry)

    def _output_item(self, item: ResponseItem | None, response_id: str) -> Entry | None:
        entry = self._book.made(item.id or "", response_id) if item is not None else None
        if entry is not None and item is not None:
            self._book.update(entry, item)
        return entry

    # -- announcements

    def _tell_text(self, entry: Entry) -> None:
        """The text of the agent's message is whole."""
        if entry.told or entry.kind != "message" or not entry.text:
            return
        entry.told, entry.cut_told = True, entry.interrupted
        heard = entry.heard().text if entry.interrupted else None
        self._news.append(
            AgentTranscript(entry.id, entry.response_id or "", entry.turn_id or "", entry.text, heard_text=heard)
        )

    def _tell_cut(self, entry: Entry) -> None:
        """The agent's message may have been cut off after its text was announced."""
        if entry.told and not entry.cut_told and entry.interrupted:
            entry.told = False
            self._tell_text(entry)

    def _flush(self) -> tuple[ConversationEvent, ...]:
        self._announce(self._log.finished(self._complete))
        return self._taken()

    def _announce(self, over: list[TurnRecord]) -> None:
        several = any(len(turn.caller) > 1 or len(turn.agent) > 1 for turn in over)
        places = self._places() if several else {}  # walks the whole conversation, and one item needs no order
        self._news.extend(TurnFinished(self._turn(turn, places)) for turn in over)

    def _taken(self) -> tuple[ConversationEvent, ...]:
        if not self._news:
            return _NOTHING
        news, self._news = tuple(self._news), []
        return news

    def _complete(self, turn: TurnRecord) -> bool:
        """Whether nothing of a turn is outstanding."""
        if not turn.responses or None in turn.responses.values():
            return False
        patient = turn.done_at is None or self._book.now < turn.done_at + TRANSCRIPT_WAIT_S
        if patient and self._awaits_transcript(turn):
            return False
        return not self._awaits_results(turn)

    def _awaits_results(self, turn: TurnRecord) -> bool:
        """Whether results of its calls, or the response about them, are outstanding."""
        for call in turn.calls():
            owed = self._owed if call.kind == "function_call" else None
            if owed is None:
                owed = call.id in turn.unseen or (self._book.result_of(call) is None and call.error is None)
            if owed:
                return True
        return False

    def _awaits_transcript(self, turn: TurnRecord) -> bool:
        return self.transcribes and any(entry.awaits_transcript for entry in turn.caller.values())

    # -- snapshots

    def _item(self, entry: Entry) -> Item:
        return self._book.item(entry, transcribes=self.transcribes)

    def _places(self) -> dict[str, int]:
        return {entry.id: place for place, entry in enumerate(self._book.in_order())}

    def _turn(self, turn: TurnRecord, places: Mapping[str, int]) -> Turn:
        return turn_of(turn, self._book, places, transcribes=self.transcribes)


_COMPLETING: Final = frozenset(
    {
        SessionUpdated,
        ConversationItemCreated,
        ConversationItemDone,
        ConversationItemDeleted,
        ConversationItemInputAudioTranscriptionCompleted,
        ConversationItemInputAudioTranscriptionFailed,
        ResponseDone,
        ResponseOutputItemDone,
    }
)
"""Events with which a turn can be complete."""

_STEPS: Final[Mapping[type, Callable[[History, Any], None]]] = {
    SessionCreated: History._settings,
    SessionUpdated: History._settings,
    ConversationItemCreated: History._created,
    ConversationItemDone: History._created,
    ConversationItemRetrieved: History._retrieved,
    ConversationItemDeleted: History._deleted,
    ConversationItemTruncated: History._truncated,
    ConversationItemInputAudioTranscriptionDelta: History._transcript_delta,
    ConversationItemInputAudioTranscriptionCompleted: History._transcript,
    ConversationItemInputAudioTranscriptionFailed: History._no_transcript,
    InputAudioBufferSpeechStopped: History._speech_stopped,
    InputAudioBufferCommitted: History._committed,
    InputAudioBufferCleared: History._cleared,
    ResponseCreated: History._response_created,
    ResponseDone: History._response_done,
    ResponseOutputItemAdded: History._item_added,
    ResponseOutputItemDone: History._item_done,
}

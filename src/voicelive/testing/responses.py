"""One response: the events that make it, in order, and those that end it early.

``timeline`` says what is due when; each step acts at the moment it is sent, so whatever was sent is known, and
``stop`` closes exactly what is open. Waiting, and what made the response start or stop, is ``service``'s.
"""

from __future__ import annotations

import heapq
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import itemgetter
from typing import Any, Literal, TypeAlias

from voicelive import wire
from voicelive.testing.cues import Cues, ended
from voicelive.testing.history import History
from voicelive.testing.ids import Ids
from voicelive.testing.items import CallItem, MessageItem, Part
from voicelive.testing.pace import Pace
from voicelive.testing.replies import Reply, pieces_of_json, pieces_of_text
from voicelive.testing.script import Call
from voicelive.testing.wishes import Wishes

__all__ = ["CancelReason", "Response", "Step"]

Events: TypeAlias = list[wire.ServerEvent]
Step: TypeAlias = tuple[float, Callable[[], Events]]
"""When something is due, in seconds since the end of the user's turn, and what to do then."""

CancelReason: TypeAlias = Literal["turn_detected", "client_cancelled"]
MeterUsage: TypeAlias = Callable[["Response"], wire.TokenUsage]


class Response:
    """Builds the events of one response and remembers what it has sent.

    Args:
        ids: Source of ids.
        wishes: Effective settings.
        history: Where its items go; ``None``: out of band.
        conversation_id: Reported unless the response is out of band.
        usage: Counts the tokens once the response ends.
    """

    def __init__(
        self, ids: Ids, wishes: Wishes, history: History | None, conversation_id: str, usage: MeterUsage
    ) -> None:
        self.id = ids.response()
        self.wishes = wishes
        self.items: list[MessageItem | CallItem] = []
        self.begun = False
        self.spoken_item: MessageItem | None = None
        self._ids = ids
        self._history = history
        self._usage = usage
        self._open: MessageItem | CallItem | None = None
        self._audio: deque[bytes] = deque()
        self._cues = Cues(Reply(None))
        self._resource = wire.Response.model_validate_json(
            json.dumps(
                {
                    "object": "realtime.response",
                    "id": self.id,
                    "conversation_id": None if history is None else conversation_id,
                    **wishes.reported,
                }
            )
        )

    def begin(self) -> Events:
        """``response.created``."""
        self.begun = True
        return [wire.ResponseCreated(event_id=self._ids.event(), response=self._report("in_progress", None, None))]

    def timeline(self, reply: Reply, pace: Pace) -> Iterator[Step]:
        """Everything between ``response.created`` and the end, ``response.done`` included."""
        at_s = pace.first_text_s
        if reply.text is not None:
            for at_s, act in self._message(reply, pace):
                yield at_s, act
        for call in reply.calls:
            yield at_s, partial(self._open_call, call)
            for piece in pieces_of_json(call.arguments_json):
                yield at_s, partial(self._argue, piece)
                at_s += pace.text_delta_s
            yield at_s, partial(self._close, "completed")
        yield at_s, partial(self._finish, reply)

    def stop(self, reason: CancelReason) -> Events:
        """End early: close what is open, then ``response.done``.

        A response that the caller interrupts sends one more piece of audio first, and its item still counts as
        completed; one that the client cancels leaves it incomplete (both as recorded).
        """
        events: Events = []
        if reason == "turn_detected" and self._sounding:
            events += self._sound()
        if self._open is not None:
            events += self._close("completed" if reason == "turn_detected" else "incomplete")
        return events + self._end("cancelled", wire.ResponseCancelledDetails(reason=reason))

    def fail(self, code: str, message: str) -> Events:
        """End with an error of the service."""
        error = {"type": "server_error", "code": code, "message": message}
        return self._end("failed", wire.ResponseFailedDetails(error=error))

    @property
    def said(self) -> str:
        """Text of its messages so far."""
        return " ".join(item.words for item in self.items if isinstance(item, MessageItem))

    @property
    def said_ms(self) -> float:
        """Length of the audio sent so far."""
        return sum(part.audio_ms for item in self.items if isinstance(item, MessageItem) for part in item.parts)

    @property
    def called(self) -> str:
        """Names and arguments of its calls so far."""
        return "".join(item.words for item in self.items if isinstance(item, CallItem))

    @property
    def _sounding(self) -> bool:
        """Audio was sent, and more is waiting."""
        return bool(self._audio) and self.spoken_item is self._open and self.said_ms > 0

    def _message(self, reply: Reply, pace: Pace) -> Iterator[Step]:
        pieces, sounds = pieces_of_text(reply.text or ""), reply.audio_pieces(pace.audio_delta_ms)
        self._audio, self._cues = deque(sounds), Cues(reply)
        last_s = pace.first_text_s
        yield last_s, partial(self._open_message, reply)
        text_due: Iterable[Step] = (
            (pace.first_text_s + n * pace.text_delta_s, partial(self._say, piece)) for n, piece in enumerate(pieces)
        )
        audio_due: Iterable[Step] = (
            (pace.first_audio_s + n * pace.audio_delta_interval_s, self._sound) for n in range(len(sounds))
        )
        for last_s, act in heapq.merge(text_due, audio_due, key=itemgetter(0)):
            yield last_s, act
        yield last_s, partial(self._close, "completed" if reply.complete else "incomplete")

    def _open_message(self, reply: Reply) -> Events:
        item = MessageItem(self._ids.item(), "assistant", status="in_progress")
        events = self._open_item(item)
        if reply.audio_format is None:
            part = Part("text", text="")
        else:
            part = Part("audio", transcript="", audio=bytearray(), audio_format=reply.audio_format)
            self.spoken_item = item
        item.parts.append(part)
        added = wire.ResponseContentPartAdded(
            event_id=self._ids.event(), **self._where(item), content_index=0, part=part.report(with_audio=False)
        )
        return [*events, added]

    def _open_call(self, call: Call) -> Events:
        return self._open_item(CallItem(self._ids.item(), call.name, self._ids.call(), status="in_progress"))

    def _open_item(self, item: MessageItem | CallItem) -> Events:
        self._open = item
        self.items.append(item)
        added = wire.ResponseOutputItemAdded(
            event_id=self._ids.event(),
            response_id=self.id,
            output_index=len(self.items) - 1,
            item=item.report(),
        )
        if self._history is None:
            return [added]
        previous = self._history.add(item)
        created = wire.ConversationItemCreated(
            event_id=self._ids.event(), previous_item_id=previous, item=item.report()
        )
        return [added, created]

    def _say(self, piece: str) -> Events:
        item, part = self._open_part()
        where: dict[str, Any] = {**self._where(item), "content_index": 0, "delta": piece}
        if part.kind == "text":
            part.text = (part.text or "") + piece
            return [wire.ResponseTextDelta(event_id=self._ids.event(), **where)]
        part.transcript = (part.transcript or "") + piece
        return [wire.ResponseAudioTranscriptDelta(event_id=self._ids.event(), **where)]

    def _sound(self) -> Events:
        item, part = self._open_part()
        piece = self._audio.popleft()
        assert part.audio is not None, "an audio part is opened with an empty buffer"
        part.audio += piece
        where = self._where(item)
        delta = wire.ResponseAudioDelta(event_id=self._ids.event(), **where, content_index=0, delta=piece)
        return [delta, *self._cues.until(part.audio_ms, self._ids.event, where)]

    def _argue(self, piece: str) -> Events:
        item = self._open
        assert isinstance(item, CallItem), "arguments follow the opening of their call"
        item.arguments += piece
        return [
            wire.ResponseFunctionCallArgumentsDelta(
                event_id=self._ids.event(), **self._where(item), call_id=item.call_id, delta=piece
            )
        ]

    def _close(self, status: Literal["completed", "incomplete"]) -> Events:
        item = self._open
        assert item is not None, "only what is open is closed"
        self._open, item.status = None, status
        events = self._close_call(item) if isinstance(item, CallItem) else self._close_part(item)
        done = wire.ResponseOutputItemDone(
            event_id=self._ids.event(),
            response_id=self.id,
            output_index=len(self.items) - 1,
            item=item.report(),
        )
        return [*events, done]

    def _close_call(self, item: CallItem) -> Events:
        return [
            wire.ResponseFunctionCallArgumentsDone(
                event_id=self._ids.event(),
                **self._where(item),
                call_id=item.call_id,
                name=item.name,
                arguments=item.arguments,
            )
        ]

    def _close_part(self, item: MessageItem) -> Events:
        part = item.parts[0]
        where = {**self._where(item), "content_index": 0}
        closed: Events = []
        if part.kind == "text":
            closed.append(wire.ResponseTextDone(event_id=self._ids.event(), **where, text=part.text or ""))
            closing: Any = wire.ResponseTextContentPart(text="")  # empty in all recordings; the item has the text
        else:
            closed.append(wire.ResponseAudioDone(event_id=self._ids.event(), **where))
            closed.append(
                wire.ResponseAudioTranscriptDone(event_id=self._ids.event(), **where, transcript=part.transcript or "")
            )
            closed += ended(self.wishes, self._ids.event, self._where(item))
            closing = part.report(with_audio=False)
        return [*closed, wire.ResponseContentPartDone(event_id=self._ids.event(), **where, part=closing)]

    def _finish(self, reply: Reply) -> Events:
        if reply.complete:
            return self._end("completed", None)
        return self._end("incomplete", wire.ResponseIncompleteDetails(reason="max_output_tokens"))

    def _end(self, status: wire.ResponseStatus, details: wire.ResponseStatusDetails | None) -> Events:
        done = self._report(status, details, self._usage(self))
        return [wire.ResponseDone(event_id=self._ids.event(), response=done)]

    def _report(
        self,
        status: wire.ResponseStatus,
        details: wire.ResponseStatusDetails | None,
        usage: wire.TokenUsage | None,
    ) -> wire.Response:
        output = [item.report() for item in self.items]
        return self._resource.model_copy(
            update={"status": status, "status_details": details, "output": output, "usage": usage}
        )

    def _open_part(self) -> tuple[MessageItem, Part]:
        assert isinstance(self._open, MessageItem), "deltas follow the opening of their message"
        return self._open, self._open.parts[0]

    def _where(self, item: MessageItem | CallItem) -> dict[str, Any]:
        return {"response_id": self.id, "item_id": item.id, "output_index": len(self.items) - 1}

"""One session of the emulated service: client events in, server events out.

Joins settings, history, the caller's audio and the responses. Frames are handled one after the other, as the
service does it: the wait before ``session.updated`` holds back what follows. Knows no socket.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from voicelive import wire
from voicelive.testing.avatar.performer import Performer
from voicelive.testing.calls.call import Call, refuse_avatar
from voicelive.testing.checks import Refusal
from voicelive.testing.history import last_user_message, latest_outputs
from voicelive.testing.items import Item, OutputItem, item_from_request, own_ids
from voicelive.testing.listener import Listener
from voicelive.testing.requests import Request
from voicelive.testing.responder import Responder
from voicelive.testing.script import Heard
from voicelive.testing.stage import Stage
from voicelive.testing.unplayed import Unplayed, unplayed
from voicelive.testing.wishes import Wishes

__all__ = ["Service"]

JsonObject = dict[str, Any]


class Service:
    """Answers the events of one client.

    Args:
        stage: What the parts of the session share.
        model: The model asked for; decides how tokens are counted.
        heed: Told of every event that could be read, before it is judged.
        call: The WebRTC call that is signalled, where it is one; then no audio comes as events.
    """

    def __init__(
        self, stage: Stage, model: str, heed: Callable[[wire.ClientEvent], None], call: Call | None = None
    ) -> None:
        self._stage, self._call = stage, call
        self._heed = heed
        self._warned: set[Unplayed] = set()
        self._performer = Performer(stage)
        self._responder = Responder(stage, model, self._performer)
        self._listener = Listener(stage, self._responder)
        self._handlers: Mapping[str, Callable[[JsonObject], None]] = {
            "input_audio_buffer.commit": lambda body: self._listener.commit(),
            "input_audio_buffer.clear": self._clear_input,
            "input_audio.clear": lambda body: self._listener.clear(),
            "input_text.delta": self._extend_text,
            "input_text.done": self._extend_text,
            "output_audio_buffer.clear": self._clear_output,
            "session.avatar.connect": self._performer.connect,
            "conversation.item.create": self._create_item,
            "conversation.item.retrieve": self._retrieve_item,
            "conversation.item.truncate": self._truncate_item,
            "conversation.item.delete": self._delete_item,
            "response.create": self._create_response,
            "response.cancel": lambda body: self._responder.cancel(body.get("response_id")),
        }

    def open(self) -> None:
        """Greet the client."""
        self._stage.emit(wire.SessionCreated(event_id=self._stage.ids.event(), session=self._resource()))

    async def close(self) -> None:
        """End what is no task of the stage; call it once the stage has ended."""
        await self._performer.close()
        if self._call is not None:
            await self._call.close()

    async def receive(self, frame: str | bytes) -> None:
        """Handle one frame of the client; what is wrong with it is answered with ``error``."""
        client_event_id: str | None = None
        try:
            request = Request.read(frame)
            client_event_id = request.event_id
            self._heed(request.event)
            if self._call is not None and request.body.get("type") == "rtc.call.sdp.create":
                await self._answer_call(request.body, self._call)  # judges in words of its own
            else:
                request.check()
                await self._handle(request)
        except Refusal as refusal:
            self._stage.refuse(refusal, client_event_id)

    async def _handle(self, request: Request) -> None:
        if isinstance(request.event, wire.InputAudioBufferAppend):
            if self._call is not None:
                raise Refusal("invalid_event", "The audio of a WebRTC call comes over its media track.", "type")
            return self._listener.hear(request.event.audio)
        kind = request.body["type"]
        if kind == "session.update":
            return await self._update(request.body)
        handler = self._handlers.get(kind)
        if handler is None:
            raise Refusal("invalid_event", f"The emulator does not play '{kind}'.", "type")
        return handler(request.body)

    async def _update(self, body: JsonObject) -> None:
        stage = self._stage
        arrived_s = stage.now()
        if self._call is not None:
            refuse_avatar(body["session"])
        audio_out = self._responder.last_spoken is not None
        stage.settings.apply(body["session"], audio_in=self._listener.heard_audio, audio_out=audio_out)
        self._listener.configure()
        await stage.until(arrived_s + stage.pace.session_updated_s)
        stage.emit(wire.SessionUpdated(event_id=stage.ids.event(), session=self._resource()))
        gaps = list(unplayed(body["session"], "session"))
        if self._performer.lack is not None:
            gaps.insert(0, Unplayed("session.avatar", self._performer.lack))
        self._warn(gaps)
        self._performer.configure()

    async def _answer_call(self, body: JsonObject, call: Call) -> None:
        """Settings that come with the offer are in effect before it is answered, as third parties saw it in 2026."""
        if body.get("session") is not None:
            try:
                await self._update(body)
            except Refusal as refusal:
                call.refuse(refusal, self._stage)
                return
        await call.answer(body.get("sdp_offer"), self._stage, self._listener.hear)

    def _warn(self, gaps: Iterable[Unplayed]) -> None:
        """Say what has no effect here, once a session: a silent gap would pass for a fault of the client."""
        for gap in gaps:
            if gap not in self._warned:
                self._warned.add(gap)
                details = wire.ServerEventWarningDetails(
                    message=gap.message, code="emulator_not_played", param=gap.param
                )
                self._stage.emit(wire.WarningEvent(event_id=self._stage.ids.event(), warning=details))

    def _create_item(self, body: JsonObject) -> None:
        stage, request = self._stage, body["item"]
        item = item_from_request(request, request.get("id") or stage.ids.item(), stage.settings.input_format)
        if isinstance(item, OutputItem) and not stage.history.has_call(item.call_id):
            raise Refusal("invalid_value", f"There is no function call with the id '{item.call_id}'.", "item.call_id")
        previous = stage.history.add(item, body.get("previous_item_id"))
        stage.ids.reserve(*own_ids(item))
        stage.emit(
            wire.ConversationItemCreated(event_id=stage.ids.event(), previous_item_id=previous, item=item.report())
        )

    def _retrieve_item(self, body: JsonObject) -> None:
        item = self._stage.history.find(body["item_id"])
        retrieved = wire.ConversationItemRetrieved(event_id=self._stage.ids.event(), item=item.report(with_audio=True))
        self._stage.emit(retrieved)

    def _truncate_item(self, body: JsonObject) -> None:
        place = {key: body[key] for key in ("item_id", "content_index", "audio_end_ms")}
        self._stage.history.truncate(**place)
        self._stage.emit(wire.ConversationItemTruncated(event_id=self._stage.ids.event(), **place))

    def _delete_item(self, body: JsonObject) -> None:
        self._stage.history.delete(body["item_id"])
        deleted = wire.ConversationItemDeleted(event_id=self._stage.ids.event(), item_id=body["item_id"])
        self._stage.emit(deleted)

    def _extend_text(self, body: JsonObject) -> None:
        """Streamed text of an item; ``input_text.done`` adds nothing, but its item must exist."""
        self._stage.history.append_text(body["id"], body.get("content_index") or 0, body.get("delta", ""))

    def _clear_input(self, body: JsonObject) -> None:
        self._listener.clear()
        self._stage.emit(wire.InputAudioBufferCleared(event_id=self._stage.ids.event()))

    def _clear_output(self, body: JsonObject) -> None:
        self._performer.clear()
        if self._call is not None and self._call.hush():
            return  # told of each reply that was dropped
        self._stage.emit(wire.OutputAudioBufferCleared(event_id=self._stage.ids.event()))

    def _create_response(self, body: JsonObject) -> None:
        wishes = Wishes.of(self._stage.settings, body)
        context = self._responder.context(wishes)
        self._responder.start(wishes, context, self._heard(wishes, context), self._stage.now())
        self._warn(unplayed(body.get("response") or {}, "response"))

    def _heard(self, wishes: Wishes, context: Sequence[Item]) -> Heard:
        message = last_user_message(context)
        return Heard(
            text="" if message is None else message.words,
            tools=frozenset(wishes.tool_names),
            outputs=latest_outputs(context),
            instructions=wishes.instructions,
        )

    def _resource(self) -> wire.SessionResource:
        return wire.SessionResource.model_validate_json(json.dumps(self._stage.settings.view()))

"""What the caller's audio leads to: turns announced and committed, transcripts, automatic responses, barge-in.

When a turn starts and ends is judged in ``turns``; what the response says, in ``responder``.
"""

from __future__ import annotations

from voicelive import wire
from voicelive.testing.checks import Refusal
from voicelive.testing.items import MessageItem, Part
from voicelive.testing.responder import Responder, Run
from voicelive.testing.script import Heard, ScriptExhausted, Turn
from voicelive.testing.stage import Stage
from voicelive.testing.turns import Ear, TurnEnded, TurnStarted
from voicelive.testing.wishes import Wishes

__all__ = ["Listener"]


class Listener:
    """The caller's side of one session."""

    def __init__(self, stage: Stage, responder: Responder) -> None:
        self._stage, self._responder = stage, responder
        self._ear = Ear(stage.settings.input_format, stage.settings.turn_detection)
        self._turn_item_id: str | None = None
        self._voice_turns = 0

    @property
    def heard_audio(self) -> bool:
        """Audio has come, in this session."""
        return self._ear.position_ms > 0

    def configure(self) -> None:
        """Take over the session's settings."""
        self._ear.configure(self._stage.settings.input_format, self._stage.settings.turn_detection)

    def hear(self, audio: bytes) -> None:
        """Take in audio of the caller.

        Raises:
            Refusal: Not whole samples.
        """
        for event in self._ear.hear(audio):
            if isinstance(event, TurnStarted):
                self._turn_started(event)
            else:
                self._turn_ended(event)

    def commit(self) -> None:
        """Make a turn of what is buffered; alone, this answers nothing.

        Raises:
            Refusal: Nothing is buffered.
        """
        audio = self._ear.commit()
        item_id, self._turn_item_id = self._turn_item_id or self._stage.ids.item(), None
        self._add_turn(item_id, audio, self._stage.now(), answer=False)

    def clear(self) -> None:
        """Drop what is buffered."""
        self._ear.clear()
        self._turn_item_id = None

    def _turn_started(self, event: TurnStarted) -> None:
        stage, detection = self._stage, self._stage.settings.turn_detection
        self._turn_item_id = stage.ids.item()
        stage.emit(
            wire.InputAudioBufferSpeechStarted(
                event_id=stage.ids.event(), audio_start_ms=event.audio_start_ms, item_id=self._turn_item_id
            )
        )
        if detection is None or not detection.interrupt_response:
            return
        ending = self._responder.interrupt()
        if detection.auto_truncate and (spoken := self._responder.last_spoken) is not None:
            played_ms = _played_ms(spoken, stage.now())
            if ending is None:
                self._truncate(spoken, played_ms)
            else:
                ending.add_done_callback(lambda task: None if task.cancelled() else self._truncate(spoken, played_ms))

    def _turn_ended(self, event: TurnEnded) -> None:
        stage, since_s = self._stage, self._stage.now()
        item_id, self._turn_item_id = self._turn_item_id or stage.ids.item(), None
        stage.emit(
            wire.InputAudioBufferSpeechStopped(
                event_id=stage.ids.event(), audio_end_ms=event.audio_end_ms, item_id=item_id
            )
        )
        stage.spawn(self._commit_turn(item_id, event.audio, since_s))

    async def _commit_turn(self, item_id: str, audio: bytes, since_s: float) -> None:
        await self._stage.until(since_s + self._stage.pace.committed_s)
        await self._responder.interruption()  # audio sent faster than real time can end a turn sooner than that
        detection = self._stage.settings.turn_detection
        self._add_turn(item_id, audio, since_s, answer=detection is not None and detection.create_response)

    def _add_turn(self, item_id: str, audio: bytes, since_s: float, *, answer: bool) -> None:
        stage = self._stage
        part = Part("input_audio", audio=audio, audio_format=self._ear.audio_format)
        item = MessageItem(item_id, "user", [part])
        previous = stage.history.add(item)
        for event in (
            wire.InputAudioBufferCommitted(event_id=stage.ids.event(), previous_item_id=previous, item_id=item_id),
            wire.ConversationItemCreated(event_id=stage.ids.event(), previous_item_id=previous, item=item.report()),
            wire.ConversationItemDone(event_id=stage.ids.event(), previous_item_id=previous, item=item.report()),
        ):
            stage.emit(event)
        self._voice_turns += 1
        wishes = Wishes.of(stage.settings)
        heard = self._heard(audio, wishes)
        turn = self._taken(heard)
        run = self._answer(wishes, heard, since_s) if answer else None
        if stage.settings.transcribes:
            stage.spawn(self._transcribe(item, "" if turn is None else turn.transcript or "", run, since_s))

    def _taken(self, heard: Heard) -> Turn | None:
        """The script's turn for what was said, kept for the response to it."""
        try:
            turn = self._stage.script.take(heard)
        except ScriptExhausted:
            turn = None  # the response, if there is one, says so
        self._responder.plan(turn)
        return turn

    def _answer(self, wishes: Wishes, heard: Heard, since_s: float) -> Run | None:
        try:
            return self._responder.start(wishes, self._responder.context(wishes), heard, since_s)
        except Refusal as refusal:  # a response was running that speech must not interrupt
            self._stage.refuse(refusal, None)
            return None

    def _heard(self, audio: bytes, wishes: Wishes) -> Heard:
        return Heard(
            spoken=True,
            voice_turns=self._voice_turns,
            tools=frozenset(wishes.tool_names),
            instructions=wishes.instructions,
            audio=self._ear.to_pcm16(audio),
            rate_hz=self._ear.audio_format.rate_hz,
        )

    async def _transcribe(self, item: MessageItem, transcript: str, run: Run | None, since_s: float) -> None:
        stage = self._stage
        await stage.until(since_s + stage.pace.caller_transcript_s)
        if run is not None:
            await run.begun.wait()  # measured: the transcript never came before response.created
        item.parts[0].transcript = transcript
        if transcript:
            stage.emit(
                wire.ConversationItemInputAudioTranscriptionDelta(
                    event_id=stage.ids.event(), item_id=item.id, content_index=0, delta=transcript
                )
            )
        stage.emit(
            wire.ConversationItemInputAudioTranscriptionCompleted(
                event_id=stage.ids.event(), item_id=item.id, content_index=0, transcript=transcript
            )
        )

    def _truncate(self, spoken: Run, played_ms: int) -> None:
        """``auto_truncate``: cut the reply where the caller is estimated to have heard it last."""
        item = spoken.response.spoken_item
        if item is None or item.parts[0].transcript is None or played_ms >= spoken.response.said_ms:
            return  # cut already, or heard to the end
        try:
            self._stage.history.truncate(item.id, 0, played_ms)
        except Refusal:
            return  # the client has deleted the item
        self._stage.emit(
            wire.ConversationItemTruncated(
                event_id=self._stage.ids.event(), item_id=item.id, content_index=0, audio_end_ms=played_ms
            )
        )


def _played_ms(spoken: Run, now_s: float) -> int:
    """Real time since the first audio went out: playback is taken to start on arrival."""
    return 0 if spoken.first_audio_at_s is None else int((now_s - spoken.first_audio_at_s) * 1000)

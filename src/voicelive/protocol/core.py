"""SessionProtocol joins the machines: one way in for everything the service says and everything the application wants.

``receive`` returns what must happen, most urgent first; what is to be told to the application comes last and is
delivered after the event itself. On the hot path that is nothing, and an empty tuple costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from voicelive.audio.formats import AudioFormat
from voicelive.events import NoInput, TruncationRefused
from voicelive.protocol import avatar, calls, connection, mcp, responses, turns
from voicelive.protocol.asking import Asking
from voicelive.protocol.avatar import AvatarLink
from voicelive.protocol.caller_audio import CallerAudio
from voicelive.protocol.connection import Connection
from voicelive.protocol.continuation import LostResponse, sort_out
from voicelive.protocol.effects import Broken, Effect, Flushed, Send, Tell
from voicelive.protocol.hearing import CUT, Hearing
from voicelive.protocol.history import History
from voicelive.protocol.item_book import PIECES
from voicelive.protocol.ledger import Confirmed, Ledger, Outcome
from voicelive.protocol.replay import LeftOut, replay
from voicelive.protocol.routing import PLAYBACK, ROUTED, SPEECH, TIMED
from voicelive.protocol.settings import merged
from voicelive.protocol.silence import Silence
from voicelive.protocol.turns import Flush, Truncate, TurnEffect
from voicelive.protocol.usage_book import UsageBook
from voicelive.wire.client_events import (
    ClientEvent,
    ConversationItemCreate,
    ConversationItemTruncate,
    OutputAudioBufferClear,
    ResponseCancel,
    SessionUpdate,
)
from voicelive.wire.items import ConversationRequestItem, FunctionCallOutputItem, UserMessageItem
from voicelive.wire.responses import ResponseCreateParams
from voicelive.wire.server.conversation import (
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
)
from voicelive.wire.server.response import (
    ResponseAudioDelta,
    ResponseCreated,
)
from voicelive.wire.server.session import ErrorEvent, SessionCreated, SessionUpdated
from voicelive.wire.server_events import ServerEvent
from voicelive.wire.session import SessionConfig

__all__ = ["SessionProtocol"]


_NOTHING: Final[tuple[Effect, ...]] = ()


class SessionProtocol:
    """What one session's events mean. Pure: same calls, same answers."""

    def __init__(
        self,
        *,
        max_tool_rounds: int = 8,
        min_barge_in_ms: int = 0,
        expire_after_s: float = 15.0,
        keep_audio_ms: int = 0,
        sideband: bool = False,
    ) -> None:
        self._sideband = sideband
        self.requested: SessionConfig | None = None
        """What the application asked for, every accepted update laid over those before."""
        self.connection = Connection()
        self.ledger = Ledger(expire_after_s)
        self.caller_audio = CallerAudio(keep_audio_ms)
        self._asking = Asking(self.ledger, max_tool_rounds=max_tool_rounds, sideband=sideband)
        self.gate, self.calls, self.mcp = self._asking.gate, self._asking.calls, self._asking.mcp
        self.wish = self._asking.wish
        self.disown, self.running, self.answer = self._asking.disown, self._asking.running, self._asking.answer
        self.connected = self._asking.connected
        self.history = History()
        self.avatar = AvatarLink()
        self.usage = UsageBook()
        self._hearing = Hearing(self.history, min_barge_in_ms)
        self.playback = self._hearing.playback
        self._answers = False
        """Whether turn detection starts responses by itself."""
        self._silence = Silence()
        self._prompt: tuple[ResponseCreateParams | None, str | None] = (None, None)
        self._caller_speaks = False
        self._truncation_refused = False

    # -- what the service says

    def receive(self, event: ServerEvent, now: float, *, forwarded: bool = False) -> tuple[Effect, ...]:
        """Take in one event and say what must happen; ``forwarded``: a page says that it came."""
        kind = type(event)
        if isinstance(event, ResponseAudioDelta):
            self.usage.audio(event)
            self.history.receive(event, now)
            return self._hearing.take(event, now)
        if kind not in ROUTED:
            if kind in PIECES:  # nine of ten: they only add to what is known
                self.history.receive(event, now)
                return _NOTHING
            return tuple(map(Tell, self.history.receive(event, now, owed=self._asking.owes)))
        if kind in connection.HEARS:
            self._settings(event)
        elif kind in SPEECH:
            self._caller(event)
        self._hearing.receive(event)
        effects: list[Effect] = []
        outcome = self.ledger.receive(event, now)
        if outcome is not None:
            effects.append(outcome)
            self._accepted(outcome)
        if kind in turns.HEARS:
            effects += self._turn_effects(self._hearing.interrupted(event, now), now)
        if kind in avatar.HEARS:
            effects += map(Tell, self.avatar.receive(event, self.connection.settings))
        if kind in calls.HEARS:
            effects += self._asking.hear_of_calls(event, now, forwarded=forwarded)
        if kind in mcp.HEARS and not forwarded:
            effects += self._asking.hear_of_mcp(event, now)
        if isinstance(event, ErrorEvent):
            effects += self._refused(event, now)
        if kind in responses.HEARS:
            effects += self._asking.hear_of_responses(event, now, answers=self._answers)
            if isinstance(event, ResponseCreated) and self.gate.is_beside(event.response.id or ""):
                self.history.set_aside(event.response.id or "")
        if kind in PLAYBACK:
            effects += self._hearing.settle(now)
        effects += map(Tell, self.history.receive(event, now, owed=self._asking.owes))
        if kind in TIMED:
            effects += self._prompted(now)
        return tuple(effects) if effects else _NOTHING

    def count(self, event: ServerEvent, now: float) -> bool:
        """Note what one of ``usage_book.HEARS`` tells was used, and say whether something was.

        It comes before ``receive``, so that a budget may end the call before the next response is asked for.
        """
        return self.usage.receive(event, now, self._caller_ms)

    def finish(self, last_wishes: frozenset[str], now: float) -> tuple[Effect, ...]:
        """Ask for no response any more but for these; turn detection is to start none."""
        effects: list[Effect] = list(self.gate.stop(last_wishes))
        if self.connection.settings.turn_detection is not None:
            effects.append(Send(SessionUpdate(session=SessionConfig(turn_detection=None))))
        self._silence.watch(None, 1)
        return (*effects, *self._asking.pump(now))

    def tick(self, now: float) -> tuple[Effect, ...]:
        """Time has passed."""
        effects: list[Effect] = self._turn_effects(self._hearing.tick(now), now)
        effects += self._asking.pump(now)
        effects += self._hearing.settle(now)
        effects += map(Tell, self.history.settle(now, owed=self._asking.owes))
        effects += self._prompted(now)
        return tuple(effects)

    def due_at(self, now: float) -> float | None:
        """When ``tick`` should be called at the latest; ``None``: only events can change anything."""
        dues = (
            self._hearing.due_at(now),
            self.gate.due_at(),
            self.history.due_at(),
            self._silence.due_at(),
        )
        return min((due for due in dues if due is not None), default=None)

    def end(self, now: float) -> tuple[Effect, ...]:
        """The session is over."""
        self.usage.connection_lost(now, self._caller_ms)
        return tuple(map(Tell, self.history.end(owed=self._asking.owes)))

    # -- what the application wants

    def sent(self, event: ClientEvent, now: float) -> tuple[Effect, ...]:
        """The application sent this by itself."""
        self.history.sent(event, now)
        if isinstance(event, ResponseCancel):
            self.gate.cancelled(event.response_id)
        if isinstance(event, ConversationItemTruncate):
            self._hearing.truncated(event.item_id)
        if isinstance(event, ConversationItemCreate) and isinstance(event.item, UserMessageItem):
            self._silence.caller_spoke()
        if isinstance(event, ConversationItemCreate) and isinstance(event.item, FunctionCallOutputItem):
            return self._asking.answered_by_hand(event.item.call_id, now)
        return _NOTHING

    def flush(self, now: float) -> tuple[Effect, ...]:
        """The application wants silence."""
        # of a barge-in the service itself learns first, and a page tells of it late: it would silence the next reply
        silence = [Send(OutputAudioBufferClear())] if self._sideband else []
        return (*silence, *self._turn_effects([Flush()], now))

    def prompt_on_silence(
        self, after_s: float | None, times: int, params: ResponseCreateParams | None, instructions: str | None
    ) -> None:
        """Have the agent prompt a silent caller; ``None``: not any more."""
        self._prompt = params, instructions
        self._silence.watch(after_s, times)

    def protect(self, response_id: str) -> None:
        """Speech does not cut this response."""
        self._hearing.protect(response_id)

    # -- one connection after another

    def at_rest(self, now: float) -> bool:
        """Whether nobody speaks and nothing is under way, so that a change of connection disturbs nothing."""
        return (
            self._asking.idle
            and not self._caller_speaks
            and self.history.settled
            and not self.ledger.awaits_answers(now)
        )

    def connection_lost(self, now: float, *, remembered: bool) -> tuple[Broken, tuple[Effect, ...]]:
        """No event of this connection will come any more, and another connection is to take its place.

        Args:
            now: When.
            remembered: Whether the service itself keeps the conversation (an agent's), so that every question is known.
        """
        self.avatar.connection_lost()
        self.usage.connection_lost(now, self._caller_ms)
        if self.gate.active_id:
            self.playback.complete_response(self.gate.active_id)
        question_known = remembered or self.history.question_known
        again, effects = self._asking.connection_lost(now, question_known=question_known)
        lost = self.history.connection_lost(now, again=again)
        self._caller_speaks = False
        unanswered = sort_out(self.ledger, audio_is_kept=self.caller_audio.all_is_kept)
        for confirmed in unanswered.settled:
            self._accepted(confirmed)
            effects += map(Tell, self.history.receive(confirmed.event, now, owed=self._asking.owes))
        for update in unanswered.updates:
            self.requested = merged(self.requested, update.session)
        self._hearing.connection_lost(item.id for item in self.history.items())
        response = LostResponse(*lost, asked_again=again) if lost is not None else None
        return Broken(unanswered, response, tuple(sorted(self.calls.owed_ids))), (*unanswered.settled, *effects)

    def plan(self) -> tuple[list[ConversationRequestItem], list[LeftOut]]:
        """The conversation as a new session is told it, and what of it cannot be told."""
        return replay(self.history.items(), keep_ids=True, owed=self.calls.begun_ids)

    @property
    def plays_elsewhere(self) -> bool:
        """Whether the agent's voice goes another way, so that nothing is known of its playback."""
        return self._sideband

    @property
    def cues_wait(self) -> bool:
        """Whether the next audio may bring something due."""
        return self._hearing.cues_wait

    # -- inside

    @property
    def _caller_ms(self) -> float:
        return self.caller_audio.ms(self.caller_audio.sent_bytes)

    def _accepted(self, outcome: Outcome) -> None:
        if isinstance(outcome, Confirmed) and isinstance(outcome.asked, SessionUpdate):
            self.requested = merged(self.requested, outcome.asked.session)

    def _settings(self, event: ServerEvent) -> None:
        self.connection.receive(event)
        if isinstance(event, SessionCreated | SessionUpdated):
            form = AudioFormat.known_output(event.session.output_audio_format)
            self._hearing.configure(form, self.connection.settings)
            turn_detection = self.connection.settings.turn_detection
            self._answers = turn_detection is not None and getattr(turn_detection, "create_response", 0) is not False
            form = self.connection.known_input
            if form is not None:
                self.caller_audio.configure(form, detects_turns=turn_detection is not None)

    def _caller(self, event: ServerEvent) -> None:
        self._caller_speaks = isinstance(event, InputAudioBufferSpeechStarted)
        self.caller_audio.receive(event)
        # without turn detection only the commit tells that the caller spoke
        if isinstance(event, InputAudioBufferSpeechStarted | InputAudioBufferCommitted):
            self._silence.caller_spoke()

    def _refused(self, event: ErrorEvent, now: float) -> list[Effect]:
        request_id = event.error.event_id or ""
        if request_id.startswith(CUT) and not self._truncation_refused:
            self._truncation_refused = True
            return [Tell(TruncationRefused(event.error.code))]
        return self._asking.refused(request_id, event, now)

    def _turn_effects(self, turn_effects: Iterable[TurnEffect], now: float) -> list[Effect]:
        effects: list[Effect] = []
        for effect in turn_effects:
            effects += self._hearing.truncate([effect]) if isinstance(effect, Truncate) else self._flush(now)
        return effects

    def _flush(self, now: float) -> list[Effect]:
        effects: list[Effect] = [Flushed(), *self._hearing.settle(now)]
        cuts = self._hearing.drop(now)
        if self.gate.active_id:  # it may not have spoken yet
            self.playback.kill(self.gate.active_id)
            self.gate.cancelled(self.gate.active_id)
        if self.connection.settings.avatar is not None:
            self.avatar.flushed()
            effects.append(Send(OutputAudioBufferClear()))
        effects += self._hearing.truncations(cuts)
        effects += self._asking.interrupted(now)
        effects += self._hearing.barge_ins(cuts, now)
        return effects

    def _prompted(self, now: float) -> list[Effect]:
        if not self._silence.watching:
            return []
        quiet = self._asking.idle and not self._caller_speaks and not self.playback.playing(now)
        prompt = self._silence.observe(now, quiet=quiet)
        if prompt is None:
            return []
        return [Tell(NoInput(prompt.count, prompt.last)), *self.wish(now, *self._prompt)[1]]

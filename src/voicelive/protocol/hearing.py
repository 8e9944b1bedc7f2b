"""What of the agent's voice was heard, and what was cut off: joins playback, interruptions and cues.

The record learns of it here. Falling silent is more than this: whoever asks for that is the core.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from voicelive.audio.formats import AudioFormat
from voicelive.audio.playback import Cut, Heard, PlaybackQueue
from voicelive.events import BargeIn, PlaybackCue
from voicelive.protocol import cues
from voicelive.protocol.cues import Cues, Placed
from voicelive.protocol.effects import Effect, Send, Tell
from voicelive.protocol.history import History
from voicelive.protocol.turns import InterruptionPolicy, Interruptions, Truncate, TurnEffect, interrupts
from voicelive.wire.client_events import ConversationItemTruncate
from voicelive.wire.server.response import ResponseAudioDelta, ResponseAudioDone, ResponseDone
from voicelive.wire.server_events import ServerEvent
from voicelive.wire.session import SessionResource

__all__ = ["CUT", "Hearing"]

CUT: Final = "voicelive_cut_"
"""So begin the event ids of truncations that the session sends by itself."""

_NOTHING: Final[tuple[Effect, ...]] = ()


class Hearing:
    """What the caller hears of one session. ``history`` is told of it."""

    def __init__(self, history: History, min_barge_in_ms: int) -> None:
        self.playback = PlaybackQueue(AudioFormat.of_output(None))
        self._history = history
        self._interruptions = Interruptions(min_barge_in_ms)
        self._policy = InterruptionPolicy()
        self._cues = Cues()
        self._cuts = 0
        self._told_again: frozenset[str] = frozenset()
        """Items that this connection was told as texts: their audio cannot be cut there."""

    def configure(self, output: AudioFormat | None, settings: SessionResource) -> None:
        """These settings are in effect; an ``output`` that is unknown leaves hearing a guess."""
        self.playback.reformat(output or self.playback.format)
        self._policy = interrupts(settings)

    # -- what the service says

    def take(self, event: ResponseAudioDelta, now: float) -> tuple[Effect, ...]:
        """Take in audio, which is to be played, or belongs to a reply that was cut off."""
        if self.playback.add(event.response_id, event.item_id, event.content_index, event.delta, now):
            return _NOTHING
        return tuple(self._stale(event, now))

    def receive(self, event: ServerEvent) -> None:
        """Take in where audio ends, and what is due at a place of it."""
        if isinstance(event, ResponseAudioDone):
            self.playback.complete(event.item_id)
        elif isinstance(event, ResponseDone):  # one that broke off may leave items open
            self.playback.complete_response(event.response.id or "")
        if type(event) in cues.HEARS:
            self._cues.receive(event, self.playback)

    def interrupted(self, event: ServerEvent, now: float) -> list[TurnEffect]:
        """Take in speech, and what holds it off or back."""
        audible = self.playback.audible(now) if self._interruptions.protects else frozenset()
        return self._interruptions.receive(event, now, self._policy, audible)

    def connection_lost(self, told_again: Iterable[str]) -> None:
        """A new session is told these items as texts."""
        self._interruptions.connection_lost()
        self._told_again = frozenset(told_again)

    # -- what the application wants

    def protect(self, response_id: str) -> None:
        """Speech does not cut this response."""
        self._interruptions.protect(response_id)

    def truncated(self, item_id: str) -> None:
        """The application cut this item by itself."""
        self._interruptions.truncated(item_id)

    # -- time

    def tick(self, now: float) -> list[TurnEffect]:
        """Speech may have lasted long enough."""
        return self._interruptions.tick(now)

    def due_at(self, now: float) -> float | None:
        """When ``tick`` and ``settle`` should be called at the latest; ``None``: only events can change anything."""
        dues = (self._interruptions.due_at(), self.playback.ends_at(now), self._cues.due_at(self.playback))
        return min((due for due in dues if due is not None), default=None)

    @property
    def cues_wait(self) -> bool:
        """Whether the next audio may bring something due."""
        return self._cues.waiting

    def settle(self, now: float) -> list[Effect]:
        """Tell the record what was heard, and what was due by now."""
        effects: list[Effect] = []
        if self.playback.empty and not self._cues.waiting:
            return effects
        for item_id, heard in self.playback.begun(now):
            self._history.begun(item_id, now - heard.heard_ms / 1000)
        for item_id, heard in self.playback.settle(now):
            effects += _cued(self._cues.finish(item_id))
            told = self._history.heard(item_id, heard.heard_ms, heard.total_ms, final=True, now=now)
            effects += map(Tell, told)
        return effects + _cued(self._cues.reached(self.playback, now))

    # -- falling silent

    def drop(self, now: float) -> list[Cut]:
        """Nothing more of what waits is played."""
        cuts = self.playback.flush(now)
        self._cues.drop()
        return cuts

    def truncations(self, cuts: list[Cut]) -> list[Effect]:
        """What the service is told of these, as far as it is to be told now."""
        return self.truncate(self._interruptions.flushed(cuts, self._policy))

    def truncate(self, wanted: Iterable[Truncate]) -> list[Effect]:
        """Name truncations, and leave out those that cannot be."""
        effects: list[Effect] = []
        for one in wanted:
            if one.event.item_id not in self._told_again:
                effects.append(self._named(one.event))
        return effects

    def barge_ins(self, cuts: list[Cut], now: float) -> list[Effect]:
        """What the application is told of these, and the record."""
        effects: list[Effect] = []
        for cut in cuts:
            heard = cut.heard
            effects.append(Tell(BargeIn(cut.item_id, cut.response_id, heard.heard_ms, heard.total_ms, heard.exact)))
            told = self._history.heard(cut.item_id, heard.heard_ms, heard.total_ms, final=True, now=now)
            effects += map(Tell, told)
        return effects

    def _stale(self, event: ResponseAudioDelta, now: float) -> list[Effect]:
        """A delta of a reply that was cut off; an item that only begins now was not heard at all."""
        if not event.item_id or self._interruptions.is_cut(event.item_id):
            return []
        cut = Cut(event.item_id, event.response_id, event.content_index, Heard(0, 0, exact=True))
        told = self._history.heard(cut.item_id, 0, None, final=True, now=now)
        return [*self.truncations([cut]), *map(Tell, told)]

    def _named(self, event: ConversationItemTruncate) -> Send:
        self._cuts += 1
        return Send(event.model_copy(update={"event_id": f"{CUT}{self._cuts}"}))


def _cued(found: Iterable[Placed]) -> list[Effect]:
    return [Tell(PlaybackCue(cue.item_id, place_ms, cue)) for place_ms, cue in found]

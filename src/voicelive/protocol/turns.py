"""Barge-in: what happens when the caller speaks over the agent.

The reply was generated faster than it is played, so at barge-in it is often complete already and only the caller's
ear decides what counts. ``speech_started`` flushes playback at once; the cut is told to the service after the
``response.done`` that follows, because until then the old reply still streams. Heard milliseconds are arguments:
the caller's ear is not known here.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Final, TypeAlias

from voicelive.audio.playback import Cut
from voicelive.wire.client_events import ConversationItemTruncate
from voicelive.wire.server.conversation import (
    ConversationItemTruncated,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
)
from voicelive.wire.server.response import ResponseCreated, ResponseDone
from voicelive.wire.server_events import ServerEvent
from voicelive.wire.session import SessionResource

__all__ = ["Flush", "Interruptions", "InterruptionPolicy", "Truncate", "TurnEffect", "interrupts"]


HEARS: Final = frozenset(
    {
        InputAudioBufferSpeechStarted,
        InputAudioBufferSpeechStopped,
        ResponseCreated,
        ResponseDone,
        ConversationItemTruncated,
    }
)
"""Events that can make or settle a cut; others need not be shown."""


@dataclass(frozen=True, slots=True)
class Flush:
    """Stop playback now."""


@dataclass(frozen=True, slots=True)
class Truncate:
    """Tell the service where the caller stopped hearing."""

    event: ConversationItemTruncate


TurnEffect: TypeAlias = Flush | Truncate


@dataclass(frozen=True, slots=True)
class InterruptionPolicy:
    """What the settings in effect say of barge-in."""

    interrupts: bool = True
    service_truncates: bool = False


def interrupts(settings: SessionResource) -> InterruptionPolicy:
    """The policy that these settings mean."""
    turn_detection = settings.turn_detection
    if turn_detection is None or turn_detection.type == "unknown":
        return InterruptionPolicy()
    return InterruptionPolicy(
        interrupts=turn_detection.interrupt_response is not False,
        service_truncates=turn_detection.auto_truncate is True,
    )


class Interruptions:
    """Cuts of one session. Pure: same calls, same answers."""

    def __init__(self, min_speech_ms: int = 0) -> None:
        self._min_speech_s = min_speech_ms / 1000
        self._running: set[str] = set()
        self._pending: dict[str, list[Cut]] = {}
        self._cut_items: set[str] = set()
        self._speech_since: float | None = None
        self._protected: set[str] = set()

    @property
    def protects(self) -> bool:
        """Whether there is a response that speech does not cut."""
        return bool(self._protected)

    def protect(self, response_id: str) -> None:
        """Speech does not cut this response."""
        self._protected.add(response_id)

    def receive(
        self, event: ServerEvent, now: float, policy: InterruptionPolicy, audible: Set[str] = frozenset()
    ) -> list[TurnEffect]:
        """Take in an event; ``audible`` are responses that have unheard audio: most are done long before."""
        if isinstance(event, InputAudioBufferSpeechStarted):
            self._protected &= self._running | audible
            if not policy.interrupts or self._protected:
                return []
            if self._min_speech_s <= 0:
                return [Flush()]
            self._speech_since = now
        elif isinstance(event, InputAudioBufferSpeechStopped):
            effects = self.tick(now)  # it may have lasted long enough just now
            self._speech_since = None
            return effects
        elif isinstance(event, ResponseCreated):
            self._running.add(event.response.id or "")
        elif isinstance(event, ResponseDone):
            response_id = event.response.id or ""
            self._running.discard(response_id)
            return [Truncate(_truncation(cut)) for cut in self._pending.pop(response_id, [])]
        elif isinstance(event, ConversationItemTruncated):
            self.truncated(event.item_id)
        return []

    def due_at(self) -> float | None:
        """When speech will have lasted long enough to count."""
        return None if self._speech_since is None else self._speech_since + self._min_speech_s

    def tick(self, now: float) -> list[TurnEffect]:
        """Time has passed."""
        due_at = self.due_at()
        if due_at is None or now < due_at:
            return []
        self._speech_since = None
        return [Flush()]

    def connection_lost(self) -> None:
        """Cuts that were to be told at a response's end need not be: a new session is told what was heard."""
        self._running.clear()
        self._pending.clear()
        self._protected.clear()
        self._speech_since = None

    def is_cut(self, item_id: str) -> bool:
        """Whether this item was cut already."""
        return item_id in self._cut_items

    def truncated(self, item_id: str) -> None:
        """Somebody else cut this item; once is enough."""
        self._cut_items.add(item_id)
        for cuts in self._pending.values():
            cuts[:] = [cut for cut in cuts if cut.item_id != item_id]

    def flushed(self, cuts: list[Cut], policy: InterruptionPolicy) -> list[Truncate]:
        """Playback dropped these; each item is cut once, at what was heard."""
        effects: list[Truncate] = []
        for cut in cuts:
            if cut.item_id in self._cut_items:
                continue
            self._cut_items.add(cut.item_id)
            if policy.service_truncates:
                continue
            if cut.response_id in self._running:
                self._pending.setdefault(cut.response_id, []).append(cut)
            else:
                effects.append(Truncate(_truncation(cut)))
        return effects


def _truncation(cut: Cut) -> ConversationItemTruncate:
    return ConversationItemTruncate(
        item_id=cut.item_id, content_index=cut.content_index, audio_end_ms=cut.heard.heard_ms
    )

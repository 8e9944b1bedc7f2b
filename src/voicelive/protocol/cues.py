"""Words, visemes and blendshapes at the moment in which they are heard.

They arrive with the audio they belong to, before or after it, and seconds before it is played. Each waits here until
playback reaches its place; what a barge-in cuts off is dropped with its audio. What comes for audio that was heard
already is due at once. Audio that never comes here (an avatar plays it over WebRTC) cannot be followed: the cues of
such an item are due when its response is done, and at once from then on.

Where playback is, only the playback queue knows.
"""

from __future__ import annotations

from bisect import insort
from operator import itemgetter
from typing import Final, TypeAlias

from voicelive.audio.playback import PlaybackQueue
from voicelive.wire.server.animation import (
    ResponseAnimationBlendshapesDelta,
    ResponseAnimationVisemeDelta,
    ResponseAudioTimestampDelta,
)
from voicelive.wire.server.response import ResponseCreated, ResponseDone
from voicelive.wire.server_events import ServerEvent

__all__ = ["BLENDSHAPES_PER_S", "CueEvent", "Cues", "Placed"]

BLENDSHAPES_PER_S: Final = 60  # frames a second, by the speech service's documentation of facial blendshapes

CueEvent: TypeAlias = ResponseAudioTimestampDelta | ResponseAnimationVisemeDelta | ResponseAnimationBlendshapesDelta

Placed: TypeAlias = tuple[float, CueEvent]
"""A cue behind its place in milliseconds of its item's audio."""

_PLACE: Final = itemgetter(0)


HEARS: Final = frozenset(
    {
        ResponseAnimationBlendshapesDelta,
        ResponseAudioTimestampDelta,
        ResponseAnimationVisemeDelta,
        ResponseCreated,
        ResponseDone,
    }
)
"""Events that make or release cues; others need not be shown."""


class Cues:
    """What waits for its moment. Pure: same calls, same answers."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Placed]] = {}
        self._running: set[str] = set()
        self._heard: set[str] = set()
        """Items that were heard to the end while responses still run, which may bring more cues of them."""

    @property
    def waiting(self) -> bool:
        """Whether there is any."""
        return bool(self._waiting)

    def receive(self, event: ServerEvent, playback: PlaybackQueue) -> None:
        """Take in an event; cues of a response that was cut off are dropped."""
        if isinstance(event, ResponseAnimationBlendshapesDelta):
            self._wait(event, event.frame_index * 1000 / BLENDSHAPES_PER_S, playback)
        elif isinstance(event, ResponseAudioTimestampDelta | ResponseAnimationVisemeDelta):
            self._wait(event, event.audio_offset_ms, playback)
        elif isinstance(event, ResponseCreated):
            self._running.add(event.response.id or "")
        elif isinstance(event, ResponseDone):
            self._running.discard(event.response.id or "")
            if not self._running:
                self._heard.clear()

    def _wait(self, cue: CueEvent, place_ms: float, playback: PlaybackQueue) -> None:
        if not playback.is_stale(cue.response_id):
            insort(self._waiting.setdefault(cue.item_id, []), (place_ms, cue), key=_PLACE)

    def reached(self, playback: PlaybackQueue, now: float) -> list[Placed]:
        """Cues whose moment has come, each item's in the order of their places."""
        due: list[Placed] = []
        for item_id, waiting in list(self._waiting.items()):
            if playback.knows(item_id):
                count = 0
                while count < len(waiting) and playback.reached(item_id, waiting[count][0], now):
                    count += 1
            else:
                may_begin = waiting[0][1].response_id in self._running and item_id not in self._heard
                count = 0 if may_begin else len(waiting)
            due += waiting[:count]
            del waiting[:count]
            if not waiting:
                del self._waiting[item_id]
        return due

    def finish(self, item_id: str) -> list[Placed]:
        """An item was heard to its end: whatever is left of it is due."""
        if self._running:
            self._heard.add(item_id)
        return self._waiting.pop(item_id, [])

    def drop(self) -> None:
        """The agent was cut off: nothing that waits is going to be heard."""
        self._waiting.clear()

    def due_at(self, playback: PlaybackQueue) -> float | None:
        """When the next cue is reached where hearing is estimated; a sink tells by itself."""
        moments = (playback.estimated_at(item_id, waiting[0][0]) for item_id, waiting in self._waiting.items())
        return min((moment for moment in moments if moment is not None), default=None)

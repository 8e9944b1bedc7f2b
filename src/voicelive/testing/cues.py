"""What goes beside the audio of one reply: times of words, visemes, blendshapes, each with the audio it is about."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from voicelive import wire
from voicelive.avatar.animation_parts import frame_offset_ms
from voicelive.testing.replies import Reply
from voicelive.testing.wishes import Wishes

__all__ = ["Cues", "ended"]

NewId: TypeAlias = Callable[[], str]
Where: TypeAlias = Mapping[str, Any]
"""The ids of response and item, and the item's place."""


class Cues:
    """The cues of one reply. Those of its audio that was sent are due; the blendshapes of it come as one batch."""

    def __init__(self, reply: Reply) -> None:
        self._words = deque(reply.words)
        self._visemes = deque(reply.visemes)
        self._frames = deque(reply.blendshapes)
        self._next_frame = 0

    def until(self, audio_ms: float, new_id: NewId, where: Where) -> list[wire.ServerEvent]:
        """What belongs to the audio up to here and has not been given yet."""
        found: list[wire.ServerEvent] = []
        while self._words and self._words[0].start_ms < audio_ms:
            word = self._words.popleft()
            found.append(
                wire.ResponseAudioTimestampDelta(
                    event_id=new_id(),
                    **where,
                    content_index=0,
                    audio_offset_ms=word.start_ms,
                    audio_duration_ms=word.duration_ms,
                    text=word.text,
                    timestamp_type="word",
                )
            )
        while self._visemes and self._visemes[0].start_ms < audio_ms:
            shape = self._visemes.popleft()
            found.append(
                wire.ResponseAnimationVisemeDelta(
                    event_id=new_id(),
                    **where,
                    content_index=0,
                    audio_offset_ms=shape.start_ms,
                    viseme_id=shape.viseme_id,
                )
            )
        return found + self._batch(audio_ms, new_id, where)

    def _batch(self, audio_ms: float, new_id: NewId, where: Where) -> list[wire.ServerEvent]:
        first, batch = self._next_frame, []
        while self._frames and frame_offset_ms(self._next_frame) < audio_ms:
            batch.append(self._frames.popleft())
            self._next_frame += 1
        if not batch:
            return []
        return [
            wire.ResponseAnimationBlendshapesDelta(
                event_id=new_id(), **where, content_index=0, frames=batch, frame_index=first
            )
        ]


def ended(wishes: Wishes, new_id: NewId, where: Where) -> list[wire.ServerEvent]:
    """What says that no more of the kinds asked for will come."""
    found: list[wire.ServerEvent] = []
    if wishes.times_words:
        found.append(wire.ResponseAudioTimestampDone(event_id=new_id(), **where, content_index=0))
    if wishes.shapes_mouth:
        found.append(wire.ResponseAnimationVisemeDone(event_id=new_id(), **where, content_index=0))
    if wishes.shapes_face:
        found.append(wire.ResponseAnimationBlendshapesDone(event_id=new_id(), **where))
    return found

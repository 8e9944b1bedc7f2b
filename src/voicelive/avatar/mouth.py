"""The face at this moment, as the caller hears it.

Asks playback for the place and a track for the face there, so it moves with what is heard: counted by the sink, or
estimated where there is none. Draws nothing and owns no task: ask ``now`` whenever a picture is to be drawn.
"""

from __future__ import annotations

from typing import Final

from voicelive.avatar.animation import AnimationTrack, Face
from voicelive.protocol.cues import CueEvent
from voicelive.session import Session
from voicelive.wire.server.animation import (
    ResponseAnimationBlendshapesDelta,
    ResponseAnimationVisemeDelta,
    ResponseAudioTimestampDelta,
)
from voicelive.wire.server.response import ResponseCreated

__all__ = ["Mouth"]

_HEARS: Final = (
    *(ResponseAnimationBlendshapesDelta, ResponseAnimationVisemeDelta, ResponseAudioTimestampDelta),
    ResponseCreated,
)


class Mouth:
    """Visemes, blendshapes and words of a session in step with its playback.

    Make it before the agent speaks: what came earlier is not known here. It listens as a handler of the session
    does, so a slow handler delays what it learns, not what is known already. Keeps what is still to be heard and the
    newest reply. Between replies, and as soon as a barge-in cuts one off, the face is at rest.

    Playback counts by items, so of an item only the content part that moves the face first is followed; an agent's
    message has one that speaks. A sink that counts in large steps moves the face in those steps. Where an
    avatar plays the voice over WebRTC, nothing of it is heard here, and the face stays at rest.

    Args:
        session: An open session.

    Raises:
        SessionClosedError: The session has ended.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tracks: dict[str, tuple[str, AnimationTrack]] = {}
        """By item, behind the response that it belongs to."""
        session.on(*_HEARS)(self._receive)

    def now(self) -> Face:
        """What the face shows now."""
        for item_id, (_, track) in self._tracks.items():
            heard = self._session.playback.heard(item_id)
            if heard is not None and 0 < heard.heard_ms < heard.total_ms:
                return track.at(heard.heard_ms)
        return Face()

    def stop(self) -> None:
        """Listen no more, and let the face rest. Stopping twice does nothing."""
        self._session.off(self._receive)
        self._tracks.clear()

    def _receive(self, event: CueEvent | ResponseCreated) -> None:
        if isinstance(event, ResponseCreated):
            self._forget_all_but(event.response.id or "")
            return
        if event.item_id not in self._tracks:
            self._tracks[event.item_id] = event.response_id, AnimationTrack(event.item_id, event.content_index)
        self._tracks[event.item_id][1].add(event)

    def _forget_all_but(self, response_id: str) -> None:
        """A reply of which nothing is to be heard any more goes when the next one begins."""
        heard = self._session.playback.heard
        self._tracks = {
            item_id: entry
            for item_id, entry in self._tracks.items()
            if entry[0] == response_id or heard(item_id) is not None
        }

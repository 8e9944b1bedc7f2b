"""Events of animation for tests, and strategies of them."""

from __future__ import annotations

from typing import TypeAlias

from hypothesis import strategies as st

from voicelive import wire
from voicelive.avatar.animation import AnimationTrack

__all__ = ["CUES", "Cue", "batch", "tracked", "viseme", "word"]

Cue: TypeAlias = (
    wire.ResponseAnimationVisemeDelta | wire.ResponseAnimationBlendshapesDelta | wire.ResponseAudioTimestampDelta
)


def viseme(offset_ms: int, viseme_id: int, item_id: str = "a1", content_index: int = 0) -> Cue:
    return wire.ResponseAnimationVisemeDelta(
        item_id=item_id, content_index=content_index, audio_offset_ms=offset_ms, viseme_id=viseme_id
    )


def batch(frame_index: int, frames: list[list[float]] | str, item_id: str = "a1") -> Cue:
    return wire.ResponseAnimationBlendshapesDelta(item_id=item_id, frame_index=frame_index, frames=frames)


def word(offset_ms: int, duration_ms: int, text: str, item_id: str = "a1") -> Cue:
    return wire.ResponseAudioTimestampDelta(
        item_id=item_id, audio_offset_ms=offset_ms, audio_duration_ms=duration_ms, text=text
    )


def tracked(*events: Cue) -> AnimationTrack:
    track = AnimationTrack("a1")
    for event in events:
        assert track.add(event)
    return track


_WEIGHTS = st.lists(st.floats(-1, 1, width=16), max_size=58)
_VISEMES = st.dictionaries(st.integers(0, 3_000), st.integers(-5, 40), max_size=12).map(
    lambda found: [viseme(*entry) for entry in found.items()]
)
_FRAMES = st.dictionaries(st.integers(0, 180), _WEIGHTS, max_size=12).map(
    lambda found: [batch(number, [weights]) for number, weights in found.items()]
)
_WORDS = st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 900), st.text(max_size=5)), max_size=6).map(
    lambda found: [word(*entry) for entry in {(entry[0], entry[2]): entry for entry in found}.values()]
)
_UNREAD = st.dictionaries(st.integers(0, 180), st.just("AAEC"), max_size=2).map(
    lambda found: [batch(*entry) for entry in found.items()]
)

CUES: st.SearchStrategy[list[Cue]] = st.tuples(_VISEMES, _FRAMES, _WORDS, _UNREAD).map(
    lambda kinds: [event for kind in kinds for event in kind]
)
"""Events of one part, no two for the same place, in order of their kinds."""

"""What goes beside the audio comes with the audio it is about."""

from __future__ import annotations

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from voicelive import wire
from voicelive.testing.cues import Cues
from voicelive.testing.replies import Reply, TimedWord
from voicelive.testing.visemes import Viseme

WHERE = {"response_id": "r1", "item_id": "a1", "output_index": 0}


@given(st.lists(st.integers(1, 400), max_size=8), st.integers(0, 60))
def test_every_frame_is_in_one_batch_which_comes_with_its_audio(piece_ms: list[int], frame_count: int) -> None:
    frames = [[number / 100] for number in range(frame_count)]
    cues, ids, given_frames, audio_ms = Cues(Reply("x", blendshapes=frames)), count(), 0, 0

    for ms in piece_ms:
        audio_ms += ms
        for event in cues.until(audio_ms, lambda: f"e{next(ids)}", WHERE):
            assert isinstance(event, wire.ResponseAnimationBlendshapesDelta)
            assert event.frame_index == given_frames
            assert event.frames == frames[given_frames : given_frames + len(event.frames)]
            given_frames += len(event.frames)
        assert given_frames == min(frame_count, -(-audio_ms * 60 // 1000))


def test_words_and_visemes_come_once_before_the_frames_of_their_time() -> None:
    reply = Reply("a b", words=[TimedWord("a", 0, 90), TimedWord("b", 90, 50)], visemes=[Viseme(0, 1), Viseme(99, 0)])
    cues = Cues(reply)

    early = cues.until(90, lambda: "e", WHERE)
    late = cues.until(140, lambda: "e", WHERE)

    assert [event.type for event in early] == ["response.audio_timestamp.delta", "response.animation_viseme.delta"]
    assert [event.type for event in late] == ["response.audio_timestamp.delta", "response.animation_viseme.delta"]

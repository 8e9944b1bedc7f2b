"""What the agent has yet to say, by samples."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voicelive.audio import AudioFormat
from voicelive.testing.calls.speech import Change, Speech

FORM = AudioFormat("pcm16", 24_000)
LOUD = b"\x00\x40"


def test_a_reply_sounds_once_and_tells_its_beginning_and_its_end() -> None:
    speech = Speech()
    speech.add("r1", LOUD * 24_00, FORM)
    speech.complete("r1")
    pcm, begun = speech.take(9_600)
    rest, ended = speech.take(9_600)
    assert begun == [Change("started", "r1"), Change("stopped", "r1")]
    assert len(pcm) == 9_600
    assert (rest, ended) == (bytes(9_600), [])


def test_a_reply_that_is_still_made_is_waited_for() -> None:
    speech = Speech()
    speech.add("r1", LOUD * 240, FORM)
    assert speech.take(9_600)[1] == [Change("started", "r1")]
    speech.add("r2", LOUD * 240, FORM)
    assert speech.take(9_600)[1] == [], "the second waits for the first"
    speech.complete("r1")
    assert speech.take(9_600)[1] == [Change("stopped", "r1"), Change("started", "r2")]


def test_what_was_dropped_is_not_said_and_late_audio_of_it_neither() -> None:
    speech = Speech()
    speech.add("r1", LOUD * 240, FORM)
    assert speech.drop() == [Change("cleared", "r1")]
    speech.add("r1", LOUD * 240, FORM)
    speech.complete("r1")
    assert speech.take(960) == (bytes(960), [])
    assert speech.drop() == []


def test_a_reply_without_audio_tells_nothing() -> None:
    speech = Speech()
    speech.add("r1", b"", FORM)
    speech.complete("r1")
    speech.complete("r1")
    assert speech.take(960) == (bytes(960), [])


@given(st.lists(st.integers(1, 500), min_size=1, max_size=6), st.integers(1, 400))
def test_all_that_was_said_is_taken_in_any_steps(pieces: list[int], step: int) -> None:
    speech = Speech()
    for samples in pieces:
        speech.add("r1", LOUD * samples, FORM)
    speech.complete("r1")
    changes: list[Change] = []
    steps = sum(pieces) * 2 // step + 2
    for _ in range(steps):
        pcm, found = speech.take(step * 2)
        assert len(pcm) == step * 2
        changes += found
    assert changes == [Change("started", "r1"), Change("stopped", "r1")]

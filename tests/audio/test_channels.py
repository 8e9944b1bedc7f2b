"""Samples of several channels: together, apart, mixed."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.audio import AudioFormat, Chunker, add_echo_reference, deinterleave, interleave, to_mono, to_stereo
from voicelive.errors import ConfigurationError

WHOLE_NUMBERS = st.integers(-32_768, 32_767)


def pcm(*samples: int) -> bytes:
    return array("h", samples).tobytes()


def test_channels_take_turns() -> None:
    assert interleave(pcm(1, 2), pcm(-1, -2), pcm(8, 9)) == pcm(1, -1, 8, 2, -2, 9)
    assert to_stereo(pcm(1, 2)) == pcm(1, 1, 2, 2)


@given(st.integers(1, 8), st.lists(WHOLE_NUMBERS, max_size=50))
def test_channels_apart_join_to_what_they_were(channels: int, samples: list[int]) -> None:
    whole = pcm(*samples[: len(samples) // channels * channels])

    tracks = deinterleave(whole, channels)

    assert interleave(*tracks) == whole
    assert len(tracks) == channels


@given(st.integers(1, 8), WHOLE_NUMBERS)
def test_the_average_of_equal_channels_is_what_they_are(channels: int, sample: int) -> None:
    assert to_mono(pcm(*[sample] * channels), channels) == pcm(sample)


def test_extremes_are_averaged_without_overflow() -> None:
    assert to_mono(pcm(32_767, 32_767, -32_768, -32_768, 100, -99), 2) == pcm(32_767, -32_768, 0)


def test_microphone_and_reference_take_turns_in_frames_of_4_bytes() -> None:
    assert add_echo_reference(pcm(1, 2), pcm(-1, -2)) == pcm(1, -1, 2, -2)


@given(st.lists(WHOLE_NUMBERS, max_size=500), st.lists(WHOLE_NUMBERS, max_size=500))
def test_every_chunk_with_an_echo_reference_can_be_divided_by_4(microphone: list[int], reference: list[int]) -> None:
    sent = add_echo_reference(pcm(*microphone), pcm(*reference[: len(microphone)]))
    chunker = Chunker(AudioFormat("pcm16", 8_000, channels=2))

    chunks = [*chunker.push(sent), chunker.flush()]

    assert all(len(chunk) % 4 == 0 for chunk in chunks)
    assert deinterleave(sent, 2)[0] == pcm(*microphone)


def test_where_the_loudspeaker_played_nothing_the_reference_is_silence() -> None:
    assert add_echo_reference(pcm(1, 2), pcm(-1)) == pcm(1, -1, 2, 0)
    assert add_echo_reference(pcm(1), b"") == pcm(1, 0)


@pytest.mark.parametrize(
    ("microphone", "reference", "problem"),
    [
        (b"abc", b"ab", "microphone has 3 bytes"),
        (b"ab", b"a", "reference has 1 bytes"),
        (b"ab", b"abcd", "reference has 4 bytes, microphone 2"),
    ],
)
def test_an_impossible_echo_reference_is_refused(microphone: bytes, reference: bytes, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        add_echo_reference(microphone, reference)


def test_tracks_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"tracks have \[2, 4\] bytes"):
        interleave(pcm(1), pcm(1, 2))
    with pytest.raises(ConfigurationError, match="at least one"):
        interleave()
    with pytest.raises(ConfigurationError, match="pcm has 1 bytes"):
        interleave(b"a", b"b")


def test_half_a_frame_and_no_channel_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="pcm has 6 bytes; frames of 2 16-bit samples need a multiple of 4"):
        deinterleave(bytes(6), 2)
    with pytest.raises(ConfigurationError, match="channels is 0"):
        to_mono(b"", 0)

"""Two tracks with times in one file."""

from __future__ import annotations

import io
import tracemalloc
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.audio import AudioFormat, TimelineWriter, WavFile
from voicelive.audio.timeline import Track
from voicelive.errors import ConfigurationError, LocalProtocolError

STEREO_8K = AudioFormat("pcm16", 8_000, channels=2)


def pcm(*samples: int) -> bytes:
    return array("h", samples).tobytes()


def tracks(file: io.BytesIO | Path) -> tuple[list[int], list[int]]:
    if isinstance(file, io.BytesIO):
        file.seek(0)
    samples = array("h", WavFile(file).read(STEREO_8K)).tolist()
    return samples[0::2], samples[1::2]


def test_pieces_land_at_their_times_and_gaps_are_silent() -> None:
    file = io.BytesIO()

    with TimelineWriter(file, 8_000) as writer:
        writer.write("left", 0.25, pcm(1, 2))
        writer.write("right", 0.375, pcm(-1))
        writer.write("left", 0.75, pcm(3))
        assert (writer.duration_ms, writer.end_ms("left"), writer.end_ms("right")) == (0.875, 0.875, 0.5)

    assert tracks(file) == ([0, 0, 1, 2, 0, 0, 3], [0, 0, 0, -1, 0, 0, 0])


def test_a_track_may_come_long_after_the_other(tmp_path: Path) -> None:
    with TimelineWriter(tmp_path / "call.wav", 8_000) as writer:
        for start_ms in range(0, 5_000, 20):
            writer.write("right", start_ms, pcm(*[7] * 160))
        for start_ms in range(0, 5_000, 20):
            writer.write("left", start_ms, pcm(*[5] * 160))

    assert tracks(tmp_path / "call.wav") == ([5] * 40_000, [7] * 40_000)


def test_a_piece_that_overlaps_follows_what_is_there() -> None:
    file = io.BytesIO()

    with TimelineWriter(file, 8_000) as writer:
        writer.write("left", 0, pcm(1, 2, 3))
        writer.write("left", 0.125, pcm(4, 5))
        writer.write("left", 0, pcm(6))

    assert tracks(file)[0] == [1, 2, 3, 4, 5, 6]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["left", "right"]),
            st.integers(0, 50),
            st.lists(st.integers(1, 9), max_size=20),
        )
    )
)
def test_nothing_is_lost_and_no_order_is_changed(pieces: list[tuple[Track, int, list[int]]]) -> None:
    file = io.BytesIO()
    with TimelineWriter(file, 8_000) as writer:
        writer.write("left", 0, pcm(9))
        for track, start_ms, samples in pieces:
            writer.write(track, start_ms, pcm(*samples))

    left, right = tracks(file)

    for track, written in (("left", left), ("right", right)):
        said = [sample for name, _, samples in pieces if name == track for sample in samples]
        assert [sample for sample in written if sample] == ([9] if track == "left" else []) + said


def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    second = bytes(2 * 24_000)
    with TimelineWriter(tmp_path / "call.wav", 24_000) as writer:
        writer.write("left", 0, second)
        tracemalloc.start()
        try:
            for start_s in range(120):
                writer.write("left", start_s * 1000, second)
            writer.write("right", 0, bytes(2 * 24_000 * 10))
            most_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert (tmp_path / "call.wav").stat().st_size == 44 + 121 * 4 * 24_000
    assert most_bytes < 1_000_000  # the recording has 11 million


def test_a_file_that_was_never_closed_can_be_read() -> None:
    file = io.BytesIO()

    TimelineWriter(file, 8_000).write("right", 0, pcm(1, 2))

    assert tracks(file) == ([0, 0], [1, 2])


def test_a_file_that_was_open_stays_open_and_closing_twice_does_no_harm() -> None:
    file = io.BytesIO()
    writer = TimelineWriter(file, 8_000)
    writer.close()
    writer.close()

    assert not file.closed
    with pytest.raises(LocalProtocolError, match="closed"):
        writer.write("left", 0, b"ab")


def test_what_cannot_be_placed_is_refused_and_not_written() -> None:
    file = io.BytesIO()
    with TimelineWriter(file, 24_000) as writer:
        for track, start_ms, audio, problem in (
            ("middle", 0, b"ab", "track is 'middle'; allowed: left, right"),
            ("left", -1, b"ab", "start_ms is -1; it must be a finite number"),
            ("left", float("nan"), b"ab", "start_ms is nan"),
            ("left", 0, b"abc", "pcm has 3 bytes"),
            ("left", 13 * 3_600_000, b"ab", "beyond the 4 GiB"),
        ):
            with pytest.raises(ConfigurationError, match=problem):
                writer.write(track, start_ms, audio)  # type: ignore[arg-type]  # on purpose
        writer.write("left", 1_000, b"")

    assert len(file.getvalue()) == 44
    with pytest.raises(ConfigurationError, match="rate_hz is 0"):
        TimelineWriter(file, 0)

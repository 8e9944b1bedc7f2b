"""Chunks on the way out, whole samples on the way in."""

from __future__ import annotations

import ctypes
from array import array
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import Buffer

from voicelive.audio import AudioFormat, Chunker, SampleAligner
from voicelive.errors import ConfigurationError

PCM_24K = AudioFormat("pcm16", 24_000)
STEREO = AudioFormat("pcm16", 24_000, channels=2)
MULAW = AudioFormat("g711_ulaw", 8_000)

MS = 48
"""Bytes of one millisecond at 24 kHz."""


def pattern(byte_count: int) -> bytes:
    """Bytes of which no two neighbouring stretches are alike."""
    return bytes((index * 7 + index // 251) % 256 for index in range(byte_count))


@pytest.mark.parametrize("duration_ms", [20, 21, 99, 100])
def test_20_to_100_ms_go_out_at_once_as_the_same_object(duration_ms: int) -> None:
    data = bytes(duration_ms * MS)

    (chunk,) = Chunker(PCM_24K).push(data)

    assert chunk is data


def test_a_piece_under_20_ms_waits_for_more() -> None:
    chunker = Chunker(PCM_24K)

    assert chunker.push(bytes(20 * MS - 2)) == []
    assert chunker.pending_bytes == 20 * MS - 2
    assert chunker.pending_ms == pytest.approx(20 - 2 / MS)
    assert chunker.push(bytes(2)) == [bytes(20 * MS)]
    assert chunker.pending_bytes == 0


def test_longer_input_is_split_and_the_short_rest_waits() -> None:
    chunker = Chunker(PCM_24K)
    data = pattern(215 * MS)

    assert chunker.push(data) == [data[: 100 * MS], data[100 * MS : 200 * MS]]
    assert chunker.flush() == data[200 * MS :]


def test_a_rest_of_20_ms_or_more_goes_out_with_the_others() -> None:
    assert [len(chunk) for chunk in Chunker(PCM_24K).push(bytes(220 * MS))] == [100 * MS, 100 * MS, 20 * MS]


def test_a_waiting_tail_leads_the_next_chunk() -> None:
    chunker = Chunker(PCM_24K)
    data = pattern(130 * MS)

    chunker.push(data[: 10 * MS])

    assert chunker.push(data[10 * MS :]) == [data[: 100 * MS], data[100 * MS :]]


def test_flush_gives_the_tail_once() -> None:
    chunker = Chunker(PCM_24K)
    chunker.push(b"\x01\x02")

    assert (chunker.flush(), chunker.flush()) == (b"\x01\x02", b"")
    assert chunker.push(b"") == []


@pytest.mark.parametrize(
    ("audio_format", "byte_count"), [(PCM_24K, 961), (STEREO, 1_922), (PCM_24K, 1), (PCM_24K, 4_801)]
)
@pytest.mark.parametrize("tail", [b"", b"tail"])
def test_input_that_ends_inside_a_frame_is_refused_before_any_of_it_is_taken(
    audio_format: AudioFormat, byte_count: int, tail: bytes
) -> None:
    chunker = Chunker(audio_format)
    chunker.push(tail)

    with pytest.raises(ConfigurationError, match=f"audio of {byte_count} bytes ends inside a sample frame"):
        chunker.push(bytes(byte_count))

    assert chunker.flush() == tail


def test_an_odd_number_of_mulaw_bytes_is_whole_frames() -> None:
    assert Chunker(MULAW).push(bytes(161)) == [bytes(161)]


def test_any_bytes_like_object_counts_by_its_bytes() -> None:
    data = pattern(30 * MS)
    samples = array("h", data)
    alike: list[Buffer] = [
        bytearray(data),
        memoryview(data),
        samples,
        memoryview(samples),
        memoryview(samples).cast("B"),
    ]
    strided = memoryview(bytes(byte for pair in zip(data, data, strict=True) for byte in pair))[::2]
    from_ctypes = (ctypes.c_short * (15 * MS)).from_buffer_copy(data)  # its buffer says "<h"

    alike += [strided, from_ctypes]

    assert [Chunker(PCM_24K).push(buffer) for buffer in alike] == [[data]] * 7


def test_changing_a_buffer_after_the_call_changes_no_chunk() -> None:
    buffer = bytearray(20 * MS)
    (chunk,) = Chunker(PCM_24K).push(buffer)
    buffer[:] = b"\xff" * len(buffer)

    assert chunk == bytes(20 * MS)


@pytest.mark.parametrize("typecode", ["f", "d"])
def test_floating_point_samples_are_refused_rather_than_sent_as_noise(typecode: str) -> None:
    with pytest.raises(ConfigurationError, match="floating point"):
        Chunker(PCM_24K).push(array(typecode, [0.0] * 480))


def test_big_endian_samples_are_refused_rather_than_sent_as_noise() -> None:
    swapped = (ctypes.c_short.__ctype_be__ * 480)()

    with pytest.raises(ConfigurationError, match="big-endian"):
        Chunker(PCM_24K).push(swapped)


@given(st.sampled_from([PCM_24K, STEREO, MULAW]), st.lists(st.integers(0, 8_000), max_size=12))
def test_however_it_is_split_the_same_bytes_come_out_in_legal_chunks(
    audio_format: AudioFormat, frame_counts: list[int]
) -> None:
    sizes = [count * audio_format.bytes_per_frame for count in frame_counts]
    data = pattern(sum(sizes))
    cuts = [sum(sizes[:index]) for index in range(len(sizes) + 1)]
    chunker = Chunker(audio_format)

    chunks = [chunk for start, end in pairwise(cuts) for chunk in chunker.push(data[start:end])]
    tail = chunker.flush()

    assert b"".join(chunks) + tail == data
    assert all(20 <= audio_format.duration_ms(len(chunk)) <= 100 for chunk in chunks)
    assert all(len(chunk) % audio_format.bytes_per_frame == 0 for chunk in [*chunks, tail])
    assert audio_format.duration_ms(len(tail)) < 20


def test_a_delta_of_whole_frames_passes_uncopied() -> None:
    delta = bytes(960)

    assert SampleAligner(2).push(delta) is delta


def test_half_a_sample_waits_for_its_other_half() -> None:
    aligner = SampleAligner(2)

    assert aligner.push(b"abc") == b"ab"
    assert aligner.carried_bytes == 1
    assert aligner.push(b"def") == b"cdef"
    assert aligner.carried_bytes == 0


def test_after_a_reset_the_half_sample_is_gone() -> None:
    aligner = SampleAligner(2)
    aligner.push(b"a")

    aligner.reset()

    assert aligner.push(b"bc") == b"bc"


def test_a_frame_of_no_bytes_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="bytes_per_frame is 0"):
        SampleAligner(0)


@given(st.sampled_from([1, 2, 4]), st.lists(st.binary(max_size=9)))
def test_the_aligner_keeps_every_byte_and_gives_only_whole_frames(frame_bytes: int, deltas: list[bytes]) -> None:
    aligner = SampleAligner(frame_bytes)
    sent = b"".join(deltas)

    frames = [aligner.push(delta) for delta in deltas]

    assert all(len(frame) % frame_bytes == 0 for frame in frames)
    assert b"".join(frames) == sent[: len(sent) - aligner.carried_bytes]
    assert aligner.carried_bytes == len(sent) % frame_bytes

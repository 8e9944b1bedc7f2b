"""Samples of other widths."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.audio import from_width, to_width
from voicelive.errors import ConfigurationError

PCM = struct.pack("<3h", -32_768, 0, 0x7F00)
WIDTHS = {
    1: bytes([0, 128, 255]),
    2: PCM,
    3: bytes.fromhex("000080 000000 00007f"),
    4: struct.pack("<3i", -(2**31), 0, 0x7F00_0000),
}


@pytest.mark.parametrize(("width_bytes", "data"), WIDTHS.items())
def test_every_width_holds_the_same_samples(width_bytes: int, data: bytes) -> None:
    assert to_width(PCM, width_bytes) == data
    assert from_width(data, width_bytes) == PCM


def test_of_wide_samples_the_upper_16_bits_are_kept() -> None:
    assert from_width(bytes.fromhex("99 34 12"), 3) == from_width(bytes.fromhex("99 99 34 12"), 4) == b"\x34\x12"
    assert to_width(b"\x34\x12", 4) == bytes.fromhex("00 00 34 12")


@pytest.mark.parametrize("width_bytes", [2, 3, 4])
@given(samples=st.lists(st.integers(-32_768, 32_767)))
def test_wider_samples_come_back_as_they_were(width_bytes: int, samples: list[int]) -> None:
    pcm = struct.pack(f"<{len(samples)}h", *samples)

    assert from_width(to_width(pcm, width_bytes), width_bytes) == pcm


@given(st.integers(-32_768, 32_767))
def test_8_bits_are_less_than_256_away(sample: int) -> None:
    (heard,) = struct.unpack("<h", from_width(to_width(struct.pack("<h", sample), 1), 1))

    assert 0 <= sample - heard < 256


def test_other_widths_and_parts_of_a_sample_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="width_bytes is 5; allowed: 1, 2, 3, 4"):
        from_width(b"", 5)
    with pytest.raises(ConfigurationError, match="data has 4 bytes; it must be a multiple of 3"):
        from_width(bytes(4), 3)
    with pytest.raises(ConfigurationError, match="width_bytes is 0"):
        to_width(b"", 0)
    with pytest.raises(ConfigurationError, match="pcm has 3 bytes"):
        to_width(bytes(3), 4)

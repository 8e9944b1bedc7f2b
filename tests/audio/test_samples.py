"""Bytes and numbers."""

from __future__ import annotations

import sys
from array import array

import pytest

from voicelive.audio.samples import pcm_of, samples_of
from voicelive.errors import ConfigurationError


def test_bytes_are_little_endian_and_signed() -> None:
    assert samples_of(b"\x01\x00\xff\xff\x00\x80").tolist() == [1, -1, -32_768]
    assert pcm_of(array("h", [1, -1, -32_768])) == b"\x01\x00\xff\xff\x00\x80"


def test_a_big_endian_machine_swaps_what_it_reads_and_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    other = "big" if sys.byteorder == "little" else "little"
    native = array("h", [1])
    here, swapped = samples_of(b"\x01\x02")[0], array("h", b"\x02\x01")[0]

    monkeypatch.setattr(sys, "byteorder", other)

    assert {here, samples_of(b"\x01\x02")[0]} == {0x0201, swapped}
    assert pcm_of(native) == native.tobytes()[::-1]
    assert native.tolist() == [1]


def test_half_a_sample_is_refused_with_its_count() -> None:
    with pytest.raises(ConfigurationError, match="pcm has 3 bytes"):
        samples_of(b"abc")

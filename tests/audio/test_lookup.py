"""The lookup by numpy."""

from __future__ import annotations

import struct

from voicelive.audio.lookup import lookup


def test_samples_index_the_table_as_python_does() -> None:
    table = bytes(range(256)) * 256

    assert lookup(table, struct.pack("<4h", 0, 5, -1, -32_768)) == bytes([0, 5, 255, 0])
    assert lookup(table, b"") == b""

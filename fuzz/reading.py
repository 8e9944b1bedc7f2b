"""Decoding and cutting: nothing but ``DecodeError`` is raised, whatever comes."""

from __future__ import annotations

import itertools

from voicelive import wire
from voicelive.errors import DecodeError
from voicelive.transport.frames import Foreign, FrameCutter

__all__ = ["cut", "decode"]

_LIMIT_BYTES = 300


def decode(frame: str | bytes) -> None:
    """Both directions read it, or refuse it; what was read can be shown and written."""
    for read in (wire.decode, wire.decode_client):
        try:
            event = read(frame)
        except DecodeError:
            continue
        repr(event)
        wire.encode(event)


def cut(stream: bytes, places: list[int]) -> None:
    """However a stream is split, the same comes out, and every byte of it."""
    stops = sorted({place % (len(stream) + 1) for place in places} | {0, len(stream)})
    split = [stream[start:stop] for start, stop in itertools.pairwise(stops)]
    assert _cut(split) == _cut([stream])


def _cut(pieces: list[bytes]) -> tuple[list[bytes | Foreign], bytes]:
    """What comes out: after a breach everything is foreign, and may come in any pieces."""
    cutter = FrameCutter(_LIMIT_BYTES)
    found = [piece for data in pieces for piece in cutter.feed(data)]
    whole = list(itertools.takewhile(lambda piece: not isinstance(piece, Foreign) or piece.is_frame, found))
    broken = b"".join(piece.data for piece in found[len(whole) :] if isinstance(piece, Foreign))
    assert all(isinstance(piece, Foreign) for piece in found[len(whole) :])
    return whole, broken + cutter.rest()

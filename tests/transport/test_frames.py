"""Frames cut by hand are those that a whole protocol implementation reads, however the stream is split."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader
from websockets.utils import apply_mask

from voicelive.transport.frames import Foreign, FrameCutter, client_header

LIMIT_BYTES = 70_000
SIZES = st.sampled_from([0, 1, 125, 126, 127, 65535, 65536, LIMIT_BYTES]) | st.integers(0, 300)


def frame(opcode: Opcode, payload: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin=fin).serialize(mask=False)


@st.composite
def streams(draw: st.DrawFn) -> list[bytes]:
    """Frames of a well-behaved server, one after the other."""
    found: list[bytes] = []
    for kind in draw(st.lists(st.sampled_from(["text", "binary", "ping", "fragments"]), max_size=6)):
        payload = random.Random(draw(st.integers(0, 9))).randbytes(draw(SIZES))
        match kind:
            case "text":
                found.append(frame(Opcode.TEXT, payload))
            case "binary":
                found.append(frame(Opcode.BINARY, payload))
            case "ping":
                found.append(frame(Opcode.PING, payload[:125]))
            case _:
                found += [
                    frame(Opcode.TEXT, payload, fin=False),
                    frame(Opcode.PONG, b"between"),
                    frame(Opcode.CONT, b"end"),
                ]
    return found


def split(data: bytes, places: list[int]) -> list[bytes]:
    cuts = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:stop] for start, stop in itertools.pairwise(cuts)]


@given(streams(), st.lists(st.integers(0, 500_000), max_size=8))
def test_every_frame_comes_out_once_and_in_order(frames: list[bytes], places: list[int]) -> None:
    cutter = FrameCutter(LIMIT_BYTES)

    found = [piece for data in split(b"".join(frames), places) for piece in cutter.feed(data)]

    assert [serialized(piece, sent) for piece, sent in zip(found, frames, strict=True)] == frames
    assert cutter.rest() == b""


def serialized(piece: bytes | Foreign, sent: bytes) -> bytes:
    """The frame of a piece, with the opcode that was sent."""
    return piece.data if isinstance(piece, Foreign) else frame(Opcode(sent[0] & 0x0F), piece)


@given(streams())
def test_whole_messages_are_cut_and_everything_else_is_left_to_the_library(frames: list[bytes]) -> None:
    found = FrameCutter(LIMIT_BYTES).feed(b"".join(frames))

    for piece, sent in zip(found, frames, strict=True):
        assert isinstance(piece, bytes) == (sent[0] in (0x81, 0x82))
        assert isinstance(piece, bytes) or piece.is_frame


def test_a_message_within_a_fragmented_one_is_left_to_the_library_to_refuse() -> None:
    begun, inside = frame(Opcode.TEXT, b"begun", fin=False), frame(Opcode.TEXT, b"inside")

    found = FrameCutter(LIMIT_BYTES).feed(begun + inside)

    assert found == [Foreign(begun, is_frame=True), Foreign(inside, is_frame=True)]


@pytest.mark.parametrize("size", [LIMIT_BYTES + 1, 1 << 40])
def test_a_message_over_the_limit_is_a_breach_before_its_bytes_have_come(size: int) -> None:
    head = b"\x81\x7f" + size.to_bytes(8, "big")
    cutter = FrameCutter(LIMIT_BYTES)

    assert cutter.feed(frame(Opcode.TEXT, b"fine") + head) == [b"fine", Foreign(head, is_frame=False)]
    assert cutter.feed(b"what follows") == [Foreign(b"what follows", is_frame=False)]


def test_a_masked_frame_is_a_breach() -> None:
    masked = Frame(Opcode.TEXT, b"from a client").serialize(mask=True)

    assert FrameCutter(LIMIT_BYTES).feed(masked) == [Foreign(masked, is_frame=False)]


@given(SIZES)
def test_a_server_reads_the_text_that_is_written_by_hand(size: int) -> None:
    payload, key = random.Random(size).randbytes(size).hex().encode()[:size], b"\x01\x02\x03\x04"
    reader = StreamReader()
    reader.feed_data(client_header(len(payload)) + key + apply_mask(payload, key))
    parsing = Frame.parse(reader.read_exact, mask=True)

    with pytest.raises(StopIteration) as done:
        next(parsing)

    assert done.value.value == Frame(Opcode.TEXT, payload)

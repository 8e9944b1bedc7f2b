"""Which bytes of the agent's voice were heard, told as hearing goes on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voicelive.audio.ear import Ear, HeardPiece
from voicelive.audio.formats import AudioFormat
from voicelive.audio.playback import PlaybackQueue

PCM16 = AudioFormat.of_output(None)


def test_each_step_of_hearing_tells_what_is_new_of_it() -> None:
    told: list[HeardPiece] = []
    ear = Ear(told.append)

    ear.came("a", 0, b"aabb", PCM16)
    ear.came("a", 4, b"cc", PCM16)
    ear.heard("a", 2, 1.0)
    ear.heard("a", 2, 1.5)
    ear.heard("a", 99, 2.0)
    ear.heard("other", 10, 2.0)

    assert told == [HeardPiece("a", b"aa", PCM16, 1.0, first=True), HeardPiece("a", b"bbcc", PCM16, 2.0, first=False)]


def test_what_is_forgotten_will_not_be_heard() -> None:
    told: list[HeardPiece] = []
    ear = Ear(told.append)
    ear.came("a", 0, b"aabb", PCM16)

    ear.forget("a")
    ear.heard("a", 4, 1.0)

    assert not told


def test_a_record_may_begin_in_the_middle_of_an_item() -> None:
    told: list[HeardPiece] = []
    ear = Ear(told.append)

    ear.came("a", 4, b"ccdd", PCM16)
    ear.heard("a", 2, 1.0)
    ear.heard("a", 6, 2.0)

    assert [(piece.audio, piece.first) for piece in told] == [(b"cc", True)]


def test_a_piece_shows_no_audio() -> None:
    assert "xyz" not in repr(HeardPiece("a", b"xyzx", PCM16, 0.0, first=True))


def listened(queue: PlaybackQueue) -> list[HeardPiece]:
    told: list[HeardPiece] = []
    queue.ear = Ear(told.append)
    return told


def test_an_estimated_reply_is_heard_until_the_barge_in_and_no_further() -> None:
    queue = PlaybackQueue(PCM16)
    told = listened(queue)
    queue.add("r", "a", 0, b"\1\0" * 24_000, 10.0)

    queue.flush(10.25)
    queue.settle(99.0)

    assert [(len(piece.audio), piece.ended_s) for piece in told] == [(12_000, 10.25)]


def test_a_reply_that_ran_dry_is_heard_with_its_pause() -> None:
    queue = PlaybackQueue(PCM16)
    told = listened(queue)
    queue.add("r", "a", 0, bytes(4_800), 10.0)
    queue.add("r", "a", 0, bytes(4_800), 11.0)
    queue.complete("a")

    queue.settle(20.0)

    assert [(len(piece.audio), round(piece.ended_s, 6)) for piece in told] == [(4_800, 10.1), (4_800, 11.1)]


def test_an_acknowledged_reply_is_heard_when_the_line_says_so() -> None:
    queue = PlaybackQueue(PCM16)
    told = listened(queue)
    queue.attend()
    queue.add("r", "a", 0, bytes(9_600), 10.0)

    queue.acknowledge("a", 20)
    queue.listen(10.5)
    queue.acknowledge("a", 60)
    queue.leave(12.0)

    assert [(len(piece.audio), piece.ended_s) for piece in told] == [(960, 10.5), (1_920, 12.0)]


@given(
    deltas=st.lists(st.tuples(st.integers(0, 500), st.integers(0, 600)), max_size=8),
    looks=st.lists(st.integers(0, 500), max_size=8),
    cut_ms=st.none() | st.integers(0, 5_000),
)
def test_what_was_heard_is_a_beginning_of_what_came(
    deltas: list[tuple[int, int]], looks: list[int], cut_ms: int | None
) -> None:
    queue = PlaybackQueue(PCM16)
    told = listened(queue)
    now, came = 0.0, b""
    for number, (ms, wait_ms) in enumerate(deltas):
        audio = bytes([number + 1, 0]) * (24 * ms)
        queue.add("r", "a", 0, audio, now)
        came += audio
        now += wait_ms / 1000
        if number < len(looks):
            queue.listen(now + looks[number] / 1000)
            now += looks[number] / 1000
    heard_ms = None
    if cut_ms is None:
        queue.complete("a")
        queue.settle(now + 99)
    else:
        for cut in queue.flush(now):
            heard_ms = cut.heard.heard_ms

    heard = b"".join(piece.audio for piece in told)
    assert came.startswith(heard)
    if cut_ms is None:
        assert heard == came
    elif heard_ms is not None:
        assert abs(PCM16.duration_ms(len(heard)) - heard_ms) <= 1
    ends = [piece.ended_s for piece in told]
    assert ends == sorted(ends)

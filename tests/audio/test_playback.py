"""What the caller has heard: by estimate, by a sink's word, and after a flush."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.audio.formats import AudioFormat
from voicelive.audio.playback import Cut, Heard, PlaybackFrame, PlaybackQueue

PCM16 = AudioFormat.of_output(None)
BYTES_PER_MS = 48


def add(
    queue: PlaybackQueue, item_id: str, ms: int, now: float = 0.0, *, response_id: str = "r1", fill: bytes = b"\0"
) -> bool:
    return queue.add(response_id, item_id, 0, fill * (ms * BYTES_PER_MS), now)


def heard_ms(queue: PlaybackQueue, item_id: str, now: float) -> int:
    heard = queue.heard(item_id, now)
    assert heard is not None
    return heard.heard_ms


def attended() -> PlaybackQueue:
    queue = PlaybackQueue(PCM16)
    queue.attend()
    return queue


def frames(queue: PlaybackQueue, ms: float = 20) -> list[PlaybackFrame]:
    taken = []
    while (frame := queue.take(ms)) is not None:
        taken.append(frame)
    return taken


# -- estimated


def test_without_a_sink_hearing_is_real_time_since_the_first_delta_and_never_beyond_what_came() -> None:
    queue = PlaybackQueue(PCM16)
    add(queue, "a", 1000, now=10.0)

    assert queue.heard("a", 10.0) == Heard(0, 1000, exact=False)
    assert queue.heard("a", 10.25) == Heard(250, 1000, exact=False)
    assert queue.heard("a", 99.0) == Heard(1000, 1000, exact=False)
    assert queue.heard("other", 10.0) is None


def test_without_a_sink_no_audio_is_kept() -> None:
    queue = PlaybackQueue(PCM16)
    add(queue, "a", 1000)

    assert queue.waiting_ms == 0
    assert queue.take(20, partly=True) is None


def test_a_gap_in_which_nothing_was_left_to_play_is_not_hearing() -> None:
    queue = PlaybackQueue(PCM16)
    add(queue, "a", 100, now=0.0)
    add(queue, "a", 100, now=5.0)

    assert heard_ms(queue, "a", 5.0) == 100
    assert heard_ms(queue, "a", 5.04) == 140


def test_items_are_heard_one_after_the_other() -> None:
    queue = PlaybackQueue(PCM16)
    add(queue, "a", 1000, now=0.0)
    add(queue, "b", 1000, now=0.1)

    assert (heard_ms(queue, "a", 0.9), heard_ms(queue, "b", 0.9)) == (900, 0)
    assert (heard_ms(queue, "a", 1.4), heard_ms(queue, "b", 1.4)) == (1000, 400)


def test_the_next_end_of_an_item_is_when_something_settles() -> None:
    queue = PlaybackQueue(PCM16)
    add(queue, "a", 100, now=0.0)
    add(queue, "b", 200, now=0.0)
    queue.complete("a")
    queue.complete("b")

    told = []
    now = 0.0
    while (ends_at := queue.ends_at(now)) is not None:
        now = ends_at
        told += queue.settle(now)

    assert told == [("a", Heard(100, 100, exact=False)), ("b", Heard(200, 200, exact=False))]
    assert now == pytest.approx(0.3)


@given(
    deltas=st.lists(st.tuples(st.integers(0, 2000), st.floats(0, 3)), min_size=1, max_size=20),
    start=st.floats(0, 1e6),
)
def test_an_estimate_never_runs_faster_than_time_nor_beyond_what_came(
    deltas: list[tuple[int, float]], start: float
) -> None:
    queue = PlaybackQueue(PCM16)
    now = start
    came = 0
    for byte_count, pause_s in deltas:
        queue.add("r1", "a", 0, bytes(byte_count), now)
        came += byte_count
        now += pause_s
        heard = queue.heard("a", now)
        assert heard is not None
        assert 0 <= heard.heard_ms <= heard.total_ms == int(came // 2 * 2 / BYTES_PER_MS)
        assert heard.heard_ms <= (now - start) * 1000 + 0.01


# -- told by a sink


def test_with_a_sink_only_what_it_acknowledged_was_heard() -> None:
    queue = attended()
    add(queue, "a", 1000)

    assert queue.heard("a", 99.0) == Heard(0, 1000, exact=True)
    queue.acknowledge("a", 340)
    assert queue.heard("a", 99.0) == Heard(340, 1000, exact=True)


def test_an_acknowledgement_never_goes_back_and_never_beyond_what_came() -> None:
    queue = attended()
    add(queue, "a", 500)
    queue.acknowledge("a", 5000)
    add(queue, "a", 5000)

    assert heard_ms(queue, "a", 0.0) == 500
    queue.acknowledge("a", 100)
    assert heard_ms(queue, "a", 0.0) == 500
    queue.acknowledge("unknown", 100)


def test_an_acknowledgement_says_whether_more_than_the_place_has_changed() -> None:
    queue = attended()
    add(queue, "a", 500)

    begins = queue.acknowledge("a", 20)
    queue.begun(0.0)

    assert begins
    assert not queue.acknowledge("a", 40)
    assert not queue.acknowledge("unknown", 40)
    assert queue.acknowledge("a", 500)  # it has caught up with what came
    add(queue, "a", 500)
    assert not queue.acknowledge("a", 520)


def test_the_first_acknowledgement_of_an_estimated_item_changes_more_than_its_place() -> None:
    queue = PlaybackQueue(PCM16)
    add(queue, "a", 500)
    queue.begun(0.1)

    assert queue.acknowledge("a", 100)


def test_what_is_played_by_hand_is_exact_and_no_audio_is_kept_for_a_sink() -> None:
    queue = PlaybackQueue(PCM16)
    add(queue, "a", 500)
    queue.acknowledge("a", 100)
    add(queue, "a", 500)
    add(queue, "b", 500)

    assert queue.heard("a", 9.0) == Heard(100, 1000, exact=True)
    assert queue.heard("b", 9.0) == Heard(0, 500, exact=True)
    assert queue.waiting_ms == 0


def test_a_sink_that_comes_in_mid_reply_gets_the_rest_and_the_beginning_stays_an_estimate() -> None:
    queue = PlaybackQueue(PCM16)
    add(queue, "a", 1000, now=0.0)
    queue.attend()
    add(queue, "a", 40, now=0.3, fill=b"\1")

    assert heard_ms(queue, "a", 0.4) == 400
    assert [(frame.start_ms, set(frame)) for frame in frames(queue)] == [(1000, {1}), (1020, {1})]
    queue.acknowledge("a", 1040)
    queue.complete("a")
    assert queue.settle(0.4) == [("a", Heard(1040, 1040, exact=True))]


def test_an_item_that_had_come_before_the_sink_does_not_play_for_ever() -> None:
    queue = PlaybackQueue(PCM16)
    add(queue, "a", 1000, now=0.0)
    queue.complete("a")
    queue.attend()

    assert queue.ends_at(0.1) == 1.0
    assert not queue.playing(1.0)
    assert queue.settle(1.0) == [("a", Heard(1000, 1000, exact=False))]


def test_when_the_sink_goes_nothing_is_kept_and_the_rest_is_estimated() -> None:
    queue = attended()
    add(queue, "a", 1000, now=0.0)
    add(queue, "b", 500, now=0.0)
    queue.acknowledge("a", 400)
    queue.leave(10.0)
    add(queue, "b", 500, now=10.0)

    assert queue.waiting_ms == 0
    assert queue.take(20, partly=True) is None
    assert queue.heard("a", 10.1) == Heard(500, 1000, exact=False)
    assert (heard_ms(queue, "b", 10.5), heard_ms(queue, "b", 10.7)) == (0, 100)
    assert not queue.playing(11.7)


# -- frames


def test_frames_have_the_length_asked_for_and_are_shorter_only_where_their_item_ends() -> None:
    queue = attended()
    add(queue, "a", 50)
    assert [frame.duration_ms for frame in frames(queue)] == [20, 20]

    queue.complete("a")
    last = queue.take(20)
    assert last is not None
    assert (last.item_id, last.start_ms, last.duration_ms, len(last)) == ("a", 40, 10, 480)


def test_a_frame_never_joins_two_items_and_the_next_item_ends_the_one_before() -> None:
    queue = attended()
    add(queue, "a", 30, fill=b"\1")
    add(queue, "b", 30, fill=b"\2")
    queue.complete("b")

    taken = [(frame.item_id, frame.start_ms, len(frame) // BYTES_PER_MS, set(frame)) for frame in frames(queue)]
    assert taken == [("a", 0, 20, {1}), ("a", 20, 10, {1}), ("b", 0, 20, {2}), ("b", 20, 10, {2})]


def test_a_part_of_a_frame_is_given_on_request() -> None:
    queue = attended()
    add(queue, "a", 5)

    assert queue.take(20) is None
    frame = queue.take(20, partly=True)
    assert frame is not None
    assert frame.duration_ms == 5
    assert queue.waiting_ms == 0


def test_items_whose_deltas_alternate_keep_all_their_audio() -> None:
    queue = attended()
    for _ in range(3):
        add(queue, "a", 30, fill=b"\1")
        add(queue, "b", 30, fill=b"\2", response_id="beside")
    queue.complete("a")
    queue.complete("b")

    taken = frames(queue)
    assert b"".join(frame for frame in taken if frame.item_id == "a") == b"\1" * (90 * BYTES_PER_MS)
    assert b"".join(frame for frame in taken if frame.item_id == "b") == b"\2" * (90 * BYTES_PER_MS)


@given(
    pieces=st.lists(st.binary(min_size=0, max_size=300), max_size=20),
    frame_ms=st.integers(min_value=1, max_value=40),
)
def test_frames_rejoin_to_what_came_and_samples_cut_in_half_are_joined(pieces: list[bytes], frame_ms: int) -> None:
    queue = attended()
    taken: list[PlaybackFrame] = []
    for piece in pieces:
        queue.add("r1", "a", 0, piece, 0.0)
        taken += frames(queue, frame_ms)
    queue.complete("a")
    taken += frames(queue, frame_ms)

    came = b"".join(pieces)
    assert b"".join(taken) == came[: len(came) // 2 * 2]
    assert all(len(frame) % 2 == 0 for frame in taken)
    assert all(len(frame) == frame_ms * BYTES_PER_MS for frame in taken[:-1])
    for before, after in itertools.pairwise(taken):
        assert after.start_ms == pytest.approx(before.start_ms + before.duration_ms)


def test_the_repr_of_a_frame_shows_no_audio() -> None:
    assert repr(PlaybackFrame.of(b"secret", "a", 20.0, 3.0)) == "PlaybackFrame('a', start_ms=20, <6 bytes>)"


# -- flush


def test_a_flush_cuts_what_was_not_heard_and_keeps_later_deltas_out() -> None:
    queue = attended()
    add(queue, "a", 1000)
    queue.acknowledge("a", 340)

    assert queue.flush(9.0) == [Cut("a", "r1", 0, Heard(340, 1000, exact=True))]
    assert queue.waiting_ms == 0
    assert not queue.playing(9.0)
    assert not add(queue, "a", 20)
    assert not add(queue, "b", 20)
    assert queue.stale_deltas == 2
    assert frames(queue) == []
    assert add(queue, "c", 20, response_id="r2")


def test_a_flush_cuts_every_item_that_waits() -> None:
    queue = PlaybackQueue(PCM16)
    add(queue, "a", 1000, now=0.0)
    add(queue, "b", 1000, now=0.0)

    assert [(cut.item_id, cut.heard.heard_ms) for cut in queue.flush(0.4)] == [("a", 400), ("b", 0)]
    assert queue.flush(0.5) == []


def test_a_flush_leaves_an_item_alone_that_was_heard_to_its_end() -> None:
    queue = PlaybackQueue(PCM16)
    add(queue, "a", 100, now=0.0)
    queue.complete("a")

    assert queue.flush(5.0) == []
    assert add(queue, "b", 20, now=5.0)


def test_an_item_whose_rest_is_still_to_come_is_cut_where_it_stands() -> None:
    queue = PlaybackQueue(PCM16)
    add(queue, "a", 100, now=0.0)

    assert queue.flush(5.0) == [Cut("a", "r1", 0, Heard(100, 100, exact=False))]


def test_the_end_of_a_response_is_the_end_of_its_items() -> None:
    queue = PlaybackQueue(PCM16)
    add(queue, "a", 100, now=0.0)
    add(queue, "b", 100, now=0.0, response_id="r2")
    queue.complete_response("r1")

    assert [item_id for item_id, _ in queue.settle(9.0)] == ["a"]


def test_a_response_can_be_killed_before_it_speaks() -> None:
    queue = PlaybackQueue(PCM16)
    queue.kill("r1")

    assert not add(queue, "a", 20)
    assert queue.is_stale("r1")
    assert not queue.is_stale("r2")


# -- formats


def test_a_new_format_counts_for_the_next_item_and_not_for_what_came_before() -> None:
    queue = attended()
    add(queue, "a", 1000)
    queue.reformat(AudioFormat.of_output("g711_ulaw"))
    queue.add("r1", "b", 0, bytes(8000), 0.0)
    queue.acknowledge("a", 400)

    assert queue.heard("a", 0.0) == Heard(400, 1000, exact=True)
    assert queue.heard("b", 0.0) == Heard(0, 1000, exact=True)
    assert queue.waiting_ms == 2000
    assert {(frame.item_id, len(frame)) for frame in frames(queue)} == {("a", 960), ("b", 160)}


def test_a_flood_of_replies_is_heard_one_after_the_other() -> None:
    queue = PlaybackQueue(AudioFormat("pcm16", 24000))
    for number in range(50):  # all at once, a second each
        queue.add(f"resp_{number}", f"item_{number}", 0, bytes(48_000), 0.0)
        queue.complete(f"item_{number}")

    assert [item_id for item_id, _ in queue.begun(2.5)] == ["item_0", "item_1", "item_2"]
    assert [item_id for item_id, _ in queue.settle(2.5)] == ["item_0", "item_1"]
    assert [item_id for item_id, _ in queue.begun(50.0)] == [f"item_{number}" for number in range(3, 50)]
    assert len(queue.settle(50.0)) == 48
    assert queue.empty

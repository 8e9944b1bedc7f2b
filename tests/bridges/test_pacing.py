"""What of the agent's voice was heard, by the clock."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from voicelive.audio.playback import PlaybackFrame
from voicelive.bridges.pacing import Pacer


def piece(start_ms: float, duration_ms: float = 20, item: str = "a1") -> PlaybackFrame:
    return PlaybackFrame.of(b"", item, start_ms, duration_ms)


def test_pieces_are_heard_one_after_the_other() -> None:
    pacer = Pacer(200)
    pacer.written(piece(0, 100), 10.0)
    pacer.written(piece(100, 100), 10.0)

    assert pacer.heard(10.0) == []
    assert [(played.item_id, round(played.ms)) for played in pacer.heard(10.05)] == [("a1", 50)]
    assert [round(played.ms) for played in pacer.heard(10.15)] == [100, 150]
    assert [round(played.ms) for played in pacer.heard(11.0)] == [200]
    assert not pacer.busy


def test_a_piece_behind_a_pause_begins_when_it_is_written() -> None:
    pacer = Pacer(200)
    pacer.written(piece(0, 100), 0.0)
    pacer.written(piece(100, 100), 5.0)

    assert [round(played.ms) for played in pacer.heard(5.05)] == [100, 150]


def test_only_a_small_lead_is_written_ahead() -> None:
    pacer = Pacer(40)
    waits = []
    for number in range(4):
        waits.append(round(pacer.room_in_s(0.0), 3))
        pacer.written(piece(number * 20), 0.0)

    assert waits == [0.0, 0.0, 0.0, 0.02]


def test_what_is_called_back_is_not_heard() -> None:
    pacer = Pacer(200)
    pacer.written(piece(0, 100), 0.0)

    assert pacer.drop(0.05)
    assert not pacer.drop(0.05)
    assert pacer.heard(9.0) == []
    assert pacer.room_in_s(0.05) == 0.0


def test_playback_that_starts_late_is_heard_late() -> None:
    pacer = Pacer(200)
    pacer.written(piece(0, 100), 0.0)
    pacer.begins_now(0.08)

    assert [round(played.ms) for played in pacer.heard(0.1)] == [20]
    assert [round(played.ms) for played in pacer.heard(0.18)] == [100]


def test_playback_that_starts_before_anything_was_written_changes_nothing() -> None:
    pacer = Pacer(200)
    pacer.begins_now(5.0)
    pacer.written(piece(0, 100), 5.0)

    assert [round(played.ms) for played in pacer.heard(5.1)] == [100]


def test_a_held_line_neither_takes_nor_plays() -> None:
    pacer = Pacer(0)
    pacer.written(piece(0, 100), 0.0)
    pacer.hold(0.04)
    pacer.hold(0.06)

    assert pacer.room_in_s(1.0) == math.inf
    assert [round(played.ms) for played in pacer.heard(1.0)] == [40]
    pacer.go_on(1.0)
    pacer.go_on(2.0)
    assert [round(played.ms) for played in pacer.heard(1.03)] == [70]
    assert [round(played.ms) for played in pacer.heard(1.06)] == [100]


def test_a_line_that_was_held_while_idle_is_free_at_once() -> None:
    pacer = Pacer(0)
    pacer.hold(0.0)
    pacer.go_on(5.0)
    pacer.written(piece(0, 100), 5.0)

    assert [round(played.ms) for played in pacer.heard(5.1)] == [100]


def test_nothing_is_written_before_the_provider_wants_it_again() -> None:
    pacer = Pacer(0)
    pacer.block(3.0)
    pacer.block(2.0)

    assert pacer.room_in_s(1.0) == 2.0
    assert pacer.room_in_s(3.0) == 0.0


def test_noise_of_sums_is_no_wait() -> None:
    pacer = Pacer(0)
    pacer.written(piece(0, 100), 0.0)

    assert pacer.room_in_s(0.1 - 1e-12) == 0.0


@given(st.lists(st.tuples(st.floats(0, 0.3), st.sampled_from(["written", "heard", "drop", "begins", "hold", "go_on"]))))
def test_heard_never_goes_back_and_never_beyond_what_was_written(steps: list[tuple[float, str]]) -> None:
    pacer, now, written_ms, heard_ms, item = Pacer(100), 0.0, 0.0, 0.0, 0
    for passed_s, step in steps:
        now += passed_s
        match step:
            case "written" if pacer.room_in_s(now) == 0:
                pacer.written(piece(written_ms, 20, str(item)), now)
                written_ms += 20
            case "begins":
                heard_ms = max([heard_ms, *(played.ms for played in pacer.heard(now))])
                pacer.begins_now(now)
            case "hold":
                pacer.hold(now)
            case "go_on":
                pacer.go_on(now)
            case "drop":
                pacer.drop(now)
                item, written_ms, heard_ms = item + 1, 0.0, 0.0
        for played in pacer.heard(now):
            assert played.item_id == str(item)
            assert played.ms <= written_ms + 1e-6
            heard_ms = max(heard_ms, played.ms)

"""Picture and sound on one clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.avatar.media_clock import RATES_HZ, Kind, MediaClock, unwrapped

KINDS = st.sampled_from(["audio", "video"])


@given(st.integers(-(1 << 40), 1 << 40), st.integers(-(1 << 31) + 1, (1 << 31) - 1))
def test_a_timestamp_is_found_again_however_often_it_has_wrapped(near: int, ahead: int) -> None:
    assert unwrapped((near + ahead) % (1 << 32), near) == near + ahead


def feed(clock: MediaClock, kind: Kind, base: int, *, at_s: float, delays_s: list[float], step_s: float = 0.04) -> None:
    """Packets that were sent every ``step_s`` from ``at_s`` on, and took so long to arrive."""
    for index, delay_s in enumerate(delays_s):
        timestamp = (base + round(index * step_s * RATES_HZ[kind])) % (1 << 32)
        clock.packet(kind, timestamp, at_s + index * step_s + delay_s)


@given(
    audio=st.integers(0, (1 << 32) - 1),
    video=st.integers(0, (1 << 32) - 1),
    lag_s=st.floats(0, 1),
    jitter=st.lists(st.floats(0.01, 0.5), min_size=1, max_size=9),
)
def test_reports_put_picture_and_sound_in_step_whatever_the_network_did(
    audio: int, video: int, lag_s: float, jitter: list[float]
) -> None:
    clock = MediaClock()
    feed(clock, "audio", audio, at_s=100.0, delays_s=[0.01])
    feed(clock, "video", video, at_s=100.0 + lag_s, delays_s=jitter)
    clock.counts_from("audio", audio)
    clock.counts_from("video", video)
    # Both were captured at these times by the sender's wall clock.
    clock.report("audio", audio, 5_000.0)
    clock.report("video", video, 5_000.0 + lag_s)

    began_s = clock.timestamp_s("audio", 0)

    assert clock.by_reports
    assert clock.timestamp_s("audio", 48_000) == pytest.approx(began_s + 1)
    assert clock.timestamp_s("video", 90_000) == pytest.approx(began_s + 1 + lag_s, abs=0.001)


def test_without_reports_the_least_delayed_packet_counts() -> None:
    clock = MediaClock()
    feed(clock, "audio", 7_000, at_s=10.0, delays_s=[0.05, 0.02, 0.3])
    feed(clock, "video", 900, at_s=10.0, delays_s=[0.2, 0.02, 0.1])
    clock.counts_from("audio", 7_000)
    clock.counts_from("video", 900)

    assert clock.timestamp_s("video", 90_000) == pytest.approx(clock.timestamp_s("audio", 48_000))
    assert not clock.by_reports


def test_a_report_moves_the_picture_and_never_the_sound() -> None:
    clock = MediaClock()
    feed(clock, "audio", 0, at_s=10.0, delays_s=[0.0])
    feed(clock, "video", 0, at_s=10.0, delays_s=[0.1])  # its capture took 100 ms more, which arrival cannot know
    before = clock.timestamp_s("audio", 0), clock.timestamp_s("video", 0)

    clock.report("audio", 0, 50.0)
    clock.report("video", 0, 50.0)

    assert before[0] == pytest.approx(0)
    assert before[1] == pytest.approx(0.1)
    assert clock.timestamp_s("audio", 48_000) == pytest.approx(1)
    assert clock.timestamp_s("video", 90_000) == pytest.approx(1)


def test_reports_of_unrelated_clocks_are_not_believed() -> None:
    clock = MediaClock()
    feed(clock, "audio", 0, at_s=10.0, delays_s=[0.0])
    feed(clock, "video", 0, at_s=10.0, delays_s=[0.0])
    clock.timestamp_s("audio", 0)

    clock.report("audio", 0, 50.0)
    clock.report("video", 0, 50_000.0)

    assert not clock.by_reports
    assert clock.timestamp_s("video", 90_000) == pytest.approx(1)


def test_a_report_before_any_packet_says_nothing() -> None:
    clock = MediaClock()
    clock.report("audio", 5, 50.0)
    clock.report("video", 5, 50.0)
    feed(clock, "audio", 5, at_s=1.0, delays_s=[0.0])
    feed(clock, "video", 5, at_s=1.0, delays_s=[0.0])

    assert not clock.by_reports


STEPS = st.lists(
    st.tuples(st.sampled_from(["packet", "report", "frame"]), KINDS, st.integers(0, (1 << 32) - 1), st.floats(0, 1e6)),
    max_size=60,
)


@given(STEPS)
def test_time_never_runs_backwards(steps: list[tuple[str, Kind, int, float]]) -> None:
    clock, last = MediaClock(), {"audio": 0.0, "video": 0.0}
    for kind in RATES_HZ:
        clock.packet(kind, 0, 0.0)
    for what, track, number, at_s in steps:
        if what == "packet":
            clock.packet(track, number, at_s)
        elif what == "report":
            clock.report(track, number, at_s)
        else:
            given_s = clock.timestamp_s(track, number)
            assert given_s >= last[track]
            last[track] = given_s


# -- one link after another


def link(after: MediaClock | None, *, at_s: float) -> MediaClock:
    """A clock that has seen the first packet of either kind."""
    clock = MediaClock(after)
    bases: dict[Kind, int] = {"audio": 7_000, "video": 900}
    for kind, base in bases.items():
        feed(clock, kind, base, at_s=at_s, delays_s=[0.0])
        clock.counts_from(kind, base)
    return clock


def test_the_time_between_two_links_is_a_gap() -> None:
    first = link(None, at_s=100.0)
    assert first.timestamp_s("audio", 48_000) == pytest.approx(1)

    second = link(first, at_s=104.5)

    assert second.timestamp_s("audio", 0) == pytest.approx(4.5)
    assert second.timestamp_s("video", 90_000) == pytest.approx(5.5)


def test_a_link_without_a_packet_changes_nothing() -> None:
    first = link(None, at_s=100.0)
    first.timestamp_s("audio", 48_000)

    assert link(MediaClock(first), at_s=110.0).timestamp_s("audio", 0) == pytest.approx(10)
    assert link(MediaClock(), at_s=110.0).timestamp_s("audio", 0) == pytest.approx(0)


def test_a_clock_that_ran_fast_is_never_run_back() -> None:
    first = link(None, at_s=100.0)
    first.timestamp_s("video", 9 * 90_000)  # after 3 s

    second = link(first, at_s=103.0)

    assert second.timestamp_s("audio", 0) == pytest.approx(9)
    assert second.timestamp_s("audio", 48_000) == pytest.approx(10), "not held back at 9 until time has come so far"
    assert second.timestamp_s("video", 45_000) == pytest.approx(9.5)


@given(st.lists(STEPS, max_size=3))
def test_time_never_runs_backwards_over_several_links(links: list[list[tuple[str, Kind, int, float]]]) -> None:
    clock: MediaClock | None = None
    before, newest = 0.0, 0.0
    for steps in links:
        clock, before = MediaClock(clock), newest
        for what, track, number, at_s in steps:
            if what == "packet":
                clock.packet(track, number, at_s)
            elif what == "report":
                clock.report(track, number, at_s)
            else:
                given_s = clock.timestamp_s(track, number)
                assert given_s >= before, "a link begins behind all that those before have given"
                newest = max(newest, given_s)

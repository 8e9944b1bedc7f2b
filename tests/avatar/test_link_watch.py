"""Dead media are noticed by counters."""

from __future__ import annotations

from voicelive.avatar.link_watch import LinkWatch


def test_a_link_whose_counters_run_is_connected() -> None:
    watch = LinkWatch(5.0, began_s=100.0)

    assert [watch.judge(n * 30, n * 25, 100.0 + n) for n in range(1, 60)] == ["connected"] * 59


def test_packets_that_stop_stall_a_link_and_then_lose_it() -> None:
    watch = LinkWatch(5.0, began_s=0.0)
    watch.judge(10, 10, 1.0)

    assert watch.judge(10, 10, 2.4) == "connected"
    assert watch.judge(10, 10, 2.5) == "stalled"
    assert watch.judge(10, 10, 5.9) == "stalled"
    assert watch.judge(11, 11, 5.95) == "connected"
    assert watch.judge(11, 11, 11.0) == "lost"


def test_packets_without_pictures_stall_a_link_and_never_lose_it() -> None:
    watch = LinkWatch(5.0, began_s=0.0)

    assert [watch.judge(n, 3, n * 1.0) for n in (1, 2, 3, 30)] == ["connected", "connected", "stalled", "stalled"]

"""Weighted sums by numpy."""

from __future__ import annotations

from voicelive.audio.weighing import weighted_sums


def test_each_output_has_its_start_and_its_filter() -> None:
    heard = weighted_sums([[1.0, 0.0], [0.5, 0.5]], [10.0, 20.0, 40.0], [0, 1, 1], [0, 0, 1])

    assert heard.tolist() == [10, 20, 30]


def test_sums_are_clipped_and_of_nothing_there_are_none() -> None:
    assert weighted_sums([[4.0]], [30_000.0, -30_000.0], [0, 1], [0, 0]).tolist() == [32_767, -32_768]
    assert weighted_sums([[4.0]], [1.0], [], []).tolist() == []


def test_more_than_one_block_is_one_signal() -> None:
    count = 10_000

    assert weighted_sums([[1.0]], [float(at) for at in range(count)], range(count), [0] * count).tolist() == [
        *range(count)
    ]

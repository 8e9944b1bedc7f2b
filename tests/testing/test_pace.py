"""Paces: no waits at all, or those measured."""

from __future__ import annotations

import dataclasses

import pytest

from voicelive.testing import Pace


def test_instant_means_no_wait_anywhere() -> None:
    pace = Pace.instant()
    waits = [value for name, value in dataclasses.asdict(pace).items() if name.endswith("_s")]
    assert set(waits) == {0.0}
    assert pace.audio_delta_interval_s == 0.0


def test_the_measured_pace_has_the_order_of_the_service() -> None:
    pace = Pace.measured()
    assert (
        pace.committed_s < pace.response_created_s < pace.first_text_s < pace.caller_transcript_s < pace.first_audio_s
    )
    assert pace.first_audio_s - pace.first_text_s == pytest.approx(0.331)
    assert pace.audio_delta_interval_s == pytest.approx(0.5 / 2.9)


@pytest.mark.parametrize("wrong", [{"audio_delta_ms": 5}, {"audio_speedup": 0}])
def test_an_impossible_pace_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Pace(**wrong)

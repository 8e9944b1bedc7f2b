"""Quotas of avatars: counted from their beginning, over all sessions, with the seconds to wait in the refusal."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.testing import AvatarLimits
from voicelive.testing.avatar.limits import AvatarLedger
from voicelive.testing.checks import Refusal


def refused(ledger: AvatarLedger, now_s: float) -> Refusal:
    with pytest.raises(Refusal) as caught:
        ledger.connect(now_s)
    return caught.value


def test_the_fourth_avatar_of_a_minute_waits_for_the_first_to_drop_out_of_the_window() -> None:
    ledger = AvatarLedger(AvatarLimits())
    for now_s in (100, 105, 110):
        ledger.connect(now_s)

    refusal = refused(ledger, 117)

    assert refusal.code == "rate_limit_exceeded"
    assert refusal.kind == "invalid_request_error"
    assert refusal.message == "Avatar request was rate-limited. Retry after 43.0s."
    ledger.connect(160)
    assert refused(ledger, 160).message == "Avatar request was rate-limited. Retry after 5.0s."


def test_closing_refunds_no_connection_but_frees_its_place() -> None:
    ledger = AvatarLedger(AvatarLimits(per_minute=2, at_once=1))
    ledger.connect(0)
    ledger.leave()
    ledger.connect(1)
    ledger.leave()

    assert refused(ledger, 2).code == "rate_limit_exceeded"


def test_the_sixth_at_once_finds_no_capacity_and_does_not_count_for_the_rate() -> None:
    ledger = AvatarLedger(AvatarLimits(per_minute=6))
    for _ in range(5):
        ledger.connect(0)

    refusal = refused(ledger, 1)

    assert (refusal.kind, refusal.code) == ("server_error", "avatar_service_resource_exhausted")
    assert refusal.message == "Service capacity exceeded: too many concurrent avatar rendering requests."
    ledger.leave()
    ledger.connect(2)


def test_an_avatar_on_the_socket_takes_a_place_and_counts_for_no_rate() -> None:
    ledger = AvatarLedger(AvatarLimits(per_minute=1, at_once=2))
    ledger.enter()
    ledger.connect(0)

    with pytest.raises(Refusal, match="avatar_service_resource_exhausted"):
        ledger.enter()


def test_limits_can_be_switched_off() -> None:
    ledger = AvatarLedger(AvatarLimits.none())
    for _ in range(100):
        ledger.connect(0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"per_minute": 0}, "per_minute is 0"),
        ({"at_once": -1}, "at_once is -1"),
        ({"idle_s": 0.0}, "idle_s is 0.0"),
        ({"idle_s": float("nan")}, "idle_s is nan"),
    ],
)
def test_a_limit_that_lets_nobody_in_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        AvatarLimits(**wrong)


@given(st.lists(st.floats(0, 30), min_size=1, max_size=40), st.integers(1, 4))
def test_no_window_of_a_minute_has_more_and_the_time_named_is_enough(waits: list[float], per_minute: int) -> None:
    ledger = AvatarLedger(AvatarLimits(per_minute=per_minute, at_once=None))
    now_s, begun_s = 0.0, list[float]()
    for wait_s in waits:
        now_s += wait_s
        try:
            ledger.connect(now_s)
        except Refusal as refusal:
            left = re.search(r"after ([0-9.]+)s", refusal.message)
            assert left is not None
            assert 0 < float(left[1]) <= 60.1
            now_s += float(left[1])
            ledger.connect(now_s)
        begun_s.append(now_s)
        assert sum(begun > now_s - 59.998 for begun in begun_s) <= per_minute

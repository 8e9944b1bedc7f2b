"""Orders about handshakes: taken in turn, counted, forgotten."""

from __future__ import annotations

import json

import pytest

from voicelive.testing.faults import Answer, HandshakeFaults, Mishap, Orders, Upgrade


def statuses(orders: Orders, count: int) -> list[object]:
    taken = [orders.take() for _ in range(count)]
    return [order.status if isinstance(order, Answer) else order for order in taken]


class Faults(HandshakeFaults):
    """Shows what was ordered."""

    @property
    def orders(self) -> Orders:
        return self._handshakes


def test_orders_are_taken_one_after_the_other_and_used_up() -> None:
    faults = Faults()
    faults.refuse(503, times=2)
    faults.leave_unanswered()
    faults.open_silently()
    faults.refuse(429)

    assert statuses(faults.orders, 6) == [503, 503, Mishap.UNANSWERED, Mishap.SILENT, 429, None]


def test_an_order_without_a_number_holds_until_recovery() -> None:
    faults = Faults()
    faults.refuse(500, times=None)
    faults.delay_handshake(3)
    before = statuses(faults.orders, 3)
    faults.recover()

    assert before == [500, 500, 500]
    assert statuses(faults.orders, 1) == [None]
    assert faults.orders.delay_s == 0


def test_a_refusal_is_an_error_envelope_unless_it_is_given_a_text() -> None:
    faults = Faults()
    faults.refuse(429, retry_after_s=0.5)
    faults.refuse(302, location="https://elsewhere.example/", body="moved")
    limited, moved = faults.orders.take(), faults.orders.take()

    assert isinstance(limited, Answer)
    assert json.loads(limited.body) == {"error": {"code": "429", "message": "Too Many Requests"}}
    assert limited.headers == {"Content-Type": "application/json", "Retry-After": "0.5"}
    assert isinstance(moved, Answer)
    assert moved.body == "moved"
    assert moved.headers == {
        "Content-Type": "text/plain; charset=utf-8",
        "Location": "https://elsewhere.example/",
    }


@pytest.mark.parametrize("status", [101, 200, 299, 600, 499])
def test_only_a_status_that_refuses_can_be_ordered(status: int) -> None:
    with pytest.raises(ValueError, match=f"status is {status}; it must be .* from 300 to 599"):
        HandshakeFaults().refuse(status)


def test_an_order_for_nobody_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="times is 0; it must be at least 1"):
        HandshakeFaults().leave_unanswered(times=0)


def test_a_delay_is_not_negative() -> None:
    with pytest.raises(ValueError, match="delay_s is -1; it must be at least 0"):
        HandshakeFaults().delay_handshake(-1)


def test_the_latest_thousand_upgrades_are_kept() -> None:
    faults = Faults()
    for number in range(1001):
        faults.orders.upgrades.append(Upgrade("/", float(number)))

    assert (len(faults.upgrades), faults.upgrades[0].at_s, faults.upgrades[-1].at_s) == (1000, 1.0, 1000.0)

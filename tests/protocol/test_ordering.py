from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voicelive.protocol.ordering import ROOT, Order


def order_of(*claims: tuple[str, str | None]) -> list[str]:
    order = Order()
    for item_id, previous_id in claims:
        order.place(item_id, previous_id)
    return list(order)


@given(st.permutations(list(zip("abcdefgh", [None, *"abcdefg"], strict=True))))
def test_a_chain_has_one_order_whatever_the_order_of_arrival(claims: list[tuple[str, str | None]]) -> None:
    assert order_of(*claims) == list("abcdefgh")


def test_an_item_that_is_put_behind_another_pushes_the_rest_back() -> None:
    assert order_of(("a", None), ("b", "a"), ("c", "b"), ("x", "a")) == ["a", "x", "b", "c"]


def test_an_item_without_a_place_stands_at_the_end_until_it_is_told() -> None:
    order = Order()
    order.place("a", None)
    order.place("new", None)
    order.place("b", "a")
    assert list(order) == ["a", "b", "new"]
    order.place("new", "a")
    assert list(order) == ["a", "new", "b"]


def test_root_is_the_very_beginning() -> None:
    assert order_of(("a", None), ("b", "a"), ("first", ROOT)) == ["first", "a", "b"]


def test_the_first_told_place_counts() -> None:
    assert order_of(("a", None), ("b", "a"), ("c", "a"), ("c", "b")) == ["a", "c", "b"]


def test_an_item_whose_predecessor_never_comes_stands_at_its_empty_place() -> None:
    assert order_of(("a", None), ("b", "lost"), ("c", "b")) == ["a", "lost", "b", "c"]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from([None, ROOT, *"abcdef"])), max_size=30))
def test_contradictory_claims_neither_lose_an_item_nor_hang(claims: list[tuple[str, str | None]]) -> None:
    named = {item_id for item_id, _ in claims} | {before for _, before in claims if before not in (None, ROOT)}
    found = order_of(*claims)
    assert len(found) == len(set(found))
    assert {item_id for item_id, _ in claims} <= set(found) <= named


def test_long_conversations_need_no_deep_recursion() -> None:
    ids = [f"item_{number}" for number in range(5000)]
    assert order_of(*zip(ids, [None, *ids], strict=False)) == ids

"""Ids: told apart, with the prefixes of the service, the same in every run."""

from __future__ import annotations

from voicelive.testing.ids import Ids


def test_ids_carry_the_prefix_of_what_they_name() -> None:
    ids = Ids(1)
    made = [ids.session(), ids.conversation(), ids.item(), ids.response(), ids.call(), ids.event(), ids.thread()]
    assert [name.split("_")[0] for name in made] == ["sess", "conv", "item", "resp", "call", "event", "thread"]


def test_no_id_comes_twice_in_any_session() -> None:
    first, second = Ids(1), Ids(2)
    made = [ids.item() for _ in range(100) for ids in (first, second)]
    assert len(set(made)) == len(made)


def test_runs_repeat() -> None:
    assert Ids(3).item() == Ids(3).item()


def test_what_is_reserved_is_not_given_out() -> None:
    ids = Ids(1)
    ids.reserve("item_s1_0001", "item_s1_0002", "mine")
    assert ids.item() == "item_s1_0003"

"""Ids: told apart, with the prefixes of the service, the same in every run."""

from __future__ import annotations

from voicelive.testing.ids import Ids


def test_ids_carry_the_prefix_of_what_they_name() -> None:
    ids = Ids(1)
    made = [ids.session(), ids.conversation(), ids.item(), ids.response(), ids.call(), ids.event()]
    assert [name.split("_")[0] for name in made] == ["sess", "conv", "item", "resp", "call", "event"]


def test_no_id_comes_twice_in_any_session() -> None:
    first, second = Ids(1), Ids(2)
    made = [ids.item() for _ in range(100) for ids in (first, second)]
    assert len(set(made)) == len(made)


def test_runs_repeat() -> None:
    assert Ids(3).item() == Ids(3).item()

"""What an avatar has to say, in order, at the pace of what is taken."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voicelive.testing.avatar.playout import Change, Playout

LOUD = b"\x01\x01"


def test_nothing_to_say_is_silence() -> None:
    assert Playout().take(4) == (bytes(8), [])


def test_a_turn_begins_with_its_first_sample_and_is_over_with_its_last() -> None:
    playout = Playout()
    playout.add("a", LOUD * 5)
    playout.complete("a")

    taken = [(playout.take(4), playout.speaking) for _ in range(3)]

    assert taken == [
        ((LOUD * 4, [Change("speaking", "a")]), True),
        ((LOUD + bytes(6), [Change("idle", "a")]), False),
        ((bytes(8), []), False),
    ]


def test_a_turn_that_is_slow_to_come_goes_on_after_a_gap() -> None:
    playout = Playout()
    playout.add("a", LOUD)
    playout.take(2)

    assert playout.take(2) == (bytes(4), [])
    playout.add("a", LOUD)
    playout.complete("a")
    assert playout.take(2) == (LOUD + bytes(2), [Change("idle", "a")])


def test_two_turns_follow_each_other_within_one_picture() -> None:
    playout = Playout()
    playout.add("a", LOUD)
    playout.add("b", LOUD * 4)
    playout.complete("b")
    playout.complete("a")

    pcm, changes = playout.take(3)

    assert pcm == LOUD * 3
    assert changes == [Change("speaking", "a"), Change("idle", "a"), Change("speaking", "b")]


def test_clearing_drops_what_waits_and_not_what_is_said_later() -> None:
    playout = Playout()
    playout.add("a", LOUD * 9)
    playout.take(1)
    playout.drop()

    assert playout.take(2) == (bytes(4), [])
    playout.add("a", LOUD)
    playout.complete("a")
    assert playout.take(2) == (LOUD + bytes(2), [Change("idle", "a")])


def test_clearing_what_is_complete_makes_the_avatar_idle() -> None:
    playout = Playout()
    playout.add("a", LOUD * 9)
    playout.add("b", LOUD * 9)
    playout.complete("a")
    playout.complete("b")
    playout.take(1)
    playout.drop()

    assert playout.take(2) == (bytes(4), [Change("idle", "a")])


def test_a_muted_turn_says_nothing_more_and_the_next_one_does() -> None:
    playout = Playout()
    playout.add("a", LOUD * 9)
    playout.take(1)
    playout.mute()
    playout.add("a", LOUD)
    playout.complete("a")
    playout.add("b", LOUD)

    assert playout.take(1) == (LOUD, [Change("idle", "a"), Change("speaking", "b")])


def test_completing_what_was_never_said_changes_nothing() -> None:
    playout = Playout()
    playout.complete("a")

    assert playout.take(1) == (bytes(2), [])


@given(st.lists(st.lists(st.integers(1, 50), max_size=4), max_size=5), st.lists(st.integers(1, 40), max_size=20))
def test_every_sample_sounds_once_in_order_and_each_turn_begins_and_ends(
    turns: list[list[int]], takes: list[int]
) -> None:
    playout, said = Playout(), b""
    for number, lengths in enumerate(turns):
        for length in lengths:
            piece = bytes([number + 1, 1]) * length
            said += piece
            playout.add(str(number), piece)
        playout.complete(str(number))

    heard, changes = b"", list[Change]()
    for samples in [*takes, 1000]:
        pcm, more = playout.take(samples)
        assert len(pcm) == 2 * samples
        heard += pcm
        changes += more

    assert heard == said.ljust(len(heard), b"\0")
    spoken = [str(number) for number, lengths in enumerate(turns) if lengths]
    assert changes == [Change(kind, turn) for turn in spoken for kind in ("speaking", "idle")]
    assert not playout.speaking

"""What leaves the gate: all speech, in its order, and in the long run as much audio as came.

Samples here are numbers that never come twice, so that each can be found again; silence is 0. A window has four.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.audio.gating import Gating, GatingRules

WINDOW = 4
WINDOW_BYTES = 2 * WINDOW


def rules(lead: int = 4, hold: int = 4, closing: int = 8, *, keeps_time: bool = True) -> GatingRules:
    """In samples."""
    return GatingRules(0.5, 2 * lead, 2 * hold, 2 * closing, keeps_time)


def gating(how: GatingRules, probabilities: Iterable[float]) -> Gating:
    """Whatever comes after the last probability is no speech."""
    told = iter(probabilities)
    return Gating(how, WINDOW_BYTES, lambda _: next(told, 0.0), bytes)


def recorded(count: int, start: int = 1) -> bytes:
    return array("H", range(start, start + count)).tobytes()


def samples(audio: bytes) -> list[int]:
    return list(array("H", audio))


def spoken(windows: str) -> list[float]:
    """A window for each character: ``#`` is speech."""
    return [0.9 if window == "#" else 0.1 for window in windows]


def window_by_window(how: GatingRules, windows: str) -> list[list[int]]:
    """What leaves the gate with each window."""
    gate = gating(how, spoken(windows))
    return [samples(gate.push(recorded(WINDOW, 1 + WINDOW * place))) for place in range(len(windows))]


def test_while_nobody_speaks_silence_goes_out_that_is_as_long() -> None:
    assert window_by_window(rules(), "..") == [[0] * 4] * 2


def test_speech_brings_the_window_in_which_it_was_found_and_what_came_before_it() -> None:
    assert window_by_window(rules(lead=2), "..#.")[2:] == [[0] * 4 + [7, 8, 9, 10, 11, 12], [13, 14, 15, 16]]


def test_without_a_lead_the_window_in_which_speech_was_found_is_sent_all_the_same() -> None:
    assert window_by_window(rules(lead=0), ".#")[1] == [0] * 4 + [5, 6, 7, 8]


def test_a_pause_within_the_hold_goes_out_as_it_is() -> None:
    sent = window_by_window(rules(hold=8), "#.#...")

    assert sent[1:] == [*(samples(recorded(4, start)) for start in (5, 9, 13, 17)), [0] * 4]


def test_first_the_silence_goes_out_that_closes_the_turn_and_then_as_much_is_left_out_as_went_out_early() -> None:
    sent = window_by_window(rules(lead=4, hold=4, closing=8), "..#......")

    assert sent[2] == [0] * 4 + samples(recorded(8, 5))  # 8 more than came
    assert sent[3] == [13, 14, 15, 16]
    assert sent[4:] == [[0] * 4, [0] * 4, [], [], [0] * 4]


@pytest.mark.parametrize("keeps_time", [True, False])
def test_pauses_that_are_too_short_to_put_the_time_right_do_not_add_up(keeps_time: bool) -> None:
    how = rules(lead=4, hold=0, closing=100, keeps_time=keeps_time)

    lengths = [len(piece) for piece in window_by_window(how, "........" + "#..." * 5)][8:]

    assert lengths[:4] == [4 * keeps_time + 8, 4, 4, 4]
    assert lengths[4:8] == [12, 4, 4, 4]
    assert lengths[8:12] == [12, 4, 0, 0]  # three leads ahead: more than two are too many
    assert lengths[12:16] == [12, 4, 0, 0]


def test_with_nothing_to_be_sent_the_silence_that_closes_the_turn_is_all_that_follows_speech() -> None:
    sent = window_by_window(rules(lead=4, hold=4, closing=6, keeps_time=False), "..#.....")

    assert sent == [[], [], samples(recorded(8, 5)), [13, 14, 15, 16], [0] * 4, [0] * 2, [], []]


def test_what_was_sent_once_is_not_sent_again_with_the_next_speech() -> None:
    sent = window_by_window(rules(lead=40, hold=4), "#..#")

    assert sent[1:] == [[5, 6, 7, 8], [0] * 4, [0] * 4 + samples(recorded(8, 9))]


def test_speech_in_a_last_window_that_is_not_full_is_sent_at_the_end() -> None:
    gate = gating(rules(lead=0), spoken(".#"))

    assert samples(gate.push(recorded(6))) == [0] * 6
    assert samples(gate.finish()) == samples(recorded(4, 3))  # room for a whole window


def test_the_last_window_is_judged_at_its_full_length() -> None:
    heard: list[bytes] = []

    def listen(window: bytes) -> float:
        heard.append(window)
        return 0.0

    gate = Gating(rules(), WINDOW_BYTES, listen, bytes)
    gate.push(recorded(1))

    assert gate.finish() == b""
    assert [samples(window) for window in heard] == [[1, 0, 0, 0]]


def test_a_stream_of_whole_windows_ends_without_another_judgement() -> None:
    gate = gating(rules(), [0.1, 0.9])
    gate.push(recorded(WINDOW))

    assert gate.finish() == b""


@pytest.mark.parametrize(("probability", "opens"), [(0.49, False), (0.5, True), (1.0, True), (float("nan"), False)])
def test_it_opens_from_the_threshold_on(probability: float, opens: bool) -> None:
    gate = gating(rules(), [probability])

    gate.push(recorded(WINDOW))

    assert gate.open is opens


def test_what_was_silenced_is_counted_until_it_is_sent_after_all() -> None:
    gate = gating(rules(lead=2), spoken("..#."))
    counts = [(gate.push(recorded(WINDOW)), gate.silenced_bytes)[1] for _ in range(4)]

    assert counts == [8, 16, 12, 12]


WINDOWS = st.lists(st.floats(0, 1), max_size=60)
RULES = st.builds(rules, *[st.integers(0, 20)] * 3, keeps_time=st.booleans())


def passed_through(gate: Gating, audio: bytes, cuts: Sequence[int] = ()) -> bytes:
    places = [0, *sorted(cuts), len(audio)]
    pieces = [gate.push(audio[start:end]) for start, end in pairwise(places)]
    return b"".join(pieces) + gate.finish()


@given(how=RULES, probabilities=WINDOWS, data=st.data())
def test_any_cutting_gives_the_same_bytes(how: GatingRules, probabilities: list[float], data: st.DataObject) -> None:
    audio = recorded(data.draw(st.integers(0, WINDOW * len(probabilities))))
    cuts = data.draw(st.lists(st.integers(0, len(audio))))  # inside samples, too

    assert passed_through(gating(how, probabilities), audio, cuts) == passed_through(gating(how, probabilities), audio)


@given(how=RULES, probabilities=WINDOWS, missing=st.integers(0, WINDOW - 1))
def test_nothing_of_speech_is_lost_nor_of_what_is_around_it(
    how: GatingRules, probabilities: list[float], missing: int
) -> None:
    came = max(0, WINDOW * len(probabilities) - missing)
    lead, hold = how.lead_bytes // 2, how.hold_bytes // 2
    wanted: set[int] = set()
    for place, probability in enumerate(probabilities):
        if probability >= how.threshold:
            wanted.update(range(WINDOW * place - lead, WINDOW * (place + 1) + hold))

    sent = samples(passed_through(gating(how, probabilities), recorded(came)))

    assert {number - 1 for number in sent if number} >= wanted & set(range(came))


@given(how=RULES, probabilities=WINDOWS)
def test_order_is_kept_and_nothing_comes_twice(how: GatingRules, probabilities: list[float]) -> None:
    sent = samples(passed_through(gating(how, probabilities), recorded(WINDOW * len(probabilities))))

    heard = [number for number in sent if number]
    assert heard == sorted(set(heard))


@given(how=RULES.filter(lambda how: how.keeps_time), probabilities=WINDOWS)
def test_what_was_sent_is_never_behind_what_came_nor_far_ahead(how: GatingRules, probabilities: list[float]) -> None:
    gate, ahead = gating(how, probabilities), 0
    most = 3 * (how.lead_bytes + WINDOW_BYTES)

    for _ in probabilities:
        ahead += len(gate.push(recorded(WINDOW))) - WINDOW_BYTES
        assert 0 <= ahead <= most


@given(how=RULES.filter(lambda how: how.keeps_time), probabilities=WINDOWS)
def test_after_a_long_pause_exactly_as_much_was_sent_as_came(how: GatingRules, probabilities: list[float]) -> None:
    pause = how.hold_bytes + WINDOW_BYTES + how.closing_bytes + 3 * (how.lead_bytes + WINDOW_BYTES)
    audio = recorded(WINDOW * len(probabilities)) + bytes(pause)

    assert len(passed_through(gating(how, probabilities), audio)) == len(audio)


@given(how=RULES, probabilities=WINDOWS)
def test_what_is_counted_as_silenced_is_what_was_not_sent(how: GatingRules, probabilities: list[float]) -> None:
    gate = gating(how, probabilities)
    audio = recorded(WINDOW * len(probabilities))

    heard = [number for number in samples(gate.push(audio)) if number]

    assert gate.silenced_bytes == len(audio) - 2 * len(heard)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.protocol.transcripts import HeardText, PartText, Word, cut_by_share, heard_part


def part(text: str, *words: tuple[str, int]) -> PartText:
    made = PartText("audio", words=[Word(word, end_ms) for word, end_ms in words])
    made.finish(text)
    return made


def test_there_is_no_text_before_its_first_piece() -> None:
    assert PartText("audio").text is None


def test_pieces_add_up_until_the_whole_text_replaces_them() -> None:
    text = PartText("audio")
    text.add("We have")
    text.add(" many d")
    pieces = text.text
    text.finish("We have many")
    text.add(" too late")
    text.finish("something else")

    assert (pieces, text.text) == ("We have many d", "We have many")


def test_all_is_heard_when_all_was_played() -> None:
    assert heard_part(part("Hello there."), 1999, 1999.7) == HeardText("Hello there.")


def test_nothing_is_heard_before_the_first_sample() -> None:
    assert heard_part(part("Hello there."), 0, 2000) == HeardText("")


def test_words_with_times_are_heard_when_they_have_ended() -> None:
    spoken = part("Well, hello there! How are you?", ("Well", 300), ("hello", 700), ("there", 1000), ("How", 1300))
    assert heard_part(spoken, 999, 3000) == HeardText("Well, hello")
    assert heard_part(spoken, 1000, 3000) == HeardText("Well, hello there!")


def test_a_word_is_sought_behind_the_one_before() -> None:
    spoken = part("no no no", ("no", 100), ("no", 200), ("no", 300))
    assert heard_part(spoken, 200, 300.5) == HeardText("no no")


def test_a_word_that_the_text_spells_differently_is_not_found_far_ahead() -> None:
    spoken = part(
        "It is 4 o'clock, and because of the holidays the next train leaves at four.", ("It", 100), ("four", 200)
    )
    assert heard_part(spoken, 500, 5000) == HeardText("It")


def test_letters_that_become_two_in_lower_case_do_not_shift_the_cut() -> None:
    spoken = part("Große İzmir Straße voraus", ("Große", 100), ("İzmir", 200), ("Straße", 300), ("voraus", 400))
    assert heard_part(spoken, 300, 500) == HeardText("Große İzmir Straße")


def test_times_that_do_not_fit_the_text_are_not_used() -> None:
    spoken = part("one two three four", ("eins", 100), ("zwei", 200))
    assert heard_part(spoken, 500, 1000) == HeardText("one two", is_estimate=True)


def test_without_times_the_share_of_the_audio_decides() -> None:
    assert heard_part(part("one two three four"), 500, 1000) == HeardText("one two", is_estimate=True)


@pytest.mark.parametrize("total_ms", [None, 0.0])
def test_without_any_length_nothing_is_claimed(total_ms: float | None) -> None:
    assert heard_part(part("one two"), 500, total_ms) == HeardText(None)


def test_scripts_without_spaces_are_cut_between_characters() -> None:
    assert cut_by_share("今日はいい天気です", 0.5) == "今日はい"


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_more_audio_never_means_less_text(text: str, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert text.startswith(cut_by_share(text, more))
    assert cut_by_share(text, more).startswith(cut_by_share(text, less))


@given(st.text(alphabet="ab ,"), st.floats(0, 1))
def test_no_word_is_cut_in_two(text: str, share: float) -> None:
    heard = cut_by_share(text, share)
    assert text[: len(heard)].split() == heard.split()
    assert len(heard) == len(text) or not heard or text[len(heard)] == " "


@given(st.text(), st.lists(st.tuples(st.text(), st.integers(0, 2000))), st.integers(0, 2000))
def test_odd_words_and_times_only_ever_shorten_the_text(text: str, words: list[tuple[str, int]], heard_ms: int) -> None:
    heard = heard_part(part(text, *words), heard_ms, 1500.0).text
    assert heard is not None
    assert text.startswith(heard)


def test_no_text_shows_in_a_repr() -> None:
    assert "secret" not in repr((part("secret", ("secret", 1)), HeardText("secret"), Word("secret", 1)))

"""Checks of values: what passes, and how a refusal reads."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.testing.checks import (
    Check,
    Refusal,
    boolean,
    each,
    either,
    integer,
    nullable,
    number,
    one_of,
    record,
    tagged,
    text,
)


def refused(check: Check, value: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        check(value, "field")
    return caught.value


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (text, "x", 1),
        (boolean, False, 0),
        (integer(1, 3), 3, 4),
        (integer(), -1, 1.0),
        (integer(), 1, True),
        (number(0, 1), 0.5, 1.1),
        (number(), 3, "3"),
        (number(), 3, False),
        (one_of("a", 1), 1, True),
        (one_of("a"), "a", ["a"]),
        (nullable(text), None, 1),
        (each(text), ["a"], ["a", 1]),
        (each(text), [], "a"),
        (each(text, most=1), ["a"], ["a", "b"]),
        (either(text, integer()), 1, None),
    ],
)
def test_a_check_lets_the_good_pass_and_names_the_bad(check: Check, good: object, bad: object) -> None:
    check(good, "field")
    refusal = refused(check, bad)
    assert refusal.code == "invalid_value"
    assert refusal.param is not None
    assert refusal.param.startswith("field")
    assert refusal.param in refusal.message


def test_a_record_knows_its_fields() -> None:
    check = record({"a": text, "b": text}, required=("a",))
    check({"a": "x"}, "field")
    assert (refused(check, {}).code, refused(check, {}).param) == ("missing_required_parameter", "field.a")
    assert refused(check, {"a": "x", "c": 1}).param == "field.c"
    assert refused(check, {"a": "x", "c": 1}).code == "unknown_parameter"
    assert refused(check, []).code == "invalid_value"


def test_a_tag_decides_which_fields_hold() -> None:
    check = tagged("type", {"x": record({"type": text, "only_x": text}), "y": record({"type": text})})
    check({"type": "x", "only_x": "1"}, "field")
    assert refused(check, {"type": "y", "only_x": "1"}).param == "field.only_x"
    assert refused(check, {"type": "z"}).param == "field.type"
    assert refused(check, {}).code == "missing_required_parameter"
    assert refused(check, "x").code == "invalid_value"


def test_places_in_lists_are_named() -> None:
    assert refused(each(record({"a": text})), [{"a": "x"}, {"a": 1}]).param == "field[1].a"


def test_what_a_caller_said_is_not_repeated_in_an_error() -> None:
    sentence = "my card number is 4111 1111 1111 1111, please use it"
    assert sentence not in refused(one_of("a"), sentence).message
    assert sentence not in refused(integer(), [sentence]).message


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "t", "x"]), inner),
        max_leaves=6,
    )
)
def test_no_value_breaks_a_check(value: object) -> None:
    check = each(either(one_of("a", 1), record({"a": nullable(number(0, 1))}, ["a"]), tagged("t", {"x": text})))
    with suppress(Refusal):
        check(value, "field")

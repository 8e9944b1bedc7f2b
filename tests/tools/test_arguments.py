from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.tools.arguments import (
    MAX_ARGUMENTS_BYTES,
    MAX_DEPTH,
    ArgumentProblem,
    InvalidArgumentsError,
    read_object,
)


def refusal(text: str) -> str:
    with pytest.raises(InvalidArgumentsError) as caught:
        read_object(text)
    (problem,) = caught.value.problems
    assert problem.argument == ""
    return problem.problem


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


@pytest.mark.parametrize("text", ["", "  \n", "{}"])
def test_models_write_nothing_or_an_empty_object_for_a_function_without_parameters(text: str) -> None:
    assert read_object(text) == {}


@pytest.mark.parametrize("text", ["{", "nope", '{"a": NaN}', '{"a": -Infinity}', '{"a": 1e999}', "{'a': 1}", "{} {}"])
def test_text_that_is_not_json_is_refused(text: str) -> None:
    assert refusal(text) == "must be valid JSON"


@pytest.mark.parametrize("text", ["[]", "null", '"text"', "3"])
def test_json_that_is_not_an_object_is_refused(text: str) -> None:
    assert refusal(text) == "must be a JSON object"


def test_the_size_is_bounded_in_bytes_rather_than_characters() -> None:
    room = MAX_ARGUMENTS_BYTES - len('{"a":""}')

    assert read_object('{"a":"' + "x" * room + '"}') == {"a": "x" * room}
    assert "longer" in refusal('{"a":"' + "x" * (room + 1) + '"}')
    assert "longer" in refusal('{"a":"' + "é" * (room // 2 + 1) + '"}')


def test_the_depth_is_bounded() -> None:
    read_object(nested(MAX_DEPTH))

    assert "deeper" in refusal(nested(MAX_DEPTH + 1))
    assert "deeper" in refusal('{"a":' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}")
    assert "deeper" in refusal(nested(100_000))  # beyond the recursion limit of the decoder


def test_a_number_without_fraction_is_an_integer_as_in_json_schema() -> None:
    found = read_object('{"a": 3.0, "b": 2e3, "c": 3.5}')

    assert [type(value) for value in found.values()] == [int, int, float]
    assert found == {"a": 3, "b": 2000, "c": 3.5}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=3))
def test_any_json_object_is_read_unchanged(arguments: dict[str, object]) -> None:
    assert read_object(json.dumps(arguments)) == arguments


@given(st.text())
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    with contextlib.suppress(InvalidArgumentsError):
        assert isinstance(read_object(text), dict)


def test_the_repr_of_a_problem_does_not_repeat_what_was_said() -> None:
    assert "secret" not in repr(ArgumentProblem("city", "should not be 'secret'"))

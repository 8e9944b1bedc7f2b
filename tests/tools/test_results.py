from __future__ import annotations

import datetime as dt
import enum
import json
import pickle
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from voicelive.errors import VoiceLiveError
from voicelive.tools.arguments import ArgumentProblem
from voicelive.tools.results import ToolError, ToolFailure, ToolResult, to_output


class Colour(str, enum.Enum):  # noqa: UP042  # the older kind, whose str() is its name
    RED = "red"


class Model(BaseModel):
    ratio: float = Field(alias="the ratio")


@dataclass
class Stop:
    name: str
    at: dt.datetime


@pytest.mark.parametrize(
    ("value", "output"),
    [
        ("plain text", "plain text"),
        ("", ""),
        (Colour.RED, "red"),
        (None, "null"),
        (True, "true"),
        (21, "21"),
        (float("nan"), "null"),
        (Decimal("1.10"), '"1.10"'),
        ([1, "ü"], '[1,"ü"]'),
        ({"colour": Colour.RED}, '{"colour":"red"}'),
        (Model(**{"the ratio": 0.5}), '{"the ratio":0.5}'),
        (Stop("Rome", dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)), '{"name":"Rome","at":"2026-01-02T03:04:00Z"}'),
    ],
)
def test_text_stays_text_and_everything_else_is_compact_json(value: object, output: str) -> None:
    assert to_output(value) == output


@pytest.mark.parametrize(
    "value", [b"x", bytearray(b"x"), memoryview(b"x"), object(), {"a": b"\xff"}, "\ud800", ["\ud800"]]
)
def test_what_json_has_no_form_for_is_refused(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the words are pydantic's
        to_output(value)


def test_a_circle_is_refused() -> None:
    circle: list[object] = []
    circle.append(circle)

    with pytest.raises(ValueError, match="Circular"):
        to_output(circle)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_json_values_come_back_from_the_output(value: object) -> None:
    assert json.loads(to_output(value)) == value


def test_the_structured_error_is_compact_json_with_the_problems() -> None:
    problems = (ArgumentProblem("city", "is required"), ArgumentProblem("", "must be valid JSON"))

    assert ToolFailure("invalid_arguments", "Correct them.", problems).output() == (
        '{"error":{"type":"invalid_arguments","message":"Correct them.","problems":'
        '[{"argument":"city","problem":"is required"},{"problem":"must be valid JSON"}]}}'
    )
    assert ToolFailure("timeout", "Too slow.").output() == '{"error":{"type":"timeout","message":"Too slow."}}'


def test_reprs_show_neither_output_nor_words_nor_exception() -> None:
    failure = ToolFailure("raised", "secret words", exception=ValueError("secret"))
    result = ToolResult("call_1", "tool", "secret output", failure, 0.5)

    assert "secret" not in repr(result)
    assert "raised" in repr(result)


def test_a_tool_error_is_one_of_the_packages_and_survives_pickle() -> None:
    again = pickle.loads(pickle.dumps(ToolError("no seats left")))

    assert isinstance(again, ToolError)
    assert issubclass(ToolError, VoiceLiveError)
    assert again.message == str(again) == "no seats left"

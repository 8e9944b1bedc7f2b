from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import pytest

from voicelive.errors import ConfigurationError
from voicelive.session import Session
from voicelive.tools import ToolCall, ToolContext, ToolOptions, tool, tool_from_schema
from voicelive.tools.arguments import InvalidArgumentsError
from voicelive.wire.client_events import SessionUpdate
from voicelive.wire.codec import encode
from voicelive.wire.session import SessionConfig
from voicelive.wire.tools import FunctionTool

CONTEXT = ToolContext(cast("Session", object()), "call_1", "tool", "resp_1", "item_1")


@tool
def double(number: int) -> int:
    """Twice the number."""
    return number * 2


@tool(name="half", description="Half of it.", timeout_s=None, concurrency=1, on_barge_in="cancel", say="Hm")
async def divide(number: int) -> float:
    return number / 2


def test_a_decorated_function_is_still_the_function() -> None:
    assert double(4) == 8
    assert double("ab") == "abab"  # type: ignore[arg-type, comparison-overlap]  # direct calls are not checked
    assert (double.__name__, double.__doc__, inspect.unwrap(double)) == ("double", "Twice the number.", double.function)  # type: ignore[attr-defined]  # set by functools


async def test_a_decorated_coroutine_function_is_still_one() -> None:
    assert await divide(4) == 2.0


def test_the_definition_is_what_the_service_is_told() -> None:
    assert double.definition == FunctionTool(
        name="double",
        description="Twice the number.",
        parameters={
            "type": "object",
            "properties": {"number": {"type": "integer"}},
            "required": ["number"],
            "additionalProperties": False,
        },
    )
    assert (divide.definition.name, divide.definition.description) == ("half", "Half of it.")


def test_a_missing_description_is_absent_from_the_wire_rather_than_null() -> None:
    @tool
    def silent() -> None: ...

    event = SessionUpdate(session=SessionConfig(tools=[silent.definition]))

    assert "silent" in str(encode(event))
    assert "description" not in str(encode(event))


def test_options_reach_the_tool() -> None:
    assert double.options == ToolOptions(timeout_s=30.0, concurrency=None, on_barge_in="finish", say=None)
    assert divide.options == ToolOptions(timeout_s=None, concurrency=1, on_barge_in="cancel", say="Hm", say_after_s=1.0)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"timeout_s": 0}, "timeout_s is 0"),
        ({"timeout_s": float("nan")}, "timeout_s is nan"),
        ({"timeout_s": float("inf")}, "timeout_s is inf"),
        ({"concurrency": 0}, "concurrency is 0"),
        ({"on_barge_in": "stop"}, "on_barge_in is 'stop'; allowed: cancel, finish, finish_silently"),
        ({"say": " "}, "say is blank"),
        ({"say_after_s": 2.0}, "say_after_s is 2.0 but there is no phrase"),
        ({"say": "Hm", "say_after_s": -1}, "say_after_s is -1"),
    ],
)
def test_options_that_make_no_sense_are_refused_by_name(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        tool(**options)

    assert named in str(caught.value)


def test_a_phrase_may_come_at_once() -> None:
    assert ToolOptions(say="Hm", say_after_s=0).say_after_s == 0


class Desk:
    async def __call__(self, city: str) -> str:
        return city


def test_what_blocks_needs_a_thread() -> None:
    async def waits(city: str) -> str:
        return city

    assert double.in_thread
    assert not divide.in_thread
    assert not tool(name="desk")(Desk()).in_thread
    assert not tool(name="rome")(functools.partial(waits, city="Rome")).in_thread


def test_generators_are_refused() -> None:
    def several() -> Iterator[int]:
        yield 1

    async def many() -> AsyncIterator[int]:
        yield 1

    for function in (several, many):
        with pytest.raises(ConfigurationError, match="is a generator; return one result"):
            tool(function)


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="a str cannot be a tool"):
        tool(cast("Any", "double"))
    with pytest.raises(ConfigurationError, match="tool 'x': a int cannot be called"):
        tool_from_schema(FunctionTool(name="x"), cast("Any", 5))


def test_attributes_of_the_function_do_not_replace_those_of_the_tool() -> None:
    def function() -> None: ...

    function.definition = "its own"  # type: ignore[attr-defined]  # functions take any attribute

    assert isinstance(tool(function).definition, FunctionTool)


def test_the_repr_names_the_tool() -> None:
    assert repr(divide) == "PythonTool('half')"


def test_a_tool_from_a_schema_gets_the_object_as_it_is() -> None:
    seen = tool_from_schema(
        FunctionTool(name="seen", parameters={"type": "object", "properties": {"a": {"type": "integer"}}}),
        lambda arguments: arguments,
    )

    assert seen.bind(ToolCall("seen", '{"a": "text"}', "call_1"), CONTEXT)() == {"a": "text"}
    with pytest.raises(InvalidArgumentsError):
        seen.bind(ToolCall("seen", "[]", "call_1"), CONTEXT)


@pytest.mark.parametrize("parameters", [{"type": "string"}, {}, "object"])
def test_a_schema_that_is_not_of_an_object_is_refused(parameters: object) -> None:
    with pytest.raises(ConfigurationError, match='tool \'x\': parameters must be a JSON schema with "type": "object"'):
        tool_from_schema(FunctionTool(name="x", parameters=parameters), lambda arguments: None)


def test_a_schema_with_a_name_that_the_service_refuses_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="tool name 'a b'"):
        tool_from_schema(FunctionTool(name="a b"), lambda arguments: None)

from __future__ import annotations

from typing import Any, cast

import pytest

from voicelive.errors import ConfigurationError
from voicelive.tools import DispatchedTool, ToolCall, ToolOptions, ToolSet, tool
from voicelive.wire.tools import FunctionTool


@tool
def first() -> None: ...


@tool
def second() -> None: ...


@tool(name="first")
def another_first() -> None: ...


async def dispatch(call: ToolCall) -> str:
    return call.name


def test_tools_keep_their_order() -> None:
    toolset = ToolSet(second, first)

    assert toolset.names == ("second", "first")
    assert toolset.definitions == [second.definition, first.definition]
    assert (list(toolset), len(toolset)) == ([second, first], 2)
    assert "first" in toolset
    assert repr(toolset) == "ToolSet(second, first)"


def test_a_tool_is_found_by_its_name() -> None:
    assert ToolSet(first).find("first") is first
    assert ToolSet(first).find("second") is None


def test_one_name_twice_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="two tools are named 'first'"):
        ToolSet(first, another_first)
    with pytest.raises(ConfigurationError, match="two tools are named 'first'"):
        ToolSet(first).plus(another_first)


def test_a_plain_function_is_refused_with_what_to_do() -> None:
    def plain() -> None: ...

    with pytest.raises(ConfigurationError, match="plain is no tool; decorate the function with @tool"):
        ToolSet(cast("Any", plain))


def test_sets_do_not_change() -> None:
    toolset = ToolSet(first)

    assert toolset.plus(second).names == ("first", "second")
    assert toolset.plus(second).without("first").names == ("second",)
    assert toolset.names == ("first",)


def test_taking_out_what_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no tool is named 'third'; there are: first"):
        ToolSet(first).without("third")


def test_a_dispatcher_declares_tools_that_it_runs() -> None:
    toolset = ToolSet(first).with_dispatcher([FunctionTool(name="far"), FunctionTool(name="away")], dispatch, say="Hm")

    found = toolset.find("away")

    assert toolset.names == ("first", "far", "away")
    assert isinstance(found, DispatchedTool)
    assert (found.dispatch, found.options.say) == (dispatch, "Hm")
    assert toolset.find("third") is None


def test_a_dispatcher_cannot_declare_a_name_that_the_service_refuses() -> None:
    with pytest.raises(ConfigurationError, match="tool name 'a b'"):
        ToolSet().with_dispatcher([FunctionTool(name="a b")], dispatch)


def test_a_dispatcher_may_get_every_other_call() -> None:
    toolset = ToolSet(first, dispatcher=dispatch, dispatcher_options=ToolOptions(timeout_s=3))

    for changed in (toolset, toolset.plus(second), toolset.without("first")):
        found = changed.find("never declared")

        assert isinstance(found, DispatchedTool)
        assert (found.dispatch, found.options.timeout_s) == (dispatch, 3)
        assert all(definition.name in {"first", "second"} for definition in changed.definitions)
    assert toolset.find("first") is first


def test_a_dispatcher_that_is_no_function_and_options_without_one_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="it must be a function"):
        ToolSet(dispatcher=cast("Any", "dispatch"))
    with pytest.raises(ConfigurationError, match="there is no dispatcher"):
        ToolSet(dispatcher_options=ToolOptions())

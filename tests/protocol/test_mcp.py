"""Calls that the service makes to MCP servers: approvals, and when their results are to be spoken about."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.histories import event

from voicelive.protocol.mcp import AskApproval, McpCalls, McpEffect, SpeakResult

REQUEST = {"id": "ask_1", "type": "mcp_approval_request", "server_label": "docs", "name": "find", "arguments": "{}"}


def call(item_id: str, **result: str) -> dict[str, Any]:
    return {"id": item_id, "type": "mcp_call", "server_label": "docs", "name": "find", "arguments": "{}", **result}


def hear(mcp: McpCalls, kind: str, **fields: Any) -> list[McpEffect]:
    return mcp.receive(event(kind, **fields))


def done(mcp: McpCalls, item_id: str, **result: str) -> list[McpEffect]:
    return hear(mcp, "response.output_item.done", response_id="r1", item=call(item_id, **result))


def progress(mcp: McpCalls, item_id: str, step: str) -> list[McpEffect]:
    return hear(mcp, f"response.mcp_call.{step}", item_id=item_id, output_index=0)


@pytest.mark.parametrize(
    "kinds",
    [
        ["conversation.item.created", "response.output_item.added", "response.output_item.done"],
        ["response.output_item.added", "conversation.item.created"],
        ["response.output_item.done", "conversation.item.created"],
    ],
)
def test_an_approval_is_asked_for_once_whatever_tells_of_it(kinds: list[str]) -> None:
    mcp = McpCalls()
    effects = [effect for kind in kinds for effect in hear(mcp, kind, item=REQUEST)]

    assert effects == [AskApproval("ask_1", "docs", "find", "{}")]


@pytest.mark.parametrize("result", [{"output": "found"}, {"output": ""}])
def test_a_result_is_spoken_about_once(result: dict[str, str]) -> None:
    mcp = McpCalls()
    progress(mcp, "a", "in_progress")

    assert progress(mcp, "a", "completed") == []
    assert done(mcp, "a", **result) == [SpeakResult()]
    assert done(mcp, "a", **result) == []


def test_a_call_that_waits_for_approval_has_no_result_yet() -> None:
    mcp = McpCalls()

    assert done(mcp, "a") == []
    progress(mcp, "a", "in_progress")
    progress(mcp, "a", "failed")
    assert done(mcp, "a", output="") == [SpeakResult()]


def test_calls_that_run_together_are_spoken_about_together() -> None:
    mcp = McpCalls()
    progress(mcp, "a", "in_progress")
    progress(mcp, "b", "in_progress")

    assert done(mcp, "a", output="1") == []
    assert mcp.busy
    assert done(mcp, "b", output="2") == [SpeakResult()]
    assert not mcp.busy


@pytest.mark.parametrize("step", ["in_progress", "completed", "failed"])
def test_progress_that_is_told_after_the_result_holds_nothing_up(step: str) -> None:
    mcp = McpCalls()
    done(mcp, "a", output="1")
    progress(mcp, "a", step)

    assert done(mcp, "b", output="2") == [SpeakResult()]


def test_arguments_stay_out_of_reprs() -> None:
    assert "secret" not in repr(AskApproval("ask_1", "docs", "find", "secret"))


def test_a_lost_connection_ends_running_calls_and_tells_whether_there_were_any() -> None:
    mcp = McpCalls()
    assert not mcp.connection_lost()
    progress(mcp, "call_1", "in_progress")

    assert mcp.connection_lost()
    assert not mcp.busy
    assert done(mcp, "call_1", output="late") == []

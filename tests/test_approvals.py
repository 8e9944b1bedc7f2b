"""MCP calls that ask for approval are always answered, and their results are spoken of once they are there."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.conftest import OpenSession
from tests.support.peer import JsonObject, Peer
from tests.support.service import asked, begins, ends, heard, nothing_more
from tests.support.streams import settle, take

from voicelive.approvals import ApprovalRequest, Approvals
from voicelive.events import ApprovalAnswered
from voicelive.protocol.mcp import AskApproval

REQUEST: JsonObject = {
    "id": "mcpr_1",
    "type": "mcp_approval_request",
    "server_label": "shop",
    "name": "order",
    "arguments": '{"what":"MARKER"}',
}


async def request(peer: Peer, request_id: str = "mcpr_1") -> None:
    """The service asks whether it may call."""
    await peer.say("conversation.item.created", item={**REQUEST, "id": request_id})
    await settle()


async def answer(peer: Peer) -> JsonObject:
    """How the session answers."""
    item: JsonObject = (await heard(peer, "conversation.item.create"))["item"]
    assert item.pop("type") == "mcp_approval_response"
    return item


async def mcp_call(peer: Peer, response_id: str, item_id: str, **result: Any) -> None:
    """An MCP call ends, and its item tells how."""
    call = {"id": item_id, "type": "mcp_call", "server_label": "shop", "name": "order", "arguments": "{}"}
    ended = "failed" if "error" in result else "completed"
    await peer.say(f"response.mcp_call.{ended}", item_id=item_id, output_index=0)
    await peer.say("response.output_item.done", response_id=response_id, item={**call, **result})


# -- yes or no


@pytest.mark.parametrize(
    ("verdict", "sent"),
    [
        (True, {"approve": True}),
        (False, {"approve": False}),
        ("not on Sundays", {"approve": False, "reason": "not on Sundays"}),
        ("", {"approve": False, "reason": ""}),
        (None, {"approve": False}),
        (1, {"approve": False}),
    ],
)
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_the_handler_decides(
    open_session: OpenSession, verdict: Any, sent: JsonObject, asynchronous: bool
) -> None:
    seen: list[ApprovalRequest] = []

    def decide(asked_for: ApprovalRequest) -> Any:
        seen.append(asked_for)
        return verdict

    async def decide_later(asked_for: ApprovalRequest) -> Any:
        await asyncio.sleep(0)
        return decide(asked_for)

    session, peer = open_session()
    session.on_approval(decide_later if asynchronous else decide)
    stream = session.subscribe(ApprovalAnswered)
    await request(peer)

    assert await answer(peer) == {"approval_request_id": "mcpr_1", **sent}
    assert seen == [ApprovalRequest("mcpr_1", "shop", "order", '{"what":"MARKER"}')]
    told = ApprovalAnswered("mcpr_1", "shop", "order", approved=bool(sent["approve"]), by="handler")
    assert await take(stream, 1) == [told]


async def test_without_a_handler_the_call_is_denied_and_told(open_session: OpenSession) -> None:
    session, peer = open_session()
    stream = session.subscribe(ApprovalAnswered)
    await request(peer)

    assert await answer(peer) == {"approval_request_id": "mcpr_1", "approve": False}
    assert await take(stream, 1) == [ApprovalAnswered("mcpr_1", "shop", "order", approved=False, by="default")]


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_handler_that_fails_denies_and_what_it_says_is_not_logged(
    open_session: OpenSession, caplog: pytest.LogCaptureFixture, asynchronous: bool
) -> None:
    def fail(asked_for: ApprovalRequest) -> bool:
        raise LookupError(asked_for.arguments)

    async def fail_later(asked_for: ApprovalRequest) -> bool:
        return fail(asked_for)

    session, peer = open_session()
    session.on_approval(fail_later if asynchronous else fail)
    stream = session.subscribe(ApprovalAnswered)
    caplog.set_level(logging.DEBUG)
    await request(peer)

    assert await answer(peer) == {"approval_request_id": "mcpr_1", "approve": False}
    assert [event.approved for event in await take(stream, 1)] == [False]
    assert "LookupError" in caplog.text
    assert "MARKER" not in caplog.text


async def test_one_request_that_is_told_several_times_is_answered_once(open_session: OpenSession) -> None:
    session, peer = open_session()
    session.on_approval(lambda _: True)
    await peer.say("response.output_item.added", response_id="resp_1", item=REQUEST)
    await request(peer)
    await peer.say("response.output_item.done", response_id="resp_1", item=REQUEST)

    assert (await answer(peer))["approve"] is True
    await nothing_more(peer)


async def test_one_slow_decision_holds_up_no_other(open_session: OpenSession) -> None:
    go_on = asyncio.Event()

    async def decide(asked_for: ApprovalRequest) -> bool:
        if asked_for.request_id == "mcpr_1":
            await go_on.wait()
        return True

    session, peer = open_session()
    session.on_approval(decide)
    await request(peer, "mcpr_1")
    await request(peer, "mcpr_2")

    assert (await answer(peer))["approval_request_id"] == "mcpr_2"
    go_on.set()
    assert (await answer(peer))["approval_request_id"] == "mcpr_1"


@pytest.mark.looptime
async def test_the_end_of_the_session_does_not_wait_for_a_person(open_session: OpenSession) -> None:
    async def think(_: ApprovalRequest) -> bool:
        await asyncio.sleep(3600)
        return True

    session, peer = open_session()
    session.on_approval(think)
    await request(peer)
    began = asyncio.get_running_loop().time()

    await session.close()

    assert asyncio.get_running_loop().time() - began <= 1.001


def test_a_request_shows_no_arguments() -> None:
    shown = ApprovalRequest("mcpr_1", "shop", "order", "MARKER")

    assert "MARKER" not in repr(shown)
    assert "MARKER" not in repr(AskApproval("mcpr_1", "shop", "order", "MARKER"))


async def test_a_handler_may_be_changed_between_requests() -> None:
    sent: list[Any] = []
    approvals = Approvals(lambda _: None, sent.append)
    handlers: list[Callable[[ApprovalRequest], bool | str | Awaitable[bool | str]] | None] = [lambda _: True, None]
    for approvals.handler in handlers:
        await approvals.decide(AskApproval("mcpr_1", "shop", "order", "{}"))

    assert [event.item.approve for event in sent] == [True, False]


# -- the spoken result


async def test_the_result_is_spoken_of_once_the_call_is_done(open_session: OpenSession) -> None:
    _, peer = open_session()
    await begins(peer, "resp_1")
    await ends(peer, "resp_1")
    await peer.say("response.mcp_call.in_progress", item_id="mcp_1", output_index=0)
    await nothing_more(peer)

    await mcp_call(peer, "resp_1", "mcp_1", output="42")

    assert await asked(peer) == {}
    await nothing_more(peer)


async def test_a_call_that_failed_is_spoken_of_too(open_session: OpenSession) -> None:
    _, peer = open_session()
    await begins(peer, "resp_1")
    await ends(peer, "resp_1")

    await mcp_call(peer, "resp_1", "mcp_1", error={"type": "x"})

    assert await asked(peer) == {}


async def test_the_result_waits_for_the_end_of_the_response(open_session: OpenSession) -> None:
    _, peer = open_session()
    await begins(peer, "resp_1")
    await mcp_call(peer, "resp_1", "mcp_1", output="42")
    await nothing_more(peer)

    await ends(peer, "resp_1")

    assert await asked(peer) == {}


async def test_several_calls_are_spoken_of_together(open_session: OpenSession) -> None:
    _, peer = open_session()
    await begins(peer, "resp_1")
    await ends(peer, "resp_1")
    for item_id in ("mcp_1", "mcp_2"):
        await peer.say("response.mcp_call.in_progress", item_id=item_id, output_index=0)
    await mcp_call(peer, "resp_1", "mcp_2", output="2")
    await nothing_more(peer)

    await mcp_call(peer, "resp_1", "mcp_1", output="1")

    assert await asked(peer) == {}
    await begins(peer, "resp_2", 1)
    await ends(peer, "resp_2")
    await nothing_more(peer)


async def test_a_result_that_is_told_twice_is_spoken_of_once(open_session: OpenSession) -> None:
    _, peer = open_session()
    await begins(peer, "resp_1")
    await ends(peer, "resp_1")
    await mcp_call(peer, "resp_1", "mcp_1", output="42")
    await asked(peer)
    await begins(peer, "resp_2", 1)
    await mcp_call(peer, "resp_1", "mcp_1", output="42")
    await ends(peer, "resp_2")

    await nothing_more(peer)

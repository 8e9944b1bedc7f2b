"""The phases of a call: how one is reached, what is under way in it, and what shows that nothing of it was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

from tests.reliability.scene import CHUNK_MS, LONG_REPLY, QUESTION, SUNNY, Scene

from voicelive import events, wire
from voicelive.events import LossReport
from voicelive.protocol.continuation import LostResponse

__all__ = ["AGENT", "AGAIN", "CALLER", "CLOSING", "HANDSHAKE", "IDLE", "PHASES", "TALKING", "TOOL", "Phase"]

_SAID_CHUNKS: Final = 10
_SAID_MS: Final = _SAID_CHUNKS * CHUNK_MS


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase.

    Attributes:
        name: As in the table.
        situation: What is going on, in words.
        report: What the loss report holds beyond the loss itself, in words; empty: nothing.
        kept: What becomes of what was under way, in words.
        at_stake: What is lost where the session does not go on, in words.
        enter: Leads there.
        finish: Ends what was under way; fails where something of it was lost.
        expected: Gives a loss report what it has to hold.
        then: Happens in any case, after the fault was injected.
    """

    name: str
    situation: str
    report: str
    kept: str
    at_stake: str
    enter: Callable[[Scene], Awaitable[None]]
    finish: Callable[[Scene], Awaitable[None]]
    expected: Callable[[Scene, LossReport], LossReport] = lambda _, report: report
    then: Callable[[Scene], None] = lambda _: None


async def _nothing(_: Scene) -> None:
    """Nothing has to happen."""


async def _connect(scene: Scene) -> None:
    await scene.connect()


async def _begin_to_speak(scene: Scene) -> None:
    await scene.connect()
    with scene.session.subscribe(wire.InputAudioBufferSpeechStarted) as started:
        await scene.speak(_SAID_CHUNKS)
        await anext(started)


async def _end_to_speak(scene: Scene) -> None:
    with scene.session.subscribe(events.TurnFinished) as finished:
        await scene.speak()
        turn = (await anext(finished)).turn
    assert (turn.caller_text, turn.agent_text) == (QUESTION, LONG_REPLY)
    committed = [
        turn for service in scene.emulator.sessions for turn in service.sent_of(wire.InputAudioBufferCommitted)
    ]
    assert len({turn.item_id for turn in committed}) <= 1, "the question was heard once, in one piece"


def _said_again(_: Scene, report: LossReport) -> LossReport:
    return replace(report, resent_audio_ms=_SAID_MS)


async def _begin_to_answer(scene: Scene) -> None:
    await scene.connect()
    await scene.session.send_text("hours")
    with scene.session.subscribe(wire.ResponseAudioDelta) as voice:
        scene.handle = await scene.session.create_response()
        await anext(voice)
        await anext(voice)


async def _end_to_answer(scene: Scene) -> None:
    assert scene.handle is not None, "made by the beginning"
    assert (await scene.handle).status == "completed"
    assert scene.handle.text == LONG_REPLY


def _asked_again(scene: Scene, report: LossReport) -> LossReport:
    created = scene.first.sent_of(wire.ResponseCreated)[-1].response.id or ""
    (added,) = scene.first.sent_of(wire.ResponseOutputItemAdded)
    item_id = added.item.id if added.item is not None else None
    return replace(report, response=LostResponse(created, (item_id or "",), asked_again=True))


async def _begin_to_work(scene: Scene) -> None:
    await scene.connect()
    await scene.session.send_text("weather")
    with scene.session.subscribe(wire.ResponseDone) as done:
        await scene.session.create_response()
        await anext(done)


async def _end_to_work(scene: Scene) -> None:
    with scene.session.subscribe(events.TurnFinished) as finished:
        scene.tool_may_end.set()
        assert (await anext(finished)).turn.agent_text == SUNNY
    items = [create.item for create in scene.service.received_of(wire.ConversationItemCreate)]
    assert len([item for item in items if isinstance(item, wire.FunctionCallOutputItem)]) == 1


def _owed(scene: Scene, report: LossReport) -> LossReport:
    (call,) = scene.first.sent_of(wire.ResponseFunctionCallArgumentsDone)
    return replace(report, owed_calls=(call.call_id,))


async def _begin_to_close(scene: Scene) -> None:
    """The close frame is on its way: the network is slow, so that there is time for a fault."""
    await scene.connect()
    scene.proxy.shape(latency_s=0.05)
    scene.closing = asyncio.create_task(scene.session.close())
    await asyncio.sleep(0.01)


HANDSHAKE: Final = Phase(
    name="handshake",
    situation="`connect` is under way, and nobody has a session yet. `Resume` plays no part.",
    report="",
    kept="nothing",
    at_stake="nothing: there was no session",
    enter=_nothing,
    finish=_nothing,
)
IDLE: Final = Phase(
    name="idle",
    situation="Nobody speaks, nothing is under way.",
    report="",
    kept="nothing",
    at_stake="the session",
    enter=_connect,
    finish=_nothing,
)
CALLER: Final = Phase(
    name="caller speaking",
    situation="The caller has said the first second of a question, and the service has heard that speech began.",
    report=f"`resent_audio_ms` {_SAID_MS}",
    kept="nothing: the audio is said again, and the question is heard once, in one piece",
    at_stake="the session, and the question",
    enter=_begin_to_speak,
    finish=_end_to_speak,
    expected=_said_again,
)
AGENT: Final = Phase(
    name="agent speaking",
    situation="The first 400 ms of a reply have come.",
    report="`response` with `asked_again`",
    kept="nothing: the reply is asked for again; the caller may hear its beginning twice",
    at_stake="the session, and the rest of the reply",
    enter=_begin_to_answer,
    finish=_end_to_answer,
    expected=_asked_again,
)
TOOL: Final = Phase(
    name="tool owed",
    situation="The model has called a tool, which is still running.",
    report="`owed_calls` with the call",
    kept="nothing: the tool goes on running, and its result is told to the new session",
    at_stake="the session, and the result of the tool",
    enter=_begin_to_work,
    finish=_end_to_work,
    expected=_owed,
)
CLOSING: Final = Phase(
    name="closing",
    situation="`close()` has sent its frame, and the service has not answered yet.",
    report="",
    kept="nothing",
    at_stake="nothing",
    enter=_begin_to_close,
    finish=_nothing,
)
AGAIN: Final = Phase(
    name="connecting again",
    situation="The connection was reset while nobody spoke, and `Resume` makes another handshake.",
    report="",
    kept="nothing",
    at_stake="the session",
    enter=_connect,
    finish=_nothing,
    then=lambda scene: scene.proxy.reset(),
)

TALKING: Final = (IDLE, CALLER, AGENT, TOOL)
PHASES: Final = (HANDSHAKE, *TALKING, AGAIN, CLOSING)

"""Real recorded sessions, played to a session by a scripted service: the conversation they hold comes out in full.

The service says its side at the recorded points. The client's side is performed by the session's verbs, by the
session itself where it runs a tool, and as it stands where no verb makes such an event (audio cut to a few bytes, a
part that is spelt ``output_text``); what the session said must then be what was recorded.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from tests.support.server import JsonObject, Line, Server

from voicelive.client import VoiceLiveClient
from voicelive.events import TurnFinished
from voicelive.options import ClientOptions
from voicelive.protocol.latency import TurnLatency
from voicelive.protocol.snapshots import Item, ToolCall, Turn
from voicelive.session import Session
from voicelive.tools import ToolSet, tool
from voicelive.wire.session import SessionConfig

RECORDINGS: Final = Path(__file__).parents[1] / "data" / "recordings"

Summary = tuple[str, str | None, str | None, str | None]
"""Kind, role, status and text of an item; of a result, its output."""


@tool
async def get_weather(city: str) -> str:
    """Look up the weather for a city."""
    return f"It is foggy and 12 degrees in {city}."


class Replay:
    """One recording, walked once by both sides together."""

    def __init__(self, name: str) -> None:
        self._lines = lines_of(name)
        self._responses = sum(line["msg"]["type"] == "response.done" for line in self._lines)
        self.recorded = [line["msg"] for line in self._lines if line["dir"] == "client"]
        self.said: list[JsonObject] = []
        self.announced: list[Turn] = []
        self.items: tuple[Item, ...] = ()
        self.turns: tuple[Turn, ...] = ()
        self.messages: list[dict[str, Any]] = []
        self.odd = 0

    async def run(self) -> None:
        """Afterwards everything above is filled."""
        usable: asyncio.Future[Session] = asyncio.get_running_loop().create_future()

        async def play(line: Line) -> None:
            for recorded in self._lines:
                message = recorded["msg"]
                if recorded["dir"] == "server":
                    await line.socket.send(json.dumps(message))
                    continue
                if message["type"] != "session.update":
                    await perform(await usable, message)
                self.said.append(await line.hear())
            await line.stay()

        config = SessionConfig.model_validate_json(json.dumps(self.recorded[0]["session"]))
        async with Server(play) as server:
            client = VoiceLiveClient(server.endpoint, "any-key", options=ClientOptions(ping_interval_s=None))
            async with client.connect("gpt-realtime", config=config) as session:
                session.use_tools(ToolSet(get_weather))
                with session.subscribe(TurnFinished) as finished:
                    usable.set_result(session)
                    while sum(len(turn.response_ids) for turn in self.announced) < self._responses:
                        self.announced.append((await anext(finished)).turn)
                self.items, self.turns = session.conversation.items, session.conversation.turns
                self.messages = session.conversation.messages()
                counts = session.counts
                self.odd = counts.undecodable_frames + counts.unknown_events + counts.malformed_events


async def perform(session: Session, message: JsonObject) -> None:
    """What the recorded client did, by the verb for it; what a tool leads to is the session's own doing."""
    item = message.get("item", {})
    match message["type"], item.get("type"), item.get("role"):
        case "conversation.item.create", "message", "user":
            await session.send_text(item["content"][0]["text"])
        case "conversation.item.create", "function_call_output", _:
            pass
        case "response.create", _, _:
            if not any(entry.kind == "function_call_output" or entry.call for entry in session.conversation.items):
                await session.create_response(confirm=False)
        case _:
            await session.send_raw(message)


def lines_of(name: str) -> list[JsonObject]:
    return [json.loads(line) for line in (RECORDINGS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def without_our_ids(event: JsonObject) -> JsonObject:
    """What was said, less the ids and the tag that the session adds to find its answers."""
    plain = {key: value for key, value in event.items() if key not in ("event_id", "response")}
    if "item" in plain:
        plain["item"] = {key: value for key, value in plain["item"].items() if key != "id"}
    wishes = {key: value for key, value in event.get("response", {}).items() if key != "metadata"}
    return {**plain, "response": wishes} if wishes else plain


def summary(item: Item) -> Summary:
    return item.kind, item.role, item.status, item.output if item.kind == "function_call_output" else item.text


def usage_of(name: str) -> list[dict[str, int]]:
    """The tokens of each response, read without the SDK."""
    ends = [line["msg"]["response"] for line in lines_of(name) if line["msg"]["type"] == "response.done"]
    return [end["usage"] for end in ends]


async def replayed(name: str) -> Replay:
    """A recording after its end, with what holds for each of them."""
    replay = Replay(name)
    await replay.run()
    assert [without_our_ids(event) for event in replay.said] == replay.recorded
    assert replay.odd == 0
    answered = [turn for turn in replay.turns if turn.response_ids]  # restored ones are not announced
    assert [told(turn) for turn in replay.announced] == [told(turn) for turn in answered]
    assert [tokens.model_dump(mode="json", exclude_unset=True) for turn in replay.turns for tokens in turn.usage] == (
        usage_of(name)
    )
    return replay


def told(turn: Turn) -> Turn:
    """A turn without what depends on the clock or is compared elsewhere."""
    return replace(turn, latency=TurnLatency(), usage=())


async def test_a_typed_question_with_a_spoken_answer() -> None:
    replay = await replayed("text_in_audio_out_turn")

    question, answer = "item_60aC9fbklRnUprIbPDwHTj", "item_E4BAqvdWBX2CPiTEwdsGK"
    assert [item.id for item in replay.items] == [question, answer]
    assert [summary(item) for item in replay.items] == [
        ("message", "user", "completed", "Say a short greeting."),
        ("message", "assistant", "completed", "Hola, ¿qué tal?"),
    ]
    assert [told(turn) for turn in replay.turns] == [
        Turn(
            id="turn_1",
            status="finished",
            caller_item_ids=(question,),
            caller_text="Say a short greeting.",
            agent_item_ids=(answer,),
            agent_text="Hola, ¿qué tal?",
            agent_heard_text="Hola, ¿qué tal?",
            response_ids=("resp_E4BAqe5bKD2fzpGWYUcxW",),
        )
    ]
    assert replay.messages == [
        {"role": "user", "content": "Say a short greeting."},
        {"role": "assistant", "content": "Hola, ¿qué tal?"},
    ]


async def test_a_spoken_question() -> None:
    replay = await replayed("audio_in_server_vad_turn")

    question, answer = "item_E4BAsP00UV55RqqV8zSub", "item_E4BAsZXoSuYWxcYtda12l"
    reply = "Hi Marcelo, nice to meet you! How can I help you today?"
    assert [item.id for item in replay.items] == [question, answer]
    assert [summary(item) for item in replay.items] == [
        ("message", "user", "completed", "Cześć, nazywam się Marcelo."),
        ("message", "assistant", "completed", reply),
    ]
    assert replay.items[0].transcription == "completed"
    assert [told(turn) for turn in replay.turns] == [
        Turn(
            id="turn_1",
            status="finished",
            caller_item_ids=(question,),
            caller_text="Cześć, nazywam się Marcelo.",
            agent_item_ids=(answer,),
            agent_text=reply,
            agent_heard_text=reply,
            response_ids=("resp_E4BAsy7BWzPzysFg4Xvvk",),
        )
    ]
    assert replay.messages == [
        {"role": "user", "content": "Cześć, nazywam się Marcelo."},
        {"role": "assistant", "content": reply},
    ]


async def test_a_typed_question_with_a_written_answer() -> None:
    replay = await replayed("text_output_modality_returns_text")

    question, answer = "item_2dKX0Hd5dzTtZO9IaxpcfG", "item_EAKJURSUNAdRnKbgt6QVq"
    assert [item.id for item in replay.items] == [question, answer]
    assert [summary(item) for item in replay.items] == [
        ("message", "user", "completed", "Say a short greeting."),
        ("message", "assistant", "completed", "Hello there!"),
    ]
    assert [told(turn) for turn in replay.turns] == [
        Turn(
            id="turn_1",
            status="finished",
            caller_item_ids=(question,),
            caller_text="Say a short greeting.",
            agent_item_ids=(answer,),
            agent_text="Hello there!",
            agent_heard_text="Hello there!",
            response_ids=("resp_EAKJUNRtXsIYhZs4aEePt",),
        )
    ]
    assert replay.messages == [
        {"role": "user", "content": "Say a short greeting."},
        {"role": "assistant", "content": "Hello there!"},
    ]


async def test_a_history_of_another_session_and_a_question_about_it() -> None:
    replay = await replayed("message_history_seeding")

    name, greeting, question, answer = (
        "item_502DFDvolZ8VetrqA6mFvP",
        "item_3Iw6iOWQ8fzzT19ijANWog",
        "item_4rM3Tcyn8EHtAC1rAtEU8T",
        "item_E4BAwex9dP7OdCGHkmTH8",
    )
    contents = [
        ("user", "My name is Alice and my favorite color is teal."),
        ("assistant", "Nice to meet you, Alice!"),
        ("user", "What is my name and favorite color?"),
        (
            "assistant",
            "Your name is Alice, and your favorite color is teal! "
            "Got it locked in. Anything else fun you want to share?",
        ),
    ]
    assert [item.id for item in replay.items] == [name, greeting, question, answer]
    assert [summary(item) for item in replay.items] == [("message", role, "completed", text) for role, text in contents]
    first, second = (told(turn) for turn in replay.turns)
    assert first == Turn(
        id="turn_1",
        status="finished",
        caller_item_ids=(name,),
        caller_text=contents[0][1],
        agent_item_ids=(greeting,),
        agent_text=contents[1][1],
        agent_heard_text=contents[1][1],
    )
    assert second == Turn(
        id="turn_2",
        status="finished",
        caller_item_ids=(question,),
        caller_text=contents[2][1],
        agent_item_ids=(answer,),
        agent_text=contents[3][1],
        agent_heard_text=contents[3][1],
        response_ids=("resp_E4BAw18ZvlnLr5fYfudww",),
    )
    assert replay.messages == [{"role": role, "content": text} for role, text in contents]


async def test_a_round_of_tools() -> None:
    replay = await replayed("tool_call_round")

    question, call, result, answer = (
        "item_1NEGWt6HlQ4SHbk7pOcFOC",
        "item_E4BAvo5DXdxEo29tRXlor",
        "item_7cfrf6iwUkHTO5yiwWdT8h",
        "item_E4BAv7tLiUUCjXx1w627g",
    )
    arguments = '{  \n  "city": "London" \n} \n'
    output = "It is foggy and 12 degrees in London."
    reply = "It's foggy and 12 degrees in London right now."
    made = ToolCall(
        item_id=call,
        kind="function_call",
        call_id="call_gjTmnRCz6ans0s2H",
        name="get_weather",
        arguments=arguments,
        output=output,
        response_id="resp_E4BAvPKQEyg2Qv1zUb9bh",
    )
    assert [item.id for item in replay.items] == [question, call, result, answer]
    assert [summary(item) for item in replay.items] == [
        ("message", "user", "completed", "What is the weather in London?"),
        ("function_call", None, "completed", None),
        ("function_call_output", None, None, output),
        ("message", "assistant", "completed", reply),
    ]
    assert replay.items[1].call == made
    assert [told(turn) for turn in replay.turns] == [
        Turn(
            id="turn_1",
            status="finished",
            caller_item_ids=(question,),
            caller_text="What is the weather in London?",
            agent_item_ids=(call, result, answer),
            agent_text=reply,
            agent_heard_text=reply,
            tool_calls=(made,),
            response_ids=("resp_E4BAvPKQEyg2Qv1zUb9bh", "resp_E4BAvoKZl13g0SVmnP600"),
        )
    ]
    function = {"name": "get_weather", "arguments": arguments}
    assert replay.messages == [
        {"role": "user", "content": "What is the weather in London?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": made.call_id, "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": made.call_id, "content": output},
        {"role": "assistant", "content": reply},
    ]


def test_there_are_no_other_recordings() -> None:
    assert len(list(RECORDINGS.glob("*.jsonl"))) == 5

"""One session over a real socket: settings, items and errors, seen by a plain client."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voicelive import wire
from voicelive.testing import Call, Emulator, Heard, Pace, Script, ToneVoice, Turn
from voicelive.testing.ids import Ids
from voicelive.testing.items import CallItem
from voicelive.testing.replies import Studio
from voicelive.testing.service import Service
from voicelive.testing.settings import Settings
from voicelive.testing.stage import Stage


def types(events: list[dict[str, Any]]) -> list[str]:
    """Event types in order; repeats of one type in a row count once."""
    found: list[str] = []
    for event in events:
        if not found or found[-1] != event["type"]:
            found.append(event["type"])
    return found


@pytest.fixture
def quiet() -> ToneVoice:
    return ToneVoice()


async def test_the_service_speaks_first_and_reports_every_setting(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator, skip_created=False)
        created = await peer.receive()

    session = created["session"]
    assert created["type"] == "session.created"
    assert session["id"] == emulator.sessions[0].id
    assert session["model"] == "gpt-realtime-global-standard"
    assert session["turn_detection"]["prefix_padding_ms"] == 300
    assert session["input_audio_transcription"] is None


async def test_an_update_is_answered_with_the_settings_in_effect(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        session = await peer.update(instructions="Be brief.", turn_detection={"type": "server_vad"})

    assert session["instructions"] == "Be brief."
    assert session["turn_detection"]["prefix_padding_ms"] == 400
    assert session["turn_detection"]["silence_duration_ms"] == 500


async def test_a_text_turn_has_the_order_of_the_service(dial: Any) -> None:
    async with Emulator(Script("Hello there!")) as emulator:
        peer = await dial(emulator)
        await peer.update(modalities=["text"])
        events = await peer.ask("Hi")

    assert types(events) == [
        "conversation.item.created",
        "response.created",
        "response.output_item.added",
        "conversation.item.created",
        "response.content_part.added",
        "response.text.delta",
        "response.text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.done",
    ]
    deltas = "".join(event["delta"] for event in events if event["type"] == "response.text.delta")
    assert deltas == "Hello there!"
    assert events[-1]["response"]["status"] == "completed"


async def test_every_event_has_an_id_of_its_own(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        await peer.ask("Hello")
        ids = [event["event_id"] for event in peer.events]

    assert len(set(ids)) == len(ids)
    assert all(name.startswith("event_") for name in ids)


@pytest.mark.parametrize(
    ("frame", "code", "param"),
    [
        ("not json", "invalid_event", None),
        ("[1, 2]", "invalid_event", None),
        ("{}", "missing_required_parameter", "type"),
        ('{"type": "no.such.event"}', "invalid_value", "type"),
        ('{"type": 7}', "invalid_value", "type"),
        ('{"type": "conversation.item.create"}', "missing_required_parameter", "item"),
        ('{"type": "response.create", "respones": {}}', "unknown_parameter", "respones"),
        ('{"type": "input_audio_buffer.append"}', "missing_required_parameter", "audio"),
        ('{"type": "input_audio_buffer.append", "audio": "%%%"}', "invalid_value", "audio"),
        ('{"type": "input_audio_buffer.append", "audio": 5}', "invalid_value", "audio"),
        ('{"type": "conversation.item.delete", "item_id": "none"}', "invalid_value", "item_id"),
        ('{"type": "conversation.item.retrieve", "item_id": "none"}', "invalid_value", "item_id"),
        ('{"type": "input_audio_buffer.commit"}', "input_audio_buffer_commit_empty", None),
        ('{"type": "response.cancel"}', "response_cancel_not_active", None),
        ('{"type": "session.avatar.connect", "client_sdp": "x"}', "invalid_value", None),
        ('{"type": "session.avatar.connect"}', "missing_required_parameter", "client_sdp"),
    ],
)
async def test_a_bad_event_is_answered_with_an_error_and_the_session_goes_on(
    dial: Any, frame: str, code: str, param: str | None
) -> None:
    async with Emulator(Script("Still here.")) as emulator:
        peer = await dial(emulator)
        await peer.socket.send(frame)
        error = (await peer.one("error"))["error"]
        done = (await peer.ask("Hi"))[-1]

    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)
    assert set(error) == {"type", "code", "message", "param", "event_id"}
    assert done["response"]["status"] == "completed"


async def test_an_error_names_the_client_event_at_fault(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        await peer.send("session.update", event_id="mine", session={"nonsense": 1})
        error = await peer.one("error")

    assert error["error"]["event_id"] == "mine"
    assert error["error"]["code"] == "unknown_parameter"
    assert error["error"]["param"] == "session.nonsense"


async def test_json_in_a_binary_frame_is_read_too(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        await peer.socket.send(json.dumps({"type": "input_audio_buffer.clear"}).encode())
        assert (await peer.receive())["type"] == "input_audio_buffer.cleared"


async def test_items_stand_where_the_client_puts_them(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        await peer.write("second", id="b")
        assert (await peer.one("conversation.item.created"))["previous_item_id"] is None
        await peer.send(
            "conversation.item.create",
            previous_item_id="root",
            item={"id": "a", "type": "message", "role": "system", "content": [{"type": "input_text", "text": "x"}]},
        )
        assert (await peer.one("conversation.item.created"))["previous_item_id"] is None
        await peer.send(
            "conversation.item.create",
            previous_item_id="a",
            item={"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "between"}]},
        )
        created = await peer.one("conversation.item.created")
        conversation = emulator.sessions[0].conversation

    assert created["previous_item_id"] == "a"
    assert created["item"]["content"] == [{"type": "text", "text": "between"}]
    assert [item.id for item in conversation] == ["a", created["item"]["id"], "b"]


async def test_an_item_id_is_taken_only_once(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        await peer.write("one", id="same")
        await peer.write("two", id="same")
        error = await peer.one("error")

    assert error["error"]["param"] == "item.id"


async def test_a_spoken_reply_is_retrieved_with_its_audio_and_loses_its_transcript_when_cut(
    dial: Any, quiet: ToneVoice
) -> None:
    async with Emulator(Script("A sentence of some length."), voice=quiet) as emulator:
        peer = await dial(emulator)
        events = await peer.ask("Hi")
        item_id = events[-1]["response"]["output"][0]["id"]
        sent = b"".join(base64.b64decode(e["delta"]) for e in events if e["type"] == "response.audio.delta")
        await peer.send("conversation.item.retrieve", item_id=item_id)
        whole = (await peer.one("conversation.item.retrieved"))["item"]["content"][0]
        await peer.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=500)
        truncated = await peer.one("conversation.item.truncated")
        await peer.send("conversation.item.retrieve", item_id=item_id)
        cut = (await peer.one("conversation.item.retrieved"))["item"]["content"][0]

    assert base64.b64decode(whole["audio"]) == sent
    assert whole["transcript"] == "A sentence of some length."
    assert {key: truncated[key] for key in ("item_id", "content_index", "audio_end_ms")} == {
        "item_id": item_id,
        "content_index": 0,
        "audio_end_ms": 500,
    }
    assert base64.b64decode(cut["audio"]) == sent[: 500 * 48]
    assert cut["transcript"] is None


async def test_truncating_beyond_the_length_is_an_error(dial: Any, quiet: ToneVoice) -> None:
    async with Emulator(Script("Short."), voice=quiet) as emulator:
        peer = await dial(emulator)
        item_id = (await peer.ask("Hi"))[-1]["response"]["output"][0]["id"]
        await peer.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=60_000)
        error = await peer.one("error")

    assert (error["error"]["code"], error["error"]["param"]) == ("invalid_value", "audio_end_ms")


async def test_a_deleted_item_is_gone(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        await peer.write("forget me", id="x")
        await peer.send("conversation.item.delete", item_id="x")
        assert (await peer.one("conversation.item.deleted"))["item_id"] == "x"
        assert emulator.sessions[0].conversation == []


async def test_text_can_be_streamed_into_an_item(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        await peer.write("Do you ", id="t")
        await peer.send("input_text.delta", id="t", delta="have a table?")
        await peer.send("input_text.done", id="t")
        await peer.send("conversation.item.retrieve", item_id="t")
        item = (await peer.one("conversation.item.retrieved"))["item"]

    assert item["content"] == [{"type": "input_text", "text": "Do you have a table?"}]


async def test_the_voice_is_frozen_once_the_agent_has_spoken(dial: Any, quiet: ToneVoice) -> None:
    async with Emulator(Script("Hello."), voice=quiet) as emulator:
        peer = await dial(emulator)
        await peer.update(voice="marin")
        await peer.ask("Hi")
        await peer.send("session.update", session={"voice": {"type": "openai", "name": "alloy"}})
        error = await peer.one("error")

    assert (error["error"]["code"], error["error"]["param"]) == ("cannot_update_voice", "session.voice")


async def test_an_output_needs_its_call(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        output = {"type": "function_call_output", "call_id": "never", "output": "x"}
        await peer.send("conversation.item.create", item=output)
        error = await peer.one("error")

    assert error["error"]["param"] == "item.call_id"


async def test_the_output_buffer_can_be_cleared(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        await peer.send("output_audio_buffer.clear")
        assert (await peer.receive())["type"] == "output_audio_buffer.cleared"


@pytest.mark.looptime
async def test_updated_settings_are_confirmed_after_the_measured_wait(dial: Any) -> None:
    async with Emulator(pace=Pace.measured()) as emulator:
        peer = await dial(emulator)
        before_s = asyncio.get_running_loop().time()
        await peer.update(instructions="x")
        waited_s = asyncio.get_running_loop().time() - before_s

    assert waited_s == pytest.approx(0.053, abs=0.02)


async def test_a_rule_that_fails_ends_the_session_and_surfaces_in_the_test(dial: Any) -> None:
    def broken(heard: object) -> Turn:
        raise LookupError("no such answer")

    emulator = Emulator(Script(broken))
    await emulator.start()
    peer = await dial(emulator)
    await peer.send("response.create")
    await peer.socket.wait_closed()
    with pytest.raises(LookupError):
        await emulator.close()

    assert peer.socket.close_code == 1011
    await emulator.close()


async def test_calls_of_a_replayed_history_can_be_answered(dial: Any) -> None:
    async with Emulator(Script(Turn(calls=[Call("f")]))) as emulator:
        peer = await dial(emulator)
        call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
        await peer.send("conversation.item.create", item=call)
        await peer.send(
            "conversation.item.create", item={"type": "function_call_output", "call_id": "c1", "output": "done"}
        )
        created = (await peer.until("conversation.item.created"))[-1]
        output = await peer.one("conversation.item.created")

    assert created["item"]["type"] == "function_call"
    assert set(output["item"]) == {"id", "object", "type", "call_id", "output"}


async def test_settings_without_effect_are_warned_of_once_after_the_update(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        detection = {"type": "server_vad", "idle_timeout_ms": 5_000}
        await peer.update(greeting={"type": "x"}, turn_detection=detection)
        warnings = [(await peer.one("warning"))["warning"] for _ in range(2)]
        await peer.update(greeting={"type": "y"}, turn_detection=detection)
        await peer.no_more()

    assert [(warning["code"], warning["param"]) for warning in warnings] == [
        ("emulator_not_played", "session.greeting"),
        ("emulator_not_played", "session.turn_detection.idle_timeout_ms"),
    ]
    assert "greeting" in warnings[0]["message"]


async def test_a_refused_update_warns_of_nothing(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        await peer.send("session.update", session={"greeting": {"type": "x"}, "nonsense": 1})
        assert (await peer.receive())["type"] == "error"
        await peer.no_more()


async def test_a_response_is_warned_of_before_it_begins(dial: Any) -> None:
    async with Emulator(Script("Hello.", "Again.")) as emulator:
        peer = await dial(emulator)
        first = await peer.ask("Hi", modalities=["text"], temperature=0.7)
        second = await peer.ask("Hi", modalities=["text"], temperature=0.7)

    assert types(first)[1:3] == ["warning", "response.created"]
    assert first[1]["warning"]["param"] == "response.temperature"
    assert "warning" not in types(second)


class Collector:
    """An outlet that keeps everything."""

    def __init__(self) -> None:
        self.events: list[wire.ServerEvent] = []

    def send(self, event: wire.ServerEvent) -> None:
        self.events.append(event)

    async def room(self) -> None:
        await asyncio.sleep(0)


class Beep:
    """A voice of 10 ms a character."""

    def speak(self, text: str, rate_hz: int) -> bytes:
        return bytes(rate_hz // 100 * 2 * len(text))


def any_turn(heard: Heard) -> Turn:
    return Turn("Hi.", calls=[Call("book_table", {"guests": 2})]) if heard.tools else Turn("Good evening.")


async def converse(frames: list[str], waits: list[int]) -> list[wire.ServerEvent]:
    """All events of a session without a socket that is sent these frames, a few loop turns apart."""
    failures: list[BaseException] = []
    collector = Collector()
    stage = Stage(
        ids=Ids(1),
        settings=Settings(session_id="sess", model="gpt-realtime", expires_at=1),
        script=Script(then=any_turn),
        pace=Pace.instant(),
        studio=Studio(Beep()),
        outlet=collector,
        failed=failures.append,
        conversation_id="conv",
    )
    service = Service(stage, "gpt-realtime", lambda event: None)
    service.open()
    for frame, wait in zip(frames, waits, strict=True):
        await service.receive(frame)
        for _ in range(wait):
            await asyncio.sleep(0)
    await service.receive('{"type": "response.cancel"}')
    await stage.end()
    await service.close()
    assert failures == []
    return collector.events


SAMPLES = Path(__file__).parent.parent / "data" / "samples"
CLIENT_FRAMES = [
    line for name in ("client.jsonl", "v1_client.jsonl") for line in (SAMPLES / name).read_text().splitlines() if line
]
MORE_FRAMES = [
    '{"type": "session.update", "session": {"turn_detection": null}}',
    '{"type": "session.update", "session": {"tools": [{"type": "function", "name": "f"}]}}',
    '{"type": "response.create", "response": {"cancel_previous": true}}',
    '{"type": "response.create", "response": {"conversation": "none"}}',
    '{"type": "response.cancel"}',
    '{"type": "conversation.item.truncate", "item_id": "item_text1", "content_index": 0, "audio_end_ms": 1}',
    '{"type": "conversation.item.delete", "item_id": "item_text1"}',
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(CLIENT_FRAMES + MORE_FRAMES), st.integers(0, 30)), max_size=12))
def test_no_order_of_client_events_breaks_a_session(steps: list[tuple[str, int]]) -> None:
    events = asyncio.run(converse([frame for frame, _ in steps], [wait for _, wait in steps]))

    for event in events:
        decoded = wire.decode(wire.encode(event))
        assert type(decoded) is type(event), "the client can read it as what it is"
    started = [event.response.id for event in events if isinstance(event, wire.ResponseCreated)]
    ended = [event.response.id for event in events if isinstance(event, wire.ResponseDone)]
    assert set(ended) <= set(started)
    assert len(set(ended)) == len(ended)
    ids = [event.event_id for event in events]
    assert len(set(ids)) == len(ids)


def message(role: str, part: str, text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": part, "text": text}], **fields}


CALL = {"type": "function_call", "id": "item_s1_0006", "name": "look_up", "call_id": "call_s1_0009", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "id": "out-1", "call_id": "call_s1_0009", "output": "found"}
EARLIER = [
    message("system", "input_text", "Be brief.", id="item_s1_0002", status="completed"),
    message("user", "input_text", "When do you open?", id="item_s1_0004", object="realtime.item"),
    message("assistant", "text", "At nine.", id="my own id"),
    message("assistant", "output_text", "Or at ten.", id="item_s1_0005", status="incomplete"),
    message("user", "input_text", "Look it up.", id="item_s1_0003"),
    CALL,
]
"""A conversation as a client that reconnects may replay it."""


async def test_a_whole_conversation_can_be_replayed_into_a_new_session(dial: Any) -> None:
    heard: list[Heard] = []

    def note(said: Heard) -> Turn:
        heard.append(said)
        return Turn("Found.", calls=[Call("look_up", {})])

    tool = {"type": "function", "name": "look_up", "parameters": {"type": "object", "properties": {}}}
    async with Emulator(Script(then=note)) as emulator:
        peer = await dial(emulator)
        await peer.update(modalities=["text"], tools=[tool])
        for item in EARLIER:
            await peer.send("conversation.item.create", item=item)
        created = [await peer.one("conversation.item.created") for _ in EARLIER]
        await peer.send("response.create")
        await peer.until("response.done")
        await peer.send("conversation.item.create", item=OUTPUT)
        await peer.send("response.create")
        await peer.until("response.done")
        [session] = emulator.sessions

    ids = [item["id"] for item in EARLIER]
    assert [event["item"]["id"] for event in created] == ids
    assert [event["previous_item_id"] for event in created] == [None, *ids[:-1]]
    assert [said.text for said in heard] == ["Look it up.", "Look it up."]
    assert [said.outputs for said in heard] == [(), ("found",)]
    kept = [item.id for item in session.history]
    assert kept[:6] == ids
    assert len(set(kept)) == len(kept) == 11
    calls = [item.call_id for item in session.history if isinstance(item, CallItem)]
    assert calls[0] == "call_s1_0009"
    assert len(set(calls)) == len(calls) == 3


async def test_replayed_ids_of_the_service_are_not_given_out_again(dial: Any) -> None:
    tool = {"type": "function", "name": "look_up", "parameters": {"type": "object", "properties": {}}}
    async with Emulator(Script(Turn("Found.", calls=[Call("look_up", {})]))) as emulator:
        peer = await dial(emulator)
        await peer.update(modalities=["text"], tools=[tool])
        for number in range(100, 200):  # a hundred events later, the session comes to these numbers itself
            call = {**CALL, "id": f"item_s1_{number:04d}", "call_id": f"call_s1_{number:04d}"}
            await peer.send("conversation.item.create", item=call)
        events = await peer.ask("Look it up.")
        [session] = emulator.sessions

    assert events[-1]["response"]["status"] == "completed"
    for ids in ([item.id for item in session.history], [i.call_id for i in session.history if isinstance(i, CallItem)]):
        assert len(set(ids)) == len(ids) > 100


async def test_an_id_can_be_replayed_once(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        await peer.send("conversation.item.create", item=EARLIER[0])
        await peer.one("conversation.item.created")
        await peer.send("conversation.item.create", item=message("user", "input_text", "x", id="item_s1_0002"))
        error = await peer.one("error")
        await peer.no_more()

    assert (error["error"]["code"], error["error"]["param"]) == ("invalid_value", "item.id")
    assert len(emulator.sessions[0].conversation) == 1


async def test_an_output_may_come_long_after_its_call_but_not_before(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        await peer.send("conversation.item.create", item=OUTPUT)
        error = await peer.one("error")
        await peer.send("conversation.item.create", item=CALL)
        await peer.one("conversation.item.created")
        await peer.send("conversation.item.create", item=OUTPUT)
        await peer.one("conversation.item.created")

    assert error["error"]["param"] == "item.call_id"

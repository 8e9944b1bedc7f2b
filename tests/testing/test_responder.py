"""Responses in time, over a real socket: tools, settings of one response, what ends it early."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from voicelive.testing import Call, Emulator, Heard, Pace, Script, ToneVoice, Turn

JsonObject = dict[str, Any]

WEATHER = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}
LONG = "This is a rather long answer, " * 6


def of(events: list[JsonObject], kind: str) -> list[JsonObject]:
    return [event for event in events if event["type"] == kind]


def joined(events: list[JsonObject], kind: str) -> str:
    return "".join(event["delta"] for event in of(events, kind))


async def answer(peer: Any, call_id: str, output: str) -> None:
    item = {"type": "function_call_output", "call_id": call_id, "output": output}
    await peer.send("conversation.item.create", item=item)


async def test_a_call_comes_in_pieces_and_is_complete_when_done(dial: Any) -> None:
    async with Emulator(Script(Turn(calls=[Call("get_weather", {"city": "Lisbon"})]))) as emulator:
        peer = await dial(emulator)
        events = await peer.ask("Weather?")

    [added] = of(events, "response.output_item.added")
    [done] = of(events, "response.function_call_arguments.done")
    assert (added["item"]["arguments"], added["item"]["status"]) == ("", "in_progress")
    assert len(of(events, "response.function_call_arguments.delta")) > 1
    assert joined(events, "response.function_call_arguments.delta") == done["arguments"]
    assert (done["name"], json.loads(done["arguments"])) == ("get_weather", {"city": "Lisbon"})
    [item] = events[-1]["response"]["output"]
    assert (item["type"], item["status"], item["call_id"]) == ("function_call", "completed", done["call_id"])


async def test_the_reply_after_parallel_calls_waits_for_every_output(dial: Any) -> None:
    turn = Turn(
        "One moment.",
        calls=[Call("sky", {"city": "Lisbon"}), Call("clock")],
        reply_after_calls=lambda outputs: " and ".join(outputs),
    )
    async with Emulator(Script(turn, "Too early.")) as emulator:
        peer = await dial(emulator)
        await peer.update(modalities=["text"])
        events = await peer.ask("Sky and time?")
        sky, clock = (item["call_id"] for item in events[-1]["response"]["output"][1:])
        await answer(peer, clock, "three o'clock")
        early = await peer.ask("Well?")
        await answer(peer, sky, "sunny")
        await peer.send("response.create")
        late = await peer.until("response.done")
        remaining = emulator.script.remaining

    assert [item["type"] for item in events[-1]["response"]["output"]] == ["message", "function_call", "function_call"]
    assert [event["output_index"] for event in of(events, "response.output_item.added")] == [0, 1, 2]
    assert joined(early, "response.text.delta") == "Too early."
    assert joined(late, "response.text.delta") == "sunny and three o'clock"
    assert remaining == ()


async def test_calls_can_go_on_for_several_rounds(dial: Any) -> None:
    second = Turn(calls=[Call("book")], reply_after_calls="It is booked.")
    async with Emulator(Script(Turn(calls=[Call("find")], reply_after_calls=second))) as emulator:
        peer = await dial(emulator)
        names = []
        done = (await peer.ask("A table, please."))[-1]
        while (item := done["response"]["output"][0])["type"] == "function_call":
            names.append(item["name"])
            await answer(peer, item["call_id"], "{}")
            await peer.send("response.create")
            done = await peer.one("response.done")

    assert names == ["find", "book"]
    assert done["response"]["output"][0]["content"][0]["transcript"] == "It is booked."


async def test_without_parallel_calls_each_has_a_response_of_its_own(dial: Any) -> None:
    turn = Turn(calls=[Call("a"), Call("b")], reply_after_calls=lambda outputs: ",".join(outputs))
    async with Emulator(Script(turn)) as emulator:
        peer = await dial(emulator)
        await peer.update(modalities=["text"], parallel_tool_calls=False)
        done = (await peer.ask("Go"))[-1]
        for output in ("1", "2"):
            [item] = done["response"]["output"]
            await answer(peer, item["call_id"], output)
            await peer.send("response.create")
            events = await peer.until("response.done")
            done = events[-1]

    assert joined(events, "response.text.delta") == "1,2"


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ("none", []),
        ("auto", ["get_weather"]),
        ({"type": "function", "name": "get_weather"}, ["get_weather"]),
        ({"type": "function", "name": "other"}, ["other"]),
    ],
)
async def test_the_tool_choice_of_a_response_is_obeyed(dial: Any, choice: object, called: list[str]) -> None:
    async with Emulator(Script(Turn(calls=[Call("get_weather")], reply_after_calls="Sunny."))) as emulator:
        peer = await dial(emulator)
        await peer.update(tools=[WEATHER])
        done = (await peer.ask("Weather?", tool_choice=choice))[-1]

    calls = [item["name"] for item in done["response"]["output"] if item["type"] == "function_call"]
    assert calls == called


async def test_a_second_response_is_refused_while_one_runs(dial: Any) -> None:
    async with Emulator(Script(LONG, "never"), pace=Pace(first_audio_s=60)) as emulator:
        peer = await dial(emulator)
        await peer.send("response.create")
        await peer.one("response.created")
        await peer.send("response.create", event_id="second", response={"cancel_previous": False})
        error = await peer.one("error")

    assert error["error"]["code"] == "conversation_already_has_active_response"
    assert error["error"]["event_id"] == "second"


async def test_a_response_replaces_the_running_one_only_when_told_to(dial: Any) -> None:
    async with Emulator(Script(LONG, "The new one."), pace=Pace(first_audio_s=60)) as emulator:
        peer = await dial(emulator)
        await peer.send("response.create")
        first = await peer.one("response.created")
        await peer.send("response.create", response={"cancel_previous": True, "modalities": ["text"]})
        cancelled = await peer.one("response.done")
        done = await peer.one("response.done")

    assert cancelled["response"]["id"] == first["response"]["id"]
    assert cancelled["response"]["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    assert done["response"]["status"] == "completed"


async def test_cancelling_closes_what_is_open_and_leaves_the_item_incomplete(dial: Any) -> None:
    pace = Pace(first_audio_s=0, audio_delta_ms=100, audio_speedup=0.001)  # the second delta is 100 s away
    async with Emulator(Script(LONG), voice=ToneVoice(), pace=pace) as emulator:
        peer = await dial(emulator)
        await peer.send("response.create")
        await peer.one("response.audio.delta")
        await peer.send("response.cancel")
        events = await peer.until("response.done")

    assert [event["type"] for event in events] == [
        "response.audio.done",
        "response.audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.done",
    ]
    response = events[-1]["response"]
    assert response["status"] == "cancelled"
    assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    assert response["output"][0]["status"] == "incomplete"
    assert response["usage"]["output_token_details"]["audio_tokens"] == 2


async def test_a_response_cancelled_before_it_began_is_still_announced(dial: Any) -> None:
    async with Emulator(Script(LONG), pace=Pace(response_created_s=60)) as emulator:
        peer = await dial(emulator)
        await peer.send("response.create")
        await peer.send("response.cancel")
        events = await peer.until("response.done")

    assert [event["type"] for event in events] == ["response.created", "response.done"]
    assert events[-1]["response"]["output"] == []


async def test_a_running_call_is_closed_when_cancelled(dial: Any) -> None:
    async with Emulator(Script(Turn(calls=[Call("f", {"a": 1})])), pace=Pace(text_delta_s=60)) as emulator:
        peer = await dial(emulator)
        await peer.send("response.create")
        await peer.one("response.function_call_arguments.delta")
        await peer.send("response.cancel")
        events = await peer.until("response.done")

    assert events[0]["type"] == "response.function_call_arguments.done"
    assert events[1]["item"]["status"] == "incomplete"


async def test_an_out_of_band_response_leaves_no_trace_in_the_conversation(dial: Any) -> None:
    async with Emulator(Script("Summary.")) as emulator:
        peer = await dial(emulator)
        events = await peer.ask(
            "Hi", conversation="none", modalities=["text"], metadata={"topic": "sum"}, input_items=[]
        )
        kept = len(emulator.sessions[0].conversation)

    response = events[-1]["response"]
    assert response["conversation_id"] is None
    assert response["metadata"] == {"topic": "sum"}
    assert response["modalities"] == ["text"]
    assert len(of(events, "conversation.item.created")) == 1
    assert kept == 1  # what the user wrote


async def test_out_of_band_responses_run_beside_the_conversation(dial: Any) -> None:
    async with Emulator(Script(LONG, "Aside."), pace=Pace(first_audio_s=60)) as emulator:
        peer = await dial(emulator)
        await peer.send("response.create")
        main = await peer.one("response.created")
        await peer.send("response.create", response={"conversation": "none", "modalities": ["text"]})
        aside = await peer.one("response.done")
        await peer.send("response.cancel")
        cancelled = await peer.one("response.done")

    assert aside["response"]["status"] == "completed"
    assert cancelled["response"]["id"] == main["response"]["id"]


async def test_an_aside_leaves_the_answer_to_a_call_alone(dial: Any) -> None:
    async with Emulator(Script(Turn(calls=[Call("f")], reply_after_calls="It is done."), "Aside.")) as emulator:
        peer = await dial(emulator)
        await peer.update(modalities=["text"])
        [call] = (await peer.ask("Do it"))[-1]["response"]["output"]
        await answer(peer, call["call_id"], "ok")
        await peer.send("response.create", response={"conversation": "none"})
        aside = await peer.until("response.done")
        await peer.send("response.create")
        done = await peer.until("response.done")

    assert joined(aside, "response.text.delta") == "Aside."
    assert joined(done, "response.text.delta") == "It is done."


async def test_a_pre_generated_message_is_spoken_word_for_word_and_uses_no_turn(dial: Any) -> None:
    message = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Good evening!"}]}
    async with Emulator(Script("unused"), voice=ToneVoice()) as emulator:
        peer = await dial(emulator)
        await peer.send("response.create", response={"pre_generated_assistant_message": message})
        events = await peer.until("response.done")
        remaining = emulator.script.remaining

    assert joined(events, "response.audio_transcript.delta") == "Good evening!"
    assert of(events, "response.audio.delta")
    assert events[-1]["response"]["usage"]["input_tokens"] == 0
    assert len(remaining) == 1


async def test_a_tiny_token_cap_cuts_the_reply_short(dial: Any) -> None:
    async with Emulator(Script("One two three four five six seven eight nine ten.")) as emulator:
        peer = await dial(emulator)
        events = await peer.ask("Count", modalities=["text"], max_output_tokens=3)

    response = events[-1]["response"]
    assert (response["status"], response["max_output_tokens"]) == ("incomplete", 3)
    assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
    assert response["output"][0]["status"] == "incomplete"
    assert response["usage"]["output_tokens"] <= 3
    assert 0 < len(joined(events, "response.text.delta")) < 30


@pytest.mark.parametrize(
    ("output_format", "bytes_per_second"),
    [
        ("pcm16", 48_000),
        ("pcm16_16000hz", 32_000),
        ("pcm16_8000hz", 16_000),
        ("g711_ulaw", 8_000),
        ("g711_alaw", 8_000),
    ],
)
async def test_audio_comes_in_the_output_format(dial: Any, output_format: str, bytes_per_second: int) -> None:
    async with Emulator(Script("It sounds."), voice=ToneVoice()) as emulator:
        peer = await dial(emulator)
        await peer.update(output_audio_format=output_format)
        events = await peer.ask("Hi")

    audio = b"".join(base64.b64decode(event["delta"]) for event in of(events, "response.audio.delta"))
    assert len(audio) == pytest.approx(bytes_per_second * 10 / 15, rel=0.01)


async def test_word_times_come_with_azure_voices_only(dial: Any) -> None:
    async with Emulator(Script("Two words.", "Two words."), voice=ToneVoice()) as emulator:
        peer = await dial(emulator)
        await peer.update(output_audio_timestamp_types=["word"], voice={"type": "azure-standard", "name": "en-US-Ava"})
        timed = await peer.ask("Hi")
        other = await dial(emulator)
        await other.update(output_audio_timestamp_types=["word"])
        untimed = await other.ask("Hi")

    words = of(timed, "response.audio_timestamp.delta")
    assert [word["text"] for word in words] == ["Two", "words."]
    assert words[1]["audio_offset_ms"] == words[0]["audio_duration_ms"]
    types = [event["type"] for event in timed]
    assert types.index("response.audio_timestamp.done") == types.index("response.content_part.done") - 1
    assert not of(untimed, "response.audio_timestamp.delta")


async def test_visemes_come_beside_the_audio_of_azure_voices_and_end_after_it(dial: Any) -> None:
    async with Emulator(Script("A reply of several words.", "Just as long a reply."), voice=ToneVoice()) as emulator:
        peer = await dial(emulator)
        await peer.update(
            animation={"outputs": ["viseme_id"]},
            output_audio_timestamp_types=["word"],
            voice={"type": "azure-standard", "name": "en-US-Ava"},
        )
        events = await peer.ask("Hi")
        other = await dial(emulator)
        await other.update(animation={"outputs": ["viseme_id"]})
        without = await other.ask("Hi")

    shapes = of(events, "response.animation_viseme.delta")
    offsets = [shape["audio_offset_ms"] for shape in shapes]
    assert offsets == sorted(set(offsets))
    assert len(shapes) > 10
    assert shapes[-1]["viseme_id"] == 0
    types = [event["type"] for event in events]
    assert types.index("response.audio.delta") < types.index("response.animation_viseme.delta")
    assert len(of(events, "response.audio.delta")) > 1
    second_audio = [index for index, kind in enumerate(types) if kind == "response.audio.delta"][1]
    early = of(events[:second_audio], "response.animation_viseme.delta")
    assert [shape["audio_offset_ms"] for shape in early] == [offset for offset in offsets if offset < 500]
    assert types[types.index("response.audio.done") :][:5] == [
        "response.audio.done",
        "response.audio_transcript.done",
        "response.audio_timestamp.done",
        "response.animation_viseme.done",
        "response.content_part.done",
    ]
    assert not [event for event in without if "viseme" in event["type"]]


async def test_blendshapes_come_in_batches_beside_their_audio_and_end_after_it(dial: Any) -> None:
    async with Emulator(Script("A reply of several words.", "Just as long a reply."), voice=ToneVoice()) as emulator:
        peer = await dial(emulator)
        voice = {"type": "azure-standard", "name": "en-US-Ava"}
        await peer.update(animation={"outputs": ["blendshapes", "viseme_id"]}, voice=voice)
        events = await peer.ask("Hi")
        other = await dial(emulator)
        await other.update(animation={"outputs": ["blendshapes"]})
        without = await other.ask("Hi")

    batches = of(events, "response.animation_blendshapes.delta")
    audio_ms = sum(len(base64.b64decode(delta["delta"])) for delta in of(events, "response.audio.delta")) / 48
    assert len(batches) == len(of(events, "response.audio.delta")) > 1, "one batch with each piece of audio"
    assert [batch["frame_index"] for batch in batches] == [30 * number for number in range(len(batches))]
    frames = [frame for batch in batches for frame in batch["frames"]]
    assert len(frames) == -(-audio_ms * 60 // 1000)
    assert {len(frame) for frame in frames} == {55}
    [done] = of(events, "response.animation_blendshapes.done")
    assert done.keys() == {"type", "event_id", "response_id", "item_id", "output_index"}
    types = [event["type"] for event in events]
    assert types[types.index("response.animation_viseme.done") :][:3] == [
        "response.animation_viseme.done",
        "response.animation_blendshapes.done",
        "response.content_part.done",
    ]
    assert not [event for event in without if "animation" in event["type"]]
    assert not of(events, "warning")


async def test_a_repeated_context_is_cached(dial: Any) -> None:
    async with Emulator(Script("One.", "Two.")) as emulator:
        peer = await dial(emulator)
        await peer.update(modalities=["text"], instructions="x" * 1100)
        first = (await peer.ask("Hi"))[-1]["response"]["usage"]
        second = (await peer.ask("Hi"))[-1]["response"]["usage"]

    assert first["input_token_details"]["cached_tokens"] == 0
    assert second["input_token_details"]["cached_tokens"] == 256
    assert second["total_tokens"] == second["input_tokens"] + second["output_tokens"]


async def test_a_script_that_ran_dry_fails_the_response(dial: Any) -> None:
    async with Emulator(Script()) as emulator:
        peer = await dial(emulator)
        done = (await peer.ask("Anyone?"))[-1]

    assert done["response"]["status"] == "failed"
    assert done["response"]["status_details"]["error"]["code"] == "script_exhausted"


async def test_a_rule_sees_what_was_written(dial: Any) -> None:
    def echo(heard: Heard) -> Turn:
        return Turn(f"You said {heard.text} and have {sorted(heard.tools)}.")

    async with Emulator(Script(then=echo)) as emulator:
        peer = await dial(emulator)
        await peer.update(modalities=["text"], tools=[WEATHER])
        events = await peer.ask("hello")

    assert joined(events, "response.text.delta") == "You said hello and have ['get_weather']."


def user(text: str) -> JsonObject:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def output(call_id: str, text: str) -> JsonObject:
    return {"type": "function_call_output", "call_id": call_id, "output": text}


@pytest.mark.parametrize(
    ("response", "heard"),
    [
        ({}, ("in the history", ())),
        ({"append_input_items": [user("behind it")]}, ("behind it", ())),
        ({"append_input_items": [output("c", "1"), output("d", "2")]}, ("in the history", ("1", "2"))),
        ({"append_input_items": [user("one"), user("two"), output("c", "1")]}, ("two", ("1",))),
        ({"input_items": [user("instead of it")]}, ("instead of it", ())),
        ({"input_items": [user("first")], "append_input_items": [user("then")]}, ("then", ())),
        ({"input_items": [output("c", "1")]}, ("", ("1",))),
        ({"input_items": []}, ("", ())),
        ({"input_items": None, "append_input_items": None}, ("in the history", ())),
    ],
)
async def test_a_rule_hears_the_items_given_with_the_request(
    dial: Any, response: JsonObject, heard: tuple[str, tuple[str, ...]]
) -> None:
    known: list[Heard] = []

    def listen(heard: Heard) -> Turn:
        known.append(heard)
        return Turn("Yes.")

    async with Emulator(Script(listen)) as emulator:
        peer = await dial(emulator)
        await peer.ask("in the history", modalities=["text"], **response)

    assert [(each.text, each.outputs) for each in known] == [heard]


@pytest.mark.parametrize("where", ["append_input_items", "input_items"])
async def test_outputs_given_with_the_request_answer_the_calls(dial: Any, where: str) -> None:
    turn = Turn(calls=[Call("sky"), Call("clock")], reply_after_calls=lambda outputs: " and ".join(outputs))
    async with Emulator(Script(turn)) as emulator:
        peer = await dial(emulator)
        await peer.update(modalities=["text"])
        sky, clock = (item["call_id"] for item in (await peer.ask("Well?"))[-1]["response"]["output"])
        await peer.send("response.create", response={where: [output(clock, "noon"), output(sky, "sunny")]})
        told = await peer.until("response.done")

    assert joined(told, "response.text.delta") == "sunny and noon"


@pytest.mark.looptime
async def test_a_reply_comes_at_the_measured_pace(dial: Any) -> None:
    loop = asyncio.get_running_loop()
    async with Emulator(Script(LONG), voice=ToneVoice(), pace=Pace.measured()) as emulator:
        peer = await dial(emulator)
        await peer.send("response.create")
        start_s = loop.time()
        at_s: dict[str, list[float]] = {}
        while "response.done" not in at_s:
            event = await peer.receive()
            at_s.setdefault(event["type"], []).append(loop.time() - start_s)

    deltas = at_s["response.audio.delta"]
    assert at_s["response.created"][0] == pytest.approx(0.017, abs=0.02)
    assert at_s["response.audio_transcript.delta"][0] == pytest.approx(0.385, abs=0.02)
    assert deltas[0] == pytest.approx(0.716, abs=0.02)
    assert (deltas[-1] - deltas[0]) / (len(deltas) - 1) == pytest.approx(0.5 / 2.9, abs=0.01)

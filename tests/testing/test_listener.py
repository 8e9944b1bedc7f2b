"""The caller's voice over a real socket: turns, transcripts, automatic responses, barge-in."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import pytest

from voicelive.audio import codecs
from voicelive.testing import Emulator, Heard, Pace, Script, ToneVoice, Turn

JsonObject = dict[str, Any]
Speech = Callable[[int], bytes]

LONG = "This is a rather long answer, " * 6
TURN = ["input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "input_audio_buffer.committed"]


def types(events: list[JsonObject]) -> list[str]:
    return [event["type"] for event in events]


def first(events: list[JsonObject], kind: str) -> JsonObject:
    return next(event for event in events if event["type"] == kind)


@pytest.mark.parametrize(
    "kind", ["server_vad", "azure_semantic_vad", "azure_semantic_vad_multilingual", "semantic_vad"]
)
async def test_speech_becomes_a_turn_and_is_answered(dial: Any, speech: Speech, kind: str) -> None:
    async with Emulator(Script(Turn("Hello.", transcript="Hi there"))) as emulator:
        peer = await dial(emulator)
        await peer.update(turn_detection={"type": kind}, input_audio_transcription={"model": "whisper-1"})
        await peer.say(speech(24_000))
        events = await peer.until("response.done")

    assert types(events)[:6] == [*TURN, "conversation.item.created", "conversation.item.done", "response.created"]
    item_ids = {event["item_id"] for event in events[:3]}
    assert item_ids == {events[3]["item"]["id"]}
    assert events[3]["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    assert 500 <= events[0]["audio_start_ms"] <= 1100
    assert events[1]["audio_end_ms"] > events[0]["audio_start_ms"] + 1000
    completed = first(events, "conversation.item.input_audio_transcription.completed")
    assert (completed["item_id"], completed["transcript"]) == (events[3]["item"]["id"], "Hi there")
    assert types(events).index("response.created") < events.index(completed)


@pytest.mark.parametrize(
    ("settings", "rate_hz", "encode"),
    [
        ({"input_audio_sampling_rate": 16_000}, 16_000, bytes),
        ({"input_audio_sampling_rate": 8_000}, 8_000, bytes),
        ({"input_audio_format": "g711_ulaw"}, 8_000, codecs.encode_ulaw),
        ({"input_audio_format": "g711_alaw", "input_audio_sampling_rate": 8_000}, 8_000, codecs.encode_alaw),
    ],
)
async def test_every_input_format_is_heard(
    dial: Any, speech: Speech, settings: JsonObject, rate_hz: int, encode: Callable[[bytes], bytes]
) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        await peer.update(**settings, turn_detection={"type": "server_vad", "create_response": False})
        await peer.say(encode(speech(rate_hz)), 3200)
        events = await peer.until("conversation.item.done")
        await peer.send("conversation.item.retrieve", item_id=events[0]["item_id"])
        part = (await peer.one("conversation.item.retrieved"))["item"]["content"][0]

    assert 500 <= events[0]["audio_start_ms"] <= 1100
    bytes_per_ms = rate_hz // 1000 * (2 if encode is bytes else 1)
    span_ms = events[1]["audio_end_ms"] - events[0]["audio_start_ms"]
    assert len(base64.b64decode(part["audio"])) == pytest.approx(span_ms * bytes_per_ms, abs=bytes_per_ms)


async def test_of_an_echo_reference_only_the_microphone_is_heard(dial: Any, speech: Speech) -> None:
    microphone = speech(24_000)
    stereo = b"".join(microphone[at : at + 2] + b"\x00\x40" for at in range(0, len(microphone), 2))
    echo = {"type": "server_echo_cancellation", "reference_source": "client", "channels": 2}
    async with Emulator() as emulator:
        peer = await dial(emulator)
        await peer.update(input_audio_echo_cancellation=echo, turn_detection=None)
        await peer.say(stereo)
        await peer.send("input_audio_buffer.commit")
        item_id = (await peer.one("input_audio_buffer.committed"))["item_id"]
        await peer.send("conversation.item.retrieve", item_id=item_id)
        part = (await peer.one("conversation.item.retrieved"))["item"]["content"][0]

    assert base64.b64decode(part["audio"]) == microphone


async def test_half_a_sample_is_refused(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        await peer.say(b"\x00")
        error = await peer.one("error")

    assert (error["error"]["code"], error["error"]["param"]) == ("invalid_value", "audio")


async def test_without_create_response_a_turn_is_only_transcribed(dial: Any, speech: Speech) -> None:
    async with Emulator(Script(Turn(transcript="Just words"), "unused")) as emulator:
        peer = await dial(emulator)
        await peer.update(
            turn_detection={"type": "server_vad", "create_response": False},
            input_audio_transcription={"model": "whisper-1"},
        )
        await peer.say(speech(24_000))
        completed = await peer.one("conversation.item.input_audio_transcription.completed")
        await peer.no_more()
        remaining = emulator.script.remaining

    assert completed["transcript"] == "Just words"
    assert len(remaining) == 1


@pytest.mark.looptime
async def test_a_transcript_never_comes_before_the_response_it_leads_to(dial: Any, speech: Speech) -> None:
    script = Script(Turn("Hello.", transcript="Hi there"))
    async with Emulator(script, voice=ToneVoice(), pace=Pace(response_created_s=2)) as emulator:
        peer = await dial(emulator)
        await peer.update(input_audio_transcription={"model": "whisper-1"})
        await peer.say(speech(24_000))
        events = await peer.until("conversation.item.input_audio_transcription.completed")

    assert "response.created" in types(events)


@pytest.mark.looptime
async def test_a_spoken_turn_is_answered_at_the_measured_pace(dial: Any, speech: Speech) -> None:
    loop = asyncio.get_running_loop()
    script = Script(Turn("Hello.", transcript="Hi there"))
    async with Emulator(script, voice=ToneVoice(), pace=Pace.measured()) as emulator:
        peer = await dial(emulator)
        await peer.update(input_audio_transcription={"model": "whisper-1"})
        await peer.say(speech(24_000))
        await peer.until("input_audio_buffer.speech_stopped")
        stopped_s = loop.time()
        after_s: dict[str, float] = {}
        while "response.done" not in after_s:
            event = await peer.receive()
            after_s.setdefault(event["type"], loop.time() - stopped_s)

    for kind, wait_s in {
        "input_audio_buffer.committed": 0.006,
        "response.created": 0.017,
        "response.audio_transcript.delta": 0.385,
        "conversation.item.input_audio_transcription.completed": 0.394,
        "response.audio.delta": 0.716,
    }.items():
        assert after_s[kind] == pytest.approx(wait_s, abs=0.015), kind


async def test_without_transcription_there_is_no_transcript(dial: Any, speech: Speech) -> None:
    async with Emulator(Script(Turn("Hello.", transcript="never sent")), voice=ToneVoice()) as emulator:
        peer = await dial(emulator)
        await peer.say(speech(24_000))
        events = await peer.until("response.done")
        await peer.no_more()

    assert not [kind for kind in types(events) if "transcription" in kind]


async def test_a_manual_turn_is_answered_only_when_asked(dial: Any, speech: Speech) -> None:
    async with Emulator(Script(Turn("Hello.", transcript="Hi"))) as emulator:
        peer = await dial(emulator)
        await peer.update(turn_detection=None, input_audio_transcription={"model": "whisper-1"})
        await peer.say(speech(24_000))
        await peer.send("input_audio_buffer.commit")
        events = await peer.until("conversation.item.input_audio_transcription.completed")
        await peer.no_more()
        await peer.send("response.create")
        answer = await peer.until("response.done")

    assert types(events)[:3] == ["input_audio_buffer.committed", "conversation.item.created", "conversation.item.done"]
    assert answer[-1]["response"]["output"][0]["content"][0]["transcript"] == "Hello."
    assert answer[-1]["response"]["usage"]["input_token_details"]["audio_tokens"] > 20


async def test_a_cleared_buffer_cannot_be_committed(dial: Any, speech: Speech) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        await peer.update(turn_detection=None)
        await peer.say(speech(24_000))
        await peer.send("input_audio_buffer.clear")
        assert (await peer.receive())["type"] == "input_audio_buffer.cleared"
        await peer.send("input_audio_buffer.commit")
        assert (await peer.one("error"))["error"]["code"] == "input_audio_buffer_commit_empty"


async def test_the_sampling_rate_cannot_change_once_audio_came(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        await peer.say(bytes(4800))
        session = await peer.update(input_audio_sampling_rate=8000)

    assert session["input_audio_sampling_rate"] == 24000


async def test_a_rule_hears_the_turn(dial: Any, speech: Speech) -> None:
    heard: list[Heard] = []

    def note(what: Heard) -> Turn:
        heard.append(what)
        return Turn("Noted.")

    async with Emulator(Script(then=note), voice=ToneVoice()) as emulator:
        peer = await dial(emulator)
        for _ in range(2):
            await peer.say(speech(24_000))
            await peer.until("response.done")

    assert [what.voice_turns for what in heard] == [1, 2]
    assert heard[0].spoken
    assert heard[0].rate_hz == 24_000
    assert len(heard[0].audio) > 48_000


async def say_in_real_time(peer: Any, audio: bytes) -> None:
    for start in range(0, len(audio), 4800):
        await peer.say(audio[start : start + 4800])
        await asyncio.sleep(0.1)


async def talk_over(peer: Any, audio: bytes) -> list[JsonObject]:
    """Start an answer, talk over it once it sounds, and collect all up to its end."""
    await peer.send("response.create")
    events: list[JsonObject] = await peer.until("response.audio.delta")
    talking = asyncio.create_task(say_in_real_time(peer, audio))
    events += await peer.until("response.done")
    await talking
    return events


@pytest.mark.looptime
async def test_barge_in_is_as_measured(dial: Any, speech: Speech) -> None:
    async with Emulator(Script(LONG, "Yes?"), voice=ToneVoice(), pace=Pace.measured()) as emulator:
        peer = await dial(emulator)
        events = await talk_over(peer, speech(24_000))

    started = types(events).index("input_audio_buffer.speech_started")
    assert types(events)[started + 1 :] == [
        "response.audio.delta",
        "response.audio.done",
        "response.audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.done",
    ]
    response = events[-1]["response"]
    assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert response["output"][0]["status"] == "completed"
    said = "".join(event["delta"] for event in events if event["type"] == "response.audio_transcript.delta")
    assert response["output"][0]["content"][0]["transcript"] == said
    assert response["usage"]["output_tokens"] > 0


@pytest.mark.looptime
async def test_an_interrupted_agent_answers_what_interrupted_it(dial: Any, speech: Speech) -> None:
    async with Emulator(Script(LONG, "Yes?"), voice=ToneVoice(), pace=Pace.measured()) as emulator:
        peer = await dial(emulator)
        await talk_over(peer, speech(24_000))
        answer = await peer.until("response.done")

    assert answer[-1]["response"]["output"][0]["content"][0]["transcript"] == "Yes?"


@pytest.mark.looptime
async def test_an_interruption_sent_faster_than_real_time_is_answered_too(dial: Any, speech: Speech) -> None:
    async with Emulator(Script(LONG, "Yes?"), voice=ToneVoice(), pace=Pace.measured()) as emulator:
        peer = await dial(emulator)
        await peer.send("response.create")
        await peer.until("response.audio.delta")
        await peer.say(speech(24_000))
        interrupted = await peer.one("response.done")
        answer = await peer.one("response.done")

    assert interrupted["response"]["status"] == "cancelled"
    assert answer["response"]["output"][0]["content"][0]["transcript"] == "Yes?"


@pytest.mark.looptime
async def test_speech_that_must_not_interrupt_does_not(dial: Any, speech: Speech) -> None:
    async with Emulator(Script(LONG, "unused"), voice=ToneVoice(), pace=Pace.measured()) as emulator:
        peer = await dial(emulator)
        detection = {"type": "server_vad", "interrupt_response": False}
        await peer.update(turn_detection=detection)
        events = await talk_over(peer, speech(24_000))

    assert events[-1]["response"]["status"] == "completed"
    assert first(events, "error")["error"]["code"] == "conversation_already_has_active_response"


@pytest.mark.looptime
async def test_auto_truncate_cuts_the_reply_where_it_was_heard(dial: Any, speech: Speech) -> None:
    async with Emulator(Script(LONG, "Yes?"), voice=ToneVoice(), pace=Pace.measured()) as emulator:
        peer = await dial(emulator)
        await peer.update(turn_detection={"type": "azure_semantic_vad", "auto_truncate": True})
        loop = asyncio.get_running_loop()
        await peer.send("response.create")
        await peer.until("response.audio.delta")
        heard_from_s = loop.time()
        await asyncio.sleep(0.9)
        await peer.say(speech(24_000))
        await peer.until("input_audio_buffer.speech_started")
        heard_ms = (loop.time() - heard_from_s) * 1000
        truncated = (await peer.until("conversation.item.truncated"))[-1]
        await peer.send("conversation.item.retrieve", item_id=truncated["item_id"])
        part = (await peer.one("conversation.item.retrieved"))["item"]["content"][0]

    assert truncated["audio_end_ms"] == pytest.approx(heard_ms, abs=30)
    assert part["transcript"] is None


async def test_a_finished_reply_is_cut_at_once(dial: Any, speech: Speech) -> None:
    async with Emulator(Script(LONG, "Yes?"), voice=ToneVoice()) as emulator:
        peer = await dial(emulator)
        await peer.update(turn_detection={"type": "azure_semantic_vad", "auto_truncate": True})
        item_id = (await peer.ask("Hi"))[-1]["response"]["output"][0]["id"]
        await peer.say(speech(24_000))
        events = await peer.until("input_audio_buffer.speech_stopped")

    assert types(events)[:2] == ["input_audio_buffer.speech_started", "conversation.item.truncated"]
    assert events[1]["item_id"] == item_id


async def test_a_rule_that_fails_on_a_spoken_turn_surfaces(dial: Any, speech: Speech) -> None:
    def broken(heard: Heard) -> Turn:
        raise LookupError

    emulator = Emulator(Script(broken))
    await emulator.start()
    peer = await dial(emulator)
    await peer.say(speech(24_000))
    await peer.socket.wait_closed()
    with pytest.raises(LookupError):
        await emulator.close()


async def test_a_spoken_turn_without_a_turn_of_the_script_fails_its_response(dial: Any, speech: Speech) -> None:
    async with Emulator(Script()) as emulator:
        peer = await dial(emulator)
        await peer.update(input_audio_transcription={"model": "whisper-1"})
        await peer.say(speech(24_000))
        events = await peer.until("response.done")
        if not [kind for kind in types(events) if "transcription" in kind]:
            events += await peer.until("conversation.item.input_audio_transcription.completed")

    assert first(events, "response.done")["response"]["status"] == "failed"
    assert first(events, "conversation.item.input_audio_transcription.completed")["transcript"] == ""


async def test_a_deleted_reply_is_not_cut(dial: Any, speech: Speech) -> None:
    async with Emulator(Script(LONG, "Yes?"), voice=ToneVoice()) as emulator:
        peer = await dial(emulator)
        await peer.update(turn_detection={"type": "azure_semantic_vad", "auto_truncate": True})
        item_id = (await peer.ask("Hi"))[-1]["response"]["output"][0]["id"]
        await peer.send("conversation.item.delete", item_id=item_id)
        await peer.say(speech(24_000))
        events = await peer.until("response.done")

    assert "conversation.item.truncated" not in types(events)

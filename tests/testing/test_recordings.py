"""The emulator answers the clients of real recordings with the same events, in the same order, with the same fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from voicelive.testing import Call, Emulator, Script, ToneVoice, Turn

JsonObject = dict[str, Any]

RECORDINGS = sorted((Path(__file__).parent.parent / "data" / "recordings").glob("*.jsonl"))

# Present in the newest recording only; the emulator always reports them.
NEWER_FIELDS = {"session.greeting", "session.handoff"}
# Null in four recordings, "pcm16" in the newest.
EITHER_NULL_OR_NOT = {"session.output_audio_format"}
# "Any time from here": its place among the events of the reply is free.
FREE_PLACE = "conversation.item.input_audio_transcription.completed"


def lines_of(path: Path) -> list[JsonObject]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def script_of(lines: list[JsonObject]) -> Script:
    """The recorded agent: one turn for each response."""
    server = [line["msg"] for line in lines if line["dir"] == "server"]
    transcripts = [event["transcript"] for event in server if event["type"] == FREE_PLACE]
    turns: list[Turn] = []
    for event in server:
        if event["type"] != "response.done":
            continue
        output = event["response"]["output"]
        messages = [item["content"][0] for item in output if item["type"] == "message"]
        reply = next((part.get("text") or part.get("transcript") for part in messages), None)
        calls = [Call(item["name"], item["arguments"]) for item in output if item["type"] == "function_call"]
        turns.append(Turn(reply, transcript=transcripts.pop(0) if transcripts else None, calls=calls))
    return Script(*turns)


async def replay(peer: Any, lines: list[JsonObject], audio: bytes) -> None:
    """Send what the client sent, each message once the events recorded before it have come."""
    appends = sum(1 for line in lines if line["msg"]["type"] == "input_audio_buffer.append")
    chunk_bytes = -(-len(audio) // max(appends, 1)) // 2 * 2 + 2
    seen: dict[str, int] = {}
    last = ""
    for line in lines:
        message = line["msg"]
        kind = message["type"]
        if line["dir"] == "server":
            seen[kind] = seen.get(kind, 0) + 1
            last = last if kind.endswith(".delta") else kind
            continue
        while sum(event["type"] == last for event in peer.events) < seen.get(last, 0):
            await peer.receive()
        if kind == "input_audio_buffer.append":
            await peer.say(audio[:chunk_bytes], chunk_bytes)
            audio = audio[chunk_bytes:]
        else:
            await peer.socket.send(json.dumps(with_our_call_ids(message, peer.events)))
    while sum(event["type"] == last for event in peer.events) < seen[last]:
        await peer.receive()


def with_our_call_ids(message: JsonObject, events: list[JsonObject]) -> JsonObject:
    if message.get("item", {}).get("type") != "function_call_output":
        return message
    call_id = next(event["call_id"] for event in reversed(events) if "call_id" in event)
    return {**message, "item": {**message["item"], "call_id": call_id}}


def order(events: list[JsonObject]) -> list[str]:
    return [event["type"] for event in events if not event["type"].endswith(".delta") and event["type"] != FREE_PLACE]


def paths(value: Any, where: str = "", *, nulls: bool = False) -> Iterator[str]:
    """Paths of all fields of an event, or of those that are null; elements of a list share theirs."""
    if isinstance(value, dict):
        for key, inner in value.items():
            path = f"{where}.{key}" if where else key
            if not nulls or inner is None:
                yield path
            yield from paths(inner, path, nulls=nulls)
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, where, nulls=nulls)


def fields(events: list[JsonObject], *, nulls: bool = False) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for event in events:
        found.setdefault(event["type"], set()).update(paths(event, nulls=nulls))
    return found


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
async def test_the_emulator_behaves_as_recorded(dial: Any, speech: Any, path: Path) -> None:
    lines = lines_of(path)
    async with Emulator(script_of(lines), voice=ToneVoice()) as emulator:
        peer = await dial(emulator, skip_created=False)
        await replay(peer, lines, speech(24_000))
        remaining = emulator.script.remaining
    recorded = [line["msg"] for line in lines if line["dir"] == "server"]

    assert remaining == ()
    assert order(peer.events) == order(recorded)
    assert {event["type"] for event in peer.events} == {event["type"] for event in recorded}
    ours, theirs = fields(peer.events), fields(recorded)
    for kind, expected in theirs.items():
        assert ours[kind] - NEWER_FIELDS == expected - NEWER_FIELDS, kind
    ours, theirs = fields(peer.events, nulls=True), fields(recorded, nulls=True)
    for kind, expected in theirs.items():
        free = NEWER_FIELDS | EITHER_NULL_OR_NOT
        assert ours[kind] - free == expected - free, kind


def test_there_are_recordings() -> None:
    assert len(RECORDINGS) == 5

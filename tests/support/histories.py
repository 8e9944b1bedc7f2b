"""Histories fed from recorded and composed conversations, and server events in one line each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from voicelive.protocol.history import History
from voicelive.protocol.snapshots import ConversationEvent
from voicelive.wire.codec import decode, decode_client
from voicelive.wire.server_events import ServerEvent

DATA = Path(__file__).parents[1] / "data"
RECORDINGS = sorted((DATA / "recordings").glob("*.jsonl"))
SCENARIOS = sorted((DATA / "samples" / "scenarios").glob("*.jsonl"))

STEP_S = 0.01


def messages_of(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Direction and message of each line."""
    for line in path.read_text(encoding="utf-8").splitlines():
        found = json.loads(line)
        message = found.get("msg") or found.get("message")
        if message is not None:
            yield found["dir"], message


def server_events_of(path: Path) -> list[ServerEvent]:
    return [decode(json.dumps(message)) for side, message in messages_of(path) if side == "server"]


def event(kind: str, **fields: Any) -> ServerEvent:
    """One event as the service sends it."""
    return decode(json.dumps({"type": kind, **fields}))


def replay(path: Path) -> tuple[History, list[ConversationEvent]]:
    """Everything of one file, 10 ms apart."""
    history = History()
    news: list[ConversationEvent] = []
    now = 0.0
    for side, message in messages_of(path):
        now += STEP_S
        if side == "client":
            history.sent(decode_client(json.dumps(message)), now)
        else:
            news += history.receive(decode(json.dumps(message)), now)
    return history, news


def feed(history: History, events: Iterable[ServerEvent], now: float = 0.0) -> list[ConversationEvent]:
    return [news for given in events for news in history.receive(given, now)]


def message(item_id: str, role: str, *parts: dict[str, Any], status: str = "completed") -> dict[str, Any]:
    return {"id": item_id, "type": "message", "role": role, "status": status, "content": list(parts)}


def created(item: dict[str, Any], after: str | None = None) -> ServerEvent:
    return event("conversation.item.created", previous_item_id=after, item=item)


def typed(item_id: str, text: str, after: str | None = None) -> ServerEvent:
    return created(message(item_id, "user", {"type": "input_text", "text": text}), after)


def spoken(item_id: str, after: str | None = None) -> list[ServerEvent]:
    """The caller said something; its transcript is to come."""
    return [
        event("input_audio_buffer.speech_started", item_id=item_id, audio_start_ms=0),
        event("input_audio_buffer.speech_stopped", item_id=item_id, audio_end_ms=900),
        event("input_audio_buffer.committed", item_id=item_id, previous_item_id=after),
        created(message(item_id, "user", {"type": "input_audio", "transcript": None}), after),
    ]


def transcribed(item_id: str, text: str) -> ServerEvent:
    return event(
        "conversation.item.input_audio_transcription.completed", item_id=item_id, content_index=0, transcript=text
    )


def begins(response_id: str) -> ServerEvent:
    return event("response.created", response={"id": response_id, "status": "in_progress", "output": []})


def says(
    response_id: str, item_id: str, text: str, audio_ms: int = 1000, after: str | None = None
) -> list[ServerEvent]:
    """The agent's message, all of its audio (24 kHz, 16 bit) in one delta."""
    place = {"response_id": response_id, "item_id": item_id, "output_index": 0, "content_index": 0}
    empty = message(item_id, "assistant", status="in_progress")
    whole = message(item_id, "assistant", {"type": "audio", "transcript": text})
    return [
        event("response.output_item.added", response_id=response_id, output_index=0, item=empty),
        created(empty, after),
        event("response.audio_transcript.delta", **place, delta=text),
        event("response.audio.delta", **place, delta="AAAA" * (audio_ms * 48 // 3)),
        event("response.audio_transcript.done", **place, transcript=text),
        event("response.output_item.done", response_id=response_id, output_index=0, item=whole),
    ]


def calls(response_id: str, item_id: str, call_id: str, after: str | None = None) -> list[ServerEvent]:
    """The agent calls ``look_up``."""
    call = {"id": item_id, "type": "function_call", "name": "look_up", "call_id": call_id, "arguments": ""}
    done = {**call, "arguments": '{"q":1}', "status": "completed"}
    return [
        event("response.output_item.added", response_id=response_id, item={**call, "status": "in_progress"}),
        created({**call, "status": "in_progress"}, after),
        event("response.output_item.done", response_id=response_id, item=done),
    ]


def result(item_id: str, call_id: str, output: str, after: str | None = None) -> ServerEvent:
    return created({"id": item_id, "type": "function_call_output", "call_id": call_id, "output": output}, after)


def ends(response_id: str, status: str = "completed", **fields: Any) -> ServerEvent:
    return event("response.done", response={"id": response_id, "status": status, "output": [], **fields})


def transcription_on() -> ServerEvent:
    return event("session.updated", session={"id": "sess", "input_audio_transcription": {"model": "whisper-1"}})

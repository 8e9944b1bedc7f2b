"""The course of responses as the service tells it, a step a call, over the far end of a session."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Any

from tests.support.peer import JsonObject, Peer
from tests.support.streams import settle

__all__ = ["asked", "begins", "calls", "ends", "heard", "nothing_more", "says", "speech_starts", "wish"]

MS_BYTES = 48  # of the default output: 16 bit at 24 kHz


def wish(number: int) -> JsonObject:
    """How the session names the n-th response that it asks for."""
    return {"event_id": f"voicelive_response_{number}", "metadata": {"voicelive": f"voicelive_response_{number}"}}


async def heard(peer: Peer, kind: str) -> JsonObject:
    """The next frame of the session, which is of this type."""
    event = await asyncio.wait_for(peer.hear(), 5)
    assert event["type"] == kind, event
    return event


async def asked(peer: Peer) -> JsonObject:
    """The settings of the response that the session asks for next, without the tag that it adds."""
    event = await heard(peer, "response.create")
    params: JsonObject = event["response"]
    assert params.pop("metadata")["voicelive"] == event["event_id"]
    return params


async def nothing_more(peer: Peer) -> None:
    """The session says nothing by itself."""
    await settle()
    listening = asyncio.ensure_future(peer.hear())
    await settle()
    assert not listening.done(), listening.result()
    listening.cancel()
    await asyncio.wait([listening])


async def begins(peer: Peer, response_id: str, number: int | None = None) -> None:
    """A response begins: the answer to the session's n-th wish, or one that the service starts by itself."""
    metadata = {} if number is None else {"metadata": wish(number)["metadata"]}
    await peer.say("response.created", response={"id": response_id, "status": "in_progress", "output": [], **metadata})


async def says(peer: Peer, response_id: str, text: str, *, audio_ms: int = 0, item_id: str | None = None) -> None:
    """The agent says a text; all of its voice comes in one delta."""
    item = {"id": item_id or f"item_of_{response_id}", "type": "message", "role": "assistant", "content": []}
    place = {"response_id": response_id, "item_id": item["id"], "output_index": 0, "content_index": 0}
    await peer.say("response.output_item.added", response_id=response_id, item={**item, "status": "in_progress"})
    await peer.say("response.audio_transcript.delta", **place, delta=text)
    if audio_ms:
        voice = b64encode(bytes(audio_ms * MS_BYTES)).decode()
        await peer.say("response.audio.delta", **place, delta=voice)
        await peer.say("response.audio.done", **place)
    await peer.say("response.audio_transcript.done", **place, transcript=text)
    part = {"type": "audio", "transcript": text}
    whole = {**item, "status": "completed", "content": [part]}
    await peer.say("response.output_item.done", response_id=response_id, item=whole)


async def calls(peer: Peer, response_id: str, call_id: str, name: str, arguments: str = "{}") -> None:
    """The model calls a function."""
    call = {"id": f"item_of_{call_id}", "type": "function_call", "name": name, "call_id": call_id}
    begun, done = {**call, "arguments": "", "status": "in_progress"}, {**call, "arguments": arguments}
    place = {"response_id": response_id, "item_id": call["id"], "output_index": 0, "call_id": call_id}
    await peer.say("response.output_item.added", response_id=response_id, item=begun)
    await peer.say("response.function_call_arguments.done", **place, name=name, arguments=arguments)
    await peer.say("response.output_item.done", response_id=response_id, item={**done, "status": "completed"})


async def ends(peer: Peer, response_id: str, status: str = "completed", **fields: Any) -> None:
    """A response ends."""
    await peer.say("response.done", response={"id": response_id, "status": status, **fields})


async def speech_starts(peer: Peer, item_id: str = "item_of_caller") -> None:
    """The service hears the caller."""
    await peer.say("input_audio_buffer.speech_started", item_id=item_id, audio_start_ms=0)

"""The shorter way for media gives what the long way gives, or nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from voicelive import wire
from voicelive.wire.server_events import ServerEvent, UnknownServerEvent
from voicelive.wire.shortcut import WORTH_BYTES, media_event

parse: Callable[..., ServerEvent] = TypeAdapter[ServerEvent](ServerEvent).validator.validate_json

SPEECH = bytes(range(256)) * 12


def delta(**fields: Any) -> bytes:
    event = {
        "type": "response.audio.delta",
        "event_id": "event_1",
        "delta": base64.b64encode(SPEECH).decode(),
        **fields,
    }
    return json.dumps(event, separators=(",", ":")).encode()


def the_long_way(frame: bytes) -> ServerEvent | None:
    try:
        return parse(frame, strict=True)
    except ValidationError:
        return None


@pytest.mark.parametrize("kind", ["response.audio.delta", "response.output_audio.delta", "response.video.delta"])
def test_media_deltas_are_read_whole(kind: str) -> None:
    found = media_event(delta(type=kind), parse)

    assert found == the_long_way(delta(type=kind))
    assert isinstance(found, wire.ResponseAudioDelta | wire.ResponseVideoDelta)
    assert found.delta == SPEECH
    assert found.model_fields_set == {"type", "event_id", "delta"}


PAYLOADS = st.binary(max_size=40).map(base64.b64encode) | st.binary(max_size=20).map(base64.urlsafe_b64encode)
DAMAGED = st.sampled_from([b"AAB=", b"AB==", b"AAA", b"AA AA", b"AAAA\\n", b"\\u0041AAA", b"=", b"AA==AAAA", b"A\xff"])
FRAMES = [
    b'{"type":"response.audio.delta","delta":"%s"}',
    b'{"delta":"%s","type":"response.audio.delta"}',
    b'{"type":"response.audio.delta","delta": "%s"}',
    b'{"type":"response.audio.delta","delta":"%s","delta":""}',
    b'{"type":"response.audio.delta","delta":"%s","\\u0064elta":""}',
    b'{"type":"response.audio.delta","delta":"","delta":"%s"}',
    b'{"type":"response.audio.delta","x":{"delta":"%s"}}',
    b'{"type":"response.audio.delta","x":{"delta":"%s"},"delta":"AAAA"}',
    b'{"type":"response.audio.delta","delta":"%s","new":1}',
    b'{"type":"response.audio.delta","delta":"%s","output_index":"1"}',
    b'{"type":"response.audio.delta","delta":"%s"',
    b'{"type":"response.text.delta","delta":"%s"}',
    b'{"type":"response.audio_transcript.delta","item_id":"\\"delta\\":\\"","delta":"%s"}',
    b'{"type":"brand.new","delta":"%s"}',
    b'["delta":"%s"]',
]


@given(st.sampled_from(FRAMES), PAYLOADS | DAMAGED)
@example(FRAMES[3], b"AAAA")
@example(FRAMES[4], b"AAAA")
@example(FRAMES[0], b"AB==")
def test_what_it_gives_is_what_the_long_way_gives(frame: bytes, payload: bytes) -> None:
    whole = frame % payload
    found = media_event(whole, parse)

    if found is not None:
        known = the_long_way(whole)
        assert known is not None
        assert found == known
        assert found.model_fields_set == known.model_fields_set


def test_a_delta_of_the_service_takes_the_short_way_and_a_small_one_the_long_way() -> None:
    assert len(delta()) > WORTH_BYTES
    assert media_event(delta(), parse) is not None
    assert wire.decode(delta()) == wire.decode(delta().decode())


def test_bad_base64_of_any_length_is_kept_whole_as_an_unknown_event() -> None:
    frame = delta(delta="*" * 4000)

    found = wire.decode(frame)

    assert type(found) is UnknownServerEvent
    assert found.malformed
    assert found.raw["delta"] == "*" * 4000

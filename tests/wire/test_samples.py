"""Sample and recorded messages come back from decoding and encoding as the same JSON, and as the classes they are."""

import base64
import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from pydantic import BaseModel
from tests.wire.schema import DATA

from voicelive import wire
from voicelive.wire.base import Unknown, Wire

Message: TypeAlias = tuple[str, dict[str, Any]]

DELIBERATELY_UNKNOWN = {
    "response.future_event.delta",  # in the samples to show that an unknown event survives
    # Shapes of v1 that no dated version has:
    "byom_credential.update",
    "byom_credential.updated",
    "conversation.item.added",
    "conversation.item.input_audio_transcription.segment",
    "input_audio_buffer.dtmf_event_received",
    "input_audio_buffer.timeout_triggered",
}


def read(path: Path) -> list[Message]:
    """Direction and message of each line; the samples without a direction are all of one."""
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    usual = "server" if path.stem.endswith("server") else "client"
    found = [(line.get("dir", usual), line.get("message", line.get("msg", line))) for line in lines]
    return [(direction, body) for direction, body in found if direction != "close"]


OF_THE_SERVICE = ("samples", "recordings")
PATHS = [path for name in OF_THE_SERVICE for path in sorted((DATA / name).rglob("*.jsonl"))]
PATHS = [path for path in PATHS if path.stem != "handshake_failures"]
MESSAGES = {f"{path.parent.name}/{path.stem}": read(path) for path in PATHS}
ALL = list(chain.from_iterable(MESSAGES.values()))
EACH_FILE = pytest.mark.parametrize("name", MESSAGES)


def decoded(direction: str, message: dict[str, Any]) -> Wire:
    frame = json.dumps(message)
    return wire.decode(frame) if direction == "server" else wire.decode_client(frame)


def inside(value: Any) -> Iterator[BaseModel]:
    """A model and all models inside it."""
    if isinstance(value, BaseModel):
        yield value
        for name in value.model_fields_set:
            yield from inside(getattr(value, name, None))
    elif isinstance(value, list | tuple):
        for member in value:
            yield from inside(member)
    elif isinstance(value, dict):
        for member in value.values():
            yield from inside(member)


def test_the_data_holds_both_directions_of_every_kind() -> None:
    seen = {(direction, body["type"]) for direction, body in ALL}

    assert {kind for direction, kind in seen if direction == "client"} >= set(wire.CLIENT_EVENTS)
    assert {kind for direction, kind in seen if direction == "server"} >= set(wire.SERVER_EVENTS)
    assert len(ALL) > 300


@EACH_FILE
def test_a_message_comes_back_as_the_same_json(name: str) -> None:
    for direction, message in MESSAGES[name]:
        event = decoded(direction, message)

        assert json.loads(wire.encode(event)) == message


@EACH_FILE
def test_a_message_has_no_unknown_part_but_the_deliberate_ones(name: str) -> None:
    for direction, message in MESSAGES[name]:
        unknown = [model.kind for model in inside(decoded(direction, message)) if isinstance(model, Unknown)]

        assert unknown == ([message["type"]] if message["type"] in DELIBERATELY_UNKNOWN else [])


def test_every_deliberately_unknown_type_is_in_the_data() -> None:
    assert {body["type"] for _, body in ALL} >= DELIBERATELY_UNKNOWN


@EACH_FILE
def test_a_message_read_from_bytes_is_the_one_read_from_text(name: str) -> None:
    for direction, message in MESSAGES[name]:
        frame = json.dumps(message, ensure_ascii=False)
        decode = wire.decode if direction == "server" else wire.decode_client

        assert decode(frame.encode()) == decode(frame)


# --- audio --------------------------------------------------------------------------------------------------------

SPEECH = bytes.fromhex("fbefff fbf0 3e3f ff")


def audio_delta(text: str) -> str:
    return json.dumps({"type": "response.audio.delta", "item_id": "item_1", "delta": text})


def test_audio_goes_out_in_the_standard_alphabet() -> None:
    append = json.loads(wire.encode(wire.InputAudioBufferAppend(audio=SPEECH)))
    part = wire.InputAudioContentPart(audio=SPEECH)
    item = json.loads(wire.encode(wire.ConversationItemCreate(item=wire.UserMessageItem(content=[part]))))
    delta = json.loads(wire.encode(wire.ResponseAudioDelta(delta=SPEECH)))

    expected = base64.b64encode(SPEECH).decode()
    assert "+" in expected
    assert "/" in expected
    assert append["audio"] == item["item"]["content"][0]["audio"] == delta["delta"] == expected


def test_an_append_with_an_id_is_the_plain_append_and_the_id() -> None:
    plain = json.loads(wire.encode(wire.InputAudioBufferAppend(audio=SPEECH)))
    named = json.loads(wire.encode(wire.InputAudioBufferAppend(audio=SPEECH, event_id="a")))

    assert named == {**plain, "event_id": "a"}
    assert plain == {"type": "input_audio_buffer.append", "audio": base64.b64encode(SPEECH).decode()}


@pytest.mark.parametrize("size_bytes", [0, 1, 2, 3, 4799, 4800])
def test_audio_of_any_length_comes_back_byte_for_byte(size_bytes: int) -> None:
    audio = bytes(index * 7 % 256 for index in range(size_bytes))

    event = wire.decode_client(wire.encode(wire.InputAudioBufferAppend(audio=audio)))

    assert isinstance(event, wire.InputAudioBufferAppend)
    assert event.audio == audio


def test_audio_in_the_url_safe_alphabet_is_accepted() -> None:
    event = wire.decode(audio_delta(base64.urlsafe_b64encode(SPEECH).decode()))

    assert isinstance(event, wire.ResponseAudioDelta)
    assert event.delta == SPEECH


@pytest.mark.parametrize(
    "text",
    ["++//\nAAE=", "++// AAE=", "+-//", "not base64!", "AAA=AAA="],
    ids=["newline", "blank", "mix", "words", "pad"],
)
def test_audio_that_is_no_base64_makes_a_malformed_event_that_is_whole(text: str) -> None:
    event = wire.decode(audio_delta(text))

    assert isinstance(event, wire.UnknownServerEvent)
    assert event.malformed
    assert json.loads(wire.encode(event)) == json.loads(audio_delta(text))

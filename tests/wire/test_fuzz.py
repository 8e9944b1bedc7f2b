"""Whatever arrives, decoding raises nothing but ``DecodeError``, and what decodes is written back as the same JSON."""

import json
import math
import pickle
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.support.frames import BODIES, JSON, damaged
from tests.wire import schema

from voicelive import wire
from voicelive.errors import DecodeError
from voicelive.wire.base import Wire

Decode: TypeAlias = Callable[[str | bytes], Wire]

EACH_DIRECTION = pytest.mark.parametrize("decode", [wire.decode, wire.decode_client], ids=["server", "client"])

PATIENT = settings(deadline=None)  # the first call builds the adapters


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 and 1.0 are one number, NaN is itself, base64 may change its alphabet and padding."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, str) and isinstance(other, str):
        return one == other or standard_base64(one) == standard_base64(other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
            return math.isnan(other)
        return one == other or (type(one) is not type(other) and float(one) == float(other))
    return one is None and other is None


def standard_base64(text: str) -> str:
    return text.replace("-", "+").replace("_", "/").rstrip("=")


def check(decode: Decode, frame: str | bytes) -> None:
    """Either the frame is refused with our own error, or nothing of it is lost."""
    try:
        event = decode(frame)
    except DecodeError:
        return
    assert same(json.loads(wire.encode(event)), json.loads(frame))
    repr(event)
    assert decode(wire.encode(event)) == event or "NaN" in str(frame)


@EACH_DIRECTION
@PATIENT
@given(value=JSON)
@example(value={"type": "session.created", "cls": 1})
@example(value={"type": "\ud800", "cls": 1, "self": 2, "_fields_set": [3]})
@example(value={"type": "session.update", "session": {"extra": 5}})
@example(value={"type": "session.update", "session": {}, "extra": None})
@example(value={"type": "input_audio_buffer.append", "audio": "", "extra": {"event_id": "a"}})
@example(value={"type": None, "kind": "session.created"})
@example(value={"type": ["session.created"], "kind": 1})
def test_any_json_is_kept_or_refused(decode: Decode, value: Any) -> None:
    check(decode, json.dumps(value))


@EACH_DIRECTION
@PATIENT
@given(event=damaged(BODIES))
def test_a_damaged_event_is_kept_whole(decode: Decode, event: Any) -> None:
    frame = json.dumps(event)

    assert same(json.loads(wire.encode(decode(frame))), json.loads(frame))
    check(decode, frame)


@EACH_DIRECTION
@PATIENT
@given(frame=st.binary(max_size=200) | st.text(max_size=200))
@example(frame="\ud800")
@example(frame=b"\xff\xfe{\x00}\x00")
@example(frame=b"\xef\xbb\xbf{}")
@example(frame='\ufeff{"type":"a"}')
@example(frame='{"type":"a","b":"\ud800"}')
def test_any_frame_is_kept_or_refused(decode: Decode, frame: str | bytes) -> None:
    check(decode, frame)


@EACH_DIRECTION
@PATIENT
@given(body=st.sampled_from(BODIES), data=st.data())
def test_a_frame_with_wrong_bytes_is_kept_or_refused(decode: Decode, body: Any, data: st.DataObject) -> None:
    frame = bytearray(json.dumps(body).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))

    check(decode, bytes(frame))


@EACH_DIRECTION
def test_half_a_surrogate_pair_goes_out_escaped(decode: Decode) -> None:
    frame = wire.encode(decode('{"type":"response.text.delta","delta":"\\ud83d"}'))

    assert frame == '{"type":"response.text.delta","delta":"\\ud83d"}'


def test_half_a_surrogate_pair_beside_audio_goes_out_escaped() -> None:
    part = wire.InputAudioContentPart(audio=schema.SPEECH, transcript="\ud83d")
    frame = wire.encode(wire.ConversationItemCreate(item=wire.UserMessageItem(content=[part])))

    assert isinstance(frame, str)
    assert '"audio":"++//AAE=","transcript":"\\ud83d"' in frame


@EACH_DIRECTION
@pytest.mark.parametrize("depth", [10, 150, 199, 200, 201, 254, 255, 256, 300, 450])
@pytest.mark.parametrize("event_type", ["conversation.item.create", "response.invocation.delta", "nobody.knows"])
def test_deep_nesting_is_kept(decode: Decode, depth: int, event_type: str) -> None:
    frame = f'{{"type":"{event_type}","deep":{"[" * depth}{"]" * depth},"delta":{{"a":{"[" * depth}1{"]" * depth}}}}}'

    assert json.loads(wire.encode(decode(frame))) == json.loads(frame)


@EACH_DIRECTION
def test_endless_nesting_is_refused(decode: Decode) -> None:
    with pytest.raises(DecodeError, match="nested too deeply"):
        decode('{"type":"a","b":' + "[" * 100_000 + "]" * 100_000 + "}")


@EACH_DIRECTION
@pytest.mark.parametrize("digits", [19, 20, 400, 4299, 4300])
def test_a_long_integer_is_kept(decode: Decode, digits: int) -> None:
    frame = f'{{"type":"response.audio.delta","output_index":{"9" * digits},"more":{"8" * digits}}}'

    assert json.loads(wire.encode(decode(frame))) == json.loads(frame)


@EACH_DIRECTION
def test_an_integer_that_python_refuses_is_refused(decode: Decode) -> None:
    with pytest.raises(DecodeError, match="number is too long"):
        decode('{"type":"a","b":' + "9" * 5000 + "}")


@pytest.mark.parametrize("decode", [wire.decode, wire.decode_client])
@pytest.mark.parametrize("frame", ["", " ", "null", "[]", '"{}"', "5", "{", "{}}", b"\xff", "{'type':1}", '{"a":}'])
def test_what_is_no_json_object_is_refused(decode: Decode, frame: str | bytes) -> None:
    with pytest.raises(DecodeError) as refused:
        decode(frame)

    assert refused.value.frame_bytes == len(frame)


@EACH_DIRECTION
@PATIENT
@given(before=st.text(max_size=20), after=st.text(max_size=20) | st.binary(max_size=20))
@example(before='{"type": "a", "b": "', after='\\x"}')
@example(before='{"type": "a", "b": "', after="\n")
@example(before='["', after='"]')
@example(before='{"type":', after="}")
def test_a_refusal_never_repeats_the_frame(decode: Decode, before: str, after: str | bytes) -> None:
    marker = "XYZZY-5ecret"
    end = after if isinstance(after, bytes) else after.encode(errors="surrogatepass")
    for frame in (f"{before}{marker}".encode(errors="surrogatepass") + end, f"{before}{marker}"):
        with suppress(DecodeError):
            decode(frame)
            continue
        error = refusal(decode, frame)
        shown = [str(error), repr(error), *traceback.format_exception(error)]
        assert not any(marker in text for text in shown)
        assert marker.encode() not in pickle.dumps(error)


def refusal(decode: Decode, frame: str | bytes) -> DecodeError:
    with pytest.raises(DecodeError) as refused:
        decode(frame)
    return refused.value

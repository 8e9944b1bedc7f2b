"""Token counts: plausible, complete, and consistent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive import wire
from voicelive.audio.formats import AudioFormat
from voicelive.testing.items import CallItem, Item, MessageItem, OutputItem, Part
from voicelive.testing.tokens import Meter, text_tokens, voice_tokens

ULAW = AudioFormat("g711_ulaw", 8_000)


def user(item_id: str, *parts: Part) -> MessageItem:
    return MessageItem(item_id, "user", list(parts))


def usage(meter: Meter, context: list[Item], **more: object) -> wire.TokenUsage:
    given_facts = {"prompt": "", "said": "", "said_audio_ms": 0.0, "called": "", **more}
    return meter.usage(context=context, **given_facts)  # type: ignore[arg-type]  # keywords of Meter.usage


def test_four_characters_are_a_token_and_rests_count() -> None:
    assert [text_tokens(text) for text in ("", "a", "four", "fives")] == [0, 1, 1, 2]


def test_a_second_of_the_agents_voice_is_twenty_tokens() -> None:
    assert voice_tokens(3_000) == 60


@pytest.mark.parametrize(("model", "tokens"), [("gpt-realtime", 100), ("gpt-4o", 100), ("phi4-mm-realtime", 125)])
def test_ten_seconds_of_the_callers_voice_depend_on_the_model(model: str, tokens: int) -> None:
    spoken = user("a", Part("input_audio", audio=bytes(80_000), audio_format=ULAW))
    details = usage(Meter(model), [spoken]).input_token_details
    assert details is not None
    assert details.audio_tokens == tokens


def test_every_detail_is_there() -> None:
    counted = usage(Meter("gpt-realtime"), [], prompt="Be brief.", said="Hello", said_audio_ms=1000.0, called="f{}")
    assert counted.model_dump() == {
        "total_tokens": 26,
        "input_tokens": 3,
        "output_tokens": 23,
        "input_token_details": {
            "cached_tokens": 0,
            "text_tokens": 3,
            "audio_tokens": 0,
            "image_tokens": 0,
            "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0},
        },
        "output_token_details": {"text_tokens": 3, "audio_tokens": 20, "reasoning_tokens": 0},
    }


def test_images_calls_and_outputs_count_too() -> None:
    items: list[Item] = [user("a", Part("input_image")), CallItem("b", "f", "c", "{}"), OutputItem("d", "c", "ok")]
    details = usage(Meter("gpt-realtime"), items).input_token_details
    assert details is not None
    assert details.image_tokens == 85
    assert details.text_tokens == 3 * 4 + 1 + 1


def test_what_was_read_before_is_cached_in_blocks_up_to_the_first_change() -> None:
    meter = Meter("gpt-realtime")
    first, second = user("a", Part("input_text", "x" * 400)), user("b", Part("input_text", "y" * 400))
    usage(meter, [first, second])
    again = usage(meter, [first, second]).input_token_details
    usage(meter, [first, second])
    changed = usage(meter, [first, user("c", Part("input_text", "z" * 400))]).input_token_details
    assert again is not None
    assert changed is not None
    assert again.cached_tokens == 208 // 64 * 64
    assert changed.cached_tokens == 104 // 64 * 64


@given(
    st.lists(st.tuples(st.text(max_size=300), st.integers(0, 60_000)), max_size=6),
    st.text(max_size=50),
    st.floats(0, 60_000),
)
def test_sums_always_agree(turns: list[tuple[str, int]], said: str, said_ms: float) -> None:
    meter, context = Meter("gpt-realtime"), list[Item]()
    for number, (text, audio_bytes) in enumerate(turns):
        part = Part("input_audio", transcript=text, audio=bytes(audio_bytes), audio_format=ULAW)
        context.append(user(str(number), part, Part("input_text", text)))
        counted = usage(meter, context, said=said, said_audio_ms=said_ms)
        into, out = counted.input_token_details, counted.output_token_details
        assert into is not None
        assert out is not None
        assert counted.input_tokens == (into.text_tokens or 0) + (into.audio_tokens or 0) + (into.image_tokens or 0)
        assert counted.output_tokens == (out.text_tokens or 0) + (out.audio_tokens or 0)
        assert counted.total_tokens == (counted.input_tokens or 0) + (counted.output_tokens or 0)
        assert 0 <= (into.cached_tokens or 0) <= (counted.input_tokens or 0)

"""What counts as used: responses once each, over connections, audio by its length, avatars by their time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.protocol.usage_book import LOST, UsageBook
from voicelive.wire.codec import decode
from voicelive.wire.server.response import ResponseAudioDelta

LISA: dict[str, Any] = {"type": "video-avatar", "character": "lisa", "style": "casual-sitting"}
USAGE: dict[str, Any] = {"total_tokens": 30, "input_tokens": 10, "output_tokens": 20}
SECOND = bytes(48_000)


def tell(book: UsageBook, kind: str, now: float = 0.0, caller_ms: float = 0.0, **fields: Any) -> bool:
    return book.receive(decode(json.dumps({"type": kind, **fields})), now, caller_ms)


def configure(book: UsageBook, session_id: str = "s1", now: float = 0.0, **settings: Any) -> None:
    tell(book, "session.updated", now, session={"id": session_id, "model": "gpt-realtime", **settings})


def begin(book: UsageBook, response_id: str = "r1") -> None:
    tell(book, "response.created", response={"id": response_id})


def end(book: UsageBook, response_id: str | None = "r1", caller_ms: float = 0.0, **response: Any) -> bool:
    told = {"id": response_id, "status": "completed", "usage": USAGE, **response}
    return tell(book, "response.done", 0.0, caller_ms, response=told)


def speak(book: UsageBook, audio: bytes = SECOND, response_id: str = "r1") -> None:
    book.audio(ResponseAudioDelta(response_id=response_id, item_id="i1", delta=audio))


def test_a_response_counts_once_however_often_it_is_told() -> None:
    book = UsageBook()
    configure(book)
    begin(book)

    assert [end(book), end(book)] == [True, False]

    begin(book)
    book.connection_lost(0, 0)
    assert [one.response_id for one in book.responses] == ["r1"]


@pytest.mark.parametrize("status", ["cancelled", "incomplete", "failed", "a new word"])
def test_one_that_was_cut_short_counts_too(status: str) -> None:
    book = UsageBook()
    end(book, status=status)

    (counted,) = book.responses
    assert counted.status == status
    assert counted.usage is not None
    assert counted.usage.total_tokens == 30


def test_responses_without_an_id_are_told_from_nothing_and_count_each() -> None:
    book = UsageBook()

    assert [end(book, None), end(book, None)] == [True, True]


def test_the_same_id_in_another_session_of_the_service_is_another_response() -> None:
    book = UsageBook()
    configure(book)
    end(book)
    book.connection_lost(0, 0)
    configure(book, "s2")

    assert end(book)
    assert book.session_ids == ["s1", "s2"]


def test_a_response_runs_on_the_settings_and_the_voice_it_began_with() -> None:
    book = UsageBook()
    configure(book, voice={"type": "azure-standard", "name": "en-US-AvaNeural"})
    begin(book)
    configure(book, voice={"type": "openai", "name": "alloy"})
    end(book)
    end(book, "r2")
    end(book, "r3", voice={"type": "azure-custom", "name": "mine", "endpoint_id": "e"})

    assert [one.voice.type for one in book.responses] == ["azure-standard", "openai", "azure-custom"]


def test_what_runs_as_a_connection_is_lost_is_kept_with_the_length_of_its_audio() -> None:
    book = UsageBook()
    configure(book)
    begin(book)
    speak(book)
    speak(book, SECOND[: len(SECOND) // 2])
    speak(book, response_id="unheard of")

    book.connection_lost(5.0, 2_000.0)

    (lost,) = book.responses
    assert (lost.status, lost.usage, lost.agent_ms, lost.caller_ms) == (LOST, None, 1_500, 2_000)


def test_audio_in_a_format_that_nobody_knows_has_no_length() -> None:
    book = UsageBook()
    configure(book, output_audio_format="opus")
    begin(book)
    speak(book)
    end(book)

    assert book.responses[0].agent_ms == 0


def test_the_caller_s_audio_belongs_to_the_next_response_that_ends() -> None:
    book = UsageBook()
    end(book, "r1", 1_000.0)
    end(book, "r2", 1_000.0)
    end(book, "r3", 2_500.4)

    assert [one.caller_ms for one in book.responses] == [1_000, 0, 1_500]
    assert book.unbilled_caller_ms(3_000.4) == 500


def test_an_avatar_over_webrtc_counts_from_its_link_to_the_end_of_the_connection() -> None:
    book = UsageBook()
    configure(book, now=1.0, avatar=LISA)
    assert book.avatar_ms(9.0) == {}

    tell(book, "session.avatar.connecting", 10.0)
    tell(book, "session.avatar.connecting", 11.0)
    configure(book, now=12.0, avatar=LISA)

    running = book.avatar_runs
    assert book.avatar_ms(12.5) == {"avatar_realtime_standard": 2_500}
    book.connection_lost(14.0, 0)
    assert (running, book.avatar_runs) == (True, False)
    assert book.avatar_ms(99.0) == {"avatar_realtime_standard": 4_000}

    configure(book, "s2", 100.0, avatar=LISA)
    tell(book, "session.avatar.connecting", 110.0)
    configure(book, "s2", 111.0, avatar=None)
    assert book.avatar_ms(200.0) == {"avatar_realtime_standard": 5_000}


def test_an_avatar_over_the_socket_counts_from_its_settings_on() -> None:
    book = UsageBook()
    configure(book, now=1.0, avatar={**LISA, "output_protocol": "websocket"})

    assert book.avatar_ms(2.0) == {"avatar_realtime_standard": 1_000}


@pytest.mark.parametrize(
    ("avatar", "meter"),
    [
        (LISA, "avatar_realtime_standard"),
        ({"type": "photo-avatar", "character": "anika", "model": "vasa-1"}, "avatar_realtime_standard"),
        ({"character": "mine", "customized": True}, "avatar_realtime_custom"),
        ({**LISA, "video": {"resolution": {"width": 3840, "height": 2160}}}, "avatar_realtime_standard_hd"),
        (
            {"character": "mine", "customized": True, "video": {"resolution": {"width": 2160, "height": 3840}}},
            "avatar_realtime_custom_hd",
        ),
        ({"type": "hologram"}, "avatar_of_unknown_kind"),
    ],
)
def test_each_kind_of_avatar_has_its_meter(avatar: dict[str, Any], meter: str) -> None:
    book = UsageBook()
    configure(book, avatar=avatar)
    tell(book, "session.avatar.connecting", 0.0)

    assert book.avatar_ms(1.0) == {meter: 1_000}


def test_another_kind_of_avatar_goes_on_another_meter() -> None:
    book = UsageBook()
    configure(book, avatar={**LISA, "output_protocol": "websocket"})
    configure(book, now=2.0, avatar={"character": "mine", "customized": True, "output_protocol": "websocket"})

    assert book.avatar_ms(5.0) == {"avatar_realtime_standard": 2_000, "avatar_realtime_custom": 3_000}


def test_a_link_without_an_avatar_in_the_settings_counts_nothing() -> None:
    book = UsageBook()
    configure(book)
    tell(book, "session.avatar.connecting", 0.0)

    assert book.avatar_ms(1.0) == {}


@pytest.mark.parametrize(
    ("told", "tokens", "length_ms"),
    [
        ({"type": "tokens", "total_tokens": 12, "input_tokens": 9}, 12, None),
        ({"type": "tokens", "input_tokens": 9, "output_tokens": 3}, 12, None),
        ({"type": "duration", "seconds": 1.5}, None, 1_500),
        ({"total_tokens": "many", "seconds": -1}, None, None),
        ({"total_tokens": True}, None, None),
    ],
)
def test_a_transcript_that_tells_what_it_used_counts_once(
    told: dict[str, Any], tokens: int | None, length_ms: int | None
) -> None:
    book = UsageBook()
    kind = "conversation.item.input_audio_transcription.completed"

    assert tell(book, kind, item_id="i1", content_index=0, usage=told)
    assert not tell(book, kind, item_id="i1", content_index=0, usage=told)
    assert not tell(book, kind, item_id="i2", content_index=0, transcript="")
    (one,) = book.transcriptions
    assert (one.tokens, one.seconds_ms) == (tokens, length_ms)


@pytest.mark.parametrize(
    ("detection", "only"),
    [(None, False), ({"type": "server_vad"}, False), ({"type": "server_vad", "create_response": False}, True)],
)
def test_a_session_only_transcribes_where_turn_detection_starts_no_response(detection: Any, only: bool) -> None:
    book = UsageBook()
    configure(book, turn_detection=detection)

    assert book.only_transcribes is only
    begin(book)
    assert not book.only_transcribes


def test_settings_without_an_id_are_those_of_the_session_there_is() -> None:
    book = UsageBook()
    configure(book)
    tell(book, "session.updated", session={"model": "gpt-4o"})
    end(book)

    assert book.responses[0].session_id == "s1"
    assert book.models == ["gpt-realtime", "gpt-4o"]


@given(st.permutations(["r1", "r2", "r3", "r1", "r2"]), st.lists(st.sampled_from(["r1", "r2", "r3"]), max_size=6))
def test_the_sum_does_not_depend_on_the_order_of_responses(ends: list[str], begins: list[str]) -> None:
    book = UsageBook()
    configure(book)
    for response_id in begins:
        begin(book, response_id)
    for response_id in ends:
        end(book, response_id)

    assert {one.response_id for one in book.responses} == {"r1", "r2", "r3"}
    assert len(book.responses) == 3

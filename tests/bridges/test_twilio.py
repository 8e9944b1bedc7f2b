"""What messages of Twilio mean."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.line_samples import samples

from voicelive.audio.playback import PlaybackFrame
from voicelive.bridges import twilio
from voicelive.bridges.events import BrokenMessage, Dtmf, UnknownMessage
from voicelive.bridges.line import Action, Ended, Gap, Hear, Played, Refuse, Tell
from voicelive.errors import ConfigurationError

SAMPLES = samples("twilio", "in")


def started() -> twilio.TwilioLine:
    line = twilio.TwilioLine()
    for message in SAMPLES[:2]:
        assert not receive(line, message)
    return line


def receive(line: twilio.TwilioLine, message: Any) -> list[Action]:
    return list(line.receive(message if isinstance(message, str | bytes) else json.dumps(message), 0.0))


def frame(start_ms: float, item: str = "a1") -> PlaybackFrame:
    return PlaybackFrame.of(b"\xff" * 160, item, start_ms, 20)


def said(line: twilio.TwilioLine, *frames: PlaybackFrame) -> list[dict[str, Any]]:
    return [json.loads(message) for each in frames for message in line.voice(each, 0.0)]


def mark(name: str) -> dict[str, Any]:
    return {"event": "mark", "mark": {"name": name}}


def media(timestamp: int | None, ms: int = 20) -> dict[str, Any]:
    place = {} if timestamp is None else {"timestamp": str(timestamp)}
    return {"event": "media", "media": {**place, "payload": "/" * (ms * 8 // 3 * 4)}}


def test_the_line_knows_what_it_is_from_the_start_message_on() -> None:
    line = twilio.TwilioLine()
    starts = []
    for message in SAMPLES[:2]:
        assert not receive(line, message)
        starts.append(line.start)

    assert starts[0] is None
    assert starts[1] is not None
    assert starts[1].parameters["tenant"] == "demo"


def test_the_audio_passes_through_untouched_and_gaps_are_told() -> None:
    line = started()
    heard = [receive(line, message) for message in SAMPLES if message["event"] == "media"]

    assert heard[0] == [Hear(b"\xff" * 160)]
    assert [[type(action) for action in actions] for actions in heard] == [[Hear], [Hear], [Hear], [Gap, Hear], [Hear]]
    assert heard[3][0] == Gap(60.0)


def test_a_time_stamp_that_trembles_is_no_gap() -> None:
    line = started()

    assert [len(receive(line, media(at, 24))) for at in (0, 26, 47, None, 400)] == [1, 1, 1, 1, 2]


def test_audio_and_mark_go_out_in_turn_and_the_mark_tells_what_was_heard() -> None:
    line = started()
    first, one, second, two = said(line, frame(0), frame(20))

    assert [first["event"], one["event"], second["event"], two["event"]] == ["media", "mark", "media", "mark"]
    assert receive(line, mark(one["mark"]["name"])) == [Played("a1", 20)]
    assert receive(line, mark(two["mark"]["name"])) == [Played("a1", 40)]


def test_marks_that_a_clear_sends_back_were_not_heard() -> None:
    line = started()
    _, one, _, two = said(line, frame(0), frame(20))
    assert receive(line, mark(one["mark"]["name"])) == [Played("a1", 20)]

    assert [json.loads(message)["event"] for message in line.flush(0.0)] == ["clear"]
    assert list(line.flush(0.0)) == []
    assert receive(line, mark(two["mark"]["name"])) == []
    _, three = said(line, frame(0, "a2"))
    assert receive(line, mark(three["mark"]["name"])) == [Played("a2", 20)]


def test_nothing_is_cleared_where_nothing_waits() -> None:
    line = started()
    _, one = said(line, frame(0))
    receive(line, mark(one["mark"]["name"]))

    assert list(line.flush(0.0)) == []
    assert list(twilio.TwilioLine().flush(0.0)) == []


def test_a_mark_that_nobody_set_is_a_broken_message() -> None:
    assert receive(started(), mark("mine"))[0] == Tell(
        BrokenMessage("a mark that was not set", len(json.dumps(mark("mine"))))
    )


def test_keys_and_unknown_messages_are_told() -> None:
    line = started()

    assert receive(line, {"event": "dtmf", "dtmf": {"digit": "#"}}) == [Tell(Dtmf("#"))]
    assert receive(line, {"event": "new"}) == [Tell(UnknownMessage("new", {"event": "new"}))]


def test_what_comes_in_a_wrong_order_is_named_and_changes_nothing() -> None:
    line = twilio.TwilioLine()
    (early,) = receive(line, media(0))
    assert isinstance(early, Tell)
    assert early.event.problem == "media before the start message"
    line = started()
    start = line.start
    (again,) = receive(line, {**SAMPLES[1], "streamSid": "MZ0"})
    assert isinstance(again, Tell)
    assert again.event.problem == "a second start message"
    assert line.start is start


def test_a_stream_in_another_format_is_refused() -> None:
    start = {"streamSid": "MZ1", "mediaFormat": {"encoding": "audio/x-l16", "sampleRate": 16000}}

    (action,) = receive(twilio.TwilioLine(), {"event": "start", "start": start})

    assert action == Refuse("the stream is audio/x-l16 at 16000 Hz, not audio/x-mulaw at 8000 Hz")


def test_the_agents_own_track_is_not_heard() -> None:
    message = media(0)
    message["media"]["track"] = "outbound"

    assert receive(started(), message) == []


def test_a_stop_message_ends_the_call_and_a_socket_without_one_is_lost() -> None:
    line = started()

    assert receive(line, SAMPLES[-1]) == [Ended("caller")]
    assert line.gone() == "line_lost"


@given(st.lists(st.sampled_from([json.dumps(message) for message in SAMPLES]) | st.text(), max_size=30))
def test_no_order_of_messages_raises(messages: list[str]) -> None:
    line = twilio.TwilioLine()
    for message in messages:
        list(line.receive(message, 0.0))
        if line.start is not None:
            line.voice(frame(0), 0.0)
    list(line.flush(0.0))


def test_the_settings_have_the_formats_of_the_line() -> None:
    config = twilio.session_config(instructions="Be brief.")

    assert (config.input_audio_format, config.output_audio_format) == ("g711_ulaw", "g711_ulaw")
    assert config.instructions == "Be brief."


def test_a_length_of_frames_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="frame_ms is 0"):
        twilio.accept(object(), frame_ms=0)

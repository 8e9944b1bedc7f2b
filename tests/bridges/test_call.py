"""Whole calls: a simulated caller, a bridge, a session and the emulator, over real sockets and in virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.support.callers import AcsCaller, AudioHookCaller, Caller, TwilioCaller
from tests.support.calls import VAD, Answered, answering, cuts, spoken, wav

from voicelive import wire
from voicelive.audio.formats import AudioFormat
from voicelive.bridges import (
    BrokenMessage,
    CallerAudioDropped,
    CallLimit,
    Dtmf,
    UnknownMessage,
    acs,
    audiohook,
    audiohook_messages,
    twilio,
)
from voicelive.errors import ConfigurationError, ConnectionLostError, LocalProtocolError
from voicelive.options import ClientOptions
from voicelive.session import Session
from voicelive.testing import EmulatedSession

pytestmark = [pytest.mark.looptime, pytest.mark.timeout(20)]

REPLIES = (
    "We open at nine and close at five.",
    "The weather in Lisbon is sunny today, with a light wind from the sea in the afternoon.",
    "Of course, I stop.",
    "There are three trains in the morning and two more of them in the evening, all to Lisbon.",
    "Good bye.",
)


async def converse(caller: Caller) -> None:
    """Five turns; the caller speaks over the second reply and over the fourth."""
    question, stop = wav("question.wav", caller), wav("stop.wav", caller)
    await caller.start()
    await caller.speak(question)
    await caller.listen_to_the_end()
    for _ in range(2):
        await caller.speak(question)
        await caller.listen(900)
        await caller.speak(stop)
        await caller.listen_to_the_end()
    await caller.hang_up()


def check_conversation(place: Answered, caller: Caller, *, exact_to_ms: float) -> None:
    """The caller heard each reply in order, and two of them up to the place that the service was told."""
    voices, told = spoken(place.service), cuts(place.service)
    items, (first, second, third, fourth, fifth) = list(voices), voices.values()
    heard_of_second = caller.silenced_at[0] - len(first)
    heard_of_fourth = caller.silenced_at[1] - caller.silenced_at[0] - len(third)
    parts = (first, second[:heard_of_second], third, fourth[:heard_of_fourth], fifth)

    assert len(caller.heard) == sum(map(len, parts))
    assert hash(caller.heard) == hash(b"".join(parts)), "nothing twice, nothing out of order"
    assert [item for item, _ in told] == [items[1], items[3]]
    for (_, told_ms), heard_bytes in zip(told, (heard_of_second, heard_of_fourth), strict=True):
        heard_ms = caller.format.duration_ms(heard_bytes)
        assert 900 <= heard_ms < 3000
        assert abs(told_ms - heard_ms) <= exact_to_ms


async def test_five_turns_with_two_barge_ins_over_twilio() -> None:
    config = twilio.session_config(turn_detection=VAD)
    async with answering(twilio.accept, config, *REPLIES) as place, TwilioCaller(place.url) as caller:
        await converse(caller)
        end = await place.ended()

    check_conversation(place, caller, exact_to_ms=0)
    assert end.how == "caller"
    assert place.calls[0].counts.broken_messages == 0


@pytest.mark.parametrize("rate_hz", [16_000, 24_000])
async def test_five_turns_with_two_barge_ins_over_acs(rate_hz: int) -> None:
    config = acs.session_config(rate_hz=rate_hz, turn_detection=VAD)
    async with answering(acs.accept, config, *REPLIES) as place, AcsCaller(place.url, rate_hz) as caller:
        await converse(caller)
        end = await place.ended()

    check_conversation(place, caller, exact_to_ms=40)
    assert caller.most_waiting_ms <= 240, "no more is on its way than a barge-in can call back"
    assert end.how == "caller"
    assert place.calls[0].counts.broken_messages == 0


async def test_five_turns_with_two_barge_ins_over_audiohook() -> None:
    config = audiohook.session_config(turn_detection=VAD)
    async with answering(audiohook.accept, config, *REPLIES) as place, AudioHookCaller(place.url) as caller:
        await converse(caller)
        end = await place.ended()

    check_conversation(place, caller, exact_to_ms=40)
    assert (end.how, end.detail) == ("caller", "end")
    assert place.calls[0].counts.broken_messages == 0
    gaps_s = [later - earlier for earlier, later in zip(caller.frames_at, caller.frames_at[5:], strict=False)]
    assert min(gaps_s) > 0.8, "five messages a second on average, and few in a burst"


# -- what the line says


async def test_keys_and_oddities_come_as_events() -> None:
    async with answering(twilio.accept, twilio.session_config()) as place, TwilioCaller(place.url) as caller:
        await caller.start()
        call, _ = await place.running()
        await caller.press("5")
        await caller.socket.send("{")
        await caller.event("weather", {})
        await caller.press("#")
        await caller.hang_up()
        end, events = await place.ended(), [event async for event in call]

    assert [type(event) for event in events] == [Dtmf, BrokenMessage, UnknownMessage, Dtmf]
    assert (events[0], events[3]) == (Dtmf("5"), Dtmf("#"))
    assert (call.counts.broken_messages, call.counts.unknown_messages) == (1, 1)
    assert end == call.end


async def test_events_that_nobody_reads_are_counted() -> None:
    async with answering(twilio.accept, twilio.session_config()) as place, TwilioCaller(place.url) as caller:
        await caller.start()
        call, _ = await place.running()
        for _ in range(1002):
            await caller.press("1")
        await caller.hang_up()
        await place.ended()

    assert call.counts.unread_events == 2
    assert len([event async for event in call]) == 1000


async def test_a_reader_of_events_waits_for_them() -> None:
    async with answering(acs.accept, acs.session_config()) as place, AcsCaller(place.url) as caller:
        await caller.start()
        call, _ = await place.running()
        reading = asyncio.create_task(anext(aiter(call)))
        await asyncio.sleep(1)
        await caller.press("7")
        assert await reading == Dtmf("7")


async def test_audio_before_the_session_is_kept_and_gaps_are_filled() -> None:
    def appended(service: EmulatedSession) -> bytes:
        return b"".join(event.audio for event in service.received_of(wire.InputAudioBufferAppend))

    async def be_slow(_: Session) -> None:
        await asyncio.sleep(3)

    config = twilio.session_config()
    async with answering(twilio.accept, config, before=be_slow) as place, TwilioCaller(place.url) as caller:
        await caller.start()
        await caller.send_audio(b"\x01" * 160)
        caller.timestamp_ms += 60
        await caller.send_audio(b"\x02" * 160)
        caller.timestamp_ms += 100_000
        await caller.send_audio(b"\x03" * 160)
        call, _ = await place.running()
        await asyncio.sleep(4)
        audio = appended(place.service)

    silences = (b"\xff" * 480, b"\xff" * 8000)
    assert audio == b"\x01" * 160 + silences[0] + b"\x02" * 160 + silences[1] + b"\x03" * 160
    assert call.counts.gap_ms == 100_060


async def test_audio_that_nobody_takes_is_dropped_and_told() -> None:
    async def never(_: Session) -> None:
        await asyncio.sleep(30)

    config = twilio.session_config()
    async with answering(twilio.accept, config, before=never) as place, TwilioCaller(place.url) as caller:
        await caller.start()
        for _ in range(12):
            await caller.send_audio(bytes(8000))
        call, _ = await place.running()
        told = [await anext(aiter(call)) for _ in range(2)]
        await caller.hang_up()
        end = await place.ended()

    assert told == [CallerAudioDropped(1000.0), CallerAudioDropped(1000.0)]
    assert call.counts.dropped_ms == 2000
    assert end.how == "caller"


async def test_a_pause_of_audiohook_stops_the_agent_and_a_ping_does_not_wait() -> None:
    config = audiohook.session_config(turn_detection=VAD)
    async with answering(audiohook.accept, config, REPLIES[1]) as place, AudioHookCaller(place.url) as caller:
        await caller.start()
        call, session = await place.running()
        await session.create_response()
        await caller.until(lambda: caller.frames_at)
        await caller.event("paused")
        ping = await caller.event("ping")
        await caller.until(lambda: caller.pongs)
        came = len(caller.got)
        await asyncio.sleep(5)
        assert caller.pongs == [ping]
        assert len(caller.got) == came
        await caller.event("resumed", discarded="PT5S")
        await asyncio.sleep(5)
        assert len(caller.got) > came
        await caller.hang_up()
        await place.ended()

    assert call.counts.gap_ms == 5000
    assert audiohook_messages.Paused() in [event async for event in call]


# -- how a call ends


async def test_a_session_of_other_formats_is_refused_by_name() -> None:
    config = acs.session_config()
    async with answering(twilio.accept, config) as place, TwilioCaller(place.url) as caller:
        await caller.start()
        failure = await place.failed()
        await caller.socket.wait_closed()

    assert isinstance(failure, ConfigurationError)
    assert str(AudioFormat("g711_ulaw", 8000)) in str(failure)
    assert str(AudioFormat("pcm16", 24_000)) in str(failure)
    assert "twilio.session_config()" in str(failure)
    assert caller.socket.close_code == 1011


async def test_a_session_that_ends_closes_the_line_when_the_farewell_was_heard() -> None:
    async with (
        answering(twilio.accept, twilio.session_config(), "Good bye.") as place,
        TwilioCaller(place.url) as caller,
    ):
        await caller.start()
        _, session = await place.running()
        await session.create_response()
        await session.close(after_playback=True)
        await caller.socket.wait_closed()
        end = await place.ended()
        (voice,) = spoken(place.service).values()

    assert end.how == "session"
    assert len(caller.heard) == len(voice)
    assert caller.socket.close_code == 1000


async def test_a_session_that_fails_fails_the_call() -> None:
    options = ClientOptions(ping_interval_s=None, resume=None)
    async with (
        answering(audiohook.accept, audiohook.session_config(), options=options) as place,
        AudioHookCaller(place.url) as caller,
    ):
        await caller.start()
        await place.running()
        place.service.abort()
        failure = await place.failed()
        await caller.socket.wait_closed()

    assert isinstance(failure, ConnectionLostError)
    goodbye, closed = caller.said[-2:]
    assert (goodbye["type"], goodbye["parameters"]["reason"]) == ("disconnect", "error")
    assert closed["type"] == "closed"


async def test_a_session_that_changes_its_connection_goes_on_with_the_call() -> None:
    options = ClientOptions(ping_interval_s=None)
    async with (
        answering(twilio.accept, twilio.session_config(turn_detection=VAD), *REPLIES[:2], options=options) as place,
        TwilioCaller(place.url) as caller,
    ):
        await caller.start()
        await place.running()
        place.service.abort()
        await caller.speak(wav("question.wav", caller))
        await caller.listen_to_the_end()
        await caller.hang_up()
        end = await place.ended()

    assert end.how == "caller"
    assert len(place.emulator.sessions) == 2


async def test_the_application_hangs_up() -> None:
    variables: dict[str, str] = {}
    async with (
        answering(lambda socket: audiohook.accept(socket, output_variables=variables), audiohook.session_config()) as (
            place
        ),
        AudioHookCaller(place.url) as caller,
    ):
        await caller.start()
        call, _ = await place.running()
        variables["outcome"] = "transfer"
        call.hang_up()
        end = await place.ended()
        await caller.socket.wait_closed()

    assert end.how == "hung_up"
    assert caller.said[-2]["parameters"] == {"reason": "completed", "outputVariables": {"outcome": "transfer"}}


@pytest.mark.parametrize("drained", [False, True])
async def test_a_limit_ends_calls(drained: bool) -> None:
    limit = CallLimit(max_calls=1, max_duration_s=30)
    async with (
        answering(lambda socket: twilio.accept(socket, limit=limit), twilio.session_config()) as place,
        TwilioCaller(place.url) as caller,
        TwilioCaller(place.url) as refused,
    ):
        await caller.start()
        await place.running()
        await refused.socket.wait_closed()
        if drained:
            assert await limit.drain(timeout_s=5) == 1
        end = await place.ended()
        await caller.socket.wait_closed()

    assert refused.socket.close_code == 1013
    assert end.how == ("drained" if drained else "max_duration")
    assert end.duration_s == pytest.approx(5 if drained else 30, abs=1)
    assert limit.active == 0


async def test_a_stream_without_a_stop_message_is_a_lost_line() -> None:
    async with answering(twilio.accept, twilio.session_config()) as place, TwilioCaller(place.url) as caller:
        await caller.start()
        await place.running()
        caller.socket.transport.abort()
        end = await place.ended()

    assert end.how == "line_lost"


async def test_a_call_runs_once_at_a_time_and_not_with_a_session_that_is_over() -> None:
    async with answering(twilio.accept, twilio.session_config()) as place, TwilioCaller(place.url) as caller:
        await caller.start()
        call, session = await place.running()
        with pytest.raises(LocalProtocolError, match="one run"):
            await call.run(session)
        await session.close()
        await place.ended()

        assert await call.run(session) == call.end


async def test_a_provider_that_never_answers_a_farewell_is_left() -> None:
    class Silent(AudioHookCaller):
        async def _take(self, message: dict[str, Any]) -> None:
            if message["type"] != "disconnect":
                await super()._take(message)

    async with answering(audiohook.accept, audiohook.session_config()) as place, Silent(place.url) as caller:
        await caller.start()
        call, _ = await place.running()
        call.hang_up()
        await caller.socket.wait_closed()
        assert (await place.ended()).how == "hung_up"

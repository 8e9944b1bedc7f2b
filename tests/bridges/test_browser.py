"""What messages of a page mean, and whole calls of a page with the emulator."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.calls import VAD, answering, cuts, spoken, wav
from tests.support.pages import Page

from voicelive import events, wire
from voicelive.audio.playback import PlaybackFrame
from voicelive.bridges import browser
from voicelive.bridges import browser_messages as messages
from voicelive.bridges.browser_relay import told
from voicelive.bridges.events import BrokenMessage, UnknownMessage
from voicelive.bridges.line import Action, Ask, Ended, Hear, Played, Refuse, Tell
from voicelive.errors import ConfigurationError
from voicelive.options import ClientOptions
from voicelive.testing import Call as ToolCall
from voicelive.testing import Turn
from voicelive.tools import tool
from voicelive.wire.server.session import ErrorEvent, ServerEventErrorDetails

pytestmark = pytest.mark.timeout(20)

OFFERS = Path(__file__).parents[1] / "data" / "avatar" / "sdp_offers"
LONG = "The weather in Lisbon is sunny today, with a light wind from the sea in the afternoon."


# -- the line


def receive(line: browser.BrowserLine, message: Any) -> list[Action]:
    return list(line.receive(message if isinstance(message, str | bytes) else json.dumps(message), 0.0))


def started(rate_hz: int = 24_000) -> browser.BrowserLine:
    line = browser.BrowserLine()
    assert not receive(line, {"type": "start", "version": 1, "rate_hz": rate_hz})
    return line


def voice(line: browser.BrowserLine, start_ms: float, item: str = "a1") -> list[Any]:
    frame = PlaybackFrame.of(b"\x01\x02" * 480, item, start_ms, 20)
    return [json.loads(said) if isinstance(said, str) else len(said) for said in line.voice(frame, 0.0)]


def flush(line: browser.BrowserLine) -> list[str]:
    return [json.loads(said)["type"] for said in line.flush(0.0) if isinstance(said, str)]


def played(ms: float, item: str = "a1") -> dict[str, Any]:
    return {"type": "played", "item_id": item, "ms": ms}


def head(start_ms: float, item: str = "a1") -> dict[str, Any]:
    return {"type": "audio", "item_id": item, "start_ms": start_ms}


def test_each_item_has_one_head_and_what_follows_has_none() -> None:
    line = started()

    assert voice(line, 0.0) == [head(0.0), 960]
    assert voice(line, 20.0) == [960]
    assert voice(line, 0.0, "a2") == [head(0.0, "a2"), 960]


def test_voice_after_a_gap_or_a_flush_has_a_head_again() -> None:
    line = started()
    voice(line, 0.0)

    assert voice(line, 60.0) == [head(60.0), 960]
    assert flush(line) == ["flush"]
    assert voice(line, 80.0) == [head(80.0), 960]


def test_what_the_page_has_played_was_heard_and_never_more_than_was_sent() -> None:
    line = started()
    voice(line, 0.0)
    voice(line, 20.0)

    assert receive(line, played(15.5)) == [Played("a1", 15.5)]
    assert receive(line, played(9000)) == [Played("a1", 40.0)]


def test_nothing_is_flushed_where_all_was_heard() -> None:
    line = started()
    assert flush(line) == []
    assert (line.sounding, list(line.heard(0.0))) == (False, []), "the page tells, not the clock"
    voice(line, 0.0)
    receive(line, played(20))
    assert flush(line) == []
    voice(line, 20.0)
    receive(line, played(30))
    assert flush(line) == ["flush"]
    assert flush(line) == []


def test_an_item_that_was_not_sent_cannot_be_heard() -> None:
    message = played(20, "x")

    assert receive(started(), message) == [
        Tell(BrokenMessage("played of an item that was not sent", len(json.dumps(message))))
    ]


def test_voice_is_heard_in_whole_samples() -> None:
    line = started()

    assert receive(line, b"\x01\x02") == [Hear(b"\x01\x02")]
    assert receive(line, b"\x01\x02\x03") == [
        Tell(BrokenMessage("audio that ends inside a sample", 3)),
        Hear(b"\x01\x02"),
    ]


def test_wishes_are_for_the_session_and_what_is_unknown_for_the_application() -> None:
    line = started()

    assert receive(line, {"type": "text", "text": "hi"}) == [Ask(messages.Text("hi"))]
    assert receive(line, {"type": "interrupt"}) == [Ask(messages.Interrupt())]
    assert receive(line, {"type": "wave"}) == [Tell(UnknownMessage("wave", {"type": "wave"}))]


@pytest.mark.parametrize("message", [b"\x01\x02", {"type": "text", "text": "hi"}, played(1)])
def test_nothing_counts_before_the_start_message(message: Any) -> None:
    (action,) = receive(browser.BrowserLine(), message)

    assert isinstance(action, Tell)
    assert action.event.problem == "a message before the start message"


def test_a_second_start_changes_nothing() -> None:
    line = started(16_000)
    (action,) = receive(line, {"type": "start", "version": 1})

    assert isinstance(action, Tell)
    assert action.event.problem == "a second start message"
    assert line.format.rate_hz == 16_000


@pytest.mark.parametrize(
    ("start", "problem"),
    [
        ({"version": 2}, "the page speaks version 2 of the protocol, not 1"),
        ({"version": 1, "rate_hz": 44_100}, "the page speaks at 44100 Hz, not at 16000 or 24000 Hz"),
    ],
)
def test_a_page_of_another_protocol_is_refused(start: dict[str, Any], problem: str) -> None:
    assert receive(browser.BrowserLine(), {"type": "start", **start}) == [Refuse(problem)]


def test_a_page_that_goes_without_a_word_is_lost() -> None:
    line = started()

    assert receive(line, {"type": "stop"}) == [Ended("caller")]
    assert line.gone() == "line_lost"


MESSAGES = ({"type": "start", "version": 1}, played(20), played(1e12), {"type": "text", "text": "x"}, {"type": "stop"})


@given(st.lists(st.sampled_from([json.dumps(message) for message in MESSAGES]) | st.text() | st.binary(), max_size=30))
def test_no_order_of_messages_raises(frames: list[str | bytes]) -> None:
    line = browser.BrowserLine()
    for place, data in enumerate(frames):
        for action in line.receive(data, 0.0):
            assert not isinstance(action, Played) or action.ms <= place * 20
        voice(line, place * 20.0)
    flush(line)


@pytest.mark.parametrize(("rate_hz", "name"), [(16_000, "pcm16_16000hz"), (24_000, "pcm16")])
def test_the_settings_have_the_formats_of_the_line(rate_hz: int, name: str) -> None:
    config = browser.session_config(rate_hz=rate_hz, instructions="Be brief.")

    assert (config.input_audio_format, config.input_audio_sampling_rate) == ("pcm16", rate_hz)
    assert (config.output_audio_format, config.instructions) == (name, "Be brief.")


def test_settings_at_another_rate_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="rate_hz is 48000; allowed: 16000, 24000"):
        browser.session_config(rate_hz=48_000)


# -- what the page is told


def test_what_concerns_an_avatar_is_told() -> None:
    server = wire.IceServer.model_validate_json('{"urls": ["turn:x"], "username": null, "credential": null}')
    needed = events.AvatarLinkNeeded("s", (server,), again=False)
    busy = {"code": "rate_limit_exceeded", "message": "Avatar request was rate-limited. Retry after 43.0s."}
    refused = ErrorEvent(error=ServerEventErrorDetails(type="x", **busy))

    assert list(told(needed)) == [messages.IceServers(({"urls": ["turn:x"]},))]
    assert list(told(wire.SessionAvatarSwitchToSpeaking())) == [messages.AvatarState("speaking")]
    assert list(told(wire.SessionAvatarSwitchToIdle())) == [messages.AvatarState("idle")]
    assert list(told(refused)) == [messages.Failure("rate_limit_exceeded", 43.0)]


def test_an_error_of_the_service_is_told_by_its_code_alone() -> None:
    details = ServerEventErrorDetails(type="server_error", message="of a tenant")

    assert list(told(ErrorEvent(error=details))) == [messages.Failure("server_error")]


def test_a_piece_of_the_callers_words_is_no_whole() -> None:
    piece = wire.ConversationItemInputAudioTranscriptionDelta(item_id="c", delta="Good")

    assert list(told(piece)) == [messages.Transcript("caller", "c", "Good", final=False)]


def test_a_failed_response_without_a_code_is_told_all_the_same() -> None:
    done = wire.ResponseDone(response=wire.Response(status="failed"))

    assert list(told(done)) == [messages.Failure("response_failed")]


# -- whole calls


@pytest.mark.looptime
@pytest.mark.parametrize("rate_hz", [16_000, 24_000])
async def test_two_turns_and_a_barge_in_that_is_cut_where_the_page_said(rate_hz: int) -> None:
    transcription = wire.AudioInputTranscriptionOptions(model="whisper-1")
    config = browser.session_config(rate_hz=rate_hz, turn_detection=VAD, input_audio_transcription=transcription)
    replies = ("We open at nine and close at five.", LONG, "Of course, I stop.")
    async with answering(browser.accept, config, *replies) as place, Page(place.url, rate_hz) as page:
        question = wav("question.wav", page)
        await page.start()
        await page.speak(question)
        await page.listen_to_the_end()
        await page.speak(question)
        await page.listen(900)
        await page.speak(wav("stop.wav", page))
        await page.listen_to_the_end()
        await page.hang_up()
        end = await place.ended()

    voices = spoken(place.service)
    items, (first, second, third) = list(voices), voices.values()
    (silenced_at,) = page.silenced_at
    heard_of_second = silenced_at - len(first)
    assert page.heard == first + second[:heard_of_second] + third
    assert cuts(place.service) == [(items[1], int(page.acknowledged[items[1]]))]
    assert 900 <= page.acknowledged[items[1]] < 3000
    assert page.acknowledged[items[2]] == pytest.approx(page.format.duration_ms(len(third)))
    assert end.how == "caller"
    assert place.calls[0].counts.broken_messages == 0
    check_words(page, items)


def check_words(page: Page, items: list[str]) -> None:
    """The transcripts that came: pieces, wholes, and what was heard of the reply that was cut."""
    texts = [said for said in page.finals("agent") if said["item_id"] == items[1]]
    pieces = [said["text"] for said in page.of("transcript") if said["item_id"] == items[1] and not said["final"]]
    assert "".join(pieces) == texts[0]["text"] == LONG
    assert "heard_text" not in texts[0]
    assert LONG.startswith(texts[-1]["heard_text"])
    assert 0 < len(texts[-1]["heard_text"]) < len(LONG)
    assert page.finals("caller")
    assert page.said[-1] == {"type": "end", "how": "caller", "problem": ""}


@pytest.mark.looptime
async def test_a_typed_message_is_answered_and_tools_show_their_progress() -> None:
    @tool
    async def get_weather(city: str) -> str:
        """The weather of a city."""
        return f"sunny in {city}"

    turn = Turn(calls=[ToolCall("get_weather", {"city": "Lisbon"})], reply_after_calls="It is sunny.")
    async with (
        answering(browser.accept, browser.session_config(), turn, tools=[get_weather]) as place,
        Page(place.url) as page,
    ):
        await page.start()
        await page.tell("text", text="The weather?")
        await page.until(lambda: page.finals("agent"))
        await page.hang_up()
        _, session = await place.running()
        asked = session.conversation.turns[0].caller_text

    call_id = page.of("tool")[0]["call_id"]
    states = [(said["call_id"], said["name"], said["state"]) for said in page.of("tool")]
    assert states == [(call_id, "get_weather", "started"), (call_id, "get_weather", "finished")]
    assert asked == "The weather?"
    assert page.of("session")[0] == {"type": "session", "id": session.id, "state": "running"}


@pytest.mark.looptime
async def test_an_interruption_overtakes_a_typed_message_that_waits_for_its_answer() -> None:
    async with answering(browser.accept, browser.session_config(), LONG, "Yes?") as place, Page(place.url) as page:
        await page.start()
        await page.tell("text", text="Talk.")
        await page.until(lambda: len(page.heard) > page.format.byte_count(500))
        await page.tell("text", text="Listen!")
        await page.tell("interrupt")
        await page.until(lambda: page.of("flush"))
        await page.until(lambda: [said for said in page.finals("agent") if said["text"] == "Yes?"])
        await page.hang_up()

    ((item_id, told_ms),) = cuts(place.service)
    assert told_ms == int(page.acknowledged[item_id])


@pytest.mark.looptime
async def test_a_response_that_fails_is_told_and_the_call_goes_on() -> None:
    async with answering(browser.accept, browser.session_config()) as place, Page(place.url) as page:
        await page.start()
        await page.tell("text", text="Nothing is left to say.")
        await page.until(lambda: page.of("error"))
        call, _ = await place.running()
        assert call.end is None
        await page.hang_up()

    assert page.of("error") == [{"type": "error", "problem": "script_exhausted"}]


@pytest.mark.looptime
async def test_what_the_service_refuses_is_told_once() -> None:
    async with answering(browser.accept, browser.session_config(), "Hello.") as place, Page(place.url) as page:

        def refuse(event: wire.ServerEvent) -> list[wire.ServerEvent]:
            if isinstance(event, wire.ResponseCreated):
                (asked,) = place.service.received_of(wire.ResponseCreate)
                return [ErrorEvent(error=ServerEventErrorDetails(code="too_late", event_id=asked.event_id))]
            return [] if event.type.startswith("response.") else [event]

        await page.start()
        await place.running()
        place.service.tamper = refuse
        await page.tell("text", text="Hi.")
        await page.until(lambda: page.of("error"))
        await asyncio.sleep(1)
        await page.hang_up()

    assert page.of("error") == [{"type": "error", "problem": "too_late"}]


@pytest.mark.looptime
async def test_what_the_service_leaves_unanswered_is_told_by_the_name_of_the_error() -> None:
    async with answering(browser.accept, browser.session_config(), "Hello.") as place, Page(place.url) as page:
        await page.start()
        await place.running()
        place.service.silence()
        await page.tell("text", text="Hi.")
        await page.until(lambda: page.of("error"))
        await page.hang_up()

    assert page.of("error") == [{"type": "error", "problem": "ConfirmationTimeoutError"}]


@pytest.mark.looptime
async def test_a_session_at_another_rate_is_refused_with_advice() -> None:
    async with answering(browser.accept, browser.session_config()) as place, Page(place.url, 16_000) as page:
        await page.start()
        failure = await place.failed()

    assert isinstance(failure, ConfigurationError)
    assert "browser.session_config(rate_hz=16000)" in str(failure)


@pytest.mark.looptime
async def test_an_avatars_link_is_made_by_the_page_and_nobody_waits_for_it() -> None:
    servers = [{"urls": ["turn:relay.example.com"], "username": "u", "credential": "c"}]
    avatar = wire.VideoAvatar(
        character="lisa", style="casual-sitting", ice_servers=[wire.IceServer.model_validate(servers[0])]
    )
    offer = (OFFERS / "chromium_recvonly.offer.sdp").read_bytes().decode()
    answer = (OFFERS / "chromium_recvonly.answer.sdp").read_bytes().decode()
    async with (
        answering(browser.accept, browser.session_config(avatar=avatar), "Hello.") as place,
        Page(place.url) as page,
    ):
        await page.start()
        await page.until(lambda: page.of("avatar.ice_servers"))
        _, session = await place.running()
        connect = asyncio.Event()

        async def connecting(offered: str, **_: object) -> str:
            await connect.wait()
            return {offer: answer}[offered]

        session.avatar.connect = connecting  # type: ignore[method-assign, assignment]  # is tested with real peers
        await page.tell("avatar.offer", sdp=offer)
        await page.tell("text", text="Hello?")
        await page.until(lambda: page.of("transcript"))
        assert not page.of("avatar.answer")
        connect.set()
        await page.until(lambda: page.of("avatar.answer"))
        await page.hang_up()

    assert page.of("avatar.answer") == [{"type": "avatar.answer", "sdp": answer}]
    assert page.of("avatar.ice_servers") == [{"type": "avatar.ice_servers", "servers": servers}]


@pytest.mark.looptime
async def test_an_offer_that_is_refused_here_is_told() -> None:
    avatar = wire.VideoAvatar(character="lisa", style="casual-sitting")
    async with (
        answering(browser.accept, browser.session_config(avatar=avatar)) as place,
        Page(place.url) as page,
    ):
        await page.start()
        await page.tell("avatar.offer", sdp="v=0")
        await page.until(lambda: page.of("error"))
        await page.hang_up()

    assert page.of("error") == [{"type": "error", "problem": "ConfigurationError"}]


@pytest.mark.looptime
async def test_a_session_that_goes_on_elsewhere_is_told_and_its_avatar_can_be_linked_anew() -> None:
    options = ClientOptions(ping_interval_s=None)
    server = wire.IceServer(urls=["turn:relay.example.com"], username="u", credential="c")
    config = browser.session_config(
        avatar=wire.VideoAvatar(character="lisa", style="casual-sitting", ice_servers=[server])
    )
    async with answering(browser.accept, config, options=options) as place, Page(place.url) as page:
        await page.start()
        await page.until(lambda: page.of("session"))
        place.service.abort()
        await page.until(lambda: len(page.of("session")) == 3)
        await page.hang_up()

    assert len(page.of("avatar.ice_servers")) == 2
    running, interrupted, resumed = page.of("session")
    assert [each["state"] for each in (running, interrupted, resumed)] == ["running", "interrupted", "resumed"]
    assert running["id"] == interrupted["id"] != resumed["id"]


@pytest.mark.looptime
async def test_damaged_messages_are_counted_and_the_call_goes_on() -> None:
    async with answering(browser.accept, browser.session_config(), "Hello.") as place, Page(place.url) as page:
        await page.start()
        await page.socket.send("{")
        await page.tell("wave")
        await page.socket.send(b"\x01")
        await page.tell("text", text="Hi.")
        await page.listen_to_the_end()
        await page.hang_up()
        await place.ended()

    assert (place.calls[0].counts.broken_messages, place.calls[0].counts.unknown_messages) == (2, 1)


@pytest.mark.looptime
async def test_a_session_that_ends_tells_the_page_and_closes_its_socket() -> None:
    async with answering(browser.accept, browser.session_config(), "Good bye.") as place, Page(place.url) as page:
        await page.start()
        _, session = await place.running()
        await session.create_response()
        await session.close(after_playback=True)
        await page.socket.wait_closed()
        end = await place.ended()
        (voice,) = spoken(place.service).values()

    assert page.heard == voice
    assert page.said[-1] == {"type": "end", "how": "session", "problem": ""}
    assert (end.how, page.socket.close_code) == ("session", 1000)


@pytest.mark.looptime
async def test_a_session_that_fails_is_named_to_the_page() -> None:
    options = ClientOptions(ping_interval_s=None, resume=None)
    async with answering(browser.accept, browser.session_config(), options=options) as place, Page(place.url) as page:
        await page.start()
        await page.until(lambda: page.of("session"))
        place.service.abort()
        await place.failed()
        await page.socket.wait_closed()

    assert page.said[-1] == {"type": "end", "how": "session", "problem": "ConnectionLostError"}


@pytest.mark.looptime
async def test_a_page_that_is_closed_ends_the_call_and_leaves_the_session() -> None:
    async with answering(browser.accept, browser.session_config()) as place, Page(place.url) as page:
        await page.start()
        await place.running()
        await page.socket.close()
        end = await place.ended()

    assert end.how == "line_lost"


@pytest.mark.looptime
async def test_wishes_that_no_session_takes_are_bounded() -> None:
    release = asyncio.Event()

    async def wait(_: Any) -> None:
        await release.wait()

    config = browser.session_config()
    async with answering(browser.accept, config, "Hello.", before=wait) as place, Page(place.url) as page:
        await page.start()
        for place_in_row in range(103):
            await page.tell("text", text=f"{place_in_row}")
        call, _ = await place.running()
        await asyncio.sleep(1)
        release.set()
        await page.until(lambda: page.finals("agent"))
        await page.hang_up()

    assert call.counts.unread_events == 3
    assert len(place.service.received_of(wire.ConversationItemCreate)) == 100

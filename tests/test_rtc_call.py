"""WebRTC calls from the application's side, over real sockets of this machine; the service is played."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.cancellation.stepping import Cut, Ending, at_every_step, cut, open_sockets, until_none_is_left
from tests.cancellation.test_verbs import EARLY_AND_LATE
from tests.support.server import Line, Server

from voicelive import events, tool
from voicelive.client import VoiceLiveClient
from voicelive.errors import (
    ConfigurationError,
    ConnectFailedError,
    ConnectTimeoutError,
    LocalProtocolError,
    ProtocolError,
    RtcCallRefusedError,
    ServiceError,
)
from voicelive.options import ClientOptions
from voicelive.rtc_call import RtcCall
from voicelive.session import Session
from voicelive.wire.avatar import VideoAvatar
from voicelive.wire.client_events import InputAudioBufferAppend, InputAudioBufferCommit
from voicelive.wire.server.response import ResponseDone, ResponseTextDelta
from voicelive.wire.session import SessionConfig

OFFER = (
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
    "a=ice-pwd:p4ssword-of-the-page\r\na=candidate:1 1 udp 2122 10.0.0.7 5000 typ host\r\n"
)
ANSWER = OFFER.replace("o=- 1", "o=- 7")
TEXT = SessionConfig(modalities=["text"])
OPTIONS = ClientOptions(ping_interval_s=None, connections_per_minute=None)


async def answers(line: Line) -> JsonObject:
    """The offer, answered; the session exists from then on."""
    offered = await line.hear()
    await line.say("rtc.call.sdp.created", rtc_call_id="call_1", sdp_answer=ANSWER)
    await line.create()
    return offered


async def plain(line: Line) -> None:
    await answers(line)
    await line.stay()


async def with_settings(line: Line) -> None:
    await answers(line)
    await line.accept_update()
    await line.stay()


JsonObject = dict[str, Any]


def client_of(server: Server, options: ClientOptions = OPTIONS) -> VoiceLiveClient:
    return VoiceLiveClient(server.endpoint, "k3y", options=options)


@pytest.fixture(autouse=True)
async def nothing_is_left_behind() -> AsyncIterator[None]:
    complaints: list[JsonObject] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    yield
    assert not asyncio.all_tasks() - {asyncio.current_task()}
    assert not complaints


async def test_the_offer_goes_first_then_the_settings_and_then_the_call_is_there() -> None:
    async with Server(with_settings) as server:
        async with client_of(server).answer_call(OFFER, "gpt-realtime", config=TEXT) as call:
            assert (call.id, call.sdp_answer) == ("call_1", ANSWER)
            assert isinstance(call.session, Session)
            assert call.session.config.modalities == ["text"]
        assert server.path == "/voice-live/realtime/calls?api-version=2026-01-01-preview&model=gpt-realtime"
        offered, update = server.lines[0].heard
        assert (offered["type"], offered["sdp_offer"], "session" in offered) == ("rtc.call.sdp.create", OFFER, False)
        assert update["type"] == "session.update"
        await server.all_gone()


async def test_a_session_that_exists_before_the_offer_is_as_good() -> None:
    async def play(line: Line) -> None:
        await line.create()
        await line.hear()
        await line.say("rtc.call.sdp.created", rtc_call_id="call_1", sdp_answer=ANSWER)
        await line.stay()

    async with (
        Server(play) as server,
        client_of(server).answer_call(OFFER.replace("\r\n", "\n"), "m", api_version="2099-01-01-preview") as call,
    ):
        assert call.session.id == "sess_1"
        assert "api-version=2099-01-01-preview" in server.path
        assert server.lines[0].heard[0]["sdp_offer"] == OFFER, "with the line ends of SDP"


@pytest.mark.parametrize(
    ("offer", "why"),
    [
        (None, "NoneType"),
        ("", "no SDP text"),
        ('{"type":"offer"}', "no SDP text"),
        (OFFER.replace("m=audio", "m=video"), "audio"),
        (OFFER.replace("a=candidate", "a=other"), "candidates"),
        (OFFER + "a" * 300_000, "characters"),
    ],
)
async def test_an_offer_that_cannot_be_answered_is_refused_before_anything_is_opened(offer: Any, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why) as refused:
        VoiceLiveClient("http://127.0.0.1:1", "k3y").answer_call(offer, "m")
    assert "p4ssword" not in str(refused.value)


async def test_settings_that_calls_cannot_have_are_refused_at_once() -> None:
    client = VoiceLiveClient("http://127.0.0.1:1", "k3y")
    avatar = SessionConfig(avatar=VideoAvatar(character="lisa", style="casual-sitting"))
    with pytest.raises(ConfigurationError, match="avatar"):
        client.answer_call(OFFER, "m", config=avatar)


@pytest.mark.parametrize("named", [True, False])
async def test_a_refused_call_is_an_error_of_its_own(named: bool) -> None:
    async def play(line: Line) -> None:
        await line.hear()
        error = {"type": "invalid_request_error", "code": "missing_sdp", "message": "SDP offer is required"}
        top = {"operation": "rtc.call.sdp.create", "rtc_call_id": "call_1"} if named else {}
        await line.say("rtc.call.error", error=error, **top)
        await line.stay()

    async with Server(play) as server:
        with pytest.raises(RtcCallRefusedError, match=r"missing_sdp.*check offer") as refused:
            await client_of(server).answer_call(OFFER, "m").__aenter__()
        assert (refused.value.code, refused.value.retryable) == ("missing_sdp", False)
        assert refused.value.operation == ("rtc.call.sdp.create" if named else None)
        await server.all_gone()


async def test_a_failure_of_the_service_may_pass() -> None:
    async def play(line: Line) -> None:
        await line.hear()
        await line.say("error", error={"type": "server_error", "code": "agent_initialization_failed", "message": "x"})
        await line.stay()

    async with Server(play) as server:
        with pytest.raises(RtcCallRefusedError, match="later") as refused:
            await client_of(server).answer_call(OFFER, "m").__aenter__()
        assert refused.value.retryable


async def test_refused_settings_and_an_answer_without_sdp_end_the_call() -> None:
    async def refuses_settings(line: Line) -> None:
        await answers(line)
        update = await line.hear()
        await line.say("error", error={"type": "x", "code": "bad", "message": "", "event_id": update["event_id"]})
        await line.stay()

    async def answers_nonsense(line: Line) -> None:
        await line.hear()
        await line.say("rtc.call.sdp.created", rtc_call_id="call_1", sdp_answer="nonsense")
        await line.stay()

    plays: list[tuple[Any, type[Exception]]] = [(refuses_settings, ServiceError), (answers_nonsense, ProtocolError)]
    for play, error in plays:
        async with Server(play) as server:
            with pytest.raises(error):
                await client_of(server).answer_call(OFFER, "m", config=TEXT).__aenter__()
            await server.all_gone()


@pytest.mark.looptime
async def test_a_call_that_is_not_answered_in_time_is_given_up() -> None:
    async def deaf(line: Line) -> None:
        await line.stay()

    async with Server(deaf) as server:
        with pytest.raises(ConnectTimeoutError, match=r"rtc\.call\.sdp\.created"):
            await client_of(server).answer_call(OFFER, "m", timeout_s=3).__aenter__()
        await server.all_gone()


async def test_a_service_that_hangs_up_instead_is_a_failed_connection() -> None:
    async def play(line: Line) -> None:
        await line.hear()

    async with Server(play) as server:
        with pytest.raises(ConnectFailedError, match="ended the session"):
            await client_of(server).answer_call(OFFER, "m").__aenter__()


async def test_an_end_of_the_socket_is_the_end_of_the_session() -> None:
    async def play(line: Line) -> None:
        await answers(line)

    async with Server(play) as server, client_of(server).answer_call(OFFER, "m") as call:
        info = await call.session.wait_closed()
        assert info.code == 1000
        assert len(server.requests) == 1, "not resumed"
        assert not call.receive('{"type":"response.created"}')


@tool
def look_up(word: str) -> str:
    """Look a word up."""
    return word.upper()


def told(kind: str, number: int, **fields: Any) -> str:
    return json.dumps({"type": kind, "event_id": f"event_{number}", **fields})


async def test_what_the_page_forwards_and_what_the_socket_brings_is_one_course_of_events() -> None:
    copied = asyncio.Event()

    async def play(line: Line) -> None:
        await answers(line)
        await copied.wait()
        await line.socket.send(told("response.text.delta", 1, response_id="r1", delta="He"))
        await line.socket.send(told("response.done", 3, response={"id": "r1", "status": "completed"}))
        await line.stay()

    async with Server(play) as server, client_of(server).answer_call(OFFER, "m") as call:
        with call.session.subscribe(ResponseTextDelta, ResponseDone, events.UndecodableFrame) as stream:
            assert call.receive(told("response.text.delta", 1, response_id="r1", delta="He"))
            assert call.receive(told("response.text.delta", 2, response_id="r1", delta="llo").encode())
            assert not call.receive(told("response.text.delta", 2, response_id="r1", delta="llo"))
            assert not call.receive(told("session.updated", 9, session={"id": "forged"}))
            assert not call.receive("no JSON")
            copied.set()
            got = [type(event) async for event, _ in zip_async(stream, 4)]
        assert got == [ResponseTextDelta, ResponseTextDelta, events.UndecodableFrame, ResponseDone]
        counts = call.session.counts
        assert (counts.copied_events, counts.unbelieved_events, counts.undecodable_frames) == (2, 1, 1)
        assert call.session.id == "sess_1"


async def zip_async(stream: Any, count: int) -> AsyncIterator[tuple[Any, int]]:
    for number in range(count):
        yield await anext(stream), number


@pytest.mark.parametrize("message", [7, None, "x" * 262_145])
async def test_a_message_that_no_data_channel_carries_is_refused(message: Any) -> None:
    async with Server(plain) as server, client_of(server).answer_call(OFFER, "m") as call:
        with pytest.raises(ConfigurationError, match="message"):
            call.receive(message)


async def test_a_tool_runs_where_the_page_forwards_nothing() -> None:
    heard: asyncio.Queue[JsonObject] = asyncio.Queue()

    async def play(line: Line) -> None:
        await answers(line)
        await line.accept_update()
        place = {"response_id": "r1", "item_id": "i1", "call_id": "c1", "output_index": 0}
        await line.say("response.function_call_arguments.done", **place, name="look_up", arguments='{"word":"a"}')
        while True:
            heard.put_nowait(await line.hear())

    async with Server(play) as server, client_of(server).answer_call(OFFER, "m", tools=[look_up]):
        output, asked = await heard.get(), await heard.get()
    assert (output["type"], output["item"]["output"]) == ("conversation.item.create", "A")
    assert asked["type"] == "response.create"


async def test_no_audio_passes_and_what_does_not_need_it_works() -> None:
    async with Server(plain) as server, client_of(server).answer_call(OFFER, "m") as call:
        session = call.session
        for refused in (
            session.send_audio(bytes(960)),
            session.send(InputAudioBufferAppend(audio=bytes(960))),
            session.send_raw({"type": "input_audio_buffer.append", "audio": ""}),
            session.converse(_frames()),
        ):
            with pytest.raises(LocalProtocolError, match="microphone"):
                await refused
        with pytest.raises(LocalProtocolError):
            session.record_call("nowhere.wav")
        await session.send(InputAudioBufferCommit())
        await session.interrupt()
        await server.until(lambda: len(server.lines[0].heard) >= 4)
        kinds = [event["type"] for event in server.lines[0].heard[1:]]
        assert kinds == ["input_audio_buffer.commit", "output_audio_buffer.clear", "response.cancel"]


async def _frames() -> AsyncIterator[bytes]:
    yield bytes(960)


async def test_sdp_reaches_no_repr_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with Server(plain) as server, client_of(server).answer_call(OFFER, "m") as call:
            shown = repr(call) + repr(call.session.ledger) + str(vars(call).keys())
            call.receive("p4ssword is no JSON")
    assert "p4ssword" not in shown + caplog.text
    assert repr(call) == "RtcCall('call_1')"
    assert isinstance(call, RtcCall)


@EARLY_AND_LATE
async def test_cancelled_anywhere_nothing_is_left_open(late: bool) -> None:
    async with Server(with_settings) as server:
        before = open_sockets()

        async def work() -> None:
            async with client_of(server).answer_call(OFFER, "m", config=TEXT) as call:
                assert call.receive(told("response.created", 1, response={"id": "r1"}))

        async def attempt(where: Cut) -> Ending:
            ending = await cut(work(), where, within_s=5)
            assert ending.error is None, where
            await until_none_is_left(lambda: open_sockets() > before, passes=2000)
            return ending

        assert await at_every_step(attempt, late=late)

"""WebRTC calls between the emulator and a page, media and all, in real time."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.cancellation.stepping import open_sockets, until_none_is_left
from tests.support.rtc_page import RATE_HZ, Page
from websockets.asyncio.client import connect

from voicelive import events, tool, wire
from voicelive.audio import AudioFormat, Resampler, WavFile
from voicelive.client import VoiceLiveClient
from voicelive.errors import ConnectFailedError, RtcCallRefusedError, ServiceError
from voicelive.options import ClientOptions
from voicelive.rtc_call import RtcCall
from voicelive.testing import Call, Emulator, Script, ToneVoice, Turn
from voicelive.wire.audio import AudioInputTranscriptionOptions
from voicelive.wire.avatar import VideoAvatar
from voicelive.wire.session import SessionConfig
from voicelive.wire.turn_detection import ServerVad

QUESTION = Path(__file__).parents[3] / "examples" / "audio" / "question.wav"
OPTIONS = ClientOptions(ping_interval_s=None, connections_per_minute=None)
CONFIG = SessionConfig(
    turn_detection=ServerVad(silence_duration_ms=200),
    input_audio_transcription=AudioInputTranscriptionOptions(model="whisper-1"),
)


@pytest.fixture(autouse=True)
async def nothing_is_left_behind() -> AsyncIterator[None]:
    before = open_sockets()
    yield
    async with asyncio.timeout(1):  # checks of a connection that never stood run out after 20 ms
        while asyncio.all_tasks() - {asyncio.current_task()}:  # noqa: ASYNC110 - aiortc has no event for it
            await asyncio.sleep(0.005)
    await until_none_is_left(lambda: open_sockets() > before)


def spoken() -> bytes:
    question = WavFile(QUESTION)
    pcm = question.read(AudioFormat("pcm16", question.rate_hz))
    resampler = Resampler(question.rate_hz, RATE_HZ)
    return resampler.push(pcm) + resampler.flush()


@asynccontextmanager
async def calling(
    script: Script, *, forwards: bool = True, tools: Any = (), **options: Any
) -> AsyncIterator[tuple[RtcCall, Page, Emulator]]:
    async with (
        Emulator(script, voice=ToneVoice(), **options) as emulator,
        Page() as page,
        VoiceLiveClient(emulator.endpoint, "k3y", options=OPTIONS).answer_call(
            page.offer, "gpt-realtime", config=CONFIG, tools=tools
        ) as call,
    ):
        if forwards:
            page.forward = call.receive
        await page.begin(call.sdp_answer)
        yield call, page, emulator


async def test_a_spoken_question_is_answered_audibly_and_the_session_learns_of_it() -> None:
    script = Script(Turn("It is sunny.", transcript="How is the weather?"))
    async with calling(script, call_items_on_both=True) as (call, page, emulator):
        finished = asyncio.create_task(call.session.wait_for(events.TurnFinished, timeout_s=10))
        page.microphone.pcm += spoken()
        turn = (await finished).turn
        assert (turn.caller_text, turn.agent_text) == ("How is the weather?", "It is sunny.")
        await page.until(lambda: "output_audio_buffer.stopped" in page.told)
        assert page.loud_ms > 300
        counts = call.session.counts
        assert counts.copied_events > 0, "item events came twice"
        assert counts.unbelieved_events == counts.unknown_events == 0
        socket = {event.type for event in emulator.sessions[0].sent}
        assert "response.done" not in socket
        assert "response.audio.delta" not in socket | set(page.told)
        assert {"response.created", "response.done", "response.audio_transcript.done"} < set(page.told)


@tool
def weather(place: str) -> str:
    """How the weather is."""
    return f"sunny in {place}"


@pytest.mark.parametrize("forwards", [True, False])
async def test_a_tool_runs_and_its_result_is_spoken(forwards: bool) -> None:
    turn = Turn(calls=[Call("weather", {"place": "Oslo"})], reply_after_calls="Sunny.")
    async with calling(Script(turn), forwards=forwards, tools=[weather]) as (_, page, emulator):
        page.microphone.pcm += spoken()
        await page.until(lambda: page.loud_ms > 100)
        received = emulator.sessions[0].received
        outputs = [one for one in received if isinstance(one, wire.ConversationItemCreate)]
        assert len(outputs) == 1
        assert len(emulator.sessions[0].received_of(wire.ResponseCreate)) == 1


async def test_the_caller_who_speaks_silences_the_agent() -> None:
    script = Script(Turn("one two three four five six seven eight nine ten " * 3), Turn("Yes."))
    async with calling(script) as (call, page, _):
        await call.session.create_response(timeout_s=5)
        await page.until(lambda: page.loud_ms > 300)
        page.microphone.pcm += spoken()
        await page.until(lambda: "output_audio_buffer.cleared" in page.told)
        heard_ms = page.loud_ms
        await page.until(lambda: page.quiet_ms >= 100)
        assert page.loud_ms - heard_ms < 1_500, "what was on its way, and no more"


async def test_an_interruption_silences_the_service() -> None:
    script = Script(Turn("one two three four five six seven eight nine ten " * 3))
    async with calling(script, forwards=False) as (call, page, _):
        await call.session.create_response(confirm=False)
        await page.until(lambda: page.loud_ms > 200)
        await call.session.interrupt()
        await page.until(lambda: "output_audio_buffer.cleared" in page.told)
        await page.until(lambda: page.quiet_ms >= 100)


async def test_a_page_without_a_channel_can_talk() -> None:
    async with (
        Emulator(Script(Turn("Hello.")), voice=ToneVoice()) as emulator,
        Page(channel=None) as page,
        VoiceLiveClient(emulator.endpoint, "k3y", options=OPTIONS).answer_call(page.offer, "m", config=CONFIG) as call,
    ):
        await page.begin(call.sdp_answer)
        await call.session.create_response(confirm=False)
        await page.until(lambda: page.loud_ms > 100)


@pytest.mark.parametrize("version", ["2026-07-15", "2026-07-31-preview", "v1"])
async def test_versions_without_calls_do_not_know_the_path(version: str) -> None:
    async with Emulator() as emulator, Page() as page:
        client = VoiceLiveClient(emulator.endpoint, "k3y", options=OPTIONS)
        with pytest.raises(ConnectFailedError) as refused:
            await client.answer_call(page.offer, "m", api_version=version).__aenter__()
        assert refused.value.status == 404


async def socket_events(emulator: Emulator, *events_out: dict[str, Any]) -> list[wire.ServerEvent]:
    """What the signalling socket answers to raw events."""
    url = emulator.endpoint.replace("http", "ws") + "/voice-live/realtime/calls"
    query = "?api-version=2026-06-01-preview&model=m&api-key=k"

    async with connect(url + query, proxy=None) as socket:
        answers = [wire.decode(await socket.recv())]
        for event in events_out:
            await socket.send(json.dumps(event))
            answers.append(wire.decode(await socket.recv()))
    return answers


@pytest.mark.parametrize(
    ("offer", "code"),
    [
        ({}, "missing_sdp"),
        ({"sdp_offer": " "}, "missing_sdp"),
        ({"sdp_offer": 7}, "missing_sdp"),
        ({"sdp_offer": "nonsense"}, "invalid_sdp"),
        ({"sdp_offer": "v=0\r\nm=audio nonsense\r\n"}, "invalid_sdp"),
        ({"sdp_offer": "v=0", "session": {"nonsense": 1}}, "unknown_parameter"),
        ({"sdp_offer": "v=0", "session": {"avatar": {"character": "lisa"}}}, "invalid_value"),
    ],
)
async def test_what_cannot_be_answered_is_refused_in_the_words_of_calls(offer: dict[str, Any], code: str) -> None:
    async with Emulator() as emulator:
        _, error = await socket_events(emulator, {"type": "rtc.call.sdp.create", **offer})
    assert isinstance(error, wire.RtcCallError)
    assert (error.operation, error.error.code) == ("rtc.call.sdp.create", code)
    assert error.rtc_call_id
    assert error.error.type == "invalid_request_error"


async def test_avatars_and_audio_events_are_refused_there() -> None:
    audio = {"type": "input_audio_buffer.append", "audio": ""}
    avatar = {"type": "session.update", "session": {"avatar": {"character": "lisa"}}}
    async with Emulator() as emulator:
        _, *errors = await socket_events(emulator, audio, avatar)
    assert [type(error) for error in errors] == [wire.ErrorEvent, wire.ErrorEvent]


async def test_settings_may_come_with_the_offer_and_a_session_has_one_call() -> None:
    async with Emulator() as emulator, Page() as page:
        offer: dict[str, Any] = {"type": "rtc.call.sdp.create", "sdp_offer": page.offer}
        # settings and answer are two events, so that each answer is read one request late
        _, updated, created, _, again = await socket_events(
            emulator,
            {**offer, "session": {"instructions": "Be brief."}},
            {"type": "response.cancel"},
            offer,
            {"type": "new"},
        )
    assert isinstance(updated, wire.SessionUpdated)
    assert isinstance(created, wire.RtcCallSdpCreated)
    assert isinstance(again, wire.RtcCallError)
    assert again.error.code == "call_already_exists"


async def test_the_typed_error_reaches_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Emulator() as emulator:
        client = VoiceLiveClient(emulator.endpoint, "k3y", options=OPTIONS)
        with monkeypatch.context() as unchecked:
            unchecked.setattr("voicelive.rtc_call.checked_offer", lambda _: "")
            with pytest.raises(RtcCallRefusedError, match="missing_sdp"):
                await client.answer_call("", "m").__aenter__()


async def test_an_avatar_is_refused_during_a_call_too() -> None:
    avatar = SessionConfig(avatar=VideoAvatar(character="lisa", style="casual-sitting"))
    async with (
        Emulator() as emulator,
        Page() as page,
        VoiceLiveClient(emulator.endpoint, "k3y", options=OPTIONS).answer_call(page.offer, "m") as call,
    ):
        with pytest.raises(ServiceError):
            await call.session.update(avatar)


async def test_without_aiortc_the_emulator_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "voicelive.testing.calls.peer", None)
    async with Page() as page:
        emulator = Emulator()
        await emulator.start()
        client = VoiceLiveClient(emulator.endpoint, "k3y", options=OPTIONS)
        with pytest.raises(ConnectFailedError):
            await client.answer_call(page.offer, "m").__aenter__()
        with pytest.raises(ModuleNotFoundError, match=r"voicelive\[avatar,testing\]"):
            await emulator.close()

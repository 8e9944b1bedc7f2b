"""A whole call in one line, against the emulator: it begins with the source and ends when the answer was heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.flows.scene import emulated, wav

from voicelive import events, wire
from voicelive.audio.formats import AudioFormat
from voicelive.audio.gates import VoiceGate, WhileClosed
from voicelive.audio.playback import PlaybackFrame
from voicelive.audio.sinks import MemorySink, PacedSink
from voicelive.audio.sources import AudioSource, PcmSource, WavSource, paced
from voicelive.errors import ConfigurationError, ConnectionLostError
from voicelive.session import Session
from voicelive.testing import Pace, Script, ToneVoice
from voicelive.wire.session import SessionConfig
from voicelive.wire.turn_detection import ServerVad

pytestmark = pytest.mark.looptime

CONFIG = SessionConfig(
    turn_detection=ServerVad(silence_duration_ms=500),
    input_audio_transcription=wire.AudioInputTranscriptionOptions(model="whisper-1"),
)
LONG = "This is a long answer that goes on for a while, so that there is time to cut it off in the middle of it."
PCM = AudioFormat.of_output(None)


def voice(session: Session) -> tuple[PacedSink, MemorySink]:
    """A sink at the pace of speech, and what it played."""
    kept = MemorySink()
    return PacedSink(kept.write, session.output_format, flush=kept.flush), kept


async def test_a_spoken_question_is_answered_and_the_call_ends_when_the_answer_was_heard() -> None:
    loop = asyncio.get_running_loop()
    async with emulated(Script("It is sunny."), pace=Pace.measured(), config=CONFIG) as (session, _):
        sink, kept = voice(session)
        began = loop.time()

        await session.converse(PcmSource(wav("question.wav")), sink)

        spoken_ms = session.output_format.duration_ms(len(kept.audio))
        assert spoken_ms > 500
        assert session.conversation.turns[0].agent_heard_text == "It is sunny."
        assert loop.time() - began > 2.4 + spoken_ms / 1000
        assert kept.flushes == 1, "the caller's own speech silences the line"


async def test_talking_over_the_agent_is_a_barge_in() -> None:
    question = wav("question.wav")
    pause = bytes(48 * 2600)
    async with emulated(Script(LONG, "Fine."), pace=Pace.measured(), config=CONFIG, voice=ToneVoice()) as (
        session,
        service,
    ):
        sink, _ = voice(session)
        with session.subscribe(events.BargeIn) as barged:
            await session.converse(PcmSource(question + pause + question), sink)
            cut = await anext(barged)

        assert cut.exact
        assert 0 < cut.heard_ms < cut.total_ms
        assert [turn.status for turn in session.conversation.turns] == ["interrupted", "finished"]
        (truncation,) = service.received_of(wire.ConversationItemTruncate)
        assert truncation.audio_end_ms == cut.heard_ms


class Line:
    """A caller who speaks after a while, live."""

    live = True

    def __init__(self) -> None:
        self._audio = PcmSource(bytes(48 * 1_500) + wav("question.wav"), silence_after_ms=1_500)

    def frames(self, audio_format: AudioFormat, /, *, frame_ms: int = 20) -> AsyncIterator[bytes]:
        return paced(self._audio.frames(audio_format, frame_ms=frame_ms), audio_format)


async def turn_closed_s(source: AudioSource) -> float:
    """When the service finds that the caller has spoken, from the first frame on."""
    async with emulated(Script("Fine."), pace=Pace.measured(), config=CONFIG) as (session, _):
        with session.subscribe(wire.InputAudioBufferSpeechStopped) as stops:
            began = asyncio.get_running_loop().time()
            calling = asyncio.create_task(session.converse(source))
            await anext(stops)
            closed_s = asyncio.get_running_loop().time() - began
            await calling
        assert [turn.agent_text for turn in session.conversation.turns] == ["Fine."]
        return closed_s


@pytest.mark.parametrize("closed", ["silence", "nothing"])
async def test_behind_a_voice_gate_the_turn_closes_when_it_would_have_closed(closed: WhileClosed) -> None:
    gate = VoiceGate(Line(), closed=closed)

    assert await turn_closed_s(gate) == pytest.approx(await turn_closed_s(Line()), abs=0.1)
    assert gate.silenced_ms > 1_000


async def test_without_turn_detection_the_audio_is_committed_and_answered() -> None:
    config = SessionConfig(turn_detection=None)
    async with emulated(Script("Fine."), pace=Pace.measured(), config=config) as (session, _):
        await session.converse(PcmSource(wav("question.wav")))

        assert [turn.agent_text for turn in session.conversation.turns] == ["Fine."]


async def test_an_iterator_sets_its_own_pace() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield wav("question.wav")

    loop = asyncio.get_running_loop()
    async with emulated(Script("Fine."), config=CONFIG) as (session, _):
        began = loop.time()
        await session.converse(pieces())

        assert session.conversation.turns[0].agent_text == "Fine."
        assert loop.time() - began < 2.4 + 2.5


async def test_the_call_ends_with_a_session_that_ends_normally() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.02)
            yield bytes(960)

    async with emulated(Script("Fine."), config=CONFIG) as (session, service):
        calling = asyncio.create_task(session.converse(endless(), MemorySink()))
        await asyncio.sleep(1)
        service.close(1000)

        await asyncio.wait_for(calling, 5)


async def test_any_other_end_raises() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.02)
            yield bytes(960)

    async with emulated(Script("Fine."), config=CONFIG) as (session, service):
        calling = asyncio.create_task(session.converse(endless(), MemorySink()))
        await asyncio.sleep(1)
        service.close(1008)

        with pytest.raises(ConnectionLostError):
            await asyncio.wait_for(calling, 5)


async def test_a_failure_of_the_sink_or_of_the_source_is_raised_as_it_is() -> None:
    class Broken(MemorySink):
        async def write(self, frame: PlaybackFrame) -> None:
            raise ZeroDivisionError("the line is gone")

    async with emulated(Script("Fine."), config=CONFIG) as (session, _):
        with pytest.raises(ZeroDivisionError):
            await session.converse(PcmSource(wav("question.wav")), Broken())
        with pytest.raises(FileNotFoundError):
            await session.converse(WavSource("no-such-file.wav"), MemorySink())
        assert session.close_info is None


async def test_what_is_no_source_is_refused() -> None:
    async with emulated(Script("Fine."), config=CONFIG) as (session, _):
        with pytest.raises(ConfigurationError, match="source is a bytes"):
            await session.converse(b"audio")  # type: ignore[arg-type]  # the point


async def test_an_answer_that_does_not_come_is_not_waited_for_for_ever() -> None:
    async with emulated(Script("Fine."), pace=Pace.measured(), config=CONFIG) as (session, service):

        @session.on(wire.InputAudioBufferCommitted)
        def fall_silent(event: wire.InputAudioBufferCommitted) -> None:
            service.silence()

        with pytest.raises(TimeoutError):
            await session.converse(PcmSource(wav("question.wav")), end_after_s=5)

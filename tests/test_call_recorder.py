"""A call in a file, as it was heard."""

from __future__ import annotations

import asyncio
import io
from array import array
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.bridges.test_call import REPLIES, converse
from tests.flows.scene import emulated, speak, wav
from tests.support.callers import TwilioCaller
from tests.support.calls import VAD, answering

from voicelive import events
from voicelive.audio.codecs import decode_ulaw
from voicelive.audio.sinks import MemorySink, PacedSink
from voicelive.audio.wav import WavFile
from voicelive.bridges import twilio
from voicelive.errors import ConfigurationError, LocalProtocolError
from voicelive.session import Session
from voicelive.testing import Pace, Script
from voicelive.wire.session import SessionConfig
from voicelive.wire.turn_detection import ServerVad

pytestmark = pytest.mark.looptime


@pytest.fixture(autouse=True)
def _threads_take_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Virtual time would leap while a thread works."""

    async def at_once(work: Callable[..., Any], *arguments: Any) -> Any:
        await asyncio.sleep(0)
        return work(*arguments)

    monkeypatch.setattr(asyncio, "to_thread", at_once)


LONG = "This is a long answer that goes on for a while, so that there is time to cut it off in the middle of it."
CONFIG = SessionConfig(turn_detection=ServerVad(silence_duration_ms=500))


def tracks(file: Path | io.BytesIO) -> tuple[array[int], array[int]]:
    data = file.getvalue() if isinstance(file, io.BytesIO) else file.read_bytes()
    samples = array("h", data[44:])
    return samples[0::2], samples[1::2]


def voiced(track: array[int]) -> bytes:
    return array("h", [sample for sample in track if sample]).tobytes()


async def test_a_bridged_call_is_recorded_as_the_caller_heard_it(tmp_path: Path) -> None:
    path, config = tmp_path / "call.wav", twilio.session_config(turn_detection=VAD)

    async with AsyncExitStack() as recording:

        async def record(session: Session) -> None:
            await recording.enter_async_context(session.record_call(path))

        async with (
            answering(twilio.accept, config, *REPLIES, before=record) as place,
            TwilioCaller(place.url) as caller,
        ):
            began = asyncio.get_running_loop().time()
            await converse(caller)
            lasted_s = asyncio.get_running_loop().time() - began
            await place.ended()

    left, right = tracks(path)
    assert WavFile(path).rate_hz == 8_000
    assert voiced(right) == voiced(array("h", decode_ulaw(caller.heard))), "every barge-in cut it where it was heard"
    assert len(left) / 8_000 == pytest.approx(lasted_s, abs=0.3)
    for silenced_at in caller.silenced_at:
        assert silenced_at < len(caller.heard)


async def test_both_voices_have_their_times() -> None:
    file = io.BytesIO()
    async with emulated(Script("It is sunny."), pace=Pace.measured(), config=CONFIG) as (session, _):
        loop, kept = asyncio.get_running_loop(), MemorySink()
        sink = PacedSink(kept.write, session.output_format, flush=kept.flush)
        async with session.record_call(file) as recorder, asyncio.timeout(60):
            began, playing = loop.time(), asyncio.create_task(session.playback.play_to(sink))
            await asyncio.sleep(1.0)
            await speak(session, wav("question.wav"))
            await session.wait_for(events.TurnFinished)
            while session.playback.playing:  # noqa: ASYNC110 - in small steps of the clock
                await asyncio.sleep(0.01)
            ended_ms = (loop.time() - began) * 1000
        playing.cancel()

    left, right = tracks(file)
    first_said = next(place for place, sample in enumerate(left) if abs(sample) > 300)
    last_heard = max(place for place, sample in enumerate(right) if sample)
    assert first_said / 24 == pytest.approx(1_000, abs=350), "a second of silence, and the quiet start of the file"
    assert last_heard / 24 == pytest.approx(ended_ms, abs=100)
    assert voiced(right) == voiced(array("h", bytes(kept.audio)))
    assert recorder.duration_ms == pytest.approx(max(len(left), last_heard) / 24, abs=1)
    assert recorder.failure is None


async def test_without_a_sink_an_estimate_is_recorded() -> None:
    file = io.BytesIO()
    async with (
        emulated(Script(LONG), pace=Pace.measured(), config=CONFIG) as (session, _),
        session.record_call(file),
    ):
        await session.create_response()
        await asyncio.sleep(2.0)
        await session.interrupt()
        await asyncio.sleep(2.0)

    _, right = tracks(file)
    spoken = [place / 24_000 for place, sample in enumerate(right) if sample]
    assert 1.0 < spoken[-1] < 2.3, "nothing after the interruption"


async def test_the_rest_of_a_reply_is_heard_after_the_session() -> None:
    file, kept = io.BytesIO(), MemorySink()
    async with emulated(Script("It is sunny."), pace=Pace.measured(), config=CONFIG) as (session, _):
        sink = PacedSink(kept.write, session.output_format, flush=kept.flush)
        async with session.record_call(file):
            playing = asyncio.create_task(session.playback.play_to(sink))
            await (await session.create_response())
            await session.close()
            await playing

    _, right = tracks(file)
    assert voiced(right) == voiced(array("h", bytes(kept.audio)))


async def test_rates_of_both_directions_meet_in_the_file() -> None:
    file = io.BytesIO()
    config = SessionConfig(input_audio_sampling_rate=16_000, turn_detection=None)
    async with emulated(Script(), config=config) as (session, _), session.record_call(file):
        await session.send_audio(array("h", [900] * 16_000).tobytes())

    left, _ = tracks(file)
    file.seek(0)
    assert WavFile(file).rate_hz == 24_000
    assert len(left) == 24_000


async def test_one_recording_at_a_time() -> None:
    async with emulated(Script()) as (session, _):
        async with session.record_call(io.BytesIO()):
            with pytest.raises(LocalProtocolError, match="recorded already"):
                await session.record_call(io.BytesIO()).__aenter__()
        async with session.record_call(io.BytesIO()) as second:
            assert second.duration_ms == 0
        with pytest.raises(ConfigurationError, match="out_rate_hz is 12"):
            session.record_call(io.BytesIO(), rate_hz=12)


class FullDisk(io.BytesIO):
    """A disk that takes the header, and a second of a call."""

    def write(self, data: object) -> int:
        if self.tell() > 96_000:
            raise OSError(28, "No space left on device")
        return super().write(data)  # type: ignore[arg-type]  # whatever bytes-like it is


async def test_a_disk_that_fails_does_not_disturb_the_call(caplog: pytest.LogCaptureFixture) -> None:
    async with emulated(Script("It is sunny."), config=CONFIG) as (session, _):
        recording = session.record_call(FullDisk())
        recorder = await recording.__aenter__()
        await speak(session, wav("question.wav"))
        await asyncio.sleep(1)
        assert isinstance(recorder.failure, OSError)
        await session.send_text("are you there?", confirm=True)
        with pytest.raises(OSError, match="No space left"):
            await recording.__aexit__(None, None, None)

    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "= a call is not recorded any more: OSError"
    ]


async def test_a_file_is_whole_also_when_its_end_is_cancelled() -> None:
    file = io.BytesIO()
    async with emulated(Script(), config=CONFIG) as (session, _):

        async def record() -> None:
            async with session.record_call(file):
                await session.send_audio(array("h", [900] * 24_000).tobytes())

        task = asyncio.create_task(record())
        while len(file.getvalue()) <= 44:  # noqa: ASYNC110 - the last piece is being written
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        file.seek(4)
        assert int.from_bytes(file.read(4), "little") == len(file.getvalue()) - 8, "the header knows its length"


async def test_a_failure_of_the_application_is_raised_as_it_is() -> None:
    async with emulated(Script(), config=CONFIG) as (session, _):
        recording = session.record_call(FullDisk())
        await recording.__aenter__()
        await session.send_audio(bytes(48 * 4_000))
        failure = ZeroDivisionError()
        assert not await recording.__aexit__(type(failure), failure, None), "the block's own exception goes on"

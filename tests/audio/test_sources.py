"""Sources of audio, and their pace."""

from __future__ import annotations

import asyncio
import io
import math
from array import array
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.audio import AudioFormat, AudioSource, PcmSource, WavFile, WavSource, paced, save_wav
from voicelive.errors import ConfigurationError

PCM_8K = AudioFormat("pcm16", 8_000)
PCM_24K = AudioFormat("pcm16", 24_000)
MULAW = AudioFormat("g711_ulaw", 8_000)
FRAME_BYTES = 960
"""20 ms at 24 kHz."""


async def collect(frames: AsyncIterator[bytes]) -> list[bytes]:
    return [frame async for frame in frames]


async def each(items: Iterable[bytes]) -> AsyncIterator[bytes]:
    for item in items:
        yield item


class FakeTime:
    """A clock that only sleeping, or the test, moves."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.slept_s: list[float] = []

    def clock(self) -> float:
        return self.now_s

    async def sleep(self, duration_s: float) -> None:
        self.slept_s.append(duration_s)
        self.now_s += duration_s


def test_the_shipped_sources_are_audio_sources() -> None:
    assert isinstance(WavSource("voice.wav"), AudioSource)
    assert isinstance(PcmSource(b""), AudioSource)


async def test_a_wav_file_comes_in_frames_of_the_sessions_format(tmp_path: Path) -> None:
    pcm = array("h", range(-500, 500)).tobytes()
    save_wav(tmp_path / "voice.wav", pcm, 24_000)

    frames = await collect(WavSource(tmp_path / "voice.wav").frames(PCM_24K))

    assert b"".join(frames) == pcm
    assert [len(frame) for frame in frames] == [960, 960, 80]


async def test_a_wav_source_converts_and_may_be_asked_again(tmp_path: Path) -> None:
    save_wav(tmp_path / "voice.wav", array("h", [1_000] * 2_400).tobytes(), 24_000)
    source = WavSource(str(tmp_path / "voice.wav"))

    for _ in range(2):
        frames = await collect(source.frames(MULAW, frame_ms=40))
        assert [len(frame) for frame in frames] == [320, 320, 160]


async def test_silence_follows_the_speech_so_that_turn_detection_can_close_the_turn(tmp_path: Path) -> None:
    save_wav(tmp_path / "voice.wav", b"\x01\x01" * 250, 24_000)
    wav = WavFile(tmp_path / "voice.wav")

    frames = await collect(WavSource(wav, silence_after_ms=30).frames(PCM_24K))

    assert b"".join(frames) == b"\x01\x01" * 250 + bytes(PCM_24K.byte_count(30))
    assert {len(frame) for frame in frames[:-1]} == {FRAME_BYTES}


async def test_a_bad_wav_file_is_named_where_the_frames_are_read() -> None:
    with pytest.raises(ConfigurationError, match="cannot be read as WAV"):
        await collect(WavSource(io.BytesIO(b"no wav")).frames(PCM_24K))


@given(st.lists(st.binary(max_size=1_500), max_size=8), st.booleans(), st.sampled_from([1, 20, 100]))
async def test_pieces_of_any_length_come_out_as_full_frames_and_one_rest(
    pieces: list[bytes], asynchronous: bool, frame_ms: int
) -> None:
    sent = b"".join(pieces)
    source = PcmSource(each(pieces) if asynchronous else pieces)

    frames = await collect(source.frames(MULAW, frame_ms=frame_ms))

    assert b"".join(frames) == sent
    assert {len(frame) for frame in frames[:-1]} <= {MULAW.byte_count(frame_ms)}
    assert all(frames)


async def test_a_live_source_gives_a_frame_as_soon_as_it_is_complete() -> None:
    microphone: asyncio.Queue[bytes] = asyncio.Queue()

    async def recording() -> AsyncIterator[bytes]:
        while True:
            yield await microphone.get()

    frames = PcmSource(recording()).frames(PCM_24K)
    microphone.put_nowait(b"a" * 1_001)

    assert await anext(frames) == b"a" * 960
    following = asyncio.ensure_future(anext(frames))
    await asyncio.sleep(0)
    assert not following.done()
    microphone.put_nowait(b"b" * 919)
    assert await following == b"a" * 41 + b"b" * 919


@pytest.mark.parametrize("audio", [b"\x01\x02" * 600, bytearray(b"\x01\x02" * 600)])
async def test_plain_bytes_are_a_source_too(audio: bytes | bytearray) -> None:
    frames = await collect(PcmSource(audio, silence_after_ms=20).frames(PCM_24K))

    assert b"".join(frames) == bytes(audio) + bytes(FRAME_BYTES)


async def test_a_source_that_ends_inside_a_sample_raises_before_silence_is_added() -> None:
    frames = PcmSource([b"a" * 961], silence_after_ms=100).frames(PCM_24K)

    assert await anext(frames) == b"a" * 960
    with pytest.raises(ConfigurationError, match="last 1 bytes end inside a sample frame of 2 bytes"):
        await anext(frames)


@pytest.mark.parametrize("silence_after_ms", [-1, math.nan, math.inf])
def test_silence_of_no_duration_is_refused(silence_after_ms: float) -> None:
    with pytest.raises(ConfigurationError, match="silence_after_ms is"):
        WavSource("voice.wav", silence_after_ms=silence_after_ms)
    with pytest.raises(ConfigurationError, match="silence_after_ms is"):
        PcmSource(b"", silence_after_ms=silence_after_ms)


def test_frames_of_no_duration_are_refused_at_the_call() -> None:
    with pytest.raises(ConfigurationError, match="frame_ms is 0"):
        PcmSource(b"").frames(PCM_24K, frame_ms=0)


@pytest.mark.looptime
async def test_paced_frames_go_out_when_those_before_have_sounded() -> None:
    loop = asyncio.get_running_loop()
    started_s = loop.time()

    went_s = [loop.time() - started_s async for _ in paced(PcmSource(bytes(5 * FRAME_BYTES)).frames(PCM_24K), PCM_24K)]

    assert went_s == pytest.approx([0, 0.02, 0.04, 0.06, 0.08])


@pytest.mark.looptime
async def test_four_times_real_time_takes_a_quarter() -> None:
    loop = asyncio.get_running_loop()
    started_s = loop.time()

    await collect(paced(each([bytes(FRAME_BYTES)] * 51), PCM_24K, speed=4))

    assert loop.time() - started_s == pytest.approx(0.25)


@pytest.mark.looptime
async def test_no_pacing_takes_no_time_and_still_lets_others_run() -> None:
    loop = asyncio.get_running_loop()
    started_s, others_turns = loop.time(), 0

    async def other() -> None:
        nonlocal others_turns
        while True:
            others_turns += 1
            await asyncio.sleep(0)

    task = asyncio.ensure_future(other())
    await collect(paced(each([bytes(FRAME_BYTES)] * 50), PCM_24K, speed=None))
    task.cancel()

    assert loop.time() == started_s
    assert others_turns >= 49


async def test_a_late_consumer_catches_up_and_does_not_shift_the_schedule() -> None:
    time, went_ms = FakeTime(), []

    async for _ in paced(each([bytes(FRAME_BYTES)] * 6), PCM_24K, clock=time.clock, sleep=time.sleep):
        went_ms.append(round((time.now_s - 1_000) * 1000))
        if len(went_ms) == 2:
            time.now_s += 0.05  # frame 3 and 4 are late now

    assert went_ms == [0, 20, 70, 70, 80, 100]


async def test_the_schedule_starts_with_the_first_frame_and_not_with_the_wait_for_it() -> None:
    time = FakeTime()

    async def slow_start() -> AsyncIterator[bytes]:
        time.now_s += 3
        yield bytes(FRAME_BYTES)
        yield bytes(FRAME_BYTES)

    await collect(paced(slow_start(), PCM_24K, clock=time.clock, sleep=time.sleep))

    assert time.slept_s == pytest.approx([0, 0.02])


@given(st.lists(st.integers(160, 3_000), min_size=1, max_size=30), st.floats(0.1, 1))
async def test_errors_of_single_waits_never_add_up(sizes: list[int], speed: float) -> None:
    time, went_s = FakeTime(), []

    async def oversleep(duration_s: float) -> None:
        await time.sleep(duration_s + 0.001)

    async for _ in paced(each(map(bytes, sizes)), PCM_8K, speed=speed, clock=time.clock, sleep=oversleep):
        went_s.append(time.now_s - 1_000)

    due_s = [PCM_8K.duration_ms(sum(sizes[:index])) / 1000 / speed for index in range(len(sizes))]
    assert went_s == pytest.approx([due + 0.001 for due in due_s])


@pytest.mark.parametrize("speed", [0, -1.0, math.inf, math.nan])
def test_a_speed_that_is_none_is_refused_at_the_call(speed: float) -> None:
    with pytest.raises(ConfigurationError, match="speed is"):
        paced(each([]), PCM_24K, speed=speed)


async def test_an_application_sends_a_file_in_two_lines(tmp_path: Path) -> None:
    save_wav(tmp_path / "question.wav", bytes(2 * FRAME_BYTES), 24_000)
    sent = []

    async for frame in paced(
        WavSource(tmp_path / "question.wav", silence_after_ms=20).frames(MULAW), MULAW, speed=None
    ):
        sent.append(frame)

    assert [len(frame) for frame in sent] == [160] * 3

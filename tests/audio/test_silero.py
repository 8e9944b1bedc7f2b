"""The detector that comes with the extra, on real speech, in noise, and where nobody speaks."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from voicelive.audio import PcmSource, SileroDetector, VoiceGate, WavFile
from voicelive.audio.codecs import from_pcm16
from voicelive.audio.detection import VoiceDetector
from voicelive.audio.formats import AudioEncoding, AudioFormat

SPEECH = Path(__file__).parents[2] / "examples" / "audio"
RATE_HZ = 16_000

Samples = npt.NDArray[Any]


def pcm(samples: Samples) -> bytes:
    data: bytes = np.rint(samples).clip(-32_768, 32_767).astype("<i2").tobytes()
    return data


def noise(count: int, level: float) -> Samples:
    return np.random.default_rng(7).normal(0, level, count)


def speech(name: str, rate_hz: int) -> Samples:
    """With a second of silence before it and three behind."""
    recording = np.frombuffer(WavFile(SPEECH / name).read(AudioFormat("pcm16", rate_hz)), "<i2")
    return np.concatenate((np.zeros(rate_hz), recording, np.zeros(3 * rate_hz)))


def in_noise(samples: Samples, snr_db: float) -> Samples:
    """White noise; the ratio is that to the samples in which somebody speaks."""
    loud = samples[np.abs(samples) > 300]
    return samples + noise(len(samples), math.sqrt(np.mean(loud**2) / 10 ** (snr_db / 10)))


def probabilities(samples: Samples) -> list[float]:
    detector = SileroDetector()
    audio, window_bytes = pcm(samples), 2 * detector.window_samples
    ends = range(window_bytes, len(audio) + 1, window_bytes)
    return [detector.probability(audio[end - window_bytes : end]) for end in ends]


def test_it_is_a_detector() -> None:
    detector: VoiceDetector = SileroDetector()

    assert (detector.rate_hz, detector.window_samples) == (16_000, 512)


@pytest.mark.parametrize("name", ["question.wav", "followup.wav", "stop.wav"])
@pytest.mark.parametrize("snr_db", [None, 10, 5])
def test_it_hears_speech_within_100_ms_also_in_noise_and_nothing_before_it(name: str, snr_db: float | None) -> None:
    clean = speech(name, RATE_HZ)
    begins_ms = np.argmax(np.abs(clean) > 1_000) * 1000 / RATE_HZ

    found = probabilities(clean if snr_db is None else in_noise(clean, snr_db))

    first = next(place for place, probability in enumerate(found) if probability >= 0.5)
    assert abs(32 * (first + 1) - begins_ms) < 100
    assert max(found[:30]) < 0.4
    assert max(found) > 0.95
    assert max(found[-30:]) < 0.4


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(3 * RATE_HZ),
        noise(3 * RATE_HZ, 300),
        noise(3 * RATE_HZ, 9_000),
        *(8_000 * np.sin(math.tau * hz / RATE_HZ * np.arange(3 * RATE_HZ)) for hz in (100, 440, 1_000, 3_000)),
    ],
    ids=["silence", "soft noise", "loud noise", "100 Hz", "440 Hz", "1 kHz", "3 kHz"],
)
def test_silence_noise_and_tones_are_no_speech(samples: Samples) -> None:
    assert max(probabilities(samples)) < 0.4


def test_after_a_reset_it_hears_as_if_it_were_new() -> None:
    samples = speech("question.wav", RATE_HZ)
    audio = [pcm(samples)[start : start + 1024] for start in range(0, 64_000, 1024)]
    audio = [window for window in audio if len(window) == 1024]
    detector = SileroDetector()

    first = [detector.probability(window) for window in audio]
    detector.reset()

    assert [detector.probability(window) for window in audio] == first


@pytest.mark.parametrize(
    ("encoding", "rate_hz"), [("pcm16", 24_000), ("pcm16", 16_000), ("pcm16", 8_000), ("g711_ulaw", 8_000)]
)
async def test_a_gate_with_it_sends_the_whole_question_and_as_much_audio_as_came(
    encoding: AudioEncoding, rate_hz: int
) -> None:
    audio_format = AudioFormat(encoding, rate_hz)
    clean = speech("question.wav", rate_hz)
    spoken = np.flatnonzero(np.abs(clean) > 1_000)
    line = from_pcm16(pcm(in_noise(clean, 10)), encoding)
    question = line[spoken[0] * audio_format.bytes_per_frame : spoken[-1] * audio_format.bytes_per_frame]
    gate = VoiceGate(PcmSource(line), silence_after_ms=1_000)

    frames = [frame async for frame in gate.frames(audio_format)]

    sent = b"".join(frames)
    assert question in sent
    assert len(sent) == len(line)
    assert sent.startswith(audio_format.silence(900))
    assert sent.endswith(audio_format.silence(900))
    assert 2_500 < gate.silenced_ms < 5_000
    assert not gate.open


async def test_a_gate_with_it_sends_nothing_of_noise() -> None:
    gate = VoiceGate(PcmSource(pcm(noise(3 * RATE_HZ, 3_000))), closed="nothing")

    assert [frame async for frame in gate.frames(AudioFormat("pcm16", RATE_HZ))] == []
    assert gate.silenced_ms == 3_000

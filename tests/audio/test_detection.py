"""What a detector is given: the microphone's samples, at its rate, in whole windows, on time."""

from __future__ import annotations

import math
import sys
from array import array
from typing import Any

import numpy as np
import pytest

import voicelive.audio
from voicelive.audio.channels import interleave
from voicelive.audio.codecs import decode_alaw, decode_ulaw, from_pcm16
from voicelive.audio.detection import Listener, VoiceDetector, refuse_unusable
from voicelive.audio.formats import AudioEncoding, AudioFormat
from voicelive.errors import ConfigurationError


class Ear:
    """A detector that keeps what it heard."""

    def __init__(self, rate_hz: int = 16_000, window_samples: int = 512) -> None:
        self.rate_hz, self.window_samples = rate_hz, window_samples
        self.windows: list[bytes] = []

    def probability(self, window: bytes, /) -> float:
        self.windows.append(window)
        return len(self.windows) / 100

    def reset(self) -> None:
        self.windows.clear()


def tone(rate_hz: int, duration_ms: int = 320) -> bytes:
    count = rate_hz * duration_ms // 1000
    return array("h", (round(9_000 * math.sin(math.tau * 500 * n / rate_hz)) for n in range(count))).tobytes()


def heard_by(ear: Ear, audio_format: AudioFormat, audio: bytes) -> bytes:
    listener = Listener(ear, audio_format)
    for start in range(0, len(audio), listener.window_bytes):
        listener.probability(audio[start : start + listener.window_bytes])
    return b"".join(ear.windows)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000])
@pytest.mark.parametrize(("detector_hz", "window_samples"), [(16_000, 512), (8_000, 256), (48_000, 480)])
def test_every_window_is_whole_and_at_most_3_ms_late(rate_hz: int, detector_hz: int, window_samples: int) -> None:
    ear = Ear(detector_hz, window_samples)

    heard = np.frombuffer(heard_by(ear, AudioFormat("pcm16", rate_hz), tone(rate_hz)), "<i2").astype(float)

    assert {len(window) for window in ear.windows} == {2 * window_samples}
    late = 0 if rate_hz == detector_hz else 20 * detector_hz // min(rate_hz, detector_hz)
    assert late <= 3 * detector_hz // 1000
    expected = np.frombuffer(tone(detector_hz), "<i2").astype(float)
    settled = slice(detector_hz // 50, None)  # the tone's sudden start rings for a moment
    assert np.abs(heard[late:][settled] - expected[: len(heard) - late][settled]).max() < 30


@pytest.mark.parametrize(("encoding", "decode"), [("g711_ulaw", decode_ulaw), ("g711_alaw", decode_alaw)])
def test_companded_audio_is_decoded(encoding: AudioEncoding, decode: Any) -> None:
    line = from_pcm16(tone(8_000), encoding)

    assert heard_by(Ear(8_000, 256), AudioFormat(encoding, 8_000), line) == decode(line)


def test_of_two_channels_the_microphone_is_heard() -> None:
    microphone = tone(16_000)

    heard = heard_by(Ear(), AudioFormat("pcm16", 16_000, 2), interleave(microphone, bytes(len(microphone))))

    assert heard == microphone


def test_the_detectors_word_is_handed_on() -> None:
    listener = Listener(Ear(), AudioFormat("pcm16", 16_000))

    assert [listener.probability(bytes(1024)) for _ in range(2)] == [0.01, 0.02]


def test_a_window_that_the_format_cannot_have_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"window_samples is 511 at 16000 Hz, .* at the session's 24000 Hz"):
        Listener(Ear(window_samples=511), AudioFormat("pcm16", 24_000))


def test_a_detector_of_another_rate_needs_numpy_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(vars(voicelive.audio), "Resampler", raising=False)
    monkeypatch.delitem(sys.modules, "voicelive.audio.resampler", raising=False)
    monkeypatch.setitem(sys.modules, "numpy", None)

    Listener(Ear(), AudioFormat("pcm16", 16_000))
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'voicelive\[audio\]'"):
        Listener(Ear(), AudioFormat("pcm16", 24_000))


@pytest.mark.parametrize(
    ("detector", "problem"),
    [
        (object(), "detector is a object; it must have rate_hz, window_samples, probability and reset"),
        (Ear(rate_hz=4_000), "detector.rate_hz is 4000; allowed: 8000 to 192000"),
        (Ear(rate_hz=192_001), "detector.rate_hz is 192001; allowed: 8000 to 192000"),
        (Ear(window_samples=0), "detector.window_samples is 0; it must be at least 1"),
    ],
)
def test_what_cannot_detect_is_refused(detector: object, problem: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        refuse_unusable(detector)

    assert str(refusal.value) == problem


def test_a_class_with_the_right_names_is_a_detector() -> None:
    detector: VoiceDetector = Ear()

    refuse_unusable(detector)

"""The agent's audio in every format of the service, made into what avatars play."""

from __future__ import annotations

import numpy as np
import pytest

from voicelive.audio.codecs import from_pcm16
from voicelive.audio.formats import AudioFormat
from voicelive.testing.avatar.playout import Change, Playout
from voicelive.testing.avatar.voices import TurnVoice


@pytest.mark.parametrize(
    "audio_format",
    [
        AudioFormat("pcm16", 24_000),
        AudioFormat("pcm16", 16_000),
        AudioFormat("pcm16", 8_000),
        AudioFormat("g711_ulaw", 8_000),
        AudioFormat("g711_alaw", 8_000),
    ],
)
def test_a_second_of_any_format_is_a_second_of_sound(audio_format: AudioFormat) -> None:
    rate_hz = audio_format.rate_hz
    tone = np.rint(9_000 * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz)).astype("<i2").tobytes()
    audio = from_pcm16(tone, audio_format.encoding)
    playout = Playout()
    voice = TurnVoice("a", playout, audio_format)
    for start in range(0, len(audio), 800):
        voice.say(audio[start : start + 800])
    voice.finish()

    pcm, changes = playout.take(48_000)

    samples = np.frombuffer(pcm, "<i2")[1000:-1000].astype(float)
    expected = 9_000 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)[1000:-1000]
    assert np.abs(samples - expected).max() < 500  # G.711 is coarse
    assert changes == [Change("speaking", "a"), Change("idle", "a")]

"""What the foreign clients share: a spoken question, and an environment without proxies."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicelive.audio import AudioFormat, WavFile

_PCM16_24K = AudioFormat("pcm16", 24_000)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some clients obey the environment's proxies for loopback too."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture(scope="session")
def question() -> bytes:
    """A spoken question and the second of silence that ends the turn, pcm16 at 24 kHz."""
    recording = WavFile(Path(__file__).parents[1] / "examples" / "audio" / "question.wav")
    return recording.read(_PCM16_24K) + bytes(_PCM16_24K.byte_count(1_000))

from __future__ import annotations

import json
import re
import sys
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.errors import ConfigurationError, VoiceLiveError
from voicelive.testing import voice as voice_module
from voicelive.testing.voice import (
    EspeakVoice,
    ToneVoice,
    Voice,
    WavVoice,
    default_voice,
    speech_duration_ms,
    word_timings,
)

RATES_HZ = (8000, 16000, 24000)
ROOT = Path(__file__).parents[2]
ASSETS = Path(voice_module.__file__).parent / "assets"
WAVS = [*sorted((ROOT / "examples/audio").glob("*.wav")), *sorted(ASSETS.glob("*.wav"))]
needs_espeak = pytest.mark.skipif(not EspeakVoice.available(), reason="espeak-ng is not on the path")


class Marked:
    """A voice that can be told from all others."""

    def speak(self, text: str, rate_hz: int) -> bytes:
        return f"{text}@{rate_hz}".encode()


def samples(pcm: bytes) -> npt.NDArray[np.float64]:
    return np.frombuffer(pcm, "<i2") / 32767


def write_wav(path: Path, sound: npt.NDArray[np.float64], rate_hz: int, channels: int = 1) -> None:
    with wave.open(str(path), "wb") as wav:
        wav.setparams((channels, 2, rate_hz, 0, "NONE", ""))
        wav.writeframes((sound * 32767).round().astype("<i2").tobytes())


def test_speech_takes_a_second_for_fifteen_characters_and_never_less_than_a_fifth() -> None:
    assert speech_duration_ms("a" * 15) == 1000
    assert speech_duration_ms("a" * 150) == 10_000
    assert speech_duration_ms("") == speech_duration_ms("Hi") == 200
    assert speech_duration_ms("  one \n two  ") == speech_duration_ms("one two")


@given(text=st.text(max_size=60), rate_hz=st.sampled_from(RATES_HZ))
def test_a_tone_lasts_exactly_as_long_as_the_text(text: str, rate_hz: int) -> None:
    pcm = ToneVoice().speak(text, rate_hz)

    assert len(pcm) == 2 * (speech_duration_ms(text) * rate_hz // 1000)
    assert pcm == ToneVoice().speak(text, rate_hz)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_tone_is_audible_and_does_not_clip(rate_hz: int) -> None:
    sound = samples(ToneVoice().speak("A sentence of ordinary length.", rate_hz))

    assert 0.05 < sound.std() < 0.2
    assert np.abs(sound).max() < 0.9


def test_a_tone_falls_silent_between_syllables() -> None:
    blocks = samples(ToneVoice().speak("A sentence of ordinary length.", 24000)).reshape(-1, 240).std(axis=1)

    assert (blocks[::20] < 0.1 * blocks.max()).all()  # every 200 ms, in blocks of 10 ms


@pytest.mark.parametrize("rate_hz", [0, 11025, 48000])
def test_every_voice_refuses_a_rate_that_the_service_does_not_speak(rate_hz: int) -> None:
    voices: list[Voice] = [ToneVoice(), WavVoice({}, ToneVoice())]
    if EspeakVoice.available():
        voices.append(EspeakVoice())

    for voice in voices:
        with pytest.raises(ConfigurationError, match=rf"rate_hz is {rate_hz}; allowed are 8000, 16000, 24000"):
            voice.speak("Hello", rate_hz)


@given(text=st.text(max_size=80), duration_ms=st.integers(min_value=0, max_value=100_000))
def test_words_share_the_whole_duration_without_gaps(text: str, duration_ms: int) -> None:
    timings = word_timings(text, duration_ms)

    assert [word for word, _, _ in timings] == text.split()
    ends_ms = [0, *(offset + length for _, offset, length in timings)]
    assert [offset for _, offset, _ in timings] == ends_ms[:-1]
    assert not timings or ends_ms[-1] == duration_ms
    assert all(length >= 0 for _, _, length in timings)


def test_a_longer_word_takes_longer() -> None:
    assert word_timings("a bcd", 600) == [("a", 0, 200), ("bcd", 200, 400)]


def test_a_negative_duration_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="duration_ms is -1; allowed"):
        word_timings("a", -1)


@pytest.mark.parametrize(
    "said", ["It's Half past three!", "its half PAST three", "It\N{RIGHT SINGLE QUOTATION MARK}s half past, three"]
)
def test_a_recording_is_found_whatever_the_case_and_punctuation(tmp_path: Path, said: str) -> None:
    write_wav(tmp_path / "a.wav", np.full(240, 0.5), 24000)
    voice = WavVoice({"It's half past three.": tmp_path / "a.wav"}, Marked())

    assert samples(voice.speak(said, 24000)) == pytest.approx(np.full(240, 0.5), abs=1e-3)


def test_an_unknown_sentence_goes_to_the_fallback(tmp_path: Path) -> None:
    assert WavVoice({"Yes": tmp_path / "missing.wav"}, Marked()).speak("No", 8000) == b"No@8000"


def test_a_recording_is_opened_once_and_only_when_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    voice = WavVoice({"Yes": path}, Marked())
    write_wav(path, np.full(240, 0.5), 24000)
    first = voice.speak("Yes", 24000)
    path.unlink()

    assert voice.speak("Yes", 24000) == first


@pytest.mark.parametrize("content", ["stereo", "text"])
def test_a_recording_of_another_kind_is_refused_by_name(tmp_path: Path, content: str) -> None:
    if content == "stereo":
        write_wav(tmp_path / "a.wav", np.zeros(200), 24000, channels=2)
    else:
        (tmp_path / "a.wav").write_text("not audio")

    with pytest.raises(ConfigurationError, match=r"recording a\.wav"):
        WavVoice({"Yes": tmp_path / "a.wav"}, Marked()).speak("Yes", 24000)


@pytest.mark.parametrize("from_hz", [8000, 16000, 22050, 24000, 44100])
@pytest.mark.parametrize("to_hz", RATES_HZ)
def test_another_rate_keeps_length_pitch_and_level(tmp_path: Path, from_hz: int, to_hz: int) -> None:
    write_wav(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 1000 * np.arange(from_hz) / from_hz), from_hz)

    sound = samples(WavVoice({"A": tmp_path / "a.wav"}, Marked()).speak("A", to_hz))

    ideal = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(to_hz) / to_hz)
    assert len(sound) == to_hz
    assert np.abs(sound - ideal)[400:-400].max() < 1e-3  # the ends lack what came before and after


@pytest.mark.parametrize(("tone_hz", "to_hz"), [(4500, 8000), (7000, 8000), (8800, 16000), (11000, 16000)])
def test_a_lower_rate_does_not_fold_high_tones_back(tmp_path: Path, tone_hz: int, to_hz: int) -> None:
    write_wav(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * tone_hz * np.arange(24000) / 24000), 24000)

    sound = samples(WavVoice({"A": tmp_path / "a.wav"}, Marked()).speak("A", to_hz))

    assert np.abs(sound)[400:-400].max() < 0.5 / 1000  # 60 dB down


def test_the_index_names_every_shipped_recording() -> None:
    index = json.loads((ASSETS / "voices.json").read_text(encoding="utf-8"))

    assert sorted(index.values()) == sorted(path.name for path in ASSETS.glob("*.wav"))
    for text, name in index.items():
        assert name == "-".join(re.findall(r"\w+", text.lower())) + ".wav"


@pytest.mark.parametrize("path", WAVS, ids=lambda path: path.stem)
def test_a_shipped_file_is_small_and_at_speech_level(path: Path) -> None:
    with wave.open(str(path)) as wav:
        assert (wav.getnchannels(), wav.getsampwidth(), wav.getframerate()) == (1, 2, 24000)
        sound = samples(wav.readframes(wav.getnframes()))
    blocks = sound[: len(sound) // 240 * 240].reshape(-1, 240).std(axis=1)
    active = blocks[blocks > blocks.max() / 56]

    assert path.stat().st_size < 250_000
    assert 20 * np.log10(np.sqrt((active**2).mean())) == pytest.approx(-20, abs=1)
    assert np.abs(sound).max() < 1
    if path.parent.name == "audio":
        assert np.abs(sound[: 24 * 280]).max() < 0.01  # the caller waits a moment


def test_the_default_voice_plays_the_shipped_recordings_and_can_say_anything() -> None:
    voice = default_voice()
    with wave.open(str(ASSETS / "hello-how-can-i-help-you.wav")) as wav:
        recorded = wav.readframes(wav.getnframes())

    assert voice.speak("hello how can I help you", 24000) == recorded
    assert len(voice.speak("Something that nobody recorded.", 8000)) > 8000


def test_without_espeak_the_default_voice_falls_back_to_the_tone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    assert default_voice().speak("Nobody recorded this.", 8000) == ToneVoice().speak("Nobody recorded this.", 8000)


def test_a_missing_executable_is_an_error_that_names_it() -> None:
    assert not EspeakVoice.available("no-such-synthesizer")
    with pytest.raises(ConfigurationError, match="'no-such-synthesizer', which is not on the path"):
        EspeakVoice("no-such-synthesizer")


def test_a_failing_executable_is_an_error_without_the_text() -> None:
    voice = EspeakVoice(sys.executable)  # python has no option "--stdin"

    with pytest.raises(VoiceLiveError, match="exit code") as raised:
        voice.speak("secret words", 24000)
    assert "secret" not in str(raised.value)


@needs_espeak
@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_espeak_says_the_same_thing_twice(rate_hz: int) -> None:
    first, second = (EspeakVoice().speak("-h is no option here.", rate_hz) for _ in range(2))

    assert first == second
    assert 0.5 < len(first) / 2 / rate_hz < 5
    assert samples(first).std() > 0.03


@needs_espeak
def test_espeak_is_run_once_for_one_text(monkeypatch: pytest.MonkeyPatch) -> None:
    voice = EspeakVoice()
    first = voice.speak("Once.", 16000)
    monkeypatch.setattr("subprocess.run", None)

    assert voice.speak("Once.", 16000) == first


@needs_espeak
def test_the_pace_of_espeak_is_checked_and_obeyed() -> None:
    with pytest.raises(ConfigurationError, match="words_per_minute is 20; allowed is 80 to 450"):
        EspeakVoice(words_per_minute=20)
    slow, fast = (EspeakVoice(words_per_minute=pace).speak("One two three four five.", 8000) for pace in (100, 300))
    assert len(slow) > 1.5 * len(fast)

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicelive.errors import ConfigurationError
from voicelive.testing.hearing import SpeechEvent, SpeechStarted, SpeechStopped, VoiceDetector
from voicelive.testing.voice import EspeakVoice, ToneVoice, Voice, WavVoice

Floats = npt.NDArray[np.float64]

ROOT = Path(__file__).parents[2]
RECORDINGS = {
    path.stem: path
    for folder in (ROOT / "examples/audio", ROOT / "src/voicelive/testing/assets")
    for path in sorted(folder.glob("*.wav"))
}
RATES_HZ = (8000, 16000, 24000)
NOISES = ("white", "pink", "fan", "hum")
SPEECH_DBFS = -20


def decibels(value: float) -> float:
    return float(10 ** (value / 20))


@cache
def recording(name: str, rate_hz: int) -> Floats:
    voice = WavVoice({name: RECORDINGS[name]}, ToneVoice())
    return np.frombuffer(voice.speak(name, rate_hz), "<i2") / 32767


@cache
def noise(kind: str, rate_hz: int, seconds: float, seed: int = 7) -> Floats:
    """Stationary noise whose root mean square is 1."""
    samples = int(rate_hz * seconds)
    seconds_of: Floats = np.arange(samples) / rate_hz
    sound: Floats = np.random.default_rng(seed).standard_normal(samples)
    if kind == "hum":
        sound = 0.05 * sound
        sound += sum(np.sin(2 * np.pi * 50 * k * seconds_of + k) / k for k in range(1, 12))
    elif kind != "white":
        hertz = np.maximum(np.fft.rfftfreq(samples, 1 / rate_hz), 20)
        sound = np.fft.irfft(np.fft.rfft(sound) / hertz ** (0.5 if kind == "pink" else 0.7), samples)
        sound /= sound.std()
    if kind == "fan":
        sound += 0.4 * sum(np.sin(2 * np.pi * 95 * k * seconds_of) / k for k in range(1, 8))
    return np.asarray(sound / sound.std(), dtype=np.float64)


def pcm(samples: Floats) -> bytes:
    return (np.clip(samples, -1, 1) * 32767).round().astype("<i2").tobytes()


def silence(rate_hz: int, seconds: float) -> Floats:
    return np.zeros(int(rate_hz * seconds))


def between_silence(name: str, rate_hz: int, lead_s: float = 1.0) -> Floats:
    return np.concatenate([silence(rate_hz, lead_s), recording(name, rate_hz), silence(rate_hz, 1.5)])


def true_start_ms(name: str, rate_hz: int) -> float:
    """Where the recording first comes within 30 dB of its loudest 5 ms."""
    block = rate_hz // 200
    sound = recording(name, rate_hz)
    power = (sound[: len(sound) // block * block].reshape(-1, block) ** 2).mean(axis=1)
    return float(np.argmax(power > power.max() / 1000) * 5)


def heard(samples: Floats, rate_hz: int, **options: float) -> list[SpeechEvent]:
    return VoiceDetector(rate_hz, **options).push(pcm(samples))  # type: ignore[arg-type]  # options of two types


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize(("kind", "snr_db"), [("white", 99), *((kind, snr) for kind in NOISES for snr in (20, 10, 5))])
def test_a_sentence_is_one_start_and_one_stop(name: str, rate_hz: int, kind: str, snr_db: int) -> None:
    sentence = between_silence(name, rate_hz)
    sentence = sentence + noise(kind, rate_hz, 8.0)[: len(sentence)] * decibels(SPEECH_DBFS - snr_db)

    events = heard(sentence, rate_hz, prefix_padding_ms=0)

    assert [type(event) for event in events] == [SpeechStarted, SpeechStopped]
    assert isinstance(events[0], SpeechStarted)
    assert events[0].audio_start_ms == pytest.approx(1000 + true_start_ms(name, rate_hz), abs=150)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("level_dbfs", [-70, -50, -40, SPEECH_DBFS - 10])
@pytest.mark.parametrize("lead_s", [0.0, 1.0])
def test_noise_alone_is_never_speech(rate_hz: int, kind: str, level_dbfs: int, lead_s: float) -> None:
    """Also where it sets in after digital silence, as it does when a caller unmutes."""
    sound = np.concatenate([silence(rate_hz, lead_s), noise(kind, rate_hz, 10.0) * decibels(level_dbfs)])

    assert heard(sound, rate_hz) == []


@pytest.mark.parametrize("kind", ["white", "pink"])
def test_rustling_is_never_speech(kind: str) -> None:
    """It swells like syllables, but has no voice in it."""
    swell = np.sin(2 * np.pi * 2 * np.arange(16000 * 10) / 16000) ** 2

    assert heard(noise(kind, 16000, 10.0) * swell * decibels(SPEECH_DBFS - 10), 16000) == []


def test_digital_silence_is_never_speech_even_at_threshold_zero() -> None:
    assert heard(silence(24000, 20.0), 24000, threshold=0.0) == []


def test_speech_after_noise_that_set_in_suddenly_is_found() -> None:
    sound = np.concatenate([silence(16000, 2.0), between_silence("question", 16000, lead_s=2.0)])
    sound[16000 * 2 :] += noise("white", 16000, 8.0)[: len(sound) - 32000] * decibels(SPEECH_DBFS - 10)

    events = heard(sound, 16000, prefix_padding_ms=0)

    assert [type(event) for event in events] == [SpeechStarted, SpeechStopped]
    assert isinstance(events[0], SpeechStarted)
    assert events[0].audio_start_ms == pytest.approx(4000 + true_start_ms("question", 16000), abs=150)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_speech_in_the_first_sample_is_found(rate_hz: int) -> None:
    sentence = recording("question", rate_hz)[int(rate_hz * 0.35) :]

    events = heard(np.concatenate([sentence, silence(rate_hz, 1.0)]), rate_hz)

    assert [type(event) for event in events] == [SpeechStarted, SpeechStopped]


@pytest.mark.parametrize("length_ms", [1, 20, 100, 180])
@pytest.mark.parametrize("kind", ["white", "hum"])
def test_a_sound_shorter_than_the_speech_duration_is_no_speech(length_ms: int, kind: str) -> None:
    sound = silence(24000, 3.0)
    sound[24000 : 24000 + 24 * length_ms] = noise(kind, 24000, 1.0)[: 24 * length_ms] * 0.3

    assert heard(sound, 24000, speech_duration_ms=200) == []


def test_a_voice_counts_only_from_the_speech_duration_on() -> None:
    sound = np.concatenate([silence(24000, 1.0), recording("hello-how-can-i-help-you", 24000)[: 24 * 400]])
    sound = np.concatenate([sound, silence(24000, 1.0)])

    assert heard(sound, 24000, speech_duration_ms=500) == []
    assert len(heard(sound, 24000, speech_duration_ms=200)) == 2


@given(cuts=st.lists(st.integers(min_value=0, max_value=2000), min_size=1, max_size=30))
@settings(max_examples=15, deadline=None)
def test_chunks_of_any_length_give_the_same_events(cuts: list[int]) -> None:
    sound = between_silence("followup", 8000) + noise("pink", 8000, 8.0)[: 8000 * 4 + 15000][
        : len(between_silence("followup", 8000))
    ] * decibels(-35)
    whole = pcm(sound)
    detector = VoiceDetector(8000)
    events: list[SpeechEvent] = []
    at = 0
    while at < len(whole):
        for cut in (*cuts, 777):  # odd: chunks may cut a sample in half
            events += detector.push(whole[at : at + cut])
            at += cut

    assert events == VoiceDetector(8000).push(whole)
    assert len(events) == 2
    assert detector.position_ms == len(whole) // 16


@given(
    levels=st.lists(st.sampled_from([-90, -60, -45, -35, -20]), min_size=1, max_size=5), rate=st.sampled_from(RATES_HZ)
)
@settings(max_examples=20, deadline=None)
def test_starts_and_stops_alternate_and_never_go_back(levels: list[int], rate: int) -> None:
    sound = np.concatenate([recording("followup", rate) * decibels(level + 20) for level in levels])

    events = heard(sound, rate, silence_duration_ms=100)

    times = [e.audio_start_ms if isinstance(e, SpeechStarted) else e.audio_end_ms for e in events]
    assert times == sorted(times)
    assert [isinstance(e, SpeechStarted) for e in events] == [i % 2 == 0 for i in range(len(events))]


def least_level_heard_dbfs(threshold: float) -> int:
    """In noise of -50 dBFS."""
    sound = between_silence("question", 16000)
    floor = noise("pink", 16000, 8.0)[: len(sound)] * decibels(-50)
    return next(
        level
        for level in range(-64, 1, 2)
        if heard(sound * decibels(level - SPEECH_DBFS) + floor, 16000, threshold=threshold)
    )


def test_a_higher_threshold_needs_louder_speech() -> None:
    least = [least_level_heard_dbfs(threshold) for threshold in (0.1, 0.3, 0.5, 0.7, 0.9)]

    assert least == sorted(least)
    assert least[-1] - least[2] >= 6  # 0.9 against 0.5


def test_the_prefix_padding_dates_a_start_earlier_but_not_before_the_stream() -> None:
    sound = between_silence("question", 24000)
    exact, padded, floored = (heard(sound, 24000, prefix_padding_ms=ms)[0] for ms in (0, 300, 5000))

    assert isinstance(exact, SpeechStarted)
    assert padded == SpeechStarted(exact.audio_start_ms - 300)
    assert floored == SpeechStarted(0)


def test_the_prefix_padding_does_not_reach_before_the_last_stop() -> None:
    sound = between_silence("question", 24000)
    _, stopped, started, _ = heard(np.concatenate([sound, sound]), 24000, prefix_padding_ms=60_000)

    assert isinstance(stopped, SpeechStopped)
    assert started == SpeechStarted(stopped.audio_end_ms)


def test_a_stop_includes_the_silence_that_decided_it() -> None:
    sound = between_silence("question", 24000)
    (_, early), (_, late) = (heard(sound, 24000, silence_duration_ms=ms) for ms in (500, 900))

    assert isinstance(early, SpeechStopped)
    assert late == SpeechStopped(early.audio_end_ms + 400)
    assert 400 <= early.audio_end_ms - (1000 + len(recording("question", 24000)) / 24 - 100) <= 650


def test_a_stop_is_reported_with_the_chunk_that_decided_it() -> None:
    whole = pcm(between_silence("question", 24000))
    detector = VoiceDetector(24000)

    for at in range(0, len(whole), 960):
        for event in detector.push(whole[at : at + 960]):
            if isinstance(event, SpeechStopped):
                assert event.audio_end_ms == detector.position_ms
                assert not detector.speaking
            else:
                assert event.audio_start_ms <= detector.position_ms
                assert detector.speaking
    assert not detector.speaking


def test_a_long_monologue_does_not_become_the_noise_floor() -> None:
    sentence = recording("it-is-half-past-three-in-the-afternoon-in-lisbon", 24000)
    events = heard(np.concatenate([silence(24000, 1.0), np.tile(sentence, 8), silence(24000, 1.0)]), 24000)

    assert [type(event) for event in events] == [SpeechStarted, SpeechStopped]


def test_reset_forgets_speech_in_progress_and_keeps_the_timeline() -> None:
    sound = between_silence("question", 24000)
    detector = VoiceDetector(24000)
    detector.push(pcm(sound[: 24000 * 2]))
    was_speaking = detector.speaking

    detector.reset()

    assert (was_speaking, detector.speaking) == (True, False)
    assert detector.position_ms == 2000
    started, _ = detector.push(pcm(sound[24000 * 2 :]))
    assert isinstance(started, SpeechStarted)
    assert started.audio_start_ms >= 2000


def test_a_later_detector_goes_on_where_the_timeline_is() -> None:
    sound = pcm(between_silence("question", 24000))
    first, second = VoiceDetector(24000).push(sound), VoiceDetector(24000, start_ms=60_000).push(sound)

    assert isinstance(first[0], SpeechStarted)
    assert second[0] == SpeechStarted(first[0].audio_start_ms + 60_000)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_the_tone_voice_is_heard_as_speech(rate_hz: int) -> None:
    spoken = ToneVoice().speak("What is the weather in Lisbon today?", rate_hz)

    events = VoiceDetector(rate_hz).push(bytes(rate_hz) + spoken + bytes(rate_hz * 3))

    assert [type(event) for event in events] == [SpeechStarted, SpeechStopped]


@pytest.mark.skipif(not EspeakVoice.available(), reason="espeak-ng is not on the path")
@pytest.mark.parametrize("text", ["Yes.", "No.", "Hi!"])
def test_one_word_is_heard(text: str) -> None:
    voice: Voice = EspeakVoice(voice="en-gb")

    events = VoiceDetector(16000).push(bytes(16000) + voice.speak(text, 16000) + bytes(48000))

    assert [type(event) for event in events] == [SpeechStarted, SpeechStopped]


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("rate_hz", {"rate_hz": 44100}),
        ("threshold", {"threshold": 1.5}),
        ("threshold", {"threshold": -0.1}),
        ("threshold", {"threshold": float("nan")}),
        ("prefix_padding_ms", {"prefix_padding_ms": -1}),
        ("silence_duration_ms", {"silence_duration_ms": -1}),
        ("speech_duration_ms", {"speech_duration_ms": -1}),
        ("start_ms", {"start_ms": -1}),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(field: str, options: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=rf"{field} is .*; allowed"):
        VoiceDetector(**{"rate_hz": 24000, **options})  # type: ignore[arg-type]  # options of two types


def test_listening_is_far_faster_than_speaking() -> None:
    """Half a detector's measured pace on a slow machine under load: a guard against accidents, not a benchmark."""
    speech = pcm(np.tile(recording("question", 24000), 5))
    detector = VoiceDetector(24000)

    begun = time.process_time()
    for at in range(0, len(speech), 960):
        detector.push(speech[at : at + 960])

    assert len(speech) / 48000 / (time.process_time() - begun) > 60

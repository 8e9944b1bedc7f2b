"""How the emulated agent sounds: text in, mono pcm16 samples out.

Shipped recordings for the sentences of the default script, espeak-ng where it is installed, and otherwise a tone
with the rhythm of speech, so that a conversation can be heard (and detected) on any machine. The same text always
gives the same bytes. Pace, chunks and interruption belong to whoever sends the samples.

Everything here is synchronous; `EspeakVoice` waits for a process, so call it from a thread in an event loop.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import wave
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from voicelive.errors import ConfigurationError, VoiceLiveError

__all__ = ["EspeakVoice", "ToneVoice", "Voice", "WavVoice", "default_voice", "speech_duration_ms", "word_timings"]

_Floats: TypeAlias = npt.NDArray[np.float64]

_RATES_HZ = (8000, 16000, 24000)  # of the service's output formats
_PEAK = 32767

# English is spoken at 150 to 160 words a minute; a word with its space has about 5.7 characters: 15 a second.
_MS_PER_CHARACTER = 1000 / 15
_MIN_SPEECH_MS = 200
_SYLLABLE_MS = 200  # three characters: four to five syllables a second is the beat of speech in every language

_ESPEAK_TIMEOUT_S = 30.0  # it renders a minute of speech in well under a second
_ESPEAK_CACHED_TEXTS = 64

_FILTER_ZEROS = 24  # zero crossings of the sinc on either side: 60 dB down from the lower rate's half on
_ASSETS = resources.files("voicelive.testing") / "assets"


class Voice(Protocol):
    """Anything that can say a text."""

    def speak(self, text: str, rate_hz: int) -> bytes:
        """Return the text as mono 16-bit little-endian samples; may block, must be safe to call from a thread.

        Raises:
            ConfigurationError: ``rate_hz`` is none of 8000, 16000, 24000.
        """
        ...


def speech_duration_ms(text: str) -> int:
    """How long the text takes at a natural pace: 15 characters a second, 200 ms at least.

    White space at the ends does not count, nor does more than one space between words.
    """
    return max(_MIN_SPEECH_MS, round(len(" ".join(text.split())) * _MS_PER_CHARACTER))


def word_timings(text: str, duration_ms: int) -> list[tuple[str, int, int]]:
    """Spread the words of the text over a duration, by their lengths.

    Returns:
        For each word its spelling, offset and duration in milliseconds. Words follow each other without gaps and
        end at ``duration_ms``. No words, no timings.

    Raises:
        ConfigurationError: ``duration_ms`` is negative.
    """
    if duration_ms < 0:
        raise ConfigurationError(f"duration_ms is {duration_ms!r}; allowed is 0 or more")
    words = text.split()
    total = sum(len(word) + 1 for word in words)  # the space after a word is part of its time
    timings: list[tuple[str, int, int]] = []
    spoken = 0
    for word in words:
        start_ms = spoken * duration_ms // total
        spoken += len(word) + 1
        timings.append((word, start_ms, spoken * duration_ms // total - start_ms))
    return timings


class ToneVoice:
    """A hummed voice: a gliding pitch with harmonics, swelling and changing colour with each syllable."""

    def speak(self, text: str, rate_hz: int) -> bytes:
        """Return `speech_duration_ms` of sound, exactly; see `Voice.speak`."""
        _check_rate(rate_hz)
        seconds: _Floats = np.arange(speech_duration_ms(text) * rate_hz // 1000) / rate_hz
        syllable = seconds * 1000 / _SYLLABLE_MS
        swell = np.sin(np.pi * syllable) ** 2
        pitch_hz = 150 + 15 * np.sin(2 * np.pi * 0.4 * seconds) + 10 * np.sin(np.pi * syllable)
        phase = 2 * np.pi * np.cumsum(pitch_hz) / rate_hz
        # A formant that travels between 500 and 1900 Hz is what makes it a voice rather than a whistle.
        formant_hz = 1200 - 700 * np.cos(np.pi * syllable * 0.8)
        sound = np.zeros_like(seconds)
        for harmonic in range(1, 20):  # up to 3300 Hz: below half of every rate
            sound += np.sin(harmonic * phase) * (0.3 / harmonic + np.exp(-(((harmonic * 150 - formant_hz) / 250) ** 2)))
        return _pcm16(sound * swell * 0.12)


class EspeakVoice:
    """The espeak-ng synthesizer, run as a command. The last 64 texts are kept.

    Args:
        executable: Name on the path, or a path.
        voice: One of ``espeak-ng --voices``, with a variant if wanted (``en-gb+f3``).
        words_per_minute: 80 to 450.

    Raises:
        ConfigurationError: The executable was not found, or the pace is out of range.
    """

    def __init__(self, executable: str = "espeak-ng", voice: str = "en-us", words_per_minute: int = 155) -> None:
        path = shutil.which(executable)
        if path is None:
            raise ConfigurationError(
                f"executable is {executable!r}, which is not on the path; install espeak-ng or use ToneVoice"
            )
        if not 80 <= words_per_minute <= 450:
            raise ConfigurationError(f"words_per_minute is {words_per_minute!r}; allowed is 80 to 450")
        # The text comes through stdin: on the command line a leading dash would be an option.
        self._command = (path, "-v", voice, "-s", str(words_per_minute), "--stdin", "--stdout")
        self._rendered: dict[str, tuple[_Floats, int]] = {}

    @staticmethod
    def available(executable: str = "espeak-ng") -> bool:
        """Whether the executable is on the path."""
        return shutil.which(executable) is not None

    def speak(self, text: str, rate_hz: int) -> bytes:
        """Render the text, or take it from the cache; see `Voice.speak`.

        Raises:
            ConfigurationError: The rate is not one of the service's.
            VoiceLiveError: The command failed (an unknown voice) or gave no answer within 30 s.
        """
        _check_rate(rate_hz)
        rendered = self._rendered.get(text)
        if rendered is None:
            rendered = self._render(text)
            if len(self._rendered) >= _ESPEAK_CACHED_TEXTS:
                self._rendered.clear()
            self._rendered[text] = rendered
        return _pcm16(_resample(*rendered, rate_hz))

    def _render(self, text: str) -> tuple[_Floats, int]:
        try:
            run = subprocess.run(  # noqa: S603 - fixed arguments, no shell, the text goes through stdin
                self._command, input=text.encode(), capture_output=True, timeout=_ESPEAK_TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise VoiceLiveError(f"{self._command[0]} did not speak: {type(error).__name__}") from None
        header, data = run.stdout[:44], run.stdout[44:]
        if run.returncode != 0 or header[:4] != b"RIFF" or header[36:40] != b"data":
            raise VoiceLiveError(f"{self._command[0]} failed with exit code {run.returncode}; is the voice known?")
        # The sizes in a streamed header are placeholders, so the data is what is there.
        return _floats(data[: len(data) // 2 * 2]), int.from_bytes(header[24:28], "little")


class WavVoice:
    """Recordings for known sentences, another voice for the rest.

    Args:
        recordings: Text to file: mono 16-bit WAV at any rate, read when first said. Case and punctuation do not count.
        fallback: Says everything else.
    """

    def __init__(self, recordings: Mapping[str, Path | Traversable], fallback: Voice) -> None:
        self._recordings = {_key(text): path for text, path in recordings.items()}
        self._fallback = fallback
        self._loaded: dict[str, tuple[_Floats, int]] = {}

    def speak(self, text: str, rate_hz: int) -> bytes:
        """Play the recording of the text, or let the fallback speak; see `Voice.speak`.

        Raises:
            ConfigurationError: The rate is not one of the service's, or the recording is not mono 16-bit WAV.
        """
        _check_rate(rate_hz)
        key = _key(text)
        if key not in self._recordings:
            return self._fallback.speak(text, rate_hz)
        if key not in self._loaded:
            self._loaded[key] = _read_wav(self._recordings[key])
        return _pcm16(_resample(*self._loaded[key], rate_hz))


def default_voice() -> Voice:
    """Shipped recordings where there is one, then espeak-ng where it is installed, then a tone."""
    index: dict[str, str] = json.loads((_ASSETS / "voices.json").read_text(encoding="utf-8"))
    fallback: Voice = EspeakVoice() if EspeakVoice.available() else ToneVoice()
    return WavVoice({text: _ASSETS / name for text, name in index.items()}, fallback)


def _check_rate(rate_hz: int) -> None:
    if rate_hz not in _RATES_HZ:
        raise ConfigurationError(f"rate_hz is {rate_hz!r}; allowed are {', '.join(map(str, _RATES_HZ))}")


def _key(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold().replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "")))


def _read_wav(path: Path | Traversable) -> tuple[_Floats, int]:
    try:
        with path.open("rb") as file, wave.open(file) as wav:
            layout = wav.getnchannels(), wav.getsampwidth()
            if layout != (1, 2):
                raise ConfigurationError(
                    f"recording {path.name} has {layout[0]} channels of {8 * layout[1]} bit; allowed is mono 16 bit"
                )
            return _floats(wav.readframes(wav.getnframes())), wav.getframerate()
    except (wave.Error, EOFError) as error:
        raise ConfigurationError(f"recording {path.name} is not a WAV file: {error}") from None


def _floats(pcm: bytes) -> _Floats:
    return np.frombuffer(pcm, dtype="<i2") / _PEAK


def _pcm16(samples: _Floats) -> bytes:
    return (np.clip(samples, -1.0, 1.0) * _PEAK).round().astype("<i2").tobytes()


def _resample(samples: _Floats, from_hz: int, to_hz: int) -> _Floats:
    """Convert a whole recording with a windowed sinc; exact length, no delay."""
    if from_hz == to_hz:
        return samples
    step = from_hz / to_hz
    cutoff = min(1.0, 1 / step) * 0.92  # of half the input rate; the rest is the filter's slope
    reach = int(np.ceil(_FILTER_ZEROS / cutoff))
    positions: _Floats = np.arange(len(samples) * to_hz // from_hz, dtype=np.float64) * step
    first = positions.astype(np.int64)
    padded: _Floats = np.pad(samples, (reach, reach + 1))
    out: _Floats = np.zeros_like(positions)
    for tap in range(-reach + 1, reach + 1):  # one tap of all outputs at a time: memory stays small
        distance: _Floats = positions - first - tap
        window: _Floats = np.cos(np.pi / 2 * np.clip(distance / reach, -1, 1)) ** 2
        out += padded[first + tap + reach] * np.sinc(cutoff * distance) * window
    out *= cutoff
    return out

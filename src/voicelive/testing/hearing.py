"""When somebody speaks, decided from the samples alone.

The emulated service needs what the real one calls turn detection: the moment a caller starts, and the moment
silence has lasted long enough. Time is counted in samples, so the same audio gives the same events in any
chunking, at any pace, on any machine. What an event leads to (a barge-in, a commit, a response) is not known here.

Each 20 ms frame is judged by three questions:

- *Is it loud?* A few bands between 200 and 3800 Hz stand out of a noise floor that each keeps for itself:
  its lowest level of the last seconds. Stationary noise is its own floor.
- *Is it voiced?* The spectrum repeats itself at a pitch of the human voice. Hiss, clicks and wind do not.
- *Does it move?* From sound to sound the spectrum changes shape. A hum that starts suddenly has a pitch, but stays.

Loud frames in a row are a run. A run that lasts, with voice and movement in it, is speech, and speech began
with the run: that is why a start is dated earlier than it is reported (by 100 to 250 ms as a rule).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from voicelive.errors import ConfigurationError

__all__ = ["SpeechEvent", "SpeechStarted", "SpeechStopped", "VoiceDetector"]

_Floats: TypeAlias = npt.NDArray[np.float64]
_Samples: TypeAlias = npt.NDArray[np.int16]

_RATES_HZ = (8000, 16000, 24000)  # of pcm16 and G.711 on the wire
_FRAME_MS = 20
_WINDOW_MS = 40  # two frames: three periods of the lowest pitch
_BIN_HZ = 1000 // _WINDOW_MS

# What a telephone carries is common to all rates; within it, bands about as wide as the ear's.
_BAND_EDGES_HZ = (200, 350, 500, 700, 950, 1250, 1650, 2150, 2850, 3800)
_BINS = slice(_BAND_EDGES_HZ[0] // _BIN_HZ, _BAND_EDGES_HZ[-1] // _BIN_HZ)
_BAND_STARTS = np.array([edge // _BIN_HZ - _BINS.start for edge in _BAND_EDGES_HZ[:-1]])
_BANDS = len(_BAND_STARTS)
_MAX_SNR_DB = 20.0  # more in one band says nothing new and must not outvote the others

_PITCH_LAGS_S = np.arange(20, 101) / 8000  # 400 down to 80 Hz
_COMBS: _Floats = np.cos(2 * np.pi * _BIN_HZ * np.outer(_PITCH_LAGS_S, np.arange(_BINS.start, _BINS.stop)))

# The constants below are measured: four synthetic voices at 5 dB over white, pink and fan noise on one side,
# the noises alone, steady or sudden, on the other.
_VOICED = 0.15  # share of the magnitudes that lie on one comb, mean of three frames; pink noise: 1 % above 0.14
_VOICED_FRAMES = 3
_VOICED_REACH = 15  # frames (300 ms): longer than any consonant beside a voiced sound
_MOVING_DB = 2.4  # standard deviation of a band's level, mean of the bands; no noise reaches 2.2
_MOVING_FRAMES = (4, 10)
_EDGE_FRAMES = 2  # windows half full at either end of a run look like movement
_GAP_FRAMES = 12  # 240 ms: a short first word and the one after it are one run
_STEADY_FRAMES = 50  # a second of sound that is no speech is noise that has set in
_HOLD = 0.7  # of the margin: speech that goes on may be softer than speech that starts
_LEVEL_PACE = 0.45  # of the newest frame in the level that is judged
_FLOOR_PACE = 0.25  # the same in the level whose minimum is the floor
_FLOOR_BLOCK_FRAMES = 20
_FLOOR_BLOCKS = 15  # 6 s in all: the floor survives a sentence without a breath
_FLOOR_BIAS_DB: _Floats = np.array([2.2, 2.2, 1.9, 1.7, 1.5, 1.3, 1.1, 1.0, 0.8])  # mean of noise over its minimum


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody started to speak."""

    audio_start_ms: int
    """Stream position of the first sound, less the prefix padding."""


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """Silence has lasted long enough."""

    audio_end_ms: int
    """Stream position at which that was decided: the silence is included."""


SpeechEvent: TypeAlias = SpeechStarted | SpeechStopped


class VoiceDetector:
    """Finds speech in one stream of samples, a chunk at a time.

    Args:
        rate_hz: 8000, 16000 or 24000.
        threshold: 0 to 1; higher is less sensitive. Speech must stand ``1.5 + 8.5 * threshold**3`` dB out of
            the noise floor (root mean square of the bands): 2.6 dB at 0.5, 7.7 dB at 0.9. What is quieter than about
            ``20 * threshold - 65`` dBFS counts as silence in any case.
        prefix_padding_ms: How much earlier than the first sound a start is dated.
        silence_duration_ms: How long silence lasts before a stop.
        speech_duration_ms: How long sound lasts before it can be speech.
        start_ms: Stream position of the first sample, for a detector that takes over from another.

    Raises:
        ConfigurationError: A rate, threshold or duration out of range.

    Not for several threads at a time. Never waits, never reads a clock.
    """

    def __init__(
        self,
        rate_hz: int,
        *,
        threshold: float = 0.5,
        prefix_padding_ms: int = 300,
        silence_duration_ms: int = 500,
        speech_duration_ms: int = 80,
        start_ms: int = 0,
    ) -> None:
        if rate_hz not in _RATES_HZ:
            raise ConfigurationError(f"rate_hz is {rate_hz!r}; allowed are {', '.join(map(str, _RATES_HZ))}")
        if not 0 <= threshold <= 1:
            raise ConfigurationError(f"threshold is {threshold!r}; allowed is 0 to 1")
        for name, value in (
            ("prefix_padding_ms", prefix_padding_ms),
            ("silence_duration_ms", silence_duration_ms),
            ("speech_duration_ms", speech_duration_ms),
            ("start_ms", start_ms),
        ):
            if value < 0:
                raise ConfigurationError(f"{name} is {value!r}; allowed is 0 or more")
        self._prefix_ms, self._silence_ms, self._speech_ms = prefix_padding_ms, silence_duration_ms, speech_duration_ms
        self._margin_db = 1.5 + 8.5 * threshold**3  # 1.5 is what noise itself seldom exceeds
        self._bytes_per_ms = rate_hz * 2 // 1000
        self._frame_bytes = self._bytes_per_ms * _FRAME_MS
        self._start_ms = start_ms
        self._earliest_ms = start_ms  # no start is dated before the last stop
        self._received_bytes = 0
        self._pending = bytearray(self._frame_bytes)  # silence before the first sample
        self._frames = 0
        self._features = _Features(self._frame_bytes, quiet_dbfs=20 * threshold - 75)
        self._floor = _Floor()
        self._snr_db: _Floats = np.zeros(_BANDS)
        self._speaking = False
        self._forget_run()

    @property
    def speaking(self) -> bool:
        """Whether a start was reported whose stop was not."""
        return self._speaking

    @property
    def position_ms(self) -> int:
        """How much audio has been pushed, whole milliseconds, ``start_ms`` included."""
        return self._start_ms + self._received_bytes // self._bytes_per_ms

    def push(self, pcm: bytes) -> list[SpeechEvent]:
        """Listen to the next samples and return what they decided, oldest first.

        Args:
            pcm: Mono 16-bit little-endian samples; any length, also half a sample.
        """
        self._received_bytes += len(pcm)
        self._pending += pcm
        window_bytes = 2 * self._frame_bytes
        events: list[SpeechEvent] = []
        consumed = 0
        while len(self._pending) - consumed >= window_bytes:
            window = np.frombuffer(bytes(self._pending[consumed : consumed + window_bytes]), dtype="<i2")
            consumed += self._frame_bytes
            event = self._judge(window)
            if event is not None:
                events.append(event)
        del self._pending[:consumed]
        return events

    def reset(self) -> None:
        """Forget the speech in progress, as after a cleared buffer; no stop is reported for it.

        The timeline and the noise floor stay, and no later start is dated before this moment.
        """
        self._speaking = False
        self._earliest_ms = self.position_ms
        self._forget_run()

    def _forget_run(self) -> None:
        self._run_start: int | None = None
        self._run_frames = 0
        self._last_loud = 0
        self._voicing: deque[float] = deque([0.0] * _VOICED_FRAMES, maxlen=_VOICED_FRAMES)
        self._voiced: deque[int] = deque(maxlen=_STEADY_FRAMES)
        self._levels_db: deque[_Floats] = deque(maxlen=_MOVING_FRAMES[1] + _EDGE_FRAMES)

    def _judge(self, window: _Samples) -> SpeechEvent | None:
        frame = self._frames
        self._frames += 1
        magnitudes, levels_db = self._features.of(window)
        floor_db = self._floor.after(levels_db)
        snr_db = np.minimum(np.maximum(levels_db - floor_db, 0.0), _MAX_SNR_DB)
        present_db = _rms(snr_db)
        snr_db *= _LEVEL_PACE
        self._snr_db *= 1 - _LEVEL_PACE
        self._snr_db += snr_db
        loud = _rms(self._snr_db) >= self._margin_db * (_HOLD if self._speaking else 1.0)
        self._note_voice(frame, magnitudes if loud else None)
        if self._speaking:
            return self._hold(frame, loud)
        return self._seek(frame, loud, levels_db if present_db >= self._margin_db else None)

    def _note_voice(self, frame: int, magnitudes: _Floats | None) -> None:
        """Remember the frame as voiced if it is; ``None`` stands for one that is not loud."""
        if magnitudes is None:
            self._voicing.append(0.0)
            return
        self._voicing.append(float((_COMBS @ magnitudes).max()) / (float(magnitudes.sum()) or 1.0))
        if sum(self._voicing) >= _VOICED * _VOICED_FRAMES:
            self._voiced.append(frame)

    def _seek(self, frame: int, loud: bool, present_db: _Floats | None) -> SpeechStarted | None:
        """Wait for a run to become speech; ``present_db`` is ``None`` where only the sound before lingers."""
        if not loud and frame - self._last_loud > _GAP_FRAMES:
            self._forget_run()
        if self._run_frames >= _STEADY_FRAMES:
            self._floor.restart()
            self._forget_run()
        if not loud or present_db is None:
            return None
        if self._run_start is None:
            self._run_start = frame
        self._run_frames += 1
        if self._run_frames > _EDGE_FRAMES:
            self._levels_db.append(present_db)
        self._last_loud = frame
        # A window is two frames long, so any sound fills one frame more than it lasts.
        lasted_ms = (self._run_frames - 1) * _FRAME_MS
        if lasted_ms <= self._speech_ms or not self._has_voice(frame) or not self._moves():
            return None
        self._speaking = True
        first = max(self._run_start, self._voiced[0] - _VOICED_REACH)
        return SpeechStarted(max(self._time_ms(first) - self._prefix_ms, self._earliest_ms))

    def _has_voice(self, frame: int) -> bool:
        return len(self._voiced) >= _VOICED_FRAMES and self._voiced[-_VOICED_FRAMES] > frame - _VOICED_REACH

    def _moves(self) -> bool:
        inner = list(self._levels_db)[:-_EDGE_FRAMES]
        if len(inner) < _MOVING_FRAMES[0]:
            return False
        return float(np.std(inner, axis=0).mean()) >= _MOVING_DB

    def _hold(self, frame: int, loud: bool) -> SpeechStopped | None:
        if loud and self._voiced and frame - self._voiced[-1] <= _VOICED_REACH:
            self._last_loud = frame
        if (frame - self._last_loud) * _FRAME_MS < self._silence_ms or frame == self._last_loud:
            return None
        self._speaking = False
        self._forget_run()
        self._earliest_ms = self._time_ms(frame + 1)
        return SpeechStopped(self._earliest_ms)

    def _time_ms(self, frame: int) -> int:
        return self._start_ms + frame * _FRAME_MS


def _rms(values: _Floats) -> float:
    return math.sqrt(float(values @ values) / _BANDS)


class _Features:
    """Magnitudes between 200 and 3800 Hz, and the level of each band in dBFS."""

    def __init__(self, window_samples: int, quiet_dbfs: float) -> None:
        taper = np.hanning(window_samples + 1)[:-1]
        # Full scale is 32768; the taper's own energy and the two halves of a spectrum are counted in.
        self._taper: _Floats = taper / 32768 * math.sqrt(2 / (float(taper @ taper) * window_samples))
        self._quiet_power = 10 ** (quiet_dbfs / 10)
        self._silence = np.zeros(_BINS.stop - _BINS.start), np.full(_BANDS, float(quiet_dbfs))

    def of(self, window: _Samples) -> tuple[_Floats, _Floats]:
        if not window.any():
            return self._silence  # what muted clients send all day
        magnitudes: _Floats = np.abs(np.fft.rfft(window * self._taper)[_BINS])
        powers = np.add.reduceat(magnitudes * magnitudes, _BAND_STARTS)
        return magnitudes, 10 * np.log10(np.maximum(powers, self._quiet_power))


class _Floor:
    """The level of the noise in each band: its lowest in the last six seconds."""

    def __init__(self) -> None:
        self._frames = 0
        self._smooth_db: _Floats = np.zeros(_BANDS)
        self.restart()

    def restart(self) -> None:
        """Forget all levels but the present one."""
        self._block_db: _Floats = np.full(_BANDS, np.inf)
        self._older_db: _Floats = self._block_db
        self._blocks: deque[_Floats] = deque(maxlen=_FLOOR_BLOCKS - 1)

    def after(self, levels_db: _Floats) -> _Floats:
        self._frames += 1
        # A mean first, then a decaying one. The first frame is left out of it: its window is half silence.
        pace = max(_FLOOR_PACE, 1 / max(self._frames - 1, 1))
        self._smooth_db = self._smooth_db + pace * (levels_db - self._smooth_db)
        if self._frames * _FLOOR_PACE <= 1:
            return self._smooth_db  # too few frames for a minimum
        self._block_db = np.minimum(self._block_db, self._smooth_db)
        floor_db = np.minimum(self._block_db, self._older_db) + _FLOOR_BIAS_DB
        if self._frames % _FLOOR_BLOCK_FRAMES == 0:
            self._blocks.append(self._block_db)
            self._older_db = np.min(self._blocks, axis=0)
            self._block_db = np.full(_BANDS, np.inf)
        return floor_db

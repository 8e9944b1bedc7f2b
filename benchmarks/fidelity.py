"""What a rate converter does to tones, when it gives them back, and what it costs.

All on chunks of 20 ms, as a live call has them. The pass band ends at 0.425 of the lower rate (3.4 kHz at 8 kHz);
what could alias into it begins at 0.575.
"""

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from benchmarks.converters import Maker

PASS_BAND = 0.425
"""Of the lower rate."""

_AMPLITUDE = 16_384  # half of full scale: -6 dBFS
_CHUNKS = 50  # one second
_SILENT = 1e-3  # of a step: stands for none at all, where a logarithm is taken

Samples = npt.NDArray[Any]


@dataclass(frozen=True)
class Fidelity:
    """The figures of one converter between two rates.

    Attributes:
        held_ms: The most audio that it keeps at the end of a chunk, and by how much its output is late.
        flatness_db: The largest deviation from the loudness that went in, up to ``PASS_BAND``.
        noise_db: Signal to everything else in the pass band, for the worst of its tones.
        alias_db: The loudest tone from above that turns up in the pass band, relative to itself; ``None`` where the
            rate is raised.
        chunk_us: CPU for 20 ms.
    """

    held_ms: float
    flatness_db: float
    noise_db: float
    alias_db: float | None
    chunk_us: float

    @property
    def times_real(self) -> float:
        return 20_000 / self.chunk_us

    @property
    def good(self) -> bool:
        """Whether it meets the bounds for live calls."""
        quiet = self.alias_db is None or self.alias_db <= -80
        return self.held_ms <= 3 and self.flatness_db <= 0.1 and self.noise_db >= 80 and quiet


def measure(make: Maker, in_hz: int, out_hz: int, *, tones: int = 30, rounds: int = 5) -> Fidelity:
    """All figures; more ``tones`` find worse places, more ``rounds`` a more typical cost."""
    lower_hz = min(in_hz, out_hz)
    kept = [_kept(make, in_hz, out_hz, float(hz)) for hz in np.linspace(100, PASS_BAND * lower_hz, tones)]
    above_hz = np.linspace((1 - PASS_BAND) * lower_hz, 0.49 * in_hz, tones) if in_hz > out_hz else ()
    aliases = [leaked_db(make, in_hz, out_hz, float(hz)) for hz in above_hz]
    return Fidelity(
        held_ms=_held_ms(make, in_hz, out_hz) + max(0.0, _late_ms(make, in_hz, out_hz)),
        flatness_db=max(abs(gain_db) for gain_db, _ in kept),
        noise_db=min(noise_db for _, noise_db in kept),
        alias_db=max(aliases, default=None),
        chunk_us=_chunk_us(make, in_hz, out_hz, rounds),
    )


def gain_db(make: Maker, in_hz: int, out_hz: int, tone_hz: float) -> float:
    """How loud everything is that comes of a tone, relative to the tone."""
    return _db(_rms(_steady(make, in_hz, out_hz, tone_hz)) / (_AMPLITUDE / math.sqrt(2)))


def leaked_db(make: Maker, in_hz: int, out_hz: int, tone_hz: float) -> float:
    """The same, of the pass band alone."""
    samples = _steady(make, in_hz, out_hz, tone_hz)
    window = np.hanning(len(samples)) * math.sqrt(8 / 3)  # of power 1
    return _db(_rms(_in_pass_band(samples * window, in_hz, out_hz)) / (_AMPLITUDE / math.sqrt(2)))


def _kept(make: Maker, in_hz: int, out_hz: int, tone_hz: float) -> tuple[float, float]:
    """Gain of a tone, and its distance to everything else in the pass band."""
    samples = _steady(make, in_hz, out_hz, tone_hz)
    angle = math.tau * tone_hz / out_hz * np.arange(len(samples))
    waves = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    weights = np.linalg.lstsq(waves, samples, rcond=None)[0]
    amplitude = float(np.hypot(*weights))
    rest = _in_pass_band(samples - waves @ weights, in_hz, out_hz)
    return _db(amplitude / _AMPLITUDE), _db(amplitude / math.sqrt(2) / _rms(rest))


def _in_pass_band(samples: Samples, in_hz: int, out_hz: int) -> Samples:
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / out_hz) > PASS_BAND * min(in_hz, out_hz)] = 0
    return np.fft.irfft(spectrum, len(samples))


def _steady(make: Maker, in_hz: int, out_hz: int, tone_hz: float) -> Samples:
    """Half a second of what comes of a tone, away from its beginning and end."""
    angle = math.tau * tone_hz / in_hz * np.arange(_CHUNKS * in_hz // 50)
    output = _converted(make, in_hz, out_hz, _AMPLITUDE * np.sin(angle + 0.3))
    return output[out_hz // 4 : out_hz // 4 * 3]


def _converted(make: Maker, in_hz: int, out_hz: int, samples: Samples) -> Samples:
    converter = make(in_hz, out_hz)
    pieces = [converter.push(chunk) for chunk in _chunks(samples, in_hz)]
    return np.frombuffer(b"".join(pieces) + converter.flush(), np.int16).astype(np.float64)


def _chunks(samples: Samples, in_hz: int) -> list[bytes]:
    pcm = np.rint(samples).astype(np.int16).tobytes()
    size = in_hz // 50 * 2
    return [pcm[at : at + size] for at in range(0, len(pcm), size)]


def _held_ms(make: Maker, in_hz: int, out_hz: int) -> float:
    converter = make(in_hz, out_hz)
    pushed_ms = given_ms = most_ms = 0.0
    for chunk in _chunks(np.zeros(_CHUNKS * in_hz // 50), in_hz):
        pushed_ms += len(chunk) / 2 * 1000 / in_hz
        given_ms += len(converter.push(chunk)) / 2 * 1000 / out_hz
        most_ms = max(most_ms, pushed_ms - given_ms)
    return most_ms


def _late_ms(make: Maker, in_hz: int, out_hz: int) -> float:
    """By how much a slow swell comes later in the output than it was in the input."""
    length = _CHUNKS * in_hz // 50
    swell = _AMPLITUDE * np.exp(-(((np.arange(length) - length / 2) / (0.01 * in_hz)) ** 2))
    output = _converted(make, in_hz, out_hz, swell)
    return _centre_ms(output, out_hz) - _centre_ms(swell, in_hz)


def _centre_ms(samples: Samples, rate_hz: int) -> float:
    return float(samples @ np.arange(len(samples)) / samples.sum()) * 1000 / rate_hz


def _chunk_us(make: Maker, in_hz: int, out_hz: int, rounds: int) -> float:
    chunk = np.random.default_rng(1).integers(-9_999, 9_999, in_hz // 50).astype(np.int16).tobytes()
    converter = make(in_hz, out_hz)
    best_s = math.inf
    for _ in range(rounds):
        started_s = time.process_time()
        for _ in range(500):
            converter.push(chunk)
        best_s = min(best_s, time.process_time() - started_s)
    return best_s / 500 * 1e6


def _rms(samples: Samples) -> float:
    return max(float(np.sqrt(np.mean(samples**2))), _SILENT)


def _db(ratio: float) -> float:
    return 20 * math.log10(ratio)

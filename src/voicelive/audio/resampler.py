"""Sample rate conversion of live audio, chunk by chunk; by numpy (extra ``audio``).

Decides the filter, and which samples are due. A polyphase FIR filter: a low-pass of 40 samples of the lower rate,
windowed after Kaiser, worked out for each place at which an output can fall between two inputs. Those places repeat
after ``up`` outputs and ``down`` inputs, so one such cycle is one product with a matrix.

Coefficients are whole multiples of 2^-24 and samples are whole numbers: every product and sum is exact in a double.
So the order in which a linear algebra library adds up cannot show, and any chunking yields the same bytes.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from voicelive.audio.samples import refuse_other_numbers
from voicelive.errors import ConfigurationError

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12 on

__all__ = ["Resampler"]

_Floats = npt.NDArray[np.float64]

_HALF_LENGTH: Final = 20  # samples of the lower rate that are held back: 2.5 ms at 8 kHz
# Kaiser's formulas: 40 samples and a transition from 0.425 to 0.575 of the lower rate stop 94 dB with this beta.
_BETA: Final = 9.3
_ONE: Final = 2**24

_LEAST_RATE_HZ: Final = 8_000  # below, the filter would hold back more than 3 ms
_MOST_RATE_HZ: Final = 192_000
_LONGEST_CYCLE: Final = 640  # 11025 Hz to 48 kHz; a longer one makes a matrix of megabytes
_MOST_CHANNELS: Final = 8


class Resampler:
    """Converts a stream of 16-bit little-endian samples from one rate to another.

    Output has the times of the input: it starts where the stream starts and has no lead of silence. A sample comes
    out once everything around it is known, which is ``delay_ms`` later. Up to 0.425 of the lower rate (3.4 kHz at
    8 kHz) loudness is kept within 0.1 dB, with noise and aliases at least 80 dB down; docs/audio.md has measurements.

    Any chunking yields the same bytes. For one stream, and not for concurrent use. A chunk of 20 ms takes
    some 30 µs of CPU, so it may run on the event loop.

    Args:
        in_rate_hz: Of what ``push`` takes: 8000 to 192000.
        out_rate_hz: Of what it returns: 8000 to 192000. The ratio must be that of two whole numbers up to 640, which
            all usual rates have to each other.
        channels: 1 to 8, interleaved.

    Raises:
        ConfigurationError: A rate, ratio or number of channels beyond these.
    """

    def __init__(self, in_rate_hz: int, out_rate_hz: int, channels: int = 1) -> None:
        _check_rate("in_rate_hz", in_rate_hz)
        _check_rate("out_rate_hz", out_rate_hz)
        if not 1 <= channels <= _MOST_CHANNELS:
            raise ConfigurationError(f"channels is {channels!r}; allowed: 1 to {_MOST_CHANNELS}")
        self.in_rate_hz = in_rate_hz
        self.out_rate_hz = out_rate_hz
        self.channels = channels
        common = math.gcd(in_rate_hz, out_rate_hz)
        self._up, self._down = out_rate_hz // common, in_rate_hz // common
        if max(self._up, self._down) > _LONGEST_CYCLE:
            raise ConfigurationError(
                f"{in_rate_hz} Hz to {out_rate_hz} Hz is a ratio of {self._down} to {self._up}; "
                f"neither may be above {_LONGEST_CYCLE}"
            )
        self._half_taps = 0 if self._up == self._down else _half_taps(self._up, self._down)
        self._matrix = _cycle_matrix(self._up, self._down)
        self._start()

    @property
    def delay_ms(self) -> float:
        """How much of the audio that was pushed is held back at most; 0 between equal rates, never above 2.6."""
        return self._half_taps * 1000 / self.in_rate_hz

    def push(self, pcm: Buffer) -> bytes:
        """Take audio in and return what is due; nothing, where too little came.

        Args:
            pcm: Any bytes-like object of 16-bit little-endian samples, whole frames, any number of them.

        Raises:
            ConfigurationError: ``pcm`` ends inside a frame, or holds floats or big-endian numbers. Nothing of it has
                been taken in.
        """
        view = memoryview(pcm)
        refuse_other_numbers(view)
        data = view.cast("B")
        if len(data) % (2 * self.channels):
            raise ConfigurationError(
                f"pcm has {len(data)} bytes; 16-bit samples on {self.channels} channels "
                f"need a multiple of {2 * self.channels}"
            )
        if self._up == self._down:
            return bytes(data)
        self._take(np.frombuffer(data, "<i2"))
        known = self._held.shape[1] - 2 * self._half_taps + 1  # inputs with all their neighbours
        return self._emit(_ceil_div(max(0, known) * self._up, self._down))

    def flush(self) -> bytes:
        """Return what was held back, as if silence followed, and begin a new stream.

        With it, a stream is as long as it was, rounded up to a whole sample.
        """
        if self._up == self._down:
            return b""
        came = self._held.shape[1] - self._half_taps + 1
        self._take(np.zeros(self._half_taps * self.channels, np.int16))
        rest = self._emit(_ceil_div(came * self._up, self._down))
        self._start()
        return rest

    def _start(self) -> None:
        # What is needed still, in rows by channel: from the first input that the cycle's first output looks at.
        self._held: _Floats = np.zeros((self.channels, max(0, self._half_taps - 1)))
        self._done = 0  # outputs of the cycle that were returned already

    def _take(self, samples: npt.NDArray[np.int16]) -> None:
        tracks = samples.reshape(-1, self.channels).T.astype(np.float64)
        self._held = np.concatenate((self._held, tracks), axis=1)

    def _emit(self, due: int) -> bytes:
        """Return outputs from the first that was not, up to ``due``, counted from the start of the cycle."""
        if due <= self._done:
            return b""
        width, cycles = self._matrix.shape[0], _ceil_div(due, self._up)
        # Outputs that are not due look at inputs that did not come: silence for now, and they are not returned.
        missing = (cycles - 1) * self._down + width - self._held.shape[1]
        inputs = np.concatenate((self._held, np.zeros((self.channels, max(0, missing)))), axis=1)
        windows = sliding_window_view(inputs, width, axis=1)[:, : cycles * self._down : self._down]
        outputs = (windows @ self._matrix).reshape(self.channels, -1)[:, self._done : due]
        self._done = due % self._up
        self._held = self._held[:, due // self._up * self._down :]
        return np.rint(outputs.T).clip(-32_768, 32_767).astype("<i2").tobytes()


def _check_rate(name: str, rate_hz: int) -> None:
    if not _LEAST_RATE_HZ <= rate_hz <= _MOST_RATE_HZ:
        raise ConfigurationError(f"{name} is {rate_hz!r}; allowed: {_LEAST_RATE_HZ} to {_MOST_RATE_HZ}")


def _half_taps(up: int, down: int) -> int:
    """Inputs that an output looks at on either side."""
    return math.ceil(_HALF_LENGTH * max(1.0, down / up))


@lru_cache(maxsize=16)  # at most 16 times 6 MB; the usual ones have a few kB
def _cycle_matrix(up: int, down: int) -> _Floats:
    """The outputs of one cycle from the inputs around it: a column for each output."""
    filters = _filters(up, down)
    taps = filters.shape[1]
    starts = [output * down // up for output in range(up)]
    matrix = np.zeros((starts[-1] + taps, up))
    for output, start in enumerate(starts):
        matrix[start : start + taps, output] = filters[output * down % up]
    return matrix


def _filters(up: int, down: int) -> _Floats:
    """A row for each place between two inputs, in steps of 1/up: weights of the inputs around it."""
    half_taps = _half_taps(up, down)
    cutoff = min(1.0, up / down)  # of the source's Nyquist frequency
    distances = np.arange(1 - half_taps, half_taps + 1)[None, :] - np.arange(up)[:, None] / up
    inside = 1 - (distances * cutoff / _HALF_LENGTH) ** 2
    window = np.where(inside >= 0, np.i0(_BETA * np.sqrt(np.maximum(inside, 0))), 0)
    weights = window * np.sinc(cutoff * distances)
    # Each row adds up to 1, so that no place is louder.
    return np.asarray(np.rint(weights * (_ONE / weights.sum(axis=1, keepdims=True))) / _ONE)


def _ceil_div(number: int, divisor: int) -> int:
    return -(-number // divisor)

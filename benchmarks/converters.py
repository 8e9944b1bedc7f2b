"""Four ways to convert the rate of live audio, each as ``push`` and ``flush`` on 16-bit mono samples.

voicelive's is always there; the others where they are installed (``make figures`` does) or, for ``audioop``, where the
interpreter still has it.
"""

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from voicelive.audio import Resampler

__all__ = ["Converter", "converters"]


class Converter(Protocol):
    """What is measured."""

    def push(self, pcm: bytes, /) -> bytes:
        """Take a chunk in and return what is due."""
        ...

    def flush(self) -> bytes:
        """Return the rest."""
        ...


Maker = Callable[[int, int], Converter]


class _Soxr:
    """soxr's stream, quality HQ, its default."""

    def __init__(self, soxr: Any, in_hz: int, out_hz: int) -> None:
        self._stream = soxr.ResampleStream(in_hz, out_hz, 1, dtype="int16")

    def push(self, pcm: bytes) -> bytes:
        return bytes(self._stream.resample_chunk(np.frombuffer(pcm, np.int16)).tobytes())

    def flush(self) -> bytes:
        return bytes(self._stream.resample_chunk(np.zeros(0, np.int16), last=True).tobytes())


class _PyAv:
    """FFmpeg's libswresample through PyAV, with its defaults."""

    def __init__(self, av: Any, in_hz: int, out_hz: int) -> None:
        self._av, self._in_hz = av, in_hz
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=out_hz)

    def push(self, pcm: bytes) -> bytes:
        samples = np.frombuffer(pcm, np.int16).reshape(1, -1)
        frame = self._av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = self._in_hz
        return self._joined(frame)

    def flush(self) -> bytes:
        return self._joined(None)

    def _joined(self, frame: Any) -> bytes:
        return b"".join(out.to_ndarray().tobytes() for out in self._resampler.resample(frame))


class _Ratecv:
    """``audioop.ratecv``: straight lines between samples, and no filter."""

    def __init__(self, audioop: Any, in_hz: int, out_hz: int) -> None:
        self._audioop, self._rates = audioop, (in_hz, out_hz)
        self._state: Any = None

    def push(self, pcm: bytes) -> bytes:
        out, self._state = self._audioop.ratecv(pcm, 2, 1, *self._rates, self._state)
        return bytes(out)

    def flush(self) -> bytes:
        return b""


def converters() -> dict[str, Maker]:
    """Those that are there, by name, ours first."""
    found: dict[str, Maker] = {"voicelive": Resampler}
    others: tuple[tuple[str, str, Callable[[Any, int, int], Converter]], ...] = (
        ("soxr", "soxr", _Soxr),
        ("PyAV", "av", _PyAv),
        ("audioop", "audioop", _Ratecv),
    )
    for name, module_name, kind in others:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # audioop leaves with Python 3.13
                module = import_module(module_name)
        except ImportError:
            continue
        found[name] = _maker(kind, module)
    return found


def _maker(kind: Callable[[Any, int, int], Converter], module: Any) -> Maker:
    return lambda in_hz, out_hz: kind(module, in_hz, out_hz)

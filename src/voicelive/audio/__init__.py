"""Audio as bytes: formats, chunks, G.711, WAV files, and sources of what is sent.

Plain Python, no dependency. What needs one (devices, streaming conversion) loads it when it is used.
"""

from __future__ import annotations

from voicelive.audio.chunking import LEAST_CHUNK_MS, MOST_CHUNK_MS, Chunker, SampleAligner
from voicelive.audio.codecs import decode_alaw, decode_ulaw, encode_alaw, encode_ulaw, from_pcm16, to_pcm16
from voicelive.audio.devices import Microphone, Speaker
from voicelive.audio.formats import AudioEncoding, AudioFormat
from voicelive.audio.sinks import MemorySink, NullSink, PacedSink
from voicelive.audio.sources import AudioSource, PcmSource, WavSource, paced
from voicelive.audio.switches import SwitchedSource
from voicelive.audio.wav import WavFile, WavWriter, save_wav

__all__ = [
    "LEAST_CHUNK_MS",
    "MOST_CHUNK_MS",
    "AudioEncoding",
    "AudioFormat",
    "AudioSource",
    "Chunker",
    "MemorySink",
    "Microphone",
    "NullSink",
    "PacedSink",
    "PcmSource",
    "SampleAligner",
    "Speaker",
    "SwitchedSource",
    "WavFile",
    "WavSource",
    "WavWriter",
    "decode_alaw",
    "decode_ulaw",
    "encode_alaw",
    "encode_ulaw",
    "from_pcm16",
    "paced",
    "save_wav",
    "to_pcm16",
]

"""WAV files in and out, by the standard library's ``wave``.

Decides which files are taken. How their samples become a session's format is ``recording``.
Everything here blocks; files are read whole.
"""

from __future__ import annotations

import io
import os
import wave
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from voicelive.audio.chunking import SampleAligner
from voicelive.audio.codecs import to_pcm16
from voicelive.audio.formats import AudioFormat
from voicelive.audio.recording import MOST_CHANNELS, Recording
from voicelive.audio.samples import refuse_half_samples, samples_of
from voicelive.audio.widths import from_width
from voicelive.errors import ConfigurationError, LocalProtocolError

__all__ = ["WavFile", "WavWriter", "save_wav"]

_WIDTHS_BYTES: Final = (1, 2, 3, 4)
_CONVERT: Final = "convert it to 16-bit PCM, for example with: ffmpeg -i INPUT -c:a pcm_s16le OUTPUT.wav"
# wave's words for the format tags met most, said so that one need not look them up.
_WAVE_WORDS: Final = {
    "unknown format: 3": "it holds floating point samples",
    "unknown format: 6": "it holds A-law samples",
    "unknown format: 7": "it holds mu-law samples",
    "unknown format: 65534": "its header is WAVE_FORMAT_EXTENSIBLE, which Python reads from 3.12 on",
}


class WavFile(Recording):
    """A WAV file of whole-number PCM samples, read into memory.

    Attributes:
        rate_hz: Sample frames a second, as in the file.
        channels: 1 to 8.
        sample_width_bytes: 1 to 4.

    Args:
        file: A path, or a file open for reading bytes, which is read to its end and not closed.

    Raises:
        ConfigurationError: Not a WAV, compressed or floating point samples, no samples, or more than 8 channels;
            the message names the file and what to do.
        OSError: The file could not be read.
    """

    def __init__(self, file: str | os.PathLike[str] | BinaryIO) -> None:
        if isinstance(file, (str, os.PathLike)):
            self._name = os.fspath(file)
            content = Path(file).read_bytes()
        else:
            self._name = str(getattr(file, "name", "WAV data"))
            content = file.read()
        if not content:
            raise self._refused("it is empty", "check how it was written")
        try:
            with wave.open(io.BytesIO(content), "rb") as opened:
                self.rate_hz = opened.getframerate()
                self.channels = opened.getnchannels()
                self.sample_width_bytes = opened.getsampwidth()
                self._data = opened.readframes(opened.getnframes())
        except (wave.Error, EOFError, RuntimeError) as error:  # RuntimeError: chunk sizes that contradict each other
            raise self._refused(
                _WAVE_WORDS.get(str(error), str(error) or "its header is cut short"), _CONVERT
            ) from error
        self._check()

    @property
    def duration_ms(self) -> float:
        """How long the samples that are really there sound, whatever the header says."""
        return self._frame_count * 1000 / self.rate_hz

    def _pcm(self) -> bytes:
        whole = self._data[: self._frame_count * self.channels * self.sample_width_bytes]  # a file cut short
        return from_width(whole, self.sample_width_bytes)

    def _check(self) -> None:
        if not 1 <= self.channels <= MOST_CHANNELS:
            raise self._refused(f"it has {self.channels} channels", f"mix it down to {MOST_CHANNELS} or fewer")
        if self.sample_width_bytes not in _WIDTHS_BYTES:
            raise self._refused(f"its samples have {8 * self.sample_width_bytes} bits", _CONVERT)
        if self.rate_hz < 1:
            raise self._refused("its sample rate is 0 Hz", "check how it was written")
        if not self._frame_count:
            raise self._refused("it holds no samples", "check how it was written")

    @property
    def _frame_count(self) -> int:
        return len(self._data) // (self.channels * self.sample_width_bytes)

    def _refused(self, problem: str, advice: str) -> ConfigurationError:
        return ConfigurationError(f"{self._name} cannot be read as WAV: {problem}; {advice}")


class WavWriter:
    """Saves audio as a 16-bit WAV file while it comes, G.711 decoded.

    A context manager. Pieces may have any length; a sample cut in half between two of them is joined, and half
    a sample at the very end is left out. The header is right only after ``close``.

    Args:
        file: A path, overwritten where it exists, or a seekable file open for writing bytes, which is not closed.
        audio_format: What ``write`` is given.

    Raises:
        OSError: From the constructor, ``write`` and ``close``: the file could not be written.
    """

    def __init__(self, file: str | os.PathLike[str] | BinaryIO, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._aligner = SampleAligner(audio_format.bytes_per_frame)
        self._written_bytes = 0
        self._closed = False
        if isinstance(file, (str, os.PathLike)):
            self._file: BinaryIO = open(file, "wb")  # noqa: SIM115 - lives until close(), beyond this block
            self._owns_file = True
        else:
            self._file, self._owns_file = file, False
        self._wave = wave.open(self._file, "wb")  # noqa: SIM115 - as above
        self._wave.setnchannels(audio_format.channels)
        self._wave.setsampwidth(2)
        self._wave.setframerate(audio_format.rate_hz)

    @property
    def duration_ms(self) -> float:
        """How long everything written so far sounds."""
        return self._format.duration_ms(self._written_bytes)

    def write(self, data: bytes) -> None:
        """Append audio in the writer's format.

        Raises:
            LocalProtocolError: The writer is closed.
        """
        if self._closed:
            raise LocalProtocolError("this WavWriter is closed; make a new one for another file")
        whole = self._aligner.push(data)
        pcm = to_pcm16(whole, self._format.encoding)
        self._wave.writeframesraw(samples_of(pcm).tobytes())  # wave takes the machine's byte order
        self._written_bytes += len(whole)

    def close(self) -> None:
        """Complete the header and close the file; once is enough, more do no harm."""
        if self._closed:
            return
        self._closed = True
        try:
            self._wave.close()
        finally:
            if self._owns_file:
                self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def save_wav(path: str | os.PathLike[str], pcm: bytes, rate_hz: int) -> None:
    """Write 16-bit little-endian mono samples as a WAV file, overwriting ``path``.

    Raises:
        ConfigurationError: An odd number of bytes, or a rate that is not 8000, 16000 or 24000.
        OSError: The file could not be written.
    """
    refuse_half_samples(pcm)
    with WavWriter(path, AudioFormat("pcm16", rate_hz)) as writer:
        writer.write(pcm)

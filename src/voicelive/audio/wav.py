"""WAV files in and out, by the standard library's ``wave``.

Decides which files are taken and how their samples become a session's format. Rate conversion
is ``resampling``, companding ``codecs``. Everything here blocks; files are read whole.
"""

from __future__ import annotations

import io
import os
import sys
import wave
from array import array
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from voicelive.audio.chunking import SampleAligner
from voicelive.audio.codecs import from_pcm16, to_pcm16
from voicelive.audio.formats import AudioFormat
from voicelive.audio.samples import pcm_of, refuse_half_samples, samples_of
from voicelive.errors import ConfigurationError, LocalProtocolError

__all__ = ["WavFile", "WavWriter", "save_wav"]

_MOST_CHANNELS: Final = 8
_WIDTHS_BYTES: Final = (1, 2, 3, 4)
_CONVERT: Final = "convert it to 16-bit PCM, for example with: ffmpeg -i INPUT -c:a pcm_s16le OUTPUT.wav"
# wave's words for the format tags met most, said so that one need not look them up.
_WAVE_WORDS: Final = {
    "unknown format: 3": "it holds floating point samples",
    "unknown format: 6": "it holds A-law samples",
    "unknown format: 7": "it holds mu-law samples",
    "unknown format: 65534": "its header is WAVE_FORMAT_EXTENSIBLE, which Python reads from 3.12 on",
}


class WavFile:
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

    def read(self, audio_format: AudioFormat) -> bytes:
        """The file's audio in ``audio_format``, raw.

        Several channels are averaged into one, except that a format with two channels takes a stereo file as it is.
        Converting the rate takes about a fifth of the audio's duration in CPU time: off the event loop, please
        (``asyncio.to_thread``), as ``WavSource`` does.

        Raises:
            ConfigurationError: The format has two channels and the file has not.
        """
        if audio_format.channels == 1:
            tracks = [self._mixed()]
        elif self.channels == audio_format.channels:
            tracks = self._tracks()
        else:
            raise self._refused(f"it has {self.channels} channels, the format 2", "use a stereo file, or one channel")
        if self.rate_hz != audio_format.rate_hz:
            from voicelive.audio.resampling import resample  # most files need none

            tracks = [samples_of(resample(pcm_of(track), self.rate_hz, audio_format.rate_hz)) for track in tracks]
        return from_pcm16(pcm_of(_interleaved(tracks)), audio_format.encoding)

    def _check(self) -> None:
        if not 1 <= self.channels <= _MOST_CHANNELS:
            raise self._refused(f"it has {self.channels} channels", f"mix it down to {_MOST_CHANNELS} or fewer")
        if self.sample_width_bytes not in _WIDTHS_BYTES:
            raise self._refused(f"its samples have {8 * self.sample_width_bytes} bits", _CONVERT)
        if self.rate_hz < 1:
            raise self._refused("its sample rate is 0 Hz", "check how it was written")
        if not self._frame_count:
            raise self._refused("it holds no samples", "check how it was written")

    @property
    def _frame_count(self) -> int:
        return len(self._data) // (self.channels * self.sample_width_bytes)

    def _mixed(self) -> array[int]:
        tracks = self._tracks()
        if len(tracks) == 1:
            return tracks[0]
        return array("h", [sum(frame) // len(tracks) for frame in zip(*tracks, strict=True)])

    def _tracks(self) -> list[array[int]]:
        """The channels apart, 16 bits a sample."""
        data = self._data[: self._frame_count * self.channels * self.sample_width_bytes]  # a file cut short
        samples = _to_16_bits(data, self.sample_width_bytes)
        return [samples[channel :: self.channels] for channel in range(self.channels)]

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


def _to_16_bits(data: bytes, width_bytes: int) -> array[int]:
    """The upper 16 bits of whole-number samples as ``wave`` returns them, in the machine's byte order."""
    if width_bytes == 1:  # the one unsigned width
        return array("h", [(value - 128) << 8 for value in data])
    upper = width_bytes - 2 if sys.byteorder == "little" else 0
    kept = bytearray(len(data) // width_bytes * 2)
    kept[0::2] = data[upper::width_bytes]
    kept[1::2] = data[upper + 1 :: width_bytes]
    return array("h", bytes(kept))


def _interleaved(tracks: list[array[int]]) -> array[int]:
    joined = array("h", bytes(2 * len(tracks) * len(tracks[0])))
    for channel, track in enumerate(tracks):
        joined[channel :: len(tracks)] = track
    return joined

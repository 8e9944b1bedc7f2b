"""What all audio files have in common: a whole recording that is read in a session's format.

Decides the order of conversions: channels, then rate, then encoding. Does not know how files are read.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from voicelive.audio.channels import deinterleave, interleave, to_mono
from voicelive.audio.codecs import from_pcm16
from voicelive.audio.formats import AudioFormat
from voicelive.errors import ConfigurationError

__all__ = ["MOST_CHANNELS", "Recording"]

MOST_CHANNELS: Final = 8


class Recording(ABC):
    """A recording in memory: ``WavFile`` or ``AudioFile``.

    Attributes:
        rate_hz: Sample frames a second, as in the file.
        channels: 1 to 8.
    """

    rate_hz: int
    channels: int

    @property
    @abstractmethod
    def duration_ms(self) -> float:
        """How long the samples that are really there sound."""

    @abstractmethod
    def _pcm(self) -> bytes:
        """All whole frames, 16 bits a sample, channels interleaved."""

    @abstractmethod
    def _refused(self, problem: str, advice: str) -> ConfigurationError:
        """An error that names the file."""

    def read(self, audio_format: AudioFormat) -> bytes:
        """The file's audio in ``audio_format``, raw.

        Several channels are averaged into one, except that a format with two channels takes a stereo file as it is.
        Rates are converted by soxr or numpy where one of them is installed. Without them it takes about a fifth of
        the audio's duration in CPU time: off the event loop, please (``asyncio.to_thread``), as ``WavSource`` does.

        Raises:
            ConfigurationError: The format has two channels and the file has not.
        """
        tracks = self._tracks(audio_format.channels)
        if self.rate_hz != audio_format.rate_hz:
            from voicelive.audio.resampling import resample  # most files need none

            tracks = [resample(track, self.rate_hz, audio_format.rate_hz) for track in tracks]
        return from_pcm16(interleave(*tracks), audio_format.encoding)

    def _tracks(self, wanted: int) -> list[bytes]:
        if wanted == 1:
            return [to_mono(self._pcm(), self.channels)]
        if wanted == self.channels:
            return deinterleave(self._pcm(), self.channels)
        raise self._refused(f"it has {self.channels} channels, the format 2", "use a stereo file, or one channel")

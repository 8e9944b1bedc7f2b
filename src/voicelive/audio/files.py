"""Audio files of any kind that libsndfile reads: WAV in all its forms, FLAC, Ogg, MP3 and more (extra ``files``).

Decides how their samples become 16 bits. ``wav`` reads plain WAV files without a dependency. Everything here blocks;
files are read whole.
"""

from __future__ import annotations

import os
from typing import BinaryIO

import numpy as np
import soundfile

from voicelive.audio.levels import pcm_of_floats
from voicelive.audio.recording import MOST_CHANNELS, Recording
from voicelive.errors import ConfigurationError

__all__ = ["AudioFile"]


class AudioFile(Recording):
    """An audio file, read into memory as 16-bit samples; wider ones are rounded, floats beyond 1 clipped.

    ``WavSource(AudioFile("question.flac"))`` sends it.

    Attributes:
        rate_hz: Sample frames a second, as in the file.
        channels: 1 to 8.

    Args:
        file: A path, or a seekable file open for reading bytes, which is not closed.

    Raises:
        ConfigurationError: Not an audio file that libsndfile knows, no samples, or more than 8 channels; the message
            names the file.
        OSError: The file could not be read.
    """

    def __init__(self, file: str | os.PathLike[str] | BinaryIO) -> None:
        if isinstance(file, (str, os.PathLike)):
            self._name = os.fspath(file)
            with open(file, "rb") as opened:
                self._read(opened)
        else:
            self._name = str(getattr(file, "name", "audio data"))
            self._read(file)

    @property
    def duration_ms(self) -> float:
        """How long it sounds."""
        return len(self._samples) // (2 * self.channels) * 1000 / self.rate_hz

    def _pcm(self) -> bytes:
        return self._samples

    def _read(self, file: BinaryIO) -> None:
        try:
            with soundfile.SoundFile(file) as opened:
                self.rate_hz: int = opened.samplerate
                self.channels: int = opened.channels
                if self.channels > MOST_CHANNELS:
                    raise self._refused(f"it has {self.channels} channels", f"mix it down to {MOST_CHANNELS} or fewer")
                samples = np.asarray(opened.read(dtype="float64", always_2d=True), np.float64)
        except soundfile.LibsndfileError as error:
            raise self._refused(error.error_string.rstrip("."), "check that it is an audio file") from error
        if not samples.size:
            raise self._refused("it holds no samples", "check how it was written")
        self._samples = pcm_of_floats(samples)

    def _refused(self, problem: str, advice: str) -> ConfigurationError:
        return ConfigurationError(f"{self._name} cannot be read: {problem}; {advice}")

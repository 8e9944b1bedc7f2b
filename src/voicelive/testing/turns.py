"""The caller's side of the audio: samples come in, turns come out.

Decides where a turn starts and ends, and which samples belong to it. Positions are milliseconds of audio received
since the session began. What a turn leads to (a commit, a barge-in, a response) is decided in ``service``.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TypeAlias

from voicelive.audio.codecs import to_pcm16
from voicelive.audio.formats import AudioFormat
from voicelive.testing.checks import Refusal
from voicelive.testing.hearing import SpeechEvent, SpeechStarted, VoiceDetector
from voicelive.testing.settings import TurnDetection

__all__ = ["Ear", "TurnEnded", "TurnEvent", "TurnStarted"]

_KEPT_SILENCE_MS = 3000  # before a turn starts; longer than any useful prefix padding and speech duration


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The caller began to speak, so many milliseconds into the session's audio."""

    audio_start_ms: int


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The caller has been silent long enough."""

    audio_end_ms: int
    audio: bytes = field(repr=False)
    """The turn's samples in the session's input format, one channel."""


TurnEvent: TypeAlias = TurnStarted | TurnEnded


class Ear:
    """Buffers and judges the audio of one session."""

    def __init__(self, audio_format: AudioFormat, detection: TurnDetection | None) -> None:
        self._format, self._detection = audio_format, detection
        self._samples = AudioFormat(audio_format.encoding, audio_format.rate_hz)  # as buffered: one channel
        self._buffer = bytearray()
        self._buffer_start_ms = 0.0
        self._turn_start_ms: int | None = None
        self._detector = self._new_detector()

    @property
    def position_ms(self) -> float:
        """End of the audio received; 0 as long as none came."""
        return self._buffer_start_ms + self._samples.duration_ms(len(self._buffer))

    def configure(self, audio_format: AudioFormat, detection: TurnDetection | None) -> None:
        """Take over settings; a change forgets a turn that is going on, and a change of format the buffer."""
        if (audio_format, detection) == (self._format, self._detection):
            return
        if audio_format != self._format:
            self._drop(self.position_ms)
        self._format, self._detection = audio_format, detection
        self._samples = AudioFormat(audio_format.encoding, audio_format.rate_hz)
        self._turn_start_ms = None
        self._detector = self._new_detector()

    def hear(self, audio: bytes) -> list[TurnEvent]:
        """Take in audio of the input format; what it decides, oldest first.

        Raises:
            Refusal: Not whole samples.
        """
        frame_bytes = self._format.bytes_per_frame
        if len(audio) % frame_bytes:
            raise Refusal("invalid_value", f"Audio must be a multiple of {frame_bytes} bytes.", "audio")
        if self._format.channels == 2:
            audio = _microphone(audio)
        self._buffer += audio
        if self._detector is None:
            return []
        heard = self._detector.push(to_pcm16(audio, self._samples.encoding))
        events = [self._turn_event(event) for event in heard]
        if self._turn_start_ms is None:
            self._drop(self.position_ms - _KEPT_SILENCE_MS)
        return events

    def commit(self) -> bytes:
        """Take all buffered audio as one turn.

        Raises:
            Refusal: There is none.
        """
        if not self._buffer:
            raise Refusal("input_audio_buffer_commit_empty", "The input audio buffer is empty; nothing to commit.")
        audio = bytes(self._buffer)
        self.clear()
        return audio

    def clear(self) -> None:
        """Drop what is buffered, and a turn that is going on with it."""
        self._drop(self.position_ms)
        self._turn_start_ms = None
        if self._detector is not None:
            self._detector.reset()

    def to_pcm16(self, audio: bytes) -> bytes:
        """A turn's audio as 16-bit samples at ``rate_hz``."""
        return to_pcm16(audio, self._samples.encoding)

    @property
    def audio_format(self) -> AudioFormat:
        """How committed audio is written: the input format, one channel."""
        return self._samples

    def _turn_event(self, event: SpeechEvent) -> TurnEvent:
        if isinstance(event, SpeechStarted):
            self._turn_start_ms = event.audio_start_ms
            self._drop(event.audio_start_ms)
            return TurnStarted(event.audio_start_ms)
        self._turn_start_ms = None
        end = self._samples.byte_count(max(0.0, event.audio_end_ms - self._buffer_start_ms))
        audio = bytes(self._buffer[:end])
        self._drop(event.audio_end_ms)
        return TurnEnded(event.audio_end_ms, audio)

    def _drop(self, until_ms: float) -> None:
        """Forget buffered audio before a position."""
        surplus = min(len(self._buffer), self._samples.byte_count(max(0.0, until_ms - self._buffer_start_ms)))
        del self._buffer[:surplus]
        self._buffer_start_ms += self._samples.duration_ms(surplus)

    def _new_detector(self) -> VoiceDetector | None:
        if self._detection is None:
            return None
        return VoiceDetector(
            self._samples.rate_hz,
            threshold=self._detection.threshold,
            prefix_padding_ms=self._detection.prefix_padding_ms,
            silence_duration_ms=self._detection.silence_duration_ms,
            speech_duration_ms=self._detection.speech_duration_ms,
            start_ms=round(self.position_ms),
        )


def _microphone(audio: bytes) -> bytes:
    """The first of two interleaved channels; the second is what the loudspeaker plays."""
    return array("h", audio)[::2].tobytes()

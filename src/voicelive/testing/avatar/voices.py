"""The agent's audio of one response, made into what avatars play: mono 16-bit samples at 48 kHz. Needs numpy."""

from __future__ import annotations

from voicelive.audio.codecs import to_pcm16
from voicelive.audio.formats import AudioFormat
from voicelive.audio.resampler import Resampler
from voicelive.testing.avatar.playout import RATE_HZ, Playout

__all__ = ["TurnVoice"]


class TurnVoice:
    """Feeds one turn of a playout.

    Args:
        turn_id: Name of the turn.
        playout: Where its samples go.
        audio_format: How they come.
    """

    def __init__(self, turn_id: str, playout: Playout, audio_format: AudioFormat) -> None:
        self._turn_id, self._playout, self._format = turn_id, playout, audio_format
        self._resampler = Resampler(audio_format.rate_hz, RATE_HZ)

    def say(self, audio: bytes) -> None:
        """Whole samples in the format."""
        self._playout.add(self._turn_id, self._resampler.push(to_pcm16(audio, self._format.encoding)))

    def finish(self) -> None:
        """Nothing more comes."""
        self._playout.add(self._turn_id, self._resampler.flush())
        self._playout.complete(self._turn_id)

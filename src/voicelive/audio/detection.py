"""Whether somebody speaks: what a detector is, and what it is given of a stream in the session's format.

Decides channel, rate and window. What follows from a probability is decided in ``gating``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from voicelive.audio.channels import deinterleave
from voicelive.audio.codecs import to_pcm16
from voicelive.audio.formats import AudioFormat
from voicelive.errors import ConfigurationError

if TYPE_CHECKING:
    from voicelive.audio.resampler import Resampler

__all__ = ["Listener", "VoiceDetector", "refuse_unusable"]

_LEAST_RATE_HZ: Final = 8_000  # of the resampler, as is the largest
_MOST_RATE_HZ: Final = 192_000


@runtime_checkable
class VoiceDetector(Protocol):
    """Says how likely it is that somebody speaks, window by window. It may remember what came before in the stream."""

    @property
    def rate_hz(self) -> int:
        """Of the samples it is given: 8000 to 192000."""
        ...

    @property
    def window_samples(self) -> int:
        """How many samples it is given at a time; in the session's format too that must be a whole number."""
        ...

    def probability(self, window: bytes, /) -> float:
        """Of speech in the stream's next window, 0 to 1.

        Called on the event loop, so a window has to take far less time than it sounds.

        Args:
            window: Mono 16-bit little-endian samples, ``window_samples`` of them.
        """
        ...

    def reset(self) -> None:
        """Forget what was heard: another stream begins."""
        ...


class Listener:
    """Gives a detector the microphone's channel of a stream.

    Attributes:
        window_bytes: How much of the stream makes one window.

    Raises:
        ConfigurationError: A window that is not a whole number of the format's samples.
        ModuleNotFoundError: The rates differ, and numpy is missing.
    """

    def __init__(self, detector: VoiceDetector, audio_format: AudioFormat) -> None:
        self._detector, self._format = detector, audio_format
        samples, rest = divmod(detector.window_samples * audio_format.rate_hz, detector.rate_hz)
        if rest:
            raise ConfigurationError(
                f"detector.window_samples is {detector.window_samples} at {detector.rate_hz} Hz, which is not a whole "
                f"number of samples at the session's {audio_format.rate_hz} Hz"
            )
        self.window_bytes: Final = samples * audio_format.bytes_per_frame
        self._resampler = _resampler(audio_format.rate_hz, detector.rate_hz)

    def probability(self, window: bytes) -> float:
        """Of speech in the stream's next ``window_bytes``."""
        pcm = to_pcm16(window, self._format.encoding)
        if self._format.channels > 1:
            pcm = deinterleave(pcm, self._format.channels)[0]  # the other one is what the loudspeaker plays
        if self._resampler is not None:
            # It holds the newest 2.5 ms back. With silence for them at the start every later window comes out whole.
            pcm = self._resampler.push(pcm).rjust(2 * self._detector.window_samples, b"\x00")
        return self._detector.probability(pcm)


def refuse_unusable(detector: object) -> None:
    """Raise ``ConfigurationError`` for what is no detector, or one whose rate or window cannot be."""
    if not isinstance(detector, VoiceDetector):
        raise ConfigurationError(
            f"detector is a {type(detector).__name__}; it must have rate_hz, window_samples, probability and reset"
        )
    if not _LEAST_RATE_HZ <= detector.rate_hz <= _MOST_RATE_HZ:
        raise ConfigurationError(
            f"detector.rate_hz is {detector.rate_hz!r}; allowed: {_LEAST_RATE_HZ} to {_MOST_RATE_HZ}"
        )
    if detector.window_samples < 1:
        raise ConfigurationError(f"detector.window_samples is {detector.window_samples!r}; it must be at least 1")


def _resampler(in_rate_hz: int, out_rate_hz: int) -> Resampler | None:
    if in_rate_hz == out_rate_hz:
        return None
    from voicelive.audio import Resampler  # loads numpy, or says what to install

    return Resampler(in_rate_hz, out_rate_hz)

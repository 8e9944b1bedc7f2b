"""The two voices of a call, each piece with its time, as the tracks of a WAV file: the caller left, the agent right.

Decides where a piece lands. A piece follows the one before it unless there was a pause between them: what is a little
early or late came over a network, and a gap of milliseconds inside a word would be heard as a click. A voice that came
faster than it sounds moves everything after it, so that the order of what was said and heard stays true.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from voicelive.audio.channels import deinterleave
from voicelive.audio.codecs import to_pcm16
from voicelive.audio.formats import AudioFormat
from voicelive.audio.timeline import TimelineWriter, Track

if TYPE_CHECKING:
    from voicelive.audio.resampler import Resampler

__all__ = ["CallTracks", "Voiced", "check_rates"]

JITTER_MS: Final = 100.0
"""How far a piece may be from where the one before it ended, and still follows it."""


@dataclass(frozen=True, slots=True)
class Voiced:
    """A piece of one voice.

    Attributes:
        track: Whose: ``left`` is the caller.
        audio: Whole samples.
        format: Of the audio.
        ended_s: When its last sample sounded.
        anew: Whether something new begins with it, which has its own time.
    """

    track: Track
    audio: bytes = field(repr=False)
    format: AudioFormat
    ended_s: float
    anew: bool = False


class CallTracks:
    """Puts pieces into a file. Blocks as the writer does; not for concurrent use.

    Args:
        writer: Of the file.
        began_s: When the recording begins, on the clock of ``Voiced.ended_s``.
    """

    def __init__(self, writer: TimelineWriter, began_s: float) -> None:
        self._writer, self._origin_s = writer, began_s
        self._converters: dict[Track, _Converter] = {
            "left": _Converter(writer.rate_hz),
            "right": _Converter(writer.rate_hz),
        }

    @property
    def duration_ms(self) -> float:
        """How long the recording is."""
        return self._writer.duration_ms

    def put(self, piece: Voiced) -> None:
        """Write one piece."""
        writer, track, converter = self._writer, piece.track, self._converters[piece.track]
        duration_ms = piece.format.duration_ms(len(piece.audio))
        start_ms = (piece.ended_s - self._origin_s) * 1000 - duration_ms
        late_ms = start_ms - writer.end_ms(track) - converter.held_ms
        if late_ms > (0.0 if piece.anew else JITTER_MS):
            writer.write(track, writer.end_ms(track), converter.flush())
            writer.write(track, max(0.0, start_ms), converter.push(piece))
            return
        if late_ms < -JITTER_MS:
            self._origin_s += late_ms / 1000  # this was said or heard before now: what follows it is later by so much
        writer.write(track, writer.end_ms(track), converter.push(piece))

    def close(self) -> None:
        """Write what is held back, and complete the file."""
        try:
            for track, converter in self._converters.items():
                self._writer.write(track, self._writer.end_ms(track), converter.flush())
        finally:
            self._writer.close()


def check_rates(rates_hz: Iterable[int], file_rate_hz: int) -> None:
    """Raise now what would be raised when the first piece is converted.

    Raises:
        ConfigurationError: A rate that ``Resampler`` does not convert.
        ModuleNotFoundError: Rates differ, and numpy (extra ``audio``) is missing.
    """
    others_hz = {rate_hz for rate_hz in rates_hz if rate_hz != file_rate_hz}
    if others_hz:
        from voicelive.audio import Resampler

        for rate_hz in others_hz:
            Resampler(rate_hz, file_rate_hz)


class _Converter:
    """Mono samples of one rate from pieces of any format."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._resampler: Resampler | None = None
        self._pushed_ms = self._made_ms = 0.0

    @property
    def held_ms(self) -> float:
        """How much of what was pushed has not come out yet."""
        return self._pushed_ms - self._made_ms

    def push(self, piece: Voiced) -> bytes:
        pcm = _voice_of(piece)
        rate_hz, before = piece.format.rate_hz, b""
        if self._resampler is not None and self._resampler.in_rate_hz != rate_hz:
            before = self.flush()
            self._resampler = None
        if rate_hz == self._rate_hz:
            return before + pcm
        if self._resampler is None:
            from voicelive.audio import Resampler  # most calls have one rate

            self._resampler = Resampler(rate_hz, self._rate_hz)
        made = self._resampler.push(pcm)
        self._pushed_ms += len(pcm) / 2 * 1000 / rate_hz
        self._made_ms += len(made) / 2 * 1000 / self._rate_hz
        return before + made

    def flush(self) -> bytes:
        self._pushed_ms = self._made_ms = 0.0
        return b"" if self._resampler is None else self._resampler.flush()


def _voice_of(piece: Voiced) -> bytes:
    """16-bit samples; of an input with an echo reference, the microphone."""
    pcm = to_pcm16(piece.audio, piece.format.encoding)
    return pcm if piece.format.channels == 1 else deinterleave(pcm, piece.format.channels)[0]

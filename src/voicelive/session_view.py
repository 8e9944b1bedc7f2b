"""What an application can look up of a session: who it is, what is in effect, what was sent, how it ended.

Nothing here changes the session. A recording listens to it.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import BinaryIO

from voicelive.audio.call_tracks import check_rates
from voicelive.audio.formats import AudioFormat
from voicelive.call_recorder import CallRecorder, recorded
from voicelive.caller_voice import CallerVoice, input_format_of
from voicelive.engine import Counts, Engine
from voicelive.protocol.connection import CloseInfo
from voicelive.protocol.core import SessionProtocol
from voicelive.protocol.ledger import LedgerEntry
from voicelive.wire.session import SessionConfig, SessionResource

__all__ = ["SessionView"]


class SessionView(ABC):
    """The part of ``Session`` that only tells."""

    _protocol: SessionProtocol
    _engine: Engine
    _caller_voice: CallerVoice
    _clock: Callable[[], float]

    @abstractmethod
    def _refuse_audio(self) -> None:
        """Raise where no audio passes this session."""

    @property
    def id(self) -> str:
        """The service's id of the session, for support; empty before ``session.created``."""
        return self._protocol.connection.session_id

    @property
    def requested(self) -> SessionConfig | None:
        """What the application asked for: the settings at the start, and every accepted update laid over them."""
        return self._protocol.requested

    @property
    def ledger(self) -> tuple[LedgerEntry, ...]:
        """What became of the events that were sent: all without an answer, and the last 1,000 settled ones.

        Audio is not among them: it is never acknowledged. ``audio_sent_ms`` counts it.
        """
        return self._protocol.ledger.entries(self._clock())

    @property
    def audio_sent_ms(self) -> float:
        """How much of the caller's audio was written so far, over all connections."""
        return self._protocol.caller_audio.ms(self._protocol.caller_audio.sent_bytes)

    @property
    def audio_dropped_ms(self) -> float:
        """How much of the caller's audio was given and dropped unsent; see ``ClientOptions.audio_overflow``."""
        return self._protocol.caller_audio.ms(self._protocol.caller_audio.dropped_bytes)

    @property
    def config(self) -> SessionResource:
        """The settings in effect, as the service last reported them."""
        return self._protocol.connection.settings

    @property
    def close_info(self) -> CloseInfo | None:
        """How the session ended; ``None`` while it lasts."""
        return self._protocol.connection.close_info

    @property
    def counts(self) -> Counts:
        """What was odd about the service's traffic so far."""
        return self._engine.counts

    @property
    def input_format(self) -> AudioFormat:
        """What ``send_audio`` takes."""
        return input_format_of(self.config)

    @property
    def output_format(self) -> AudioFormat:
        """What the agent's audio deltas hold."""
        return AudioFormat.of_output(self.config.output_audio_format)

    def record_call(
        self, file: str | os.PathLike[str] | BinaryIO, *, rate_hz: int | None = None
    ) -> AbstractAsyncContextManager[CallRecorder]:
        """Record the call while a block lasts, as it was heard: a stereo WAV file, the caller left, the agent right.

        The caller is recorded when the audio is given to ``send_audio``; the agent when and as far as it was heard,
        so what a barge-in cut off is not there, and as exactly as playback knows it (see ``playback``). Times are
        kept within 100 ms. What was dropped unsent is silent. Leave the block when all was heard. A disk that fails
        does not disturb the call: the error is logged, is ``CallRecorder.failure``, and is raised as the block is left.

        Args:
            file: A path, overwritten where it exists, or an empty seekable file open for reading and writing bytes,
                which is not closed.
            rate_hz: Of the file; default: the higher one of the session's two rates.

        Raises:
            LocalProtocolError: A recording is under way already, or this is the session of a WebRTC call, which no
                audio passes.
            ConfigurationError: A rate below 8000 or above 192000.
            ModuleNotFoundError: The session's rates are not the file's, and numpy (extra ``audio``) is missing.
            OSError: The file could not be opened; as the block is left, it could not be written.

        Cancelling waits until the file is complete.
        """
        self._refuse_audio()
        rates_hz = (self.input_format.rate_hz, self.output_format.rate_hz)
        file_rate_hz = max(rates_hz) if rate_hz is None else rate_hz
        check_rates(rates_hz, file_rate_hz)
        return recorded(self._caller_voice, self._protocol.playback, file, file_rate_hz, self._clock)

"""The caller's voice on its way out of a session: in chunks, accounted for, and with a word on what may be dropped.

Owns no task and no socket: the session gives it both.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from voicelive.audio.formats import AudioFormat
from voicelive.audio_input import AudioInput
from voicelive.events import InputAudioDropped, SessionEvent
from voicelive.newest_audio import NewestAudio
from voicelive.options import ClientOptions
from voicelive.protocol.caller_audio import CallerAudio
from voicelive.wire.codec import encode_audio
from voicelive.wire.session import SessionResource

__all__ = ["CallerVoice", "input_format_of"]


class PutFrame(Protocol):
    """Writes one frame of audio; ``begin`` is asked as its turn comes, and may say no."""

    async def __call__(self, frame: str | bytes, begin: Callable[[], bool] | None = None) -> None: ...


class CallerVoice:
    """The way out for audio, in the input format of the settings in effect. Made by the session.

    Args:
        account: Of what was sent.
        options: Say what happens while the line takes too little.
        put: Writes.
        start: Runs a coroutine as a task of the session.
        tell: Delivers what the session itself has to say.
        now: The event loop's clock.
    """

    def __init__(
        self,
        account: CallerAudio,
        options: ClientOptions,
        put: PutFrame,
        start: Callable[[Coroutine[Any, Any, None]], object],
        tell: Callable[[SessionEvent], None],
        now: Callable[[], float],
    ) -> None:
        self._account, self._options = account, options
        self._put, self._start, self._tell, self._now = put, start, tell, now
        self.listener: Callable[[bytes, AudioFormat], None] | None = None
        """Is given all audio as it comes from the application, where somebody listens."""
        self._input: AudioInput | None = None
        self._settings: SessionResource | None = None

    @property
    def used(self) -> bool:
        """Whether audio was given, so that the format is settled."""
        return self._input is not None and self._input.used

    def input(self, settings: SessionResource) -> AudioInput:
        """Where chunks are made; until audio was given, the settings may still change the format."""
        if self._input is None or not (self._input.used or self._settings is settings):
            self._settings = settings
            self._input = AudioInput(input_format_of(settings), self.write, self._start, self._newest_audio())
        return self._input

    async def write(self, chunk: bytes, frame: str | bytes | None = None) -> None:
        """Write a chunk, as ``frame`` where that was made already; accounted for once, over all connections."""
        account, written = self._account, False
        if self.listener is not None:
            self.listener(chunk, account.format)

        def begin() -> bool:
            nonlocal written
            if written:  # over the connection that was lost meanwhile
                return account.repeated(chunk)
            written = True
            account.sent(chunk, self._now())
            return True

        await self._put(encode_audio(chunk) if frame is None else frame, begin)

    def drop(self) -> None:
        """The session is over: nothing that waits is of use any more."""
        if self._input is not None:
            self._input.drop()

    def _newest_audio(self) -> NewestAudio | None:
        if self._options.audio_overflow == "wait":
            return None
        account, told = self._account, self._account.dropped_bytes

        def relieved() -> None:
            nonlocal told
            dropped_ms, told = account.ms(account.dropped_bytes - told), account.dropped_bytes
            self._tell(InputAudioDropped(dropped_ms, account.ms(account.dropped_bytes)))

        return NewestAudio(self.write, self._start, self._options.outbox_bytes, account.dropped, relieved)


def input_format_of(settings: SessionResource) -> AudioFormat:
    """What the service expects of the caller's audio."""
    cancellation = settings.input_audio_echo_cancellation
    channels = (cancellation.channels or 1) if cancellation is not None else 1
    return AudioFormat.of_input(settings.input_audio_format, settings.input_audio_sampling_rate, channels)

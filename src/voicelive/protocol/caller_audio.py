"""How much of the caller's audio the service is known to have used, and what of it to say again over a new connection.

Audio is never acknowledged. What tells are turns: a committed turn has used all audio up to its end, the beginning of
speech says that nothing was missed before it. Whatever was sent after that may be lost with the connection. The
newest of it is kept, and only that: ten seconds while the caller speaks, else the last second of it and whatever was
sent within the last second, since the service tells of speech a little later than it comes.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from voicelive.audio.formats import AudioFormat
from voicelive.wire.server.conversation import (
    InputAudioBufferCleared,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
)
from voicelive.wire.server_events import ServerEvent

__all__ = ["CallerAudio"]

HEARS: Final = frozenset(
    {
        InputAudioBufferCleared,
        InputAudioBufferCommitted,
        InputAudioBufferSpeechStarted,
        InputAudioBufferSpeechStopped,
    }
)
"""Events that tell of the caller's audio; others need not be shown."""

KEPT_IDLE_MS: Final = 1000  # speech is reported within a few hundred ms, and turn detection wants what came before it
_KEPT_IDLE_S: Final = KEPT_IDLE_MS / 1000


class CallerAudio:
    """The account of one session. Pure: same calls, same answers.

    Args:
        keep_ms: How much of an unfinished turn is kept; 0: nothing is kept at all.

    Attributes:
        sent_bytes: All that was written, over all connections, what was said again not counted.
        dropped_bytes: What was given and never written.
        format: Of the audio, as the settings in effect say.
    """

    def __init__(self, keep_ms: int) -> None:
        self.sent_bytes = self.dropped_bytes = 0
        self._keep_ms = keep_ms
        self.format = AudioFormat.of_input(None, None, 1)
        self._position = 0  # in bytes since this connection began, as all places here
        self._used = 0
        self._asked_at = 0
        self._speaking = False
        self._by_hand = False
        self._kept: deque[tuple[float, bytes]] = deque()
        self._now = 0.0
        self._kept_bytes = 0
        self._most_bytes = self._idle_bytes = 0
        self._in_turn = False
        self._look_again()

    def configure(self, audio_format: AudioFormat, *, detects_turns: bool) -> None:
        """The settings in effect."""
        self.format, self._by_hand = audio_format, not detects_turns
        self._look_again()

    # -- what is sent

    def sent(self, chunk: bytes, now: float) -> None:
        """Audio is being written."""
        self._now = now
        self.sent_bytes += len(chunk)
        self._position += len(chunk)
        if self._keep_ms:
            self._kept.append((now, chunk))
            self._kept_bytes += len(chunk)
            self._trim()

    def repeated(self, chunk: bytes) -> bool:
        """The connection was lost while this was written; whether it has to be written over the next one.

        What is kept was said again already.
        """
        if any(kept is chunk for _, kept in self._kept):
            return False
        self._position += len(chunk)
        return True

    def settling(self) -> None:
        """A commit or a clear is being sent: its answer speaks of everything before it."""
        self._asked_at = self._position

    def dropped(self, size_bytes: int) -> None:
        """Audio that was given will not be written."""
        self.dropped_bytes += size_bytes

    def ms(self, size_bytes: int) -> float:
        """How long so many bytes are."""
        return self.format.duration_ms(size_bytes)

    # -- what the service says

    def receive(self, event: ServerEvent) -> None:
        """Take in an event."""
        if isinstance(event, InputAudioBufferSpeechStarted):
            self._speaking = True
            self._look_again()
            self._use(self._place(event.audio_start_ms))
        elif isinstance(event, InputAudioBufferSpeechStopped):
            self._asked_at = self._place(event.audio_end_ms)
        elif isinstance(event, InputAudioBufferCommitted | InputAudioBufferCleared):
            self._speaking = False
            self._look_again()
            self._use(self._asked_at)

    # -- the end of a connection

    @property
    def unused_bytes(self) -> int:
        """What was sent over this connection and may not have become part of the conversation; an upper bound."""
        return self._position - self._used

    @property
    def all_is_kept(self) -> bool:
        """Whether the recent part is all of it."""
        return self._kept_bytes >= self.unused_bytes

    def recent(self) -> tuple[bytes, ...]:
        """The newest part of that, to be said again; ends where the connection did."""
        return tuple(chunk for _, chunk in self._kept)

    def new_connection(self) -> int:
        """The recent part was said again over a new connection: it has heard that, and nothing else. Gives its size."""
        self._position, self._used, self._asked_at = self._kept_bytes, 0, 0
        self._speaking = False
        self._look_again()
        return self._kept_bytes

    # -- inside

    def _look_again(self) -> None:
        """How much is to be kept from now on."""
        self._in_turn = self._speaking or self._by_hand
        self._most_bytes = self.format.byte_count(self._keep_ms)
        self._idle_bytes = min(self._most_bytes, self.format.byte_count(KEPT_IDLE_MS))

    def _place(self, ms: int) -> int:
        return min(self.format.byte_count(max(0, ms)), self._position)

    def _use(self, place: int) -> None:
        self._used = max(self._used, min(place, self._position))
        self._trim()

    def _trim(self) -> None:
        """Forget what is used, and the oldest of what is too much."""
        most, old = min(self._position - self._used, self._most_bytes), self._now - _KEPT_IDLE_S
        while self._kept:
            sent_at, chunk = self._kept[0]
            rest = self._kept_bytes - len(chunk)
            if rest < most and (self._in_turn or rest < self._idle_bytes or sent_at > old):
                return
            self._kept.popleft()
            self._kept_bytes = rest

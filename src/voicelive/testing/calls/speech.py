"""What the agent has yet to say in a WebRTC call. Pure: the clock is the number of samples that were taken.

Replies are generated faster than they sound, so they wait here. A reply begins with the first of its samples that is
taken, and is over with the last one, or when it is dropped; then nothing more of it is taken in.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from voicelive.audio.codecs import to_pcm16
from voicelive.audio.formats import AudioFormat
from voicelive.audio.resampler import Resampler

__all__ = ["RATE_HZ", "Change", "Speech"]

RATE_HZ = 48_000
"""Of Opus, and of what is taken."""

_DROPPED_KEPT = 16  # replies whose late audio may still come; one is enough as a rule

ChangeKind: TypeAlias = Literal["started", "stopped", "cleared"]


class Change(NamedTuple):
    """A reply begins to sound, has sounded, or was dropped."""

    kind: ChangeKind
    response_id: str


@dataclass(slots=True)
class _Reply:
    response_id: str
    resampler: Resampler
    pcm: bytearray = field(default_factory=bytearray, repr=False)
    complete: bool = False
    sounds: bool = False


class Speech:
    """The replies of one call, in order."""

    def __init__(self) -> None:
        self._replies: deque[_Reply] = deque()
        self._dropped: deque[str] = deque(maxlen=_DROPPED_KEPT)

    def add(self, response_id: str, audio: bytes, audio_format: AudioFormat) -> None:
        """More of a reply."""
        if response_id in self._dropped:
            return
        reply = self._find(response_id)
        if reply is None:
            reply = _Reply(response_id, Resampler(audio_format.rate_hz, RATE_HZ))
            self._replies.append(reply)
        reply.pcm += reply.resampler.push(to_pcm16(audio, audio_format.encoding))

    def complete(self, response_id: str) -> None:
        """A reply has no more audio."""
        reply = self._find(response_id)
        if reply is not None and not reply.complete:
            reply.pcm += reply.resampler.flush()
            reply.complete = True

    def take(self, byte_count: int) -> tuple[bytes, list[Change]]:
        """The next samples, with silence where there is nothing to say, and what changed."""
        taken, changes = bytearray(), []
        while self._replies and len(taken) < byte_count:
            reply = self._replies[0]
            piece = reply.pcm[: byte_count - len(taken)]
            del reply.pcm[: len(piece)]
            taken += piece
            if piece and not reply.sounds:
                reply.sounds = True
                changes.append(Change("started", reply.response_id))
            if reply.pcm or not reply.complete:
                break
            self._replies.popleft()
            if reply.sounds:
                changes.append(Change("stopped", reply.response_id))
        return bytes(taken).ljust(byte_count, b"\0"), changes

    def drop(self) -> list[Change]:
        """Say nothing of all that any more."""
        changes = [Change("cleared", reply.response_id) for reply in self._replies]
        self._dropped += (reply.response_id for reply in self._replies)
        self._replies.clear()
        return changes

    def _find(self, response_id: str) -> _Reply | None:
        return next((reply for reply in self._replies if reply.response_id == response_id), None)

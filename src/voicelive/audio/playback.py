"""What the caller has heard: the agent's voice between arrival and ear.

The service speaks two to three times faster than real time, so most of a reply waits here while it is played. Where
a sink takes the audio, playback counts what the sink took or acknowledged. Without one it keeps no audio and
estimates: real time since the first delta, never beyond what came. Time is an argument; nothing here waits.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from voicelive.audio.chunking import SampleAligner, pull
from voicelive.audio.ear import Ear
from voicelive.audio.formats import AudioFormat

__all__ = ["Cut", "Heard", "PlaybackFrame", "PlaybackQueue"]

_NOISE_MS: Final = 1e-6  # of sums of floats; far less than a sample


class PlaybackFrame(bytes):
    """Audio to play next, with its place in the item it belongs to.

    Attributes:
        item_id: The item that speaks.
        start_ms: Where in the item's audio the frame begins.
        duration_ms: How long it is.
    """

    item_id: str
    start_ms: float
    duration_ms: float

    @classmethod
    def of(cls, audio: bytes, item_id: str, start_ms: float, duration_ms: float) -> PlaybackFrame:
        """A frame with its place."""
        frame = cls(audio)
        frame.item_id, frame.start_ms, frame.duration_ms = item_id, start_ms, duration_ms
        return frame

    def __repr__(self) -> str:
        return f"PlaybackFrame({self.item_id!r}, start_ms={self.start_ms:.0f}, <{len(self)} bytes>)"


@dataclass(frozen=True, slots=True)
class Heard:
    """How much of an item was heard.

    Attributes:
        heard_ms: Milliseconds from the item's start, whole and never more than came.
        total_ms: Milliseconds that came so far.
        exact: Whether a sink counted it; otherwise it is an estimate.
    """

    heard_ms: int
    total_ms: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Cut:
    """An item whose audio was dropped before all of it was heard."""

    item_id: str
    response_id: str
    content_index: int
    heard: Heard


@dataclass(slots=True)
class _Voice:
    """The audio of one item."""

    item_id: str
    response_id: str
    content_index: int
    format: AudioFormat
    aligner: SampleAligner
    starts_s: float
    counted: bool
    """Whether somebody tells what is heard of it; otherwise it is estimated."""
    bytes_per_s: int
    total_bytes: int = 0
    taken_bytes: int = 0
    acknowledged_ms: float | None = None
    complete: bool = False
    begun: bool = False
    waiting: deque[bytes] = field(default_factory=deque)

    @property
    def ready_bytes(self) -> int:
        return self.total_bytes - self.taken_bytes

    @property
    def total_ms(self) -> float:
        return self.format.duration_ms(self.total_bytes)

    @property
    def ends_s(self) -> float:
        """When an estimated playback of it will have caught up."""
        return self.starts_s + self.total_bytes / self.bytes_per_s

    def heard_bytes(self, now: float) -> int:
        """How much of it was heard, in whole samples."""
        if not self.counted and now >= self.ends_s:
            return self.total_bytes
        heard_ms = (self.acknowledged_ms or 0.0) if self.counted else (now - self.starts_s) * 1000
        return min(self.total_bytes, self.format.byte_count(max(0.0, heard_ms)))

    def pull(self, size: int) -> bytes:
        """Take bytes that wait; there must be as many."""
        self.taken_bytes += size
        return pull(self.waiting, size)


class PlaybackQueue:
    """The agent's voice of one session, in playing order. Pure: same calls, same answers."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self.format = audio_format
        self.stale_deltas = 0
        """Deltas of responses that were cut off; kept out."""
        self.ear: Ear | None = None
        """Who listens, where somebody does."""
        self._voices: dict[str, _Voice] = {}
        self._dead: set[str] = set()
        self._attended = False
        self._kept = False

    def reformat(self, audio_format: AudioFormat) -> None:
        """The output format is another one from the next item on; it does not change while the agent speaks."""
        self.format = audio_format

    def attend(self) -> None:
        """A sink takes the audio from now on; it is kept until then."""
        self._attended = self._kept = True

    def leave(self, now: float) -> None:
        """The sink is gone: nothing is kept for it any more, and from here on hearing is estimated."""
        self.listen(now)
        starts_s = now
        for voice in self._voices.values():
            if voice.counted:
                voice.starts_s = starts_s - self._heard(voice, now).heard_ms / 1000
                voice.counted, voice.acknowledged_ms = False, None
            starts_s = max(starts_s, voice.ends_s)
            voice.waiting.clear()
            voice.taken_bytes = voice.total_bytes
        self._attended = self._kept = False

    @property
    def attended(self) -> bool:
        """Whether somebody tells what was heard."""
        return self._attended

    # -- in

    def add(self, response_id: str, item_id: str, content_index: int, audio: bytes, now: float) -> bool:
        """Take a delta in; ``False`` when its response is dead and the delta is stale."""
        if response_id in self._dead:
            self.stale_deltas += 1
            return False
        if self.ear is not None:
            self.listen(now)
        voice = self._voices.get(item_id)
        if voice is None:
            starts_s = max(now, self._ends_s())
            form, aligner = self.format, SampleAligner(self.format.bytes_per_frame)
            voice = _Voice(
                item_id, response_id, content_index, form, aligner, starts_s, self._attended, form.bytes_per_second
            )
            self._voices[item_id] = voice
        elif not voice.counted and now > voice.ends_s:
            voice.starts_s += now - voice.ends_s  # it ran dry: silence is not hearing
        whole = voice.aligner.push(audio)
        if self.ear is not None:
            self.ear.came(item_id, voice.total_bytes, whole, voice.format)
        voice.total_bytes += len(whole)
        if not self._kept:
            voice.taken_bytes = voice.total_bytes
        elif whole:
            voice.waiting.append(whole)
        return True

    def complete(self, item_id: str) -> None:
        """No more audio of this item will come."""
        if item_id in self._voices:
            self._voices[item_id].complete = True

    def complete_response(self, response_id: str) -> None:
        """No more audio of this response will come."""
        for voice in self._voices.values():
            if voice.response_id == response_id:
                voice.complete = True

    # -- out

    def take(self, frame_ms: float, *, partly: bool = False) -> PlaybackFrame | None:
        """The next frame of one item, of the given length; shorter only where its item ends, or ``partly``.

        ``None`` while there is too little. An item ends where another one waits behind it, too.
        """
        ready = [voice for voice in self._voices.values() if voice.waiting]
        if not ready:
            return None
        voice = ready[0]
        frame_bytes = voice.format.byte_count(frame_ms)
        ends = voice.complete or len(ready) > 1
        if voice.ready_bytes < frame_bytes and not ends and not partly:
            return None
        start_ms = voice.format.duration_ms(voice.taken_bytes)
        audio = voice.pull(min(frame_bytes, voice.ready_bytes))
        return PlaybackFrame.of(audio, voice.item_id, start_ms, voice.format.duration_ms(len(audio)))

    def acknowledge(self, item_id: str, played_ms: float) -> bool:
        """A sink has really played this much of an item, from its start; never goes back nor beyond what came.

        Whether the item begins with it, or has been heard as far as it came; between the two only the place moves.
        """
        voice = self._voices.get(item_id)
        if voice is None:
            return False
        begins, total_ms = not (voice.begun and voice.counted), voice.total_ms
        self._attended = voice.counted = True
        heard_ms = voice.acknowledged_ms = max(voice.acknowledged_ms or 0.0, min(played_ms, total_ms))
        return begins or int(heard_ms + _NOISE_MS) >= int(total_ms + _NOISE_MS)

    def flush(self, now: float) -> list[Cut]:
        """Drop everything unheard; the items that lose something, and their responses are dead from now on."""
        self.listen(now)
        cuts = []
        for voice in self._voices.values():
            self._over(voice)
            heard = self._heard(voice, now)
            if heard.heard_ms < heard.total_ms or not voice.complete:
                cuts.append(Cut(voice.item_id, voice.response_id, voice.content_index, heard))
                self._dead.add(voice.response_id)
        self._voices.clear()
        return cuts

    def listen(self, now: float) -> None:
        """Let the ear hear what was heard by now; to be called before a break in hearing, and when a record ends."""
        if self.ear is None:
            return
        for voice in self._voices.values():
            self.ear.heard(voice.item_id, voice.heard_bytes(now), now if voice.counted else min(now, voice.ends_s))

    def _over(self, voice: _Voice) -> None:
        if self.ear is not None:
            self.ear.forget(voice.item_id)

    def kill(self, response_id: str) -> None:
        """Later deltas of this response are stale."""
        self._dead.add(response_id)

    def is_stale(self, response_id: str) -> bool:
        """Whether this response was cut off."""
        return response_id in self._dead

    # -- reading

    def heard(self, item_id: str, now: float) -> Heard | None:
        """How much of an item was heard; ``None`` for one that has no audio here."""
        voice = self._voices.get(item_id)
        return None if voice is None else self._heard(voice, now)

    @property
    def empty(self) -> bool:
        """Whether all audio that came was heard."""
        return not self._voices

    @property
    def waiting_ms(self) -> float:
        """Audio that a sink has not taken yet."""
        return sum(voice.format.duration_ms(voice.ready_bytes) for voice in self._voices.values())

    def playing(self, now: float) -> bool:
        """Whether audio has come that was not heard yet."""
        return any(heard.heard_ms < heard.total_ms for heard in self._all_heard(now))

    def audible(self, now: float) -> set[str]:
        """Responses that have audio which was not heard yet."""
        heard = ((voice.response_id, self._heard(voice, now)) for voice in self._voices.values())
        return {response_id for response_id, place in heard if place.heard_ms < place.total_ms}

    def ends_at(self, now: float) -> float | None:
        """When the next item of an estimated playback will have been heard; ``None`` with a sink, or when all were."""
        for voice in self._voices.values():  # in the order in which they end
            if not voice.counted and voice.ends_s > now:
                return voice.ends_s
        return None

    def knows(self, item_id: str) -> bool:
        """Whether an item has audio here that was not heard to its end."""
        return item_id in self._voices

    def reached(self, item_id: str, place_ms: float, now: float) -> bool:
        """Whether the audio at this place of an item has begun to be heard."""
        voice = self._voices.get(item_id)
        if voice is None:
            return False
        if not voice.counted:
            moment = self.estimated_at(item_id, place_ms)
            return moment is not None and now >= moment
        return bool(voice.acknowledged_ms) and place_ms <= (voice.acknowledged_ms or 0.0)

    def estimated_at(self, item_id: str, place_ms: float) -> float | None:
        """When an item will have been heard up to this place; ``None`` where a sink tells, or for an unknown item."""
        voice = self._voices.get(item_id)
        if voice is None or voice.counted or place_ms > voice.total_ms:
            return None
        return voice.starts_s + place_ms / 1000

    def begun(self, now: float) -> list[tuple[str, Heard]]:
        """Items of which something was heard for the first time since the last call."""
        news = []
        for voice in self._voices.values():
            if not voice.begun:
                heard = self._heard(voice, now)
                if heard.heard_ms > 0:
                    voice.begun = True
                    news.append((voice.item_id, heard))
                elif not voice.counted:
                    break  # those behind it begin later
        return news

    def settle(self, now: float) -> list[tuple[str, Heard]]:
        """Items that were heard to their end since the last call; they are forgotten here."""
        self.listen(now)
        done = []
        for voice in list(self._voices.values()):
            heard = self._heard(voice, now)
            if voice.complete and heard.heard_ms >= heard.total_ms:
                done.append((voice.item_id, heard))
                self._over(voice)
                del self._voices[voice.item_id]
            elif not voice.counted:
                break  # those behind it end later
        return done

    def _all_heard(self, now: float) -> list[Heard]:
        return [self._heard(voice, now) for voice in self._voices.values()]

    def _heard(self, voice: _Voice, now: float) -> Heard:
        total_ms = voice.total_ms
        if voice.counted:
            heard_ms, exact = voice.acknowledged_ms or 0.0, True
        elif now >= voice.ends_s:  # exactly then: in milliseconds the same moment may round down
            heard_ms, exact = total_ms, False
        else:
            heard_ms, exact = (now - voice.starts_s) * 1000, False
        return Heard(int(max(0.0, min(heard_ms, total_ms)) + _NOISE_MS), int(total_ms + _NOISE_MS), exact)

    def _ends_s(self) -> float:
        return max((voice.ends_s for voice in self._voices.values() if not voice.counted), default=0.0)

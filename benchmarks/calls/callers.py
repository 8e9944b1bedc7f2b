"""Callers of the three providers, who speak without a break, a piece at a time, and play what they hear by the clock.

Each says what its provider says, byte by byte where it is said often. What they find out is in their ``Passage``s.
"""

import asyncio
import json
from collections import deque
from typing import Any, ClassVar, Final

from benchmarks.calls.frames import BINARY, TEXT, ClientSocket
from benchmarks.calls.pieces import PIECE_MS, Passage
from pybase64 import b64decode, b64encode

__all__ = ["CALLERS", "Caller"]


class Caller(ClientSocket):
    """One call. ``up`` is the way of this voice to the service, ``down`` the way of the agent's to this ear."""

    piece_bytes: ClassVar[int]
    frame_ms: ClassVar[int] = PIECE_MS
    """As much of the agent's voice as goes out to this line at once."""
    opcode: ClassVar[int] = TEXT

    def __init__(self, number: int, phase_s: float) -> None:
        """Speaks as soon as the line is open, ``phase_s`` later than others."""
        super().__init__()
        self.up, self.down = Passage(number, self.piece_bytes), Passage(number, self.piece_bytes)
        self.late_s: list[tuple[float, float]] = []
        """When a frame was due, and how much later this process came to write it."""
        self.marks_due = 0
        """Marks that came and were not sent back."""
        self._phase_s = phase_s
        self._timer: asyncio.TimerHandle | None = None

    def talk(self) -> None:
        """Speak from now on."""
        due = self.loop.time() + self._phase_s
        self._timer = self.loop.call_at(due, self._speak, due)

    def stop(self) -> None:
        """Speak no more."""
        if self._timer is not None:
            self._timer.cancel()

    def hang_up(self) -> None:
        self.leave()

    def message(self, audio: bytes) -> bytes:
        """What carries a frame of the caller's voice."""
        raise NotImplementedError

    def _speak(self, due: float) -> None:
        now = self.loop.time()
        self.late_s.append((due, now - due))
        self.write(self.message(self.up.make(now)), self.opcode)
        self._timer = self.loop.call_at(due + PIECE_MS / 1000, self._speak, due + PIECE_MS / 1000)


class TwilioCaller(Caller):
    """Twilio Media Streams: each mark is sent back when the audio before it was played, or is called back."""

    piece_bytes = 160

    def opened(self) -> None:
        self._marks: deque[tuple[float, bytes]] = deque()
        media = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
        start = {"accountSid": "AC1", "streamSid": "MZ1", "callSid": "CA1", "tracks": ["inbound"], "mediaFormat": media}
        self.write(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}).encode())
        self.write(json.dumps({"event": "start", "sequenceNumber": "1", "start": start, "streamSid": "MZ1"}).encode())
        self.talk()

    def message(self, audio: bytes) -> bytes:
        number = self.up.sent
        return (
            b'{"event":"media","sequenceNumber":"%d","media":{"track":"inbound","chunk":"%d","timestamp":"%d",'
            b'"payload":"%s"},"streamSid":"MZ1"}' % (number + 1, number, number * PIECE_MS, b64encode(audio))
        )

    def take(self, payload: bytes, now: float) -> None:
        if payload.startswith(b'{"event": "media"'):
            audio = _value(payload, b'"payload": "')
            self.down.take(b64decode(audio), now)
        elif payload.startswith(b'{"event": "mark"'):
            self.marks_due += 1
            self._marks.append((self.down.plays_until, _value(payload, b'"name": "')))
            if len(self._marks) == 1:
                self.loop.call_at(self.down.plays_until, self._played)
        else:
            assert payload.startswith(b'{"event": "clear"'), "Twilio knows no other"
            self.down.silence(now)
            while self._marks:
                self._give_back(self._marks.popleft()[1])

    def hang_up(self) -> None:
        self.write(b'{"event":"stop","sequenceNumber":"9","stop":{"callSid":"CA1"},"streamSid":"MZ1"}')
        super().hang_up()

    def _played(self) -> None:
        now = self.loop.time()
        while self._marks and self._marks[0][0] <= now:
            self._give_back(self._marks.popleft()[1])
        if self._marks:
            self.loop.call_at(self._marks[0][0], self._played)

    def _give_back(self, name: bytes) -> None:
        self.marks_due -= 1
        self.write(b'{"event":"mark","sequenceNumber":"9","streamSid":"MZ1","mark":{"name":"%s"}}' % name)


class AcsCaller(Caller):
    """Azure Communication Services: PCM at 24 kHz."""

    piece_bytes = 960

    def opened(self) -> None:
        format_ = {"encoding": "PCM", "sampleRate": 24000, "channels": 1, "length": self.piece_bytes}
        self.write(json.dumps({"kind": "AudioMetadata", "audioMetadata": {"subscriptionId": "1", **format_}}).encode())
        self.talk()

    def message(self, audio: bytes) -> bytes:
        return (
            b'{"kind":"AudioData","audioData":{"timestamp":"2026-11-22T09:15:31.204Z","participantRawID":null,'
            b'"data":"%s","silent":false}}' % b64encode(audio)
        )

    def take(self, payload: bytes, now: float) -> None:
        if payload.startswith(b'{"Kind": "AudioData"'):
            self.down.take(b64decode(_value(payload, b'"Data": "')), now)
        else:
            assert payload.startswith(b'{"Kind": "StopAudio"'), "the service knows no other"
            self.down.silence(now)


class AudioHookCaller(Caller):
    """Genesys AudioHook: binary audio, and playback that tells when it starts."""

    piece_bytes = 160
    frame_ms = 400
    opcode = BINARY

    def opened(self) -> None:
        self._seq = self._serverseq = 0
        media = {"type": "audio", "format": "PCMU", "channels": ["external"], "rate": 8000}
        self._event("open", organizationId="o", conversationId="c", participant={"id": "p"}, media=[media])

    def message(self, audio: bytes) -> bytes:
        return audio

    def take(self, payload: bytes, now: float) -> None:
        if not payload.startswith(b"{"):
            if self.down.plays_until <= now:
                self._event("playback_started")
            self.down.take(payload, now)
            return
        message = json.loads(payload)
        self._serverseq = message["seq"]
        if message["type"] == "opened":
            self.talk()
        elif message["type"] == "event":
            self.down.silence(now)
        elif message["type"] == "closed":
            self.leave()

    def hang_up(self) -> None:
        self._event("close", reason="end")

    def _event(self, kind: str, **parameters: Any) -> None:
        self._seq += 1
        head = {"version": "2", "type": kind, "seq": self._seq, "serverseq": self._serverseq, "id": "s"}
        self.write(json.dumps({**head, "position": "PT0S", "parameters": parameters}).encode())


CALLERS: Final[dict[str, type[Caller]]] = {
    "twilio": TwilioCaller,
    "acs": AcsCaller,
    "audiohook": AudioHookCaller,
}


def _value(payload: bytes, before: bytes) -> bytes:
    begin = payload.index(before) + len(before)
    return payload[begin : payload.index(b'"', begin)]

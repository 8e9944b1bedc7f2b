"""Calls of Twilio Media Streams: G.711 straight through, both ways.

```python
async with twilio.accept(websocket) as call, client.connect(model, config=twilio.session_config()) as session:
    await call.run(session)
```

The TwiML has to hold ``<Connect><Stream url="wss://..."/></Connect>``; ``<Start>`` streams one way only.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from voicelive.audio.formats import AudioFormat
from voicelive.audio.playback import PlaybackFrame
from voicelive.bridges import twilio_codec as codec
from voicelive.bridges.accepting import START_TIMEOUT_S, Authenticate, accepted
from voicelive.bridges.call import Call
from voicelive.bridges.events import BrokenMessage, Dtmf, How, UnknownMessage
from voicelive.bridges.limits import CallLimit
from voicelive.bridges.line import Action, Ended, Frame, Gap, Hear, Played, Refuse, Tell
from voicelive.bridges.settings import mulaw_session
from voicelive.bridges.twilio_codec import Start
from voicelive.bridges.upgrade import Upgrade
from voicelive.errors import ConfigurationError
from voicelive.wire.session import SessionConfig

__all__ = ["Start", "accept", "session_config"]

_FORMAT: Final = AudioFormat("g711_ulaw", 8000)
_LEAST_GAP_MS: Final = 40
"""What a time stamp must be ahead of the audio before it before something is thought missing: two frames."""


def accept(
    websocket: object,
    *,
    authenticate: Authenticate | None = None,
    upgrade: Upgrade | None = None,
    limit: CallLimit | None = None,
    start_timeout_s: float = START_TIMEOUT_S,
    frame_ms: int = 20,
) -> AbstractAsyncContextManager[Call[Start]]:
    """The call of one stream, entered when its start message has come; leaving the block closes the socket.

    Args:
        websocket: Of Starlette, FastAPI, ``websockets`` or aiohttp, or a ``CallSocket``.
        authenticate: Says whether the request comes from Twilio; see ``TwilioSignature``.
        upgrade: The request, where the socket does not tell it.
        limit: Of all calls of this process.
        start_timeout_s: How long to wait for the start message.
        frame_ms: How much of the agent's voice goes out at once, each with a mark: a barge-in is exact to this length.

    Raises:
        CallRefusedError: The call was not taken; the socket is closed.
        ConfigurationError: The socket is of no known kind, does not tell its request, or ``frame_ms`` is not positive.
    """
    line = TwilioLine(frame_ms)
    return accepted(
        line, websocket, authenticate=authenticate, upgrade=upgrade, limit=limit, start_timeout_s=start_timeout_s
    )


def session_config(**overrides: Any) -> SessionConfig:
    """Settings with the formats of the line: G.711 mu-law both ways."""
    return mulaw_session(overrides)


class TwilioLine:
    """One stream. Pure: same calls, same answers.

    Twilio plays what it is given as it comes, and sends a mark back when everything before it has been played. A
    ``clear`` sends back all marks, played or not, so marks that were on their way then count as not heard.
    """

    answers_farewell: bool = False
    sounding: bool = False
    advice: str = "twilio.session_config()"
    format: AudioFormat = _FORMAT

    def __init__(self, frame_ms: int = 20) -> None:
        if frame_ms < 1:
            raise ConfigurationError(f"frame_ms is {frame_ms!r}; it must be at least 1")
        self.frame_ms = frame_ms
        self.start: Start | None = None
        self._marks: dict[str, Played] = {}
        self._cut: set[str] = set()
        self._made = 0
        self._expected_ms: float | None = None

    def receive(self, data: Frame, now: float) -> Iterable[Action]:
        message = codec.decode(data)
        match message:
            case codec.Media():
                return self._media(message, len(data))
            case codec.Mark(name=name):
                return self._mark(name, len(data))
            case Dtmf() | UnknownMessage() | BrokenMessage():
                return (Tell(message),)
            case codec.Start():
                return self._start(message, len(data))
            case codec.Stop():
                return (Ended("caller"),)
            case codec.Connected():
                return ()

    def gone(self) -> How:
        return "line_lost"  # a call that ends is told by a stop message

    def room_in_s(self, now: float) -> float:
        return 0.0  # Twilio queues what comes early

    def voice(self, frame: PlaybackFrame, now: float) -> Iterable[Frame]:
        assert self.start is not None, "no session before"
        self._made += 1
        name = f"{frame.item_id}:{self._made}"
        self._marks[name] = Played(frame.item_id, frame.start_ms + frame.duration_ms)
        commands = (codec.Media(frame), codec.Mark(name))
        return [codec.encode(command, self.start.stream_sid) for command in commands]

    def flush(self, now: float) -> Iterable[Frame]:
        if not self._marks or self.start is None:
            return ()
        self._cut.update(self._marks)
        self._marks.clear()
        return (codec.encode(codec.Clear(), self.start.stream_sid),)

    def heard(self, now: float) -> Iterable[Played]:
        return ()

    def farewell(self, how: How, problem: str) -> Iterable[Frame]:
        return ()  # closing the socket ends the stream

    def _start(self, start: Start, size: int) -> Iterable[Action]:
        if self.start is not None:
            return (Tell(BrokenMessage("a second start message", size)),)
        if (start.encoding, start.rate_hz, start.channels) != ("audio/x-mulaw", 8000, 1):
            return (Refuse(f"the stream is {start.encoding:.40} at {start.rate_hz} Hz, not audio/x-mulaw at 8000 Hz"),)
        self.start = start
        return ()

    def _media(self, media: codec.Media, size: int) -> Iterable[Action]:
        if self.start is None:
            return (Tell(BrokenMessage("media before the start message", size)),)
        if media.track != "inbound":
            return ()  # the agent's own voice
        gap_ms = 0.0
        if media.timestamp_ms is not None:
            expected_ms = media.timestamp_ms if self._expected_ms is None else self._expected_ms
            gap_ms = media.timestamp_ms - expected_ms
            self._expected_ms = media.timestamp_ms + _FORMAT.duration_ms(len(media.audio))
        # Twilio throws the caller's audio away when the network is congested (warning 31930)
        return (Gap(gap_ms), Hear(media.audio)) if gap_ms >= _LEAST_GAP_MS else (Hear(media.audio),)

    def _mark(self, name: str, size: int) -> Iterable[Action]:
        if name in self._cut:
            self._cut.remove(name)
            return ()
        played = self._marks.pop(name, None)
        return (Tell(BrokenMessage("a mark that was not set", size)) if played is None else played,)

"""Calls of Genesys AudioHook, protocol version 2, for an Audio Connector: G.711 straight through, both ways.

```python
async with audiohook.accept(websocket) as call:
    if not call.start.is_probe:
        async with client.connect(model, config=audiohook.session_config()) as session:
            await call.run(session)
```
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from voicelive.audio.formats import AudioFormat
from voicelive.audio.playback import PlaybackFrame
from voicelive.bridges import audiohook_codec as codec
from voicelive.bridges import audiohook_messages as messages
from voicelive.bridges.accepting import START_TIMEOUT_S, Authenticate, accepted
from voicelive.bridges.audiohook_messages import Open
from voicelive.bridges.call import Call
from voicelive.bridges.events import BrokenMessage, How
from voicelive.bridges.limits import CallLimit
from voicelive.bridges.line import Action, Ended, Frame, Gap, Hear, Played, Refuse, Say, Tell
from voicelive.bridges.pacing import Pacer
from voicelive.bridges.settings import mulaw_session
from voicelive.bridges.upgrade import Upgrade
from voicelive.wire.session import SessionConfig

__all__ = ["Open", "accept", "session_config"]

_FORMAT: Final = AudioFormat("g711_ulaw", 8000)

# The provider takes 5 binary messages a second on average, and 25 in a burst (limits page of the Audio Connector, as
# quoted by servers of others). So pieces are long: in real time 2.5 a second, one more where a reply ends.
_FRAME_MS: Final = 400
_LEAD_MS: Final = 800


def accept(
    websocket: object,
    *,
    authenticate: Authenticate | None = None,
    upgrade: Upgrade | None = None,
    limit: CallLimit | None = None,
    start_timeout_s: float = START_TIMEOUT_S,
    output_variables: dict[str, str] | None = None,
) -> AbstractAsyncContextManager[Call[Open]]:
    """The call of one stream, entered when ``open`` has come and was answered; leaving the block ends the call.

    Leaving it asks the provider to end the stream, and waits 5 s at most for that. What was heard is counted by the
    clock, from the moment at which the provider says that playback has started.

    Args:
        websocket: Of Starlette, FastAPI, ``websockets`` or aiohttp, or a ``CallSocket``.
        authenticate: Says whether the request comes from the provider; see ``AudioHookSignature``.
        upgrade: The request, where the socket does not tell it.
        limit: Of all calls of this process.
        start_timeout_s: How long to wait for ``open``.
        output_variables: What the flow gets back. Fill it while the call lasts: it is read at the end.

    Raises:
        CallRefusedError: The call was not taken; the socket is closed.
        ConfigurationError: The socket is of no known kind, or does not tell its request.
    """
    line = AudioHookLine({} if output_variables is None else output_variables)
    return accepted(
        line, websocket, authenticate=authenticate, upgrade=upgrade, limit=limit, start_timeout_s=start_timeout_s
    )


def session_config(**overrides: Any) -> SessionConfig:
    """Settings with the formats of the line: G.711 mu-law both ways."""
    return mulaw_session(overrides)


class AudioHookLine:
    """One stream. Pure: same calls, same answers."""

    frame_ms: int = _FRAME_MS
    advice: str = "audiohook.session_config()"
    format: AudioFormat = _FORMAT

    def __init__(self, output_variables: dict[str, str]) -> None:
        self.start: Open | None = None
        self._output_variables = output_variables
        self._pacer = Pacer(_LEAD_MS)
        self._id = ""
        self._seq = self._clientseq = 0
        self._media: messages.Media | None = None
        self._paused = self._closed = False

    @property
    def answers_farewell(self) -> bool:
        """Whether the provider is there to end the stream."""
        return self.start is not None and not self._closed

    @property
    def sounding(self) -> bool:
        return self._pacer.busy

    def receive(self, data: Frame, now: float) -> Iterable[Action]:
        if isinstance(data, bytes):
            return self._audio(data)
        message = codec.decode(data)
        if isinstance(message, BrokenMessage):
            return (Tell(message),)
        if self._id and message.id != self._id:
            return (Tell(BrokenMessage("the id of another stream", len(data))),)
        actions: list[Action] = []
        if message.seq != self._clientseq + 1:
            actions.append(Tell(BrokenMessage(f"seq is {message.seq}, not {self._clientseq + 1}", len(data))))
        self._clientseq = message.seq
        actions.extend(self._body(message, len(data), now))
        return actions

    def gone(self) -> How:
        return "line_lost"  # a call that ends is told by a close message

    def room_in_s(self, now: float) -> float:
        return self._pacer.room_in_s(now)

    def voice(self, frame: PlaybackFrame, now: float) -> Iterable[Frame]:
        self._pacer.written(frame, now)
        return (bytes(frame),)

    def flush(self, now: float) -> Iterable[Frame]:
        return (self._say(messages.BargeIn()),) if self._pacer.drop(now) else ()

    def heard(self, now: float) -> Iterable[Played]:
        return self._pacer.heard(now)

    def farewell(self, how: How, problem: str) -> Iterable[Frame]:
        if not self.answers_farewell:
            return ()
        reason: Final = "error" if problem else "completed"
        return (self._say(messages.Disconnect(reason, problem, self._output_variables)),)

    def _body(self, message: messages.Message, size: int, now: float) -> Iterable[Action]:
        body = message.body
        match body:
            case messages.Open():
                return self._open(message.id, body, size)
            case messages.Ping():
                return (Say(self._say(messages.Pong())),)
            case messages.Close(reason=reason):
                self._closed = True
                return (Say(self._say(messages.Closed())), Ended("caller", reason))
            case messages.LanguageChanged():
                return (Say(self._say(messages.Updated())), Tell(body))
            case messages.Discarded(discarded_ms=ms):
                return (Gap(ms), Tell(body))
            case messages.Paused() | messages.Resumed() | messages.PlaybackStarted() | messages.LineError():
                return self._moved(body, now)
            case _:
                return (Tell(body),)

    def _moved(
        self, body: messages.Paused | messages.Resumed | messages.PlaybackStarted | messages.LineError, now: float
    ) -> Iterable[Action]:
        """What changes the flow of audio."""
        match body:
            case messages.Paused():
                self._paused = True
                self._pacer.hold(now)
            case messages.Resumed(discarded_ms=ms):
                self._paused = False
                self._pacer.go_on(now)
                return (Gap(ms), Tell(body))
            case messages.PlaybackStarted():
                self._pacer.begins_now(now)
            case messages.LineError(retry_after_s=retry_after_s):
                self._pacer.block(now + (retry_after_s or 0.0))
        return (Tell(body),)

    def _open(self, stream_id: str, start: Open, size: int) -> Iterable[Action]:
        if self.start is not None:
            return (Tell(BrokenMessage("a second open", size)),)
        self._id, self._media = stream_id, _chosen(start.media)
        if self._media is None and not start.is_probe:
            return (
                Say(self._say(messages.Disconnect("error", "no media with the caller as PCMU at 8000 Hz"))),
                Refuse("no audio is offered that is PCMU at 8000 Hz and has the channel external"),
            )
        self.start = start
        return (Say(self._say(messages.Opened(None if start.is_probe else self._media))),)

    def _audio(self, data: bytes) -> Iterable[Action]:
        if self._media is None or self.start is None:
            return (Tell(BrokenMessage("audio before open", len(data))),)
        if self._paused:
            return (Tell(BrokenMessage("audio while the stream is paused", len(data))),)
        channels = self._media.channels
        if len(data) % len(channels):
            return (Tell(BrokenMessage("audio that ends inside a sample", len(data))),)
        return (Hear(data[channels.index("external") :: len(channels)]),)

    def _say(self, command: messages.Command) -> str:
        self._seq += 1
        return codec.encode(command, stream_id=self._id, seq=self._seq, clientseq=self._clientseq)


def _chosen(offers: Iterable[messages.Media]) -> messages.Media | None:
    """The offer that has the caller's voice, alone if there is a choice."""
    usable = [offer for offer in offers if (offer.format, offer.rate_hz) == ("PCMU", 8000)]
    usable = [offer for offer in usable if "external" in offer.channels]
    return min(usable, key=lambda offer: len(offer.channels), default=None)

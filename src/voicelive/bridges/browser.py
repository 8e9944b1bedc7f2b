"""Calls of web pages: a small protocol over a WebSocket of your own, which docs/browser.md describes.

```python
async with browser.accept(websocket) as call:
    config = browser.session_config(rate_hz=call.start.rate_hz)
    async with client.connect(model, config=config) as session:
        await call.run(session)
```

The page never sees a key of the service. Who may open the socket is for ``authenticate`` to say: a browser sends
cookies and its ``Origin``, but no headers of your own.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from voicelive.audio.formats import AudioFormat
from voicelive.audio.playback import PlaybackFrame
from voicelive.bridges import browser_codec as codec
from voicelive.bridges import browser_messages as messages
from voicelive.bridges.accepting import START_TIMEOUT_S, Authenticate, accepted
from voicelive.bridges.browser_messages import VERSION, Start
from voicelive.bridges.browser_relay import obey, tell
from voicelive.bridges.call import Call
from voicelive.bridges.events import BrokenMessage, How, UnknownMessage
from voicelive.bridges.limits import CallLimit
from voicelive.bridges.line import Action, Ask, Ended, Frame, Hear, Played, Refuse, Tell
from voicelive.bridges.settings import PCM_RATES_HZ, pcm_session
from voicelive.bridges.upgrade import Upgrade
from voicelive.wire.session import SessionConfig

__all__ = ["Start", "accept", "session_config"]

_FRAME_MS: Final = 20
_LEAST_JUMP_MS: Final = 0.5  # places are computed from bytes, and carry noise


def accept(
    websocket: object,
    *,
    authenticate: Authenticate | None = None,
    upgrade: Upgrade | None = None,
    limit: CallLimit | None = None,
    start_timeout_s: float = START_TIMEOUT_S,
) -> AbstractAsyncContextManager[Call[Start]]:
    """The call of one page, entered when its start message has come; leaving the block closes the socket.

    The page acknowledges what its loudspeaker has played, and only that counts as heard. While ``run`` lasts the page
    is told transcripts, tool progress and what becomes of the session, and what is typed there reaches the session.

    Args:
        websocket: Of Starlette, FastAPI, ``websockets`` or aiohttp, or a ``CallSocket``.
        authenticate: Says whether this page may call. Check cookies and ``Origin``: any page may open a WebSocket.
        upgrade: The request, where the socket does not tell it.
        limit: Of all calls of this process.
        start_timeout_s: How long to wait for the start message.

    Raises:
        CallRefusedError: The call was not taken; the socket is closed.
        ConfigurationError: The socket is of no known kind, or does not tell its request.
    """
    return accepted(
        BrowserLine(),
        websocket,
        authenticate=authenticate,
        upgrade=upgrade,
        limit=limit,
        start_timeout_s=start_timeout_s,
        companions=(tell, obey),
    )


def session_config(*, rate_hz: int = 24_000, **overrides: Any) -> SessionConfig:
    """Settings with the formats of the line: PCM both ways, at ``call.start.rate_hz``.

    Raises:
        ConfigurationError: A rate other than 16000 and 24000.
    """
    return pcm_session(rate_hz, overrides)


class BrowserLine:
    """One page. Pure: same calls, same answers."""

    frame_ms: int = _FRAME_MS
    answers_farewell: bool = False
    sounding: bool = False

    def __init__(self) -> None:
        self.start: Start | None = None
        self.format = AudioFormat("pcm16", 24_000)
        self._sent_ms: dict[str, float] = {}
        self._unheard: set[str] = set()
        self._speaks = ""

    @property
    def advice(self) -> str:
        return f"browser.session_config(rate_hz={self.format.rate_hz})"

    def receive(self, data: Frame, now: float) -> Iterable[Action]:
        message = codec.decode(data)
        match message:
            case messages.Start():
                return self._start(message, len(data))
            case UnknownMessage() | BrokenMessage():
                return (Tell(message),)
            case messages.Stop():
                return (Ended("caller"),)
            case _ if self.start is None:
                return (Tell(BrokenMessage("a message before the start message", len(data))),)
            case messages.Voice(audio=audio):
                return self._voice(audio)
            case messages.Played():
                return self._played(message, len(data))
            case _:
                return (Ask(message),)

    def gone(self) -> How:
        return "line_lost"  # a page that hangs up says stop

    def room_in_s(self, now: float) -> float:
        return 0.0  # the page queues what comes early

    def voice(self, frame: PlaybackFrame, now: float) -> Iterable[Frame]:
        item_id, end_ms = frame.item_id, frame.start_ms + frame.duration_ms
        goes_on = item_id == self._speaks and abs(self._sent_ms[item_id] - frame.start_ms) < _LEAST_JUMP_MS
        self._speaks, self._sent_ms[item_id] = item_id, end_ms
        self._unheard.add(item_id)
        return (bytes(frame),) if goes_on else (codec.encode(messages.Audio(item_id, frame.start_ms)), bytes(frame))

    def flush(self, now: float) -> Iterable[Frame]:
        if not self._unheard:
            return ()
        self._unheard.clear()
        self._speaks = ""
        return (codec.encode(messages.Flush()),)

    def heard(self, now: float) -> Iterable[Played]:
        return ()

    def farewell(self, how: How, problem: str) -> Iterable[Frame]:
        return (codec.encode(messages.End(how, problem)),)

    def _start(self, start: Start, size: int) -> Iterable[Action]:
        if self.start is not None:
            return (Tell(BrokenMessage("a second start message", size)),)
        if start.version != VERSION:
            return (Refuse(f"the page speaks version {start.version} of the protocol, not {VERSION}"),)
        if start.rate_hz not in PCM_RATES_HZ:
            return (Refuse(f"the page speaks at {start.rate_hz} Hz, not at 16000 or 24000 Hz"),)
        self.start, self.format = start, AudioFormat("pcm16", start.rate_hz)
        return ()

    def _voice(self, audio: bytes) -> Iterable[Action]:
        whole_bytes = len(audio) - len(audio) % self.format.bytes_per_frame
        if whole_bytes < len(audio):
            return (Tell(BrokenMessage("audio that ends inside a sample", len(audio))), Hear(audio[:whole_bytes]))
        return (Hear(audio),)

    def _played(self, played: messages.Played, size: int) -> Iterable[Action]:
        sent_ms = self._sent_ms.get(played.item_id)
        if sent_ms is None:
            return (Tell(BrokenMessage("played of an item that was not sent", size)),)
        if played.ms >= sent_ms - _LEAST_JUMP_MS:
            self._unheard.discard(played.item_id)
        return (Played(played.item_id, min(played.ms, sent_ms)),)

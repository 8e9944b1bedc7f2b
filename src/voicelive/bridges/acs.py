"""Calls of Azure Communication Services: 16-bit PCM at 24 or 16 kHz, both ways.

```python
async with acs.accept(websocket) as call:
    config = acs.session_config(rate_hz=call.start.rate_hz)
    async with client.connect(model, config=config) as session:
        await call.run(session)
```

The media streaming options have to switch ``enable_bidirectional`` on, and ``enable_dtmf_tones`` for keys. Use mixed
audio: of unmixed audio every participant's frames would follow each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from voicelive.audio.formats import AudioFormat
from voicelive.audio.playback import PlaybackFrame
from voicelive.bridges import acs_codec as codec
from voicelive.bridges.accepting import START_TIMEOUT_S, Authenticate, accepted
from voicelive.bridges.acs_codec import AudioMetadata
from voicelive.bridges.call import Call
from voicelive.bridges.events import BrokenMessage, Dtmf, How, UnknownMessage
from voicelive.bridges.limits import CallLimit
from voicelive.bridges.line import Action, Frame, Hear, Played, Refuse, Tell
from voicelive.bridges.pacing import Pacer
from voicelive.bridges.settings import PCM_RATES_HZ, pcm_session
from voicelive.bridges.upgrade import Upgrade
from voicelive.wire.session import SessionConfig

__all__ = ["AudioMetadata", "accept", "session_config"]

_FRAME_MS: Final = 20
_LEAD_MS: Final = 200
"""How much may wait at the service: it covers a network that stumbles; how much may is not documented."""


def accept(
    websocket: object,
    *,
    authenticate: Authenticate | None = None,
    upgrade: Upgrade | None = None,
    limit: CallLimit | None = None,
    start_timeout_s: float = START_TIMEOUT_S,
) -> AbstractAsyncContextManager[Call[AudioMetadata]]:
    """The call of one stream, entered when its metadata have come; leaving the block closes the socket.

    The service does not tell what was played. So the agent's voice goes out at the pace of speech, and what was heard
    is counted by the clock.

    Args:
        websocket: Of Starlette, FastAPI, ``websockets`` or aiohttp, or a ``CallSocket``.
        authenticate: Says whether the request comes from the service; see ``AcsToken``.
        upgrade: The request, where the socket does not tell it.
        limit: Of all calls of this process.
        start_timeout_s: How long to wait for the metadata.

    Raises:
        CallRefusedError: The call was not taken; the socket is closed.
        ConfigurationError: The socket is of no known kind, or does not tell its request.
    """
    line = AcsLine()
    return accepted(
        line, websocket, authenticate=authenticate, upgrade=upgrade, limit=limit, start_timeout_s=start_timeout_s
    )


def session_config(*, rate_hz: int = 24_000, **overrides: Any) -> SessionConfig:
    """Settings with the formats of the line: PCM both ways, at ``call.start.rate_hz``.

    Raises:
        ConfigurationError: A rate other than 16000 and 24000.
    """
    return pcm_session(rate_hz, overrides)


class AcsLine:
    """One stream. Pure: same calls, same answers."""

    frame_ms: int = _FRAME_MS
    answers_farewell: bool = False

    def __init__(self) -> None:
        self.start: AudioMetadata | None = None
        self.format = AudioFormat("pcm16", 24_000)
        self._pacer = Pacer(_LEAD_MS)

    @property
    def advice(self) -> str:
        return f"acs.session_config(rate_hz={self.format.rate_hz})"

    @property
    def sounding(self) -> bool:
        return self._pacer.busy

    def receive(self, data: Frame, now: float) -> Iterable[Action]:
        message = codec.decode(data)
        match message:
            case codec.AudioData():
                return self._audio(message, len(data))
            case Dtmf() | UnknownMessage() | BrokenMessage():
                return (Tell(message),)
            case codec.AudioMetadata():
                return self._metadata(message, len(data))
            case codec.StopAudio():
                return (Tell(BrokenMessage("StopAudio is for the other side", len(data))),)

    def gone(self) -> How:
        return "caller"  # the end of the socket is the only sign

    def room_in_s(self, now: float) -> float:
        return self._pacer.room_in_s(now)

    def voice(self, frame: PlaybackFrame, now: float) -> Iterable[Frame]:
        self._pacer.written(frame, now)
        return (codec.encode(codec.AudioData(frame)),)

    def flush(self, now: float) -> Iterable[Frame]:
        return (codec.encode(codec.StopAudio()),) if self._pacer.drop(now) else ()

    def heard(self, now: float) -> Iterable[Played]:
        return self._pacer.heard(now)

    def farewell(self, how: How, problem: str) -> Iterable[Frame]:
        return ()  # closing the socket ends the stream

    def _metadata(self, metadata: AudioMetadata, size: int) -> Iterable[Action]:
        if self.start is not None:
            return (Tell(BrokenMessage("a second AudioMetadata", size)),)
        usable = metadata.encoding.upper() == "PCM" and metadata.channels == 1
        if not usable or metadata.rate_hz not in PCM_RATES_HZ:
            found = f"{metadata.encoding:.40} at {metadata.rate_hz} Hz with {metadata.channels} channels"
            return (Refuse(f"the stream is {found}, not PCM at 16000 or 24000 Hz with one"),)
        self.start, self.format = metadata, AudioFormat("pcm16", metadata.rate_hz)
        return ()

    def _audio(self, message: codec.AudioData, size: int) -> Iterable[Action]:
        if self.start is None:
            return (Tell(BrokenMessage("audio before AudioMetadata", size)),)
        whole_bytes = len(message.audio) - len(message.audio) % 2
        if message.silent:  # its samples may be missing; the silence has to be kept, or turns would not end
            return (Hear(bytes(whole_bytes) or self.format.silence(_FRAME_MS)),)
        if whole_bytes < len(message.audio):
            return (Tell(BrokenMessage("audio that ends inside a sample", size)), Hear(message.audio[:whole_bytes]))
        return (Hear(message.audio),)

"""One WebRTC call of the emulated service: an outlet that leads events to two channels and the voice to a third.

Answers ``rtc.call.sdp.create`` by ``rtc.call.sdp.created`` or ``rtc.call.error``. Codes other than ``missing_sdp``,
which the guide shows, are guesses. Loads aiortc when an offer is to be answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from voicelive import wire
from voicelive.audio.codecs import from_pcm16
from voicelive.audio.formats import AudioFormat
from voicelive.testing.calls.routing import channels
from voicelive.testing.calls.speech import RATE_HZ, Change, Speech
from voicelive.testing.checks import Refusal

if TYPE_CHECKING:
    from voicelive.audio.resampler import Resampler
    from voicelive.testing.calls.peer import Peer
    from voicelive.testing.stage import Outlet, Stage

__all__ = ["Call", "refuse_avatar"]

_MISSING = "aiortc is missing, which answers WebRTC calls; run: pip install 'voicelive[avatar,testing]'"
_OPERATION = "rtc.call.sdp.create"
_SAID = {
    "started": wire.OutputAudioBufferStarted,
    "stopped": wire.OutputAudioBufferStopped,
    "cleared": wire.OutputAudioBufferCleared,
}


class Call:
    """The outlet of a session on the path of calls, and its peer.

    Args:
        socket: Where events of the signalling socket go.
        items_on_both: Item events go to both channels, under the same ``event_id``.
    """

    def __init__(self, socket: Outlet, *, items_on_both: bool) -> None:
        self._socket, self._items_on_both = socket, items_on_both
        self._speech = Speech()
        self._stage: Stage | None = None
        self._peer: Peer | None = None
        self._caller: tuple[AudioFormat, Resampler] | None = None
        self._formats: dict[str, AudioFormat] = {}

    # -- the outlet

    def send(self, event: wire.ServerEvent) -> None:
        """Lead an event where it belongs."""
        self._voice(event)
        ways = channels(event, items_on_both=self._items_on_both)
        if "socket" in ways:
            self._socket.send(event)
        if "data" in ways and self._peer is not None:
            frame = wire.encode(event)
            self._peer.tell(frame if isinstance(frame, str) else frame.decode())

    async def room(self) -> None:
        """Wait while the client is far behind with reading."""
        await self._socket.room()

    # -- the call

    async def answer(self, offer: object, stage: Stage, hear: Callable[[bytes], None]) -> None:
        """Answer an offer; ``hear`` takes the caller's audio in the session's input format."""
        try:
            sdp = await self._answered(offer, stage, hear)
        except Refusal as refusal:
            self.refuse(refusal, stage)
        else:
            stage.emit(
                wire.RtcCallSdpCreated(event_id=stage.ids.event(), rtc_call_id=stage.settings["id"], sdp_answer=sdp)
            )

    def refuse(self, refusal: Refusal, stage: Stage) -> None:
        """Turn the call down; its id is the session's, as in the guide's example."""
        error = wire.RtcCallErrorDetails(type=refusal.kind, code=refusal.code, message=refusal.message)
        stage.emit(
            wire.RtcCallError(
                event_id=stage.ids.event(), operation=_OPERATION, rtc_call_id=stage.settings["id"], error=error
            )
        )

    def hush(self) -> bool:
        """Say nothing of what waits any more; whether there was something."""
        changes = self._speech.drop()
        self._tell(changes)
        return bool(changes)

    async def close(self) -> None:
        """End the call; once the stage has ended."""
        if self._peer is not None:
            await self._peer.close()

    async def _answered(self, offer: object, stage: Stage, hear: Callable[[bytes], None]) -> str:
        if not isinstance(offer, str) or not offer.strip():
            raise Refusal("missing_sdp", "SDP offer is required")
        if self._peer is not None:
            raise Refusal("call_already_exists", "This session has a call already.")
        if not offer.startswith("v=0") or "\nm=audio " not in offer:
            raise Refusal("invalid_sdp", "SDP offer has no audio, or is no SDP.")
        try:
            from voicelive.testing.calls.peer import Peer
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(_MISSING, name=error.name) from None
        self._stage = stage
        peer = Peer(self._say, lambda pcm: hear(self._of_caller(pcm, stage.settings.input_format)), stage.spawn)
        self._peer = peer  # from here on ``close`` ends it
        try:
            return await peer.answer(offer)
        except Exception as error:  # its text may quote the SDP
            self._peer = None
            await peer.close()
            raise Refusal("invalid_sdp", f"SDP offer cannot be answered: {type(error).__name__}.") from None

    # -- sound

    def _of_caller(self, pcm: bytes, wanted: AudioFormat) -> bytes:
        if self._caller is None or self._caller[0] != wanted:
            from voicelive.audio.resampler import Resampler

            self._caller = wanted, Resampler(RATE_HZ, wanted.rate_hz)
        return from_pcm16(self._caller[1].push(pcm), wanted.encoding)

    def _say(self, byte_count: int) -> bytes:
        pcm, changes = self._speech.take(byte_count)
        self._tell(changes)
        return pcm

    def _voice(self, event: wire.ServerEvent) -> None:
        if isinstance(event, wire.ResponseAudioDelta):
            self._speech.add(event.response_id, event.delta, self._formats[event.response_id])
        elif isinstance(event, wire.ResponseAudioDone):
            self._speech.complete(event.response_id)
        elif isinstance(event, wire.ResponseCreated) and event.response.id:
            self._formats[event.response.id] = AudioFormat.of_output(event.response.output_audio_format)
        elif isinstance(event, wire.ResponseDone):
            self._formats.pop(event.response.id or "", None)
        elif isinstance(event, wire.InputAudioBufferSpeechStarted) and self._interrupts:
            self.hush()

    @property
    def _interrupts(self) -> bool:
        detection = None if self._stage is None else self._stage.settings.turn_detection
        return detection is not None and detection.interrupt_response

    def _tell(self, changes: Iterable[Change]) -> None:
        for kind, response_id in changes:
            assert self._stage is not None, "nothing sounds before the call"
            self.send(_SAID[kind](event_id=self._stage.ids.event(), response_id=response_id))


def refuse_avatar(settings: object) -> None:
    """Calls show no avatar, as the guide says; how the service puts it is not known.

    Raises:
        Refusal: The settings have one.
    """
    if isinstance(settings, dict) and settings.get("avatar") is not None:
        raise Refusal("invalid_value", "Avatars are not supported in WebRTC calls.", "session.avatar")

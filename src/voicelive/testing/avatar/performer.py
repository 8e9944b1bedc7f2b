"""The avatar of one session: when it appears, what it is given to say, and what becomes of the voice meanwhile.

Where an avatar is set, the voice travels with the picture: ``response.audio.delta`` stays away, also while no link
stands, as seen of the service. Barge-in found by turn detection drops what waits to be said, with the rest of the
reply: versions of the API before 2026-04-10 have no ``output_audio_buffer.clear``, and avatars can be interrupted
there as well. ``response.cancel`` ends generation alone; what was generated is said until the client clears it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from voicelive import wire
from voicelive.audio.formats import AudioFormat
from voicelive.testing.avatar.look import Look, look_of
from voicelive.testing.avatar.offers import decode_offer, encode_answer, judge_offer
from voicelive.testing.avatar.playout import Change
from voicelive.testing.checks import Refusal
from voicelive.testing.stage import Stage

if TYPE_CHECKING:
    from voicelive.testing.avatar.link import Link
    from voicelive.testing.avatar.stream import Stream
    from voicelive.testing.avatar.voices import TurnVoice

__all__ = ["Performer"]


class Performer:
    """Shows the avatar of one session."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._links: list[Link] = []
        self._shown: Link | Stream | None = None
        self._look: Look | None = None
        self._voices: dict[str, TurnVoice] = {}

    @property
    def lack(self) -> str | None:
        """Why the avatar that is set cannot be shown; ``None``: it can, or there is none."""
        if self._avatar is None or not (missing := _missing_libraries()):
            return None
        return f"it needs {', '.join(missing)}; pip install 'voicelive[avatar]'"

    def configure(self) -> None:
        """Take over new settings: begin a stream on the socket, or change the scene; no more changes in a session."""
        avatar = self._avatar
        if avatar is None or self.lack is not None:
            return
        look = look_of(avatar, self._stage.avatars.picture)
        if self._look is None:
            if self._on_socket:
                self._begin_stream(look)
        elif look.scene != self._look.scene:
            self._look = replace(self._look, scene=look.scene)
            if self._shown is not None:
                self._shown.exchange(self._look)

    def connect(self, body: dict[str, Any]) -> None:
        """Answer ``session.avatar.connect``, in a while."""
        stage, event_id, arrived_s = self._stage, body.get("event_id"), self._stage.now()
        try:
            self._check_connectable()
            offer = decode_offer(body["client_sdp"])
            stage.avatars.ledger.connect(arrived_s)
        except Refusal as refusal:
            stage.spawn(self._refuse(refusal, event_id, arrived_s))
        else:
            stage.spawn(self._negotiate(self._new_link(), offer, event_id, arrived_s))

    def divert(
        self, events: Sequence[wire.ServerEvent], audio_format: AudioFormat | None
    ) -> Sequence[wire.ServerEvent]:
        """Let the avatar say the audio among a response's events.

        Args:
            events: In their order.
            audio_format: Of the audio in them.

        Returns:
            Those that go to the client.
        """
        avatar = self._avatar
        if avatar is None or self.lack is not None:
            return events
        for event in events:
            if isinstance(event, wire.ResponseAudioDelta):
                assert audio_format is not None, "responses without audio have no deltas of it"
                self._say(event, audio_format)
            elif isinstance(event, wire.ResponseDone) and (voice := self._voices.pop(event.response.id or "", None)):
                voice.finish()
        if avatar.get("output_audit_audio") and not self._on_socket:
            return events
        return [event for event in events if not isinstance(event, wire.ResponseAudioDelta)]

    def hush(self) -> None:
        """The caller interrupts: drop what waits, and what still comes of it."""
        if self._shown is not None:
            self._shown.playout.mute()

    def clear(self) -> None:
        """Drop what waits, at the client's wish."""
        if self._shown is not None:
            self._shown.playout.drop()

    async def close(self) -> None:
        """End all links; the tasks of the session have ended."""
        for link in self._links:
            await link.close()

    @property
    def _avatar(self) -> dict[str, Any] | None:
        avatar: dict[str, Any] | None = self._stage.settings["avatar"]
        return avatar or None

    @property
    def _on_socket(self) -> bool:
        return self._avatar is not None and self._avatar.get("output_protocol") == "websocket"

    def _check_connectable(self) -> None:
        """Which of several reasons the service names first is not known; the messages of two are the emulator's own."""
        if self._avatar is None:
            raise Refusal("invalid_value", "The session has no avatar; set one with 'session.update' first.")
        if self._on_socket:
            raise Refusal("invalid_value", "The avatar's 'output_protocol' is 'websocket'; it takes no offer.")
        if self.lack is not None:
            raise Refusal(
                "avatar_service_internal_error",
                f"Avatar connection failed: the emulator cannot show it: {self.lack}",
                kind="server_error",
            )
        if self._shown is not None:
            raise Refusal(None, "WebRTC connection is in connected state")

    def _new_link(self) -> Link:
        from voicelive.testing.avatar.link import Link  # an extra: loaded when it is used

        avatars = self._stage.avatars
        self._look = look_of(self._avatar or {}, avatars.picture)
        link = Link(self._look, avatars.peer_ice_servers, avatars.ledger.limits.idle_s, self._stage.spawn, self._told)
        link.over = lambda: self._left(link)
        self._links.append(link)
        self._shown = link
        return link

    async def _negotiate(self, link: Link, offer: str, event_id: str | None, arrived_s: float) -> None:
        try:
            judge_offer(offer)
            answer = await link.answer(offer)
        except Refusal as refusal:
            await link.close()
            await self._refuse(refusal, event_id, arrived_s)
            return
        await self._stage.until(arrived_s + self._stage.pace.avatar_answer_s)
        self._stage.emit(
            wire.SessionAvatarConnecting(event_id=self._stage.ids.event(), server_sdp=encode_answer(answer))
        )

    async def _refuse(self, refusal: Refusal, event_id: str | None, arrived_s: float) -> None:
        await self._stage.until(arrived_s + self._stage.pace.avatar_error_s)
        self._stage.refuse(refusal, event_id)

    def _begin_stream(self, look: Look) -> None:
        from voicelive.testing.avatar.stream import Stream  # an extra: loaded when it is used

        self._look, stage = look, self._stage
        try:
            stage.avatars.ledger.enter()
        except Refusal as refusal:
            stage.refuse(refusal, None)
            return
        stream = Stream(stage, look, stage.avatars.ledger.limits.idle_s, self._told)
        self._shown = stream
        stage.spawn(stream.run()).add_done_callback(lambda _: self._left(stream))

    def _left(self, shown: Link | Stream) -> None:
        self._stage.avatars.ledger.leave()
        if self._shown is shown:
            self._shown = None

    def _say(self, delta: wire.ResponseAudioDelta, audio_format: AudioFormat) -> None:
        """A reply that begins while nothing shows the avatar is not said, nor is its rest."""
        from voicelive.testing.avatar.voices import TurnVoice  # an extra: loaded when it is used

        voice = self._voices.get(delta.response_id)
        if voice is None:
            if self._shown is None:
                return
            voice = TurnVoice(self._stage.ids.turn(), self._shown.playout, audio_format)
            self._voices[delta.response_id] = voice
        voice.say(delta.delta)

    def _told(self, change: Change) -> None:
        told = {"speaking": wire.SessionAvatarSwitchToSpeaking, "idle": wire.SessionAvatarSwitchToIdle}[change.kind]
        self._stage.emit(told(event_id=self._stage.ids.event(), turn_id=change.turn_id))


@cache
def _missing_libraries() -> tuple[str, ...]:
    return tuple(name for name in ("aiortc", "av", "numpy") if find_spec(name) is None)

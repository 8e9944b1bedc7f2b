"""What a session has used: the usage of each response beside the settings it ran under, lengths of audio, avatar time.

Counts and keeps, and knows no prices: a response costs two dictionary entries here. Each response counts once, also
over several connections. One whose usage never came, since the service sent none or its connection was lost, is kept
with the length of its audio, so that it is missed and not forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from voicelive.audio.formats import AudioFormat
from voicelive.protocol.avatar import delivery
from voicelive.protocol.usage_reading import avatar_meter, transcript_ms, transcript_tokens
from voicelive.wire.responses import Response, TokenUsage
from voicelive.wire.server.conversation import ConversationItemInputAudioTranscriptionCompleted
from voicelive.wire.server.response import ResponseAudioDelta, ResponseCreated, ResponseDone
from voicelive.wire.server.session import SessionAvatarConnecting, SessionCreated, SessionUpdated
from voicelive.wire.server_events import ServerEvent
from voicelive.wire.session import SessionResource

__all__ = ["HEARS", "LOST", "ResponseUsage", "TranscriptionUsage", "UsageBook"]

HEARS: Final = frozenset(
    {
        SessionCreated,
        SessionUpdated,
        SessionAvatarConnecting,
        ResponseCreated,
        ResponseDone,
        ConversationItemInputAudioTranscriptionCompleted,
    }
)
"""Events that tell of use, the agent's audio apart; others need not be shown."""

LOST: Final = "lost"
"""Status of a response whose end was never told."""


@dataclass(frozen=True, slots=True)
class ResponseUsage:
    """What one response has used.

    Attributes:
        session_id: The service's session.
        response_id: Empty where the service did not tell.
        status: As the service told; ``lost``: its connection, or the session, ended before it.
        settings: In effect as it began.
        voice: The one that it spoke with.
        usage: Its tokens; ``None``: never told.
        caller_ms: Audio of the caller that was sent since the response before it ended.
        agent_ms: Audio of it that came.
    """

    session_id: str
    response_id: str
    status: str
    settings: SessionResource = field(repr=False)
    voice: Any
    usage: TokenUsage | None
    caller_ms: int
    agent_ms: int


@dataclass(frozen=True, slots=True)
class TranscriptionUsage:
    """What the service told that a transcript has used.

    Attributes:
        tokens: Of input and output; ``None``: not told.
        seconds_ms: Length of the audio; ``None``: not told.
    """

    tokens: int | None
    seconds_ms: int | None


@dataclass(slots=True)
class _Running:
    settings: SessionResource
    format: AudioFormat | None
    agent_bytes: int = 0

    @property
    def agent_ms(self) -> int:
        return 0 if self.format is None else round(self.format.duration_ms(self.agent_bytes))


class UsageBook:
    """The account of one session, over all its connections. Pure: same calls, same answers.

    Attributes:
        responses: Those that have ended, in their order.
        transcriptions: What transcripts were told to have used.
        session_ids: The service's sessions, oldest first.
        models: Names of the models, as the service reported them.
    """

    def __init__(self) -> None:
        self.responses: list[ResponseUsage] = []
        self.transcriptions: list[TranscriptionUsage] = []
        self.session_ids: list[str] = []
        self.models: list[str] = []
        self._settings = SessionResource()
        self._running: dict[str, _Running] = {}
        self._known: set[tuple[str, ...]] = set()
        self._billed_caller_ms = 0.0
        self._avatar_ms: dict[str, int] = {}
        self._avatar: tuple[str, float] | None = None

    @property
    def only_transcribes(self) -> bool:
        """Whether, by the settings in effect, the caller is heard and nobody answers."""
        detection = self._settings.turn_detection
        automatic = detection is None or getattr(detection, "create_response", None) is not False
        return not automatic and not self.responses and not self._running

    @property
    def settings(self) -> SessionResource:
        """The settings in effect."""
        return self._settings

    @property
    def avatar_runs(self) -> bool:
        """Whether an avatar is shown now."""
        return self._avatar is not None

    def avatar_ms(self, now: float) -> Mapping[str, int]:
        """How long avatars were shown until now, by meter."""
        shown = dict(self._avatar_ms)
        if self._avatar is not None:
            meter, since = self._avatar
            shown[meter] = shown.get(meter, 0) + round((now - since) * 1000)
        return shown

    def unbilled_caller_ms(self, caller_ms: float) -> int:
        """Audio of the caller that no response has answered; ``caller_ms``: all that was sent."""
        return round(max(0.0, caller_ms - self._billed_caller_ms))

    def audio(self, event: ResponseAudioDelta) -> None:
        """A slice of the agent's voice: the one event of the hot path."""
        running = self._running.get(event.response_id)
        if running is not None:
            running.agent_bytes += len(event.delta)

    def receive(self, event: ServerEvent, now: float, caller_ms: float) -> bool:
        """Take in an event, and say whether something was used.

        Args:
            event: One of ``HEARS``; others change nothing.
            now: Seconds of any steady clock.
            caller_ms: How much of the caller's audio was sent so far.
        """
        if isinstance(event, SessionCreated | SessionUpdated):
            self._configured(event, now)
        elif isinstance(event, SessionAvatarConnecting):
            self._show(now)
        elif isinstance(event, ResponseCreated):
            self._begin(event.response)
        elif isinstance(event, ResponseDone):
            return self._end(event.response, caller_ms)
        elif isinstance(event, ConversationItemInputAudioTranscriptionCompleted):
            return self._transcribed(event)
        return False

    def connection_lost(self, now: float, caller_ms: float) -> None:
        """Nothing more comes of this connection: what runs has an unknown end."""
        for response_id, running in self._running.items():
            self._add(response_id, LOST, running, running.settings.voice, None, caller_ms)
        self._running.clear()
        self._hide(now)

    # -- inside

    def _configured(self, event: SessionCreated | SessionUpdated, now: float) -> None:
        known_id = self._settings.id
        self._settings = event.session
        if event.session.id is None and known_id is not None:
            self._settings = event.session.model_copy(update={"id": known_id})
        for name, names in ((self._settings.id, self.session_ids), (self._settings.model, self.models)):
            if name and name not in names:
                names.append(name)
        if self._settings.avatar is None:
            self._hide(now)
        elif self.avatar_runs or delivery(self._settings) != "webrtc":  # over the socket it needs no link
            self._show(now)

    def _show(self, now: float) -> None:
        meter = avatar_meter(self._settings)
        if meter is not None and (self._avatar is None or self._avatar[0] != meter):
            self._hide(now)
            self._avatar = meter, now

    def _hide(self, now: float) -> None:
        self._avatar_ms = dict(self.avatar_ms(now))
        self._avatar = None

    def _begin(self, response: Response) -> None:
        response_id = response.id or ""
        if response_id not in self._running and self._key(response_id) not in self._known:
            self._running[response_id] = self._now_running()

    def _now_running(self) -> _Running:
        return _Running(self._settings, AudioFormat.known_output(self._settings.output_audio_format))

    def _end(self, response: Response, caller_ms: float) -> bool:
        response_id = response.id or ""
        if response_id and self._key(response_id) in self._known:
            return False
        running = self._running.pop(response_id, None) or self._now_running()
        voice = running.settings.voice if response.voice is None else response.voice
        self._add(response_id, str(response.status or "completed"), running, voice, response.usage, caller_ms)
        return True

    def _add(
        self,
        response_id: str,
        status: str,
        running: _Running,
        voice: Any,
        usage: TokenUsage | None,
        caller_ms: float,
    ) -> None:
        self._known.add(self._key(response_id))
        new_ms = self.unbilled_caller_ms(caller_ms)
        self._billed_caller_ms = max(self._billed_caller_ms, caller_ms)
        session_id = running.settings.id or ""
        self.responses.append(
            ResponseUsage(session_id, response_id, status, running.settings, voice, usage, new_ms, running.agent_ms)
        )

    def _transcribed(self, event: ConversationItemInputAudioTranscriptionCompleted) -> bool:
        told = (event.model_extra or {}).get("usage")  # OpenAI's interface has it; Voice Live was not seen to send it
        key = self._key("transcript", event.item_id or "", str(event.content_index))
        if not isinstance(told, Mapping) or (event.item_id and key in self._known):
            return False
        self._known.add(key)
        self.transcriptions.append(TranscriptionUsage(transcript_tokens(told), transcript_ms(told)))
        return True

    def _key(self, *names: str) -> tuple[str, ...]:
        return (self._settings.id or "", *names)

"""What the session itself has to say. These events never travel on the wire.

They come through the same streams as the service's events, each right after the server event that caused it.
``type`` starts with ``voicelive.``, which no type of the service does, so that both can be matched side by side.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

from voicelive.protocol.continuation import LossReport, LostEvent, LostResponse
from voicelive.protocol.cues import CueEvent
from voicelive.protocol.replay import LeftOut
from voicelive.protocol.snapshots import AgentTranscript, TurnFinished, UserTranscript
from voicelive.wire.avatar import IceServer

if TYPE_CHECKING:
    from voicelive.tools.results import ToolFailure

__all__ = [
    "AgentTranscript",
    "ApprovalAnswered",
    "AudioDropped",
    "AvatarLinkNeeded",
    "BargeIn",
    "BudgetReached",
    "BudgetWarning",
    "HandlerFailed",
    "InputAudioDropped",
    "LeftOut",
    "LossReport",
    "LostEvent",
    "LostResponse",
    "NoInput",
    "PlaybackCue",
    "SessionEvent",
    "SessionInterrupted",
    "SessionResumed",
    "ToolCallFinished",
    "ToolCallStarted",
    "ToolTrouble",
    "TruncationRefused",
    "TurnFinished",
    "UndecodableFrame",
    "UserTranscript",
]


@dataclass(frozen=True, slots=True)
class UndecodableFrame:
    """The service sent a frame that is no JSON object; the session goes on.

    Attributes:
        problem: What is wrong with it, without any of its content.
        frame_bytes: Its size.
        count: How many there were in this session, this one included.
    """

    problem: str
    frame_bytes: int
    count: int
    type: Literal["voicelive.undecodable_frame"] = "voicelive.undecodable_frame"


@dataclass(frozen=True, slots=True)
class HandlerFailed:
    """A handler registered with ``Session.on`` raised; later handlers and events are not affected.

    Attributes:
        handler: Qualified name of the handler.
        event_type: Type of the event it was given.
        error: What it raised. Not part of the repr: its text may hold speech.
    """

    handler: str
    event_type: str
    error: BaseException = field(repr=False)
    type: Literal["voicelive.handler_failed"] = "voicelive.handler_failed"


@dataclass(frozen=True, slots=True)
class AudioDropped:
    """A stream subscribed with ``overflow="drop_audio"`` fell behind and lost media; only that stream is affected.

    Attributes:
        events: How many deltas were dropped since the last such event.
        dropped_bytes: Their size as received.
    """

    events: int
    dropped_bytes: int
    type: Literal["voicelive.audio_dropped"] = "voicelive.audio_dropped"


@dataclass(frozen=True, slots=True)
class InputAudioDropped:
    """The line took less of the caller's audio than it was given, and the oldest was dropped (``drop_oldest``).

    Told once for each time of congestion, when it is over.

    Attributes:
        dropped_ms: How much was dropped in that time.
        total_ms: How much was dropped in this session, this time included.
    """

    dropped_ms: float
    total_ms: float
    type: Literal["voicelive.input_audio_dropped"] = "voicelive.input_audio_dropped"


@dataclass(frozen=True, slots=True)
class SessionInterrupted:
    """The connection was lost, and the session tries to go on over another one.

    Verbs wait meanwhile, tools and playback go on. ``SessionResumed`` follows, or the final exception.

    Attributes:
        session_id: The service's session that ended.
        code: WebSocket close code; ``None`` where the socket went away without a close frame.
        reason: The peer's words, or ours where it gave none.
    """

    session_id: str
    code: int | None
    reason: str
    type: Literal["voicelive.session_interrupted"] = "voicelive.session_interrupted"


@dataclass(frozen=True, slots=True)
class SessionResumed:
    """The session goes on as another session of the service: after a loss, or renewed before its lifetime ended.

    Attributes:
        session_id: The new session of the service.
        report: What that has cost.
    """

    session_id: str
    report: LossReport
    type: Literal["voicelive.session_resumed"] = "voicelive.session_resumed"


@dataclass(frozen=True, slots=True)
class AvatarLinkNeeded:
    """The avatar is to be linked over WebRTC: make an offer, and give it to ``session.avatar.connect``.

    Told once for each session of the service: as soon as settings with an avatar are in effect, and again when a
    renewal or a lost connection has brought another session, whose avatar has no link yet. Media of
    ``session.avatar.receive()`` are linked anew by themselves, unless ``relink=False``.

    Attributes:
        session_id: The service's session that waits for the offer.
        ice_servers: What the peer connection needs; the credentials show nowhere.
        again: Whether there was a link before, which is dead now.
    """

    session_id: str
    ice_servers: tuple[IceServer, ...] = field(repr=False)
    again: bool
    type: Literal["voicelive.avatar_link_needed"] = "voicelive.avatar_link_needed"


@dataclass(frozen=True, slots=True)
class BargeIn:
    """The caller, or ``Session.interrupt``, cut the agent off while it spoke.

    Attributes:
        item_id: The agent's message.
        response_id: Its response; deltas of it that still come are stale.
        heard_ms: How much of it was heard.
        total_ms: How much had come.
        exact: Whether a sink counted ``heard_ms``; otherwise it is an estimate by real time.
    """

    item_id: str
    response_id: str
    heard_ms: int
    total_ms: int
    exact: bool
    type: Literal["voicelive.barge_in"] = "voicelive.barge_in"


@dataclass(frozen=True, slots=True)
class PlaybackCue:
    """A word, viseme or blendshape at the moment in which its audio is heard.

    Attributes:
        item_id: The agent's message.
        place_ms: Its place in the item's audio.
        cue: The service's event, which arrived earlier.
    """

    item_id: str
    place_ms: float
    cue: CueEvent
    type: Literal["voicelive.playback_cue"] = "voicelive.playback_cue"


@dataclass(frozen=True, slots=True)
class NoInput:
    """The caller was given the word and stayed silent; the agent is asked to prompt, see ``prompt_on_silence``.

    Attributes:
        count: How often in a row, this time included.
        last: Whether no further prompt will follow.
    """

    count: int
    last: bool
    type: Literal["voicelive.no_input"] = "voicelive.no_input"


@dataclass(frozen=True, slots=True)
class TruncationRefused:
    """The service does not take truncations, so it remembers replies whole; the session's own record stays cut.

    Told once in a session.
    """

    code: str | None
    type: Literal["voicelive.truncation_refused"] = "voicelive.truncation_refused"


@dataclass(frozen=True, slots=True)
class ToolCallStarted:
    """A tool call begins to run."""

    call_id: str
    name: str
    response_id: str
    type: Literal["voicelive.tool_call_started"] = "voicelive.tool_call_started"


@dataclass(frozen=True, slots=True)
class ToolCallFinished:
    """A tool call has its result, and the service was sent it.

    Attributes:
        output: What the model gets. Not part of the repr.
        failure: What went wrong; ``None`` where the tool answered.
        duration_s: How long it took.
    """

    call_id: str
    name: str
    output: str = field(repr=False)
    failure: ToolFailure | None
    duration_s: float
    type: Literal["voicelive.tool_call_finished"] = "voicelive.tool_call_finished"


@dataclass(frozen=True, slots=True)
class ApprovalAnswered:
    """A call to an MCP server asked for approval and got its answer.

    Attributes:
        approved: Whether it may be made. Without a handler for approvals it is denied.
        by: Who said so.
    """

    request_id: str
    server_label: str
    name: str
    approved: bool
    by: Literal["handler", "default"]
    type: Literal["voicelive.approval_answered"] = "voicelive.approval_answered"


@dataclass(frozen=True, slots=True)
class ToolTrouble:
    """Something is odd about a tool call or its answer; nothing was sent for it.

    Attributes:
        trouble: ``duplicate_call``: the service announced it twice. ``duplicate_answer``, ``unknown_call``: a result
            that is not owed. ``too_many_rounds``: the limit of consecutive rounds cut a loop.
    """

    call_id: str
    trouble: str
    type: Literal["voicelive.tool_trouble"] = "voicelive.tool_trouble"


@dataclass(frozen=True, slots=True)
class BudgetWarning:
    """The call's cost comes near its ``Budget``, or something was used that has no price.

    Attributes:
        spent: So far, of what has a price.
        limit: The budget's.
        currency: Of both.
        share: The share of the limit that is spent; ``None`` where it is about ``unpriced``.
        unpriced: What has no price, and is not in ``spent``: each is told once.
    """

    spent: Decimal
    limit: Decimal
    currency: str
    share: Decimal | None
    unpriced: tuple[str, ...] = ()
    type: Literal["voicelive.budget_warning"] = "voicelive.budget_warning"


@dataclass(frozen=True, slots=True)
class BudgetReached:
    """The call has cost what its ``Budget`` allows. Told once.

    Attributes:
        spent: So far, of what has a price.
        limit: The budget's.
        currency: Of both.
        cause: ``unpriced``: something was used that has no price, and the budget refuses that.
        action: What happens now.
    """

    spent: Decimal
    limit: Decimal
    currency: str
    cause: Literal["limit", "unpriced"]
    action: Literal["warn", "end_politely", "end_now"]
    type: Literal["voicelive.budget_reached"] = "voicelive.budget_reached"


SessionEvent: TypeAlias = (
    UndecodableFrame
    | HandlerFailed
    | AudioDropped
    | InputAudioDropped
    | SessionInterrupted
    | SessionResumed
    | AvatarLinkNeeded
    | BargeIn
    | BudgetWarning
    | BudgetReached
    | PlaybackCue
    | NoInput
    | TruncationRefused
    | ToolCallStarted
    | ToolCallFinished
    | ToolTrouble
    | ApprovalAnswered
    | UserTranscript
    | AgentTranscript
    | TurnFinished
)
"""Any of them."""

"""What can be read of a conversation, frozen: items, tool calls, turns, and the events that tell of them.

Plain data without a rule in it. Texts of the conversation never show in a repr.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from voicelive.protocol.latency import TurnLatency
from voicelive.wire.items import ResponseItem
from voicelive.wire.responses import TokenUsage

__all__ = [
    "AgentTranscript",
    "ConversationEvent",
    "Item",
    "Part",
    "ToolCall",
    "Transcription",
    "Turn",
    "TurnFinished",
    "TurnStatus",
    "UserTranscript",
]

Transcription: TypeAlias = Literal["pending", "completed", "failed"]
TurnStatus: TypeAlias = Literal["open", "finished", "interrupted", "failed"]


@dataclass(frozen=True, slots=True)
class Part:
    """One content part of a message.

    Attributes:
        kind: The wire's word for it, in the spelling of dated versions: ``input_text``, ``input_audio``,
            ``input_image``, ``text``, ``audio``, or one that this version does not know.
        text: Its text or transcript; ``None`` where there is none, or none yet.
        audio_ms: Length of the agent's audio as received; ``None`` where its format is not known.
        image_url: Address of an image, where the service reports it.
        raw: A part of an unknown kind, whole.
    """

    kind: str
    text: str | None = field(default=None, repr=False)
    audio_ms: float | None = 0.0
    image_url: str | None = field(default=None, repr=False)
    raw: dict[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model made, and its result.

    Attributes:
        item_id: The item of the call.
        kind: The wire's word: ``function_call``, ``mcp_call`` or ``foundry_agent_call``.
        call_id: What its output names; empty for MCP calls, which the service makes itself.
        name: Name of the function.
        arguments: JSON text as the model wrote it: untrusted input.
        output: The result; ``None`` while there is none.
        error: What went wrong in a call that the service made, as it says it.
        response_id: The response that made the call; ``None`` for restored history.
    """

    item_id: str
    kind: str
    call_id: str
    name: str
    arguments: str = field(repr=False)
    output: str | None = field(default=None, repr=False)
    error: Any = field(default=None, repr=False)
    response_id: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the conversation.

    Attributes:
        id: The service's id, or the application's own.
        kind: The wire's word: ``message``, ``function_call``, ``function_call_output``, ``mcp_call``, ….
        role: Of messages: ``user``, ``assistant`` or ``system``.
        status: The wire's word: ``in_progress``, ``completed`` or ``incomplete``.
        turn_id: The turn it is part of; ``None`` for what belongs to none, such as system messages.
        response_id: The response that made it; ``None`` for what came from outside.
        seen_at_s: When it was first told of, on the clock of the session.
        text: What a message says, all of it; for the agent also what nobody heard. ``None``: nothing known yet.
        heard_text: What was heard of the agent's message; ``None`` where nothing tells, and for all other items.
        heard_ms: How much of its audio was played; ``None`` where nothing tells.
        heard_is_estimate: Whether ``heard_text`` was cut in proportion to the audio, not by times of words.
        truncated_at_ms: Where the service cut its copy.
        interrupted: Whether the agent's voice was cut off before its end.
        transcription: Of the caller's audio; ``None`` for anything else, and where transcription is off.
        audio_ms: Length of the agent's audio as received; ``None`` where its format is not known.
        citations: Annotations of the agent's words, as received.
        call: The tool call that this item is.
        call_id: The call that a ``function_call_output`` answers.
        output: The result that a ``function_call_output`` holds.
        parts: The content parts of a message.
        wire: An item of any other kind, whole.
    """

    id: str
    kind: str
    role: str | None = None
    status: str | None = None
    turn_id: str | None = None
    response_id: str | None = None
    seen_at_s: float = 0.0
    text: str | None = field(default=None, repr=False)
    heard_text: str | None = field(default=None, repr=False)
    heard_ms: float | None = None
    heard_is_estimate: bool = False
    truncated_at_ms: int | None = None
    interrupted: bool = False
    transcription: Transcription | None = None
    audio_ms: float | None = 0.0
    citations: tuple[Any, ...] = field(default=(), repr=False)
    call: ToolCall | None = None
    call_id: str | None = None
    output: str | None = field(default=None, repr=False)
    parts: tuple[Part, ...] = ()
    wire: ResponseItem | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Turn:
    """What the caller, or the application, said, and everything that the agent did in answer.

    A turn begins with an input: the caller's audio or a user message. Inputs that come before the agent began to
    answer belong to the same turn. It holds every response up to the next input, so all rounds of tool calls; a
    response belongs to the newest turn. Where the agent speaks unasked (a greeting, an announcement after the turn
    before has finished), its response is a turn without input. Items that were deleted from the conversation stay
    in the record of their turn.

    Attributes:
        id: Unique in the session: ``turn_1``, ``turn_2``, ….
        status: ``open`` until the turn is finished; ``interrupted`` where the caller, the application or a limit cut
            the answer short, also while it was played; ``failed`` where its last response failed.
        caller_item_ids: The inputs, in the order of the conversation.
        caller_text: What they say; ``None`` while a transcript is outstanding, and where there is none.
        agent_item_ids: Everything that the agent and its tools added, in the order of the conversation.
        agent_text: What the agent says, all of it.
        agent_heard_text: What was heard of it; messages of which nothing tells count as heard.
        tool_calls: The calls, with their results as far as they have come.
        citations: Annotations of the agent's words, as received.
        response_ids: Its responses, in the order in which they began.
        usage: The tokens of each response that reported them.
        latency: How long the answer took to come.
    """

    id: str
    status: TurnStatus = "open"
    caller_item_ids: tuple[str, ...] = ()
    caller_text: str | None = field(default=None, repr=False)
    agent_item_ids: tuple[str, ...] = ()
    agent_text: str = field(default="", repr=False)
    agent_heard_text: str = field(default="", repr=False)
    tool_calls: tuple[ToolCall, ...] = ()
    citations: tuple[Any, ...] = field(default=(), repr=False)
    response_ids: tuple[str, ...] = ()
    usage: tuple[TokenUsage, ...] = ()
    latency: TurnLatency = field(default_factory=TurnLatency)


@dataclass(frozen=True, slots=True)
class UserTranscript:
    """What the caller said, in text; it may come after the reply began, even after it ended.

    Attributes:
        item_id: The caller's item.
        turn_id: The turn it belongs to, whichever has begun since.
        text: The whole transcript; empty where nothing was understood.
    """

    item_id: str
    turn_id: str
    text: str = field(repr=False)
    type: Literal["voicelive.user_transcript"] = "voicelive.user_transcript"


@dataclass(frozen=True, slots=True)
class AgentTranscript:
    """What the agent says, once for each message when its text is whole.

    Where the caller cut the message off after that, it comes a second time, with ``heard_text``.

    Attributes:
        item_id: The agent's message.
        response_id: The response that made it.
        turn_id: The turn it belongs to.
        text: All of the text, heard or not.
        heard_text: What was heard of it; ``None`` unless it was cut off, and where nothing tells.
    """

    item_id: str
    response_id: str
    turn_id: str
    text: str = field(repr=False)
    heard_text: str | None = field(default=None, repr=False)
    type: Literal["voicelive.agent_transcript"] = "voicelive.agent_transcript"


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """A turn is complete: its last response has ended, no tool result is owed, the caller's transcript is settled.

    Comes once for each turn. A transcript that does not come is not waited for longer than until a later turn is
    complete, or 10 s after the reply. The agent's voice may still be playing: ``session.conversation`` tells what was
    heard in the end.
    """

    turn: Turn
    type: Literal["voicelive.turn_finished"] = "voicelive.turn_finished"


ConversationEvent: TypeAlias = UserTranscript | AgentTranscript | TurnFinished
"""What the history has to say."""

"""The conversation of a session, for applications: read it, export it, carry it over, plan what to drop.

Decides how a conversation looks as chat messages and as JSON, and which items may go together. Sends nothing:
``to_items`` and ``compact`` are plans, the session carries them out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, Protocol

from pydantic import TypeAdapter, ValidationError

from voicelive.errors import ConfigurationError
from voicelive.protocol.replay import LeftOut, replay, said
from voicelive.protocol.snapshots import Item, ToolCall, Turn
from voicelive.wire.items import ConversationRequestItem

__all__ = ["Conversation", "ConversationSource", "LeftOut", "estimate_tokens"]

_FORMAT: Final = "voicelive.conversation.v1"
_CHARACTERS_PER_TOKEN: Final = 4  # OpenAI's rule of thumb for English text; other scripts need more tokens


class ConversationSource(Protocol):
    """Where a conversation is read from: a running session's history, or an archive."""

    def items(self) -> tuple[Item, ...]:
        """Items in the order of the conversation."""
        ...

    def turns(self) -> tuple[Turn, ...]:
        """Turns, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class _Archive:
    """What the JSON of a conversation holds."""

    format: Literal["voicelive.conversation.v1"]
    items: tuple[Item, ...]
    turns: tuple[Turn, ...]


class _Saved:
    """An archive as a source."""

    def __init__(self, archive: _Archive) -> None:
        self._archive = archive

    def items(self) -> tuple[Item, ...]:
        return self._archive.items

    def turns(self) -> tuple[Turn, ...]:
        return self._archive.turns


class Conversation:
    """A read-only view; what it shows follows the session. Items and turns that it gave out do not change."""

    def __init__(self, source: ConversationSource) -> None:
        self._source = source

    def __repr__(self) -> str:
        return f"<Conversation of {len(self.items)} items in {len(self.turns)} turns>"

    @property
    def items(self) -> tuple[Item, ...]:
        """Items in the order of the conversation, as the service has them: without deleted ones."""
        return self._source.items()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Turns, oldest first; they keep what was said in items that were deleted since."""
        return self._source.turns()

    # -- export

    def messages(self, *, generated: bool = False) -> list[dict[str, Any]]:
        """The conversation as chat messages: plain dicts with ``role`` and ``content``.

        Tool calls are ``tool_calls`` of an assistant message, neighbouring ones in one message; results have the role
        ``tool``. ``content`` is ``None`` for audio without a transcript. Items that are neither messages nor calls
        (lists of MCP tools, approvals, searches) are not part of it.

        Args:
            generated: Show all that the agent generated. Without it, messages that were cut off hold what was heard.
        """
        found: list[dict[str, Any]] = []
        for item in self.items:
            if item.kind == "message":
                found.append({"role": item.role or "user", "content": _content(item, generated=generated)})
            elif item.kind == "function_call_output":
                found.append(_tool_message(item.call_id or "", item.output))
            elif item.call is not None:
                if not (found and "tool_calls" in found[-1]):
                    found.append({"role": "assistant", "content": None, "tool_calls": []})
                found[-1]["tool_calls"].append(_tool_call(item.call))
                if item.kind != "function_call" and item.call.output is not None:
                    found.append(_tool_message(item.call.call_id or item.id, item.call.output))
        return found

    def to_json(self) -> str:
        """Everything that is known, as JSON text for ``from_json``. Holds speech: treat it as a recording."""
        archive = _Archive(_FORMAT, self.items, self.turns)
        return _adapter().dump_json(archive, by_alias=True, exclude_unset=True).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Conversation:
        """A conversation that ``to_json`` saved.

        Raises:
            ConfigurationError: The text is no such thing.
        """
        try:
            return cls(_Saved(_adapter().validate_json(text)))
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(step) for step in problem["loc"]) or "the whole text"
            raise ConfigurationError(
                f"not a saved conversation: {where}: {problem['msg']}; allowed: what Conversation.to_json() wrote"
            ) from None

    # -- restore

    def to_items(self, *, keep_ids: bool = False) -> tuple[list[ConversationRequestItem], list[LeftOut]]:
        """Items that give a new session this conversation, and those that cannot be given.

        The caller's audio becomes its transcript; the agent's voice becomes the text that was heard. A call comes
        with its result behind it or not at all.

        Args:
            keep_ids: Ask for the same ids in the new session, so that the history of the old one can go on.
        """
        return replay(self.items, keep_ids=keep_ids)

    # -- compact

    def estimate_tokens(self) -> int:
        """About how many tokens the conversation is as input of the next response; instructions and tools excluded.

        Where the service reported the output tokens of a response, they count for what it made. Everything else is
        estimated from its text, which is too low for audio of the caller.
        """
        return sum(_cost(items, turn) for items, turn in self._groups())

    def compact(
        self,
        *,
        keep_last: int | None = None,
        max_tokens: int | None = None,
        older_than_s: float | None = None,
        now: float | None = None,
    ) -> list[str]:
        """Ids of items to delete, in the order of the conversation. Whole turns go, so a call goes with its result.

        What belongs to no turn (system messages, lists of MCP tools) stays, and so do open turns and the newest one.

        Args:
            keep_last: Turns that stay at the end.
            max_tokens: Drop the oldest turns until ``estimate_tokens`` is no more than this, as far as possible.
            older_than_s: Drop turns whose items were all first seen longer ago.
            now: The time ``older_than_s`` counts from, on the session's clock.

        Raises:
            ConfigurationError: None of the limits is given, one is negative, or ``older_than_s`` comes without ``now``.
        """
        _check_limits(keep_last=keep_last, max_tokens=max_tokens, older_than_s=older_than_s)
        if older_than_s is not None and now is None:
            raise ConfigurationError("now is None; older_than_s needs the time it counts from")
        groups = self._groups()
        in_turns = [(items, turn) for items, turn in groups if turn is not None and items]
        excess = math.inf if max_tokens is None else sum(_cost(items, turn) for items, turn in groups) - max_tokens
        dropped: set[str] = set()
        for place, (items, turn) in enumerate(in_turns[:-1]):
            behind = keep_last is not None and place < len(in_turns) - keep_last
            old = older_than_s is not None and now is not None and max(i.seen_at_s for i in items) < now - older_than_s
            over = max_tokens is not None and excess > 0
            if turn.status != "open" and (behind or old or over):
                dropped.update(item.id for item in items)
                excess -= _cost(items, turn)
        return [item.id for item in self.items if item.id in dropped]

    def _groups(self) -> list[tuple[list[Item], Turn | None]]:
        """Items by turn, oldest turn first; those of no turn at the end."""
        turns = self.turns
        by_turn: dict[str | None, list[Item]] = {turn.id: [] for turn in turns}
        known = {turn.id for turn in turns}
        for item in self.items:
            by_turn.setdefault(item.turn_id if item.turn_id in known else None, []).append(item)
        groups: list[tuple[list[Item], Turn | None]] = [(by_turn[turn.id], turn) for turn in turns]
        return [*groups, (by_turn.get(None, []), None)]


def estimate_tokens(text: str | None) -> int:
    """About how many tokens a text is: four characters each, rounded up."""
    return math.ceil(len(text or "") / _CHARACTERS_PER_TOKEN)


@cache
def _adapter() -> TypeAdapter[_Archive]:
    return TypeAdapter(_Archive)


def _check_limits(**limits: float | None) -> None:
    given = {name: limit for name, limit in limits.items() if limit is not None}
    if not given:
        raise ConfigurationError(f"nothing tells what to drop; give one of {', '.join(limits)}")
    for name, limit in given.items():
        if not 0 <= limit < math.inf:
            raise ConfigurationError(f"{name} is {limit!r}; it must be a finite number, at least 0")


def _cost(items: Sequence[Item], turn: Turn | None) -> int:
    if not items:
        return 0
    outputs = [usage.output_tokens for usage in turn.usage if usage.output_tokens is not None] if turn else []
    known = turn is not None and len(outputs) == len(turn.response_ids)
    estimated = [item for item in items if not (known and item.response_id)]
    return sum(outputs if known else ()) + sum(estimate_tokens(_all_text(item)) for item in estimated)


def _all_text(item: Item) -> str:
    pieces = [item.text, item.output]
    if item.call is not None:
        pieces += [item.call.name, item.call.arguments, item.call.output if item.kind != "function_call" else None]
    return "".join(piece for piece in pieces if piece)


def _content(item: Item, *, generated: bool) -> str | list[dict[str, Any]] | None:
    images = [part for part in item.parts if part.kind == "input_image"]
    if not images:
        return said(item, generated=generated)
    found: list[dict[str, Any]] = []
    for part in item.parts:
        if part.kind == "input_image":
            found.append({"type": "image_url", "image_url": {"url": part.image_url}})
        elif part.text is not None:
            found.append({"type": "text", "text": part.text})
    return found


def _tool_call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.call_id or call.item_id, "type": "function", "function": function}


def _tool_message(call_id: str, output: str | None) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": output}

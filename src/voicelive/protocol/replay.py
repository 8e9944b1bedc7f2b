"""How a conversation is told again to a session that knows nothing of it.

The caller's audio becomes its transcript; the agent's voice becomes the text that was heard. What only the service
makes, and what nobody knows the words of, cannot be told again: it is named. Sends nothing.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Final, TypeAlias

from voicelive.protocol.snapshots import Item
from voicelive.wire.items import (
    AssistantMessageItem,
    ConversationRequestItem,
    FunctionCallItem,
    FunctionCallOutputItem,
    SystemMessageItem,
    UserMessageItem,
)
from voicelive.wire.parts import (
    InputTextContentPart,
    MessageContentPart,
    OutputTextContentPart,
    RequestImageContentPart,
)

__all__ = ["LeftOut", "replay", "said"]

_GAPS: Final = {
    "input_audio": "its audio has no transcript",
    "input_image": "the address of its image is not known",
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An item that a new session cannot be given.

    Attributes:
        item_id: The item.
        kind: The wire's word for it.
        reason: Why not.
    """

    item_id: str
    kind: str
    reason: str


def replay(
    items: Sequence[Item], *, keep_ids: bool = False, owed: Set[str] = frozenset()
) -> tuple[list[ConversationRequestItem], list[LeftOut]]:
    """Items that give a new session this conversation, and those that cannot be given.

    A call comes with its result behind it or not at all.

    Args:
        items: The conversation, in its order.
        keep_ids: Ask for the same ids in the new session, so that the history of the old one can go on.
        owed: Calls whose results are still to come: these come without.
    """
    results = {item.call_id: item for item in items if item.kind == "function_call_output"}
    calls = {item.call.call_id for item in items if item.call is not None and item.kind == "function_call"}
    found: list[ConversationRequestItem] = []
    left_out: list[LeftOut] = []
    for item in items:
        if item.kind == "function_call_output" and item.call_id in calls:
            continue  # comes with its call
        requests, gaps = _restored(item, results, owed)
        found += [_with_id(request, owner) if keep_ids else request for request, owner in requests]
        left_out += [LeftOut(item.id, item.kind, gap) for gap in gaps]
    return found, left_out


def said(item: Item, *, generated: bool = False) -> str | None:
    """What the agent said as far as it was heard; all of it where nothing tells."""
    return item.heard_text if item.interrupted and not generated and item.heard_text is not None else item.text


_Restored: TypeAlias = tuple[list[tuple[ConversationRequestItem, Item]], list[str]]
"""What a new session is given, each with the item it stands for, and what is missing."""


def _restored(item: Item, results: dict[str | None, Item], owed: Set[str]) -> _Restored:
    if item.kind == "message":
        return _restored_answer(item) if item.role == "assistant" else _restored_input(item)
    if item.kind == "function_call" and item.call is not None:
        call, result = item.call, results.get(item.call.call_id)
        request = FunctionCallItem(name=call.name, call_id=call.call_id, arguments=call.arguments)
        if result is None:
            return ([(request, item)], []) if call.call_id in owed else ([], ["the call has no result"])
        answer = FunctionCallOutputItem(call_id=call.call_id, output=result.output or "")
        return [(request, item), (answer, result)], []
    if item.kind == "function_call_output":
        return [], ["the result has no call"]
    return [], ["only the service makes items of this kind"]


def _restored_answer(item: Item) -> _Restored:
    text = said(item)
    if not text:
        return [], ["no text of it is known" if item.text is None else "nothing of it was heard"]
    return [(AssistantMessageItem(content=[OutputTextContentPart(text=text)]), item)], []


def _restored_input(item: Item) -> _Restored:
    content: list[MessageContentPart] = []
    gaps: list[str] = []
    for part in item.parts:
        if part.kind == "input_image" and part.image_url:
            content.append(RequestImageContentPart(image_url=part.image_url))
        elif part.kind in ("input_text", "input_audio") and part.text is not None:
            content.append(InputTextContentPart(text=part.text))
        else:
            gaps.append(_GAPS.get(part.kind, f"a part of kind {part.kind} cannot be given again"))
    if not content:
        return [], gaps or ["it has no content"]
    made = SystemMessageItem(content=content) if item.role == "system" else UserMessageItem(content=content)
    return [(made, item)], gaps


def _with_id(request: ConversationRequestItem, owner: Item) -> ConversationRequestItem:
    return request.model_copy(update={"id": owner.id})

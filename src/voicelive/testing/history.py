"""The conversation as the emulated service believes it happened: items in order, and what may be done to them.

Every refusal names the field of the client event at fault. What a change is answered with is decided in ``service``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from voicelive.audio.formats import AudioFormat
from voicelive.testing.checks import Refusal
from voicelive.testing.items import CallItem, Item, MessageItem, OutputItem, Part

__all__ = ["History", "last_user_message", "latest_outputs", "outputs_by_call"]

_FRONT = "root"  # the client's word for "before everything else"


class History:
    """Items of one conversation, oldest first."""

    def __init__(self) -> None:
        self._items: list[Item] = []

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: Item, after: str | None = None) -> str | None:
        """Put an item behind another one, or last; returns the id of the item before it.

        Args:
            item: Its id must be new.
            after: Id of an item, ``"root"`` for the front, ``None`` for the end.

        Raises:
            Refusal: The id is taken, or ``after`` does not exist.
        """
        if any(known.id == item.id for known in self._items):
            raise Refusal("invalid_value", f"An item with the id '{item.id}' already exists.", "item.id")
        place = self._place_behind(after)
        self._items.insert(place, item)
        return self._items[place - 1].id if place else None

    def find(self, item_id: str) -> Item:
        """The item of that id.

        Raises:
            Refusal: There is none.
        """
        return self._items[self._index(item_id, "item_id")]

    def delete(self, item_id: str) -> None:
        """Forget an item.

        Raises:
            Refusal: There is none of that id.
        """
        del self._items[self._index(item_id, "item_id")]

    def truncate(self, item_id: str, content_index: int, audio_end_ms: int) -> None:
        """Cut spoken audio of the agent to what was heard; the part's transcript goes away.

        Raises:
            Refusal: No such item or part, not the agent's audio, or ``audio_end_ms`` beyond its length.
        """
        item = self.find(item_id)
        if not isinstance(item, MessageItem) or item.role != "assistant":
            raise Refusal("invalid_value", "Only messages of the assistant can be truncated.", "item_id")
        if not 0 <= content_index < len(item.parts) or item.parts[content_index].kind != "audio":
            raise Refusal("invalid_value", f"Content part {content_index} holds no audio.", "content_index")
        part = item.parts[content_index]
        if not 0 <= audio_end_ms <= part.audio_ms:
            raise Refusal(
                "invalid_value",
                f"Audio content of {part.audio_ms:.0f}ms is already shorter than {audio_end_ms}ms.",
                "audio_end_ms",
            )
        _cut(part, audio_end_ms)

    def append_text(self, item_id: str, content_index: int, delta: str) -> None:
        """Add streamed text to a text part of an item.

        Raises:
            Refusal: No such item or part, or it is not text of the user.
        """
        item = self._items[self._index(item_id, "id")]
        if not isinstance(item, MessageItem) or not 0 <= content_index < len(item.parts):
            raise Refusal("invalid_value", f"There is no content part {content_index}.", "content_index")
        part = item.parts[content_index]
        if part.kind != "input_text":
            raise Refusal("invalid_value", f"Content part {content_index} holds no input text.", "content_index")
        part.text = (part.text or "") + delta

    def settle(self) -> None:
        """Nothing is added to items any more: what was in progress stays incomplete."""
        for item in self._items:
            if not isinstance(item, OutputItem) and item.status == "in_progress":
                item.status = "incomplete"

    def has_call(self, call_id: str) -> bool:
        """A function call of that id stands in the conversation."""
        return any(isinstance(item, CallItem) and item.call_id == call_id for item in self._items)

    def _place_behind(self, after: str | None) -> int:
        if after is None:
            return len(self._items)
        return 0 if after == _FRONT else self._index(after, "previous_item_id") + 1

    def _index(self, item_id: str, param: str) -> int:
        for index, item in enumerate(self._items):
            if item.id == item_id:
                return index
        raise Refusal("invalid_value", f"There is no item with the id '{item_id}' in the conversation.", param)


def last_user_message(items: Sequence[Item]) -> MessageItem | None:
    """What the caller said or wrote last."""
    messages = (item for item in reversed(items) if isinstance(item, MessageItem))
    return next((item for item in messages if item.role == "user"), None)


def outputs_by_call(items: Sequence[Item]) -> dict[str, str]:
    """Answers of functions, by call id."""
    return {item.call_id: item.output for item in items if isinstance(item, OutputItem)}


def latest_outputs(items: Sequence[Item]) -> tuple[str, ...]:
    """Answers of functions at the end of the items, oldest first."""
    outputs = itertools.takewhile(lambda item: isinstance(item, OutputItem), reversed(items))
    return tuple(item.words for item in outputs)[::-1]


def _cut(part: Part, end_ms: int) -> None:
    if part.audio is not None and isinstance(part.audio_format, AudioFormat):
        part.audio = part.audio[: part.audio_format.byte_count(end_ms)]
    part.transcript = None

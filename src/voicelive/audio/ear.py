"""What of the agent's voice was heard, and when: for whoever keeps a record of a call.

Decides which bytes a step of hearing means. Audio is kept from its arrival until it was heard, or never will be. Time
is an argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from voicelive.audio.chunking import pull
from voicelive.audio.formats import AudioFormat

__all__ = ["Ear", "HeardPiece"]


@dataclass(frozen=True, slots=True)
class HeardPiece:
    """A piece of the agent's voice that was heard without a break.

    Attributes:
        item_id: The item that spoke.
        audio: Whole samples.
        format: Of the audio.
        ended_s: When its last sample was heard, on the clock that the ear is told.
        first: Whether the item begins with it.
    """

    item_id: str
    audio: bytes = field(repr=False)
    format: AudioFormat
    ended_s: float
    first: bool


@dataclass(slots=True)
class _Item:
    format: AudioFormat
    begins_bytes: int
    """Where in the item's audio listening began."""
    end_bytes: int
    heard_bytes: int
    waiting: deque[bytes] = field(default_factory=deque)


class Ear:
    """Listens to one session's playback. Pure: same calls, same answers.

    Args:
        tell: Is given every piece, in the order of hearing.
    """

    def __init__(self, tell: Callable[[HeardPiece], None]) -> None:
        self._tell = tell
        self._items: dict[str, _Item] = {}

    def came(self, item_id: str, place_bytes: int, audio: bytes, audio_format: AudioFormat) -> None:
        """Audio has come, which begins at this place of its item."""
        item = self._items.get(item_id)
        if item is None:
            item = self._items[item_id] = _Item(audio_format, place_bytes, place_bytes, place_bytes)
        item.waiting.append(audio)
        item.end_bytes += len(audio)

    def heard(self, item_id: str, place_bytes: int, now: float) -> None:
        """An item was heard up to this place by now."""
        item = self._items.get(item_id)
        if item is None:
            return
        size = min(place_bytes, item.end_bytes) - item.heard_bytes
        if size > 0:
            first = item.heard_bytes == item.begins_bytes
            item.heard_bytes += size
            self._tell(HeardPiece(item_id, pull(item.waiting, size), item.format, now, first))

    def forget(self, item_id: str) -> None:
        """Nothing more of this item will be heard."""
        self._items.pop(item_id, None)

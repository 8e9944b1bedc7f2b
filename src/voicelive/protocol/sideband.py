"""A session whose events come over two channels: its own socket, and a data channel that a page forwards.

Each event counts once, by whichever channel it comes first. Decides what is the same event, and what a page is
believed: what gives orders to this process (settings, errors, arguments of functions, MCP) is taken from the socket
alone, where the service's guide routes it ("Voice Live API with WebRTC", learn.microsoft.com, 2026-04-30).
"""

from __future__ import annotations

from collections import deque
from typing import Final

from voicelive.wire.server_events import ServerEvent, UnknownServerEvent

__all__ = ["OnceEach", "may_be_forwarded"]

REMEMBERED: Final = 4096
"""Events; without audio among them, that is minutes of a lively call, and a page is late by parts of a second."""

_OF_THE_SOCKET: Final = (
    "session.",
    "error",
    "rtc.call.",
    "realtime.call.",
    "response.function_call_arguments.",
    "response.mcp_call",
    "mcp_",
)

_ONCE: Final = frozenset(
    {
        "response.created",
        "response.done",
        "response.output_item.added",
        "response.output_item.done",
        "response.content_part.added",
        "response.content_part.done",
        "response.text.done",
        "response.audio_transcript.done",
        "response.audio.done",
        "response.function_call_arguments.done",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.input_audio_transcription.completed",
        "conversation.item.input_audio_transcription.failed",
        "output_audio_buffer.started",
        "output_audio_buffer.stopped",
    }
)
"""Types that are said once of a thing. Not ``conversation.item.created``: an item can be deleted and made again."""


def may_be_forwarded(event: ServerEvent) -> bool:
    """Whether a page is believed this event. What no class describes is; nothing acts upon it."""
    kind = event.kind if isinstance(event, UnknownServerEvent) else event.type
    return not (kind or "").startswith(_OF_THE_SOCKET)


class OnceEach:
    """Tells new events from copies. Pure: same calls, same answers.

    An event is known by its ``event_id``. One without is known by its type and the thing that it is about, if such an
    event is said only once of such a thing; any other is taken for new: two equal slices of text may both be meant.

    Args:
        remembered: How many events are remembered; a copy that comes later than that counts as new.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._order: deque[object] = deque()
        self._known: set[object] = set()
        self._remembered = remembered

    def is_new(self, event: ServerEvent) -> bool:
        """Whether this event has not come before; from now on it has."""
        key = _identity(event)
        if key is None:
            return True
        if key in self._known:
            return False
        self._known.add(key)
        self._order.append(key)
        if len(self._order) > self._remembered:
            self._known.discard(self._order.popleft())
        return True


def _identity(event: ServerEvent) -> object:
    if event.event_id:
        return event.event_id
    if event.type not in _ONCE:
        return None
    response = getattr(event, "response", None)
    about = (
        getattr(response, "id", None) or getattr(event, "response_id", None),
        getattr(event, "item_id", None) or getattr(getattr(event, "item", None), "id", None),
        getattr(event, "content_index", None),
    )
    return (event.type, *about) if any(about[:2]) else None

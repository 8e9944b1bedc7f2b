"""Which of the two channels of a WebRTC call an event goes to. Pure.

As the guide has it ("Voice Live API with WebRTC", learn.microsoft.com, 2026-04-30). Its table lists item events for
both channels and its text for the data channel alone; so the emulator can do either. Events that the guide does not
list go where those of their kind go.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from voicelive import wire

__all__ = ["Channel", "channels"]

Channel: TypeAlias = Literal["socket", "data"]

_SOCKET = (
    "session.",
    "error",
    "warning",
    "rtc.call.",
    "response.function_call_arguments.",
    "response.mcp_call",
    "mcp_",
)
_ITEMS = frozenset({"conversation.item.created", "response.output_item.added", "response.output_item.done"})
_AUDIO = frozenset({"response.audio.delta", "response.audio.done"})  # the voice goes by RTP


def channels(event: wire.ServerEvent, *, items_on_both: bool) -> tuple[Channel, ...]:
    """Where an event goes; nowhere, if it carries what goes by RTP."""
    kind = event.kind or "" if isinstance(event, wire.UnknownServerEvent) else event.type
    if kind in _AUDIO:
        return ()
    if kind in _ITEMS and items_on_both:
        return ("socket", "data")
    return ("socket",) if kind.startswith(_SOCKET) else ("data",)

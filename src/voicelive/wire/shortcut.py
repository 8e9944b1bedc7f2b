"""A shorter way for frames that are audio or video for the most part: only their few other bytes are parsed as JSON.

pydantic's parser walks through every character of a string and decodes base64 without vector instructions; half a
second of speech is 32,000 characters. Here the payload is cut out beforehand. Wherever that could give another result
than the parser itself, nothing is given, and the frame goes the long way.
"""

from binascii import Error as Base64Error
from collections.abc import Callable
from typing import Any, Final

from pybase64 import b64decode, b64encode
from pydantic import ValidationError

from voicelive.wire.server.animation import ResponseVideoDelta
from voicelive.wire.server.response import ResponseAudioDelta
from voicelive.wire.server_events import ServerEvent

__all__ = ["WORTH_BYTES", "media_event"]

WORTH_BYTES: Final = 2048
"""Shorter frames are parsed as fast without; measured."""

_MEDIA: Final = frozenset({ResponseAudioDelta, ResponseVideoDelta})
_START: Final = b'"delta":"'  # an unescaped quotation mark: this is no text inside a string
_NAME: Final = b'"delta"'


def media_event(frame: bytes, parse: Callable[..., ServerEvent]) -> ServerEvent | None:
    """The audio or video delta in a frame; ``None`` where the frame has to go the long way.

    Args:
        frame: A whole frame.
        parse: Makes an event of a frame.
    """
    start = frame.find(_START) + len(_START)
    stop = frame.find(b'"', start)
    if start < len(_START) or stop < 0:
        return None
    around = frame[:start] + frame[stop:]
    if b"\\" in around or around.count(_NAME) != 1:  # the key could stand there twice
        return None
    try:
        event: Any = parse(around, strict=True)
        if type(event) not in _MEDIA or event.__pydantic_extra__ or "delta" not in event.__pydantic_fields_set__:
            return None  # another event, or the key is one of an object inside it
        media = b64decode(memoryview(frame)[start:stop], validate=True)
    except (ValidationError, Base64Error):
        return None
    odd_bytes = len(media) % 3
    if odd_bytes and b64encode(media[-odd_bytes:]) != frame[stop - 4 : stop]:
        return None  # bits that no byte needs; the long way refuses them
    event.__dict__["delta"] = media  # frozen against the application, and nobody has it yet
    found: ServerEvent = event
    return found

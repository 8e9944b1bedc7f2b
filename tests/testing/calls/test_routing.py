"""Which channel of a WebRTC call an event goes to."""

from __future__ import annotations

import json

import pytest

from voicelive.testing.calls.routing import channels
from voicelive.wire.codec import decode


@pytest.mark.parametrize(
    ("kind", "apart", "both"),
    [
        ("session.updated", ("socket",), ("socket",)),
        ("error", ("socket",), ("socket",)),
        ("rtc.call.sdp.created", ("socket",), ("socket",)),
        ("response.function_call_arguments.done", ("socket",), ("socket",)),
        ("response.created", ("data",), ("data",)),
        ("response.text.delta", ("data",), ("data",)),
        ("input_audio_buffer.speech_started", ("data",), ("data",)),
        ("conversation.item.created", ("data",), ("socket", "data")),
        ("response.output_item.done", ("data",), ("socket", "data")),
        ("response.audio.delta", (), ()),
        ("response.audio.done", (), ()),
        ("brand.new", ("data",), ("data",)),
    ],
)
def test_an_event_goes_where_the_guide_has_it(kind: str, apart: tuple[str, ...], both: tuple[str, ...]) -> None:
    event = decode(json.dumps({"type": kind}))
    assert channels(event, items_on_both=False) == apart
    assert channels(event, items_on_both=True) == both

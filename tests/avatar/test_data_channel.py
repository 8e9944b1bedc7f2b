"""Messages of the avatar's data channel."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.avatar.data_channel import AvatarEvent, read_event

TURN = '{"event":{"eventType":"EVENT_TYPE_TURN_START","offset":"14.610s","duration":"0s","turnID":"0123456789abcdef"}}'


def test_a_message_is_read() -> None:
    assert read_event(TURN) == AvatarEvent("EVENT_TYPE_TURN_START", 14.61, 0.0, "0123456789abcdef", TURN)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ('{"event":{"eventType":"EVENT_TYPE_SESSION_END"}}', "EVENT_TYPE_SESSION_END"),
        ('{"event":{"eventType":"EVENT_TYPE_NEW","offset":3,"duration":"long","turnID":7}}', "EVENT_TYPE_NEW"),
        ('{"event":{"eventType":"E","offset":"nans","duration":"infs"}}', "E"),
        ('{"event":{"eventType":7}}', ""),
        ('{"event":"later"}', ""),
        ("[1]", ""),
        ("hello", ""),
        (b"\xff\xfe\x00", ""),
        ("[" * 100_000, ""),
    ],
)
def test_what_is_not_understood_is_kept(message: str | bytes, kind: str) -> None:
    assert read_event(message) == AvatarEvent(kind, None, None, None, message)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_no_message_raises(content: Any) -> None:
    message = json.dumps({"event": content})
    assert read_event(message).raw == message
